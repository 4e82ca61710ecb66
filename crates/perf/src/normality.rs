//! How far returns are from a normal distribution.

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Moments, Returns};

/// [`jarque_bera`].
pub const JARQUE_BERA: MetricInfo = MetricInfo {
    name: "jarque_bera",
    label: "Jarque-Bera statistic",
    calculator: "normality::jarque_bera",
    formula: "n / 6 (g1^2 + g2^2 / 4)",
    source: "Jarque & Bera 1980",
    unit: MetricUnit::Ratio,
    convention: "population skewness and excess kurtosis",
    undefined_when: "fewer than 2 returns; no variance",
    higher_is_better: Some(false),
};

/// The Jarque-Bera statistic; about chi-squared with two degrees of freedom for normal returns, n over 100.
/// O(n).
pub fn jarque_bera(returns: &Returns<'_>) -> Result<f64, Undefined> {
    of_moments(&returns.moments())
}

pub(crate) fn of_moments(moments: &Moments) -> Result<f64, Undefined> {
    let (skewness, kurtosis) = (moments.skewness()?, moments.excess_kurtosis()?);
    defined(moments.count() as f64 / 6.0 * (skewness * skewness + kurtosis * kurtosis / 4.0))
}
