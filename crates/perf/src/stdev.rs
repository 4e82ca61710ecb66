//! Standard deviation and variance per period.

use crate::Returns;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;

/// [`stdev`].
pub const STDEV: MetricInfo = MetricInfo {
    name: "stdev_sample",
    label: "Standard deviation",
    calculator: "stdev::stdev",
    formula: "sqrt(sum((r - mean)^2) / (n - 1))",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "sample (n - 1), per period",
    undefined_when: "fewer than 2 returns",
    higher_is_better: Some(false),
};

/// Sample standard deviation per period; 0 is a value. O(n).
///
/// ```
/// use bellwether_perf::{Returns, stdev};
/// assert_eq!(stdev(&Returns::new(&[0.5, 0.25, 0.0])?)?, 0.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn stdev(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().stdev()
}

/// [`population_stdev`].
pub const POPULATION_STDEV: MetricInfo = MetricInfo {
    name: "stdev_population",
    label: "Standard deviation (population)",
    calculator: "stdev::population_stdev",
    formula: "sqrt(sum((r - mean)^2) / n)",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "population (n), per period",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// Population standard deviation per period; 0 is a value. O(n).
pub fn population_stdev(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().population_stdev()
}

/// [`variance`].
pub const VARIANCE: MetricInfo = MetricInfo {
    name: "variance_sample",
    label: "Variance",
    calculator: "stdev::variance",
    formula: "sum((r - mean)^2) / (n - 1)",
    source: "definition",
    unit: MetricUnit::Ratio,
    convention: "sample (n - 1), per period, squared fractions",
    undefined_when: "fewer than 2 returns",
    higher_is_better: Some(false),
};

/// Sample variance per period; 0 is a value. O(n).
pub fn variance(returns: &Returns<'_>) -> Result<f64, Undefined> {
    returns.moments().variance()
}
