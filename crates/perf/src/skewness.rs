//! Skewness: whether the losses or the gains reach farther.

use crate::Returns;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;

/// [`skewness`].
pub const SKEWNESS: MetricInfo = MetricInfo {
    name: "skewness_population",
    label: "Skewness",
    calculator: "skewness::skewness",
    formula: "g1 = m3 / m2^1.5 with moments over n",
    source: "Joanes & Gill 1998",
    unit: MetricUnit::Ratio,
    convention: "population (g1)",
    undefined_when: "fewer than 2 returns; no variance",
    higher_is_better: Some(true),
};

/// Population skewness g1. O(n).
pub fn skewness(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().skewness()
}

/// [`sample_skewness`].
pub const SAMPLE_SKEWNESS: MetricInfo = MetricInfo {
    name: "skewness_sample",
    label: "Skewness (sample)",
    calculator: "skewness::sample_skewness",
    formula: "G1 = g1 sqrt(n (n - 1)) / (n - 2)",
    source: "Joanes & Gill 1998",
    unit: MetricUnit::Ratio,
    convention: "adjusted Fisher-Pearson (G1)",
    undefined_when: "fewer than 3 returns; no variance",
    higher_is_better: Some(true),
};

/// Sample skewness G1. O(n).
pub fn sample_skewness(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().sample_skewness()
}
