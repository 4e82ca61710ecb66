//! Annualised volatility.

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Moments, PeriodsPerYear, Returns};

/// [`annualized_volatility`].
pub const ANNUALIZED_VOLATILITY: MetricInfo = MetricInfo {
    name: "annualized_volatility",
    label: "Volatility per year",
    calculator: "volatility::annualized_volatility",
    formula: "s * sqrt(ppy)",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "sample (n - 1), scaled by the root of time",
    undefined_when: "fewer than 2 returns",
    higher_is_better: Some(false),
};

/// The sample deviation times the root of the periods per year; 0 is a value. O(n).
///
/// The root of time is right only for independent returns (Lo 2002).
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, annualized_volatility};
/// let quarters = Returns::new(&[0.5, 0.25, 0.0])?;
/// assert_eq!(annualized_volatility(&quarters, PeriodsPerYear::QUARTERS)?, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn annualized_volatility(returns: &Returns<'_>, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    of_moments(&returns.moments(), periods)
}

pub(crate) fn of_moments(moments: &Moments, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    defined(moments.stdev()? * periods.get().sqrt())
}
