//! Kurtosis: how heavy the tails are.

use crate::Returns;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;

/// [`excess_kurtosis`].
pub const EXCESS_KURTOSIS: MetricInfo = MetricInfo {
    name: "excess_kurtosis_population",
    label: "Excess kurtosis",
    calculator: "kurtosis::excess_kurtosis",
    formula: "g2 = m4 / m2^2 - 3 with moments over n",
    source: "Joanes & Gill 1998",
    unit: MetricUnit::Ratio,
    convention: "population (g2), excess: a normal distribution has 0",
    undefined_when: "fewer than 2 returns; no variance",
    higher_is_better: Some(false),
};

/// Population excess kurtosis g2. O(n).
pub fn excess_kurtosis(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().excess_kurtosis()
}

/// [`sample_excess_kurtosis`].
pub const SAMPLE_EXCESS_KURTOSIS: MetricInfo = MetricInfo {
    name: "excess_kurtosis_sample",
    label: "Excess kurtosis (sample)",
    calculator: "kurtosis::sample_excess_kurtosis",
    formula: "G2 = ((n + 1) g2 + 6)(n - 1) / ((n - 2)(n - 3))",
    source: "Joanes & Gill 1998",
    unit: MetricUnit::Ratio,
    convention: "sample (G2), excess: a normal distribution has 0",
    undefined_when: "fewer than 4 returns; no variance",
    higher_is_better: Some(false),
};

/// Sample excess kurtosis G2. O(n).
pub fn sample_excess_kurtosis(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().sample_excess_kurtosis()
}
