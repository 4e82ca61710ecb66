//! The Sortino ratio.

use crate::downside::dividing_deviation;
use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Mar, PeriodsPerYear, Returns};

/// [`sortino`].
pub const SORTINO: MetricInfo = MetricInfo {
    name: "sortino",
    label: "Sortino ratio",
    calculator: "sortino::sortino",
    formula: "mean(r - mar) / sqrt(sum(min(r - mar, 0)^2) / n) * sqrt(ppy)",
    source: "Sortino & van der Meer 1991; Sortino & Price 1994",
    unit: MetricUnit::Ratio,
    convention: "downside over all n returns, one MAR in both",
    undefined_when: "no return; none under the minimum acceptable return",
    higher_is_better: Some(true),
};

/// The annualised mean over the minimum acceptable return per unit of downside deviation. O(n).
///
/// ```
/// use bellwether_perf::{Mar, PeriodsPerYear, Returns, Undefined, sortino};
/// let quarters = Returns::new(&[0.5, -0.25, 0.0, 0.25])?; // mean 0.125, downside deviation 0.125
/// assert_eq!(sortino(&quarters, Mar::ZERO, PeriodsPerYear::QUARTERS)?, 2.0);
///
/// let gains = Returns::new(&[0.01, 0.02])?;
/// assert_eq!(sortino(&gains, Mar::ZERO, PeriodsPerYear::QUARTERS), Err(Undefined::NoDownside));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sortino(returns: &Returns<'_>, mar: Mar, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    defined(sortino_per_period(returns, mar.at(periods)?)? * periods.get().sqrt())
}

/// [`sortino_per_period`].
pub const SORTINO_PER_PERIOD: MetricInfo = MetricInfo {
    name: "sortino_per_period",
    label: "Sortino ratio per period",
    calculator: "sortino::sortino_per_period",
    formula: "mean(r - threshold) / sqrt(sum(min(r - threshold, 0)^2) / n)",
    source: "Sortino & van der Meer 1991; Sortino & Price 1994",
    unit: MetricUnit::Ratio,
    convention: "downside over all n returns, not annualised",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// The Sortino ratio per period against a threshold per period. O(n).
pub fn sortino_per_period(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    let deviation = dividing_deviation(returns, threshold)?;
    defined((lanes::mean(returns.as_slice()) - threshold) / deviation)
}
