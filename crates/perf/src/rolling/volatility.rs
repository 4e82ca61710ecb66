//! Rolling volatility.

use super::moments::each_window;
use super::{RollingSeries, checked_window};
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns};

/// [`volatility`].
pub const ROLLING_VOLATILITY: MetricInfo = MetricInfo {
    name: "rolling_volatility",
    label: "Rolling volatility per year",
    calculator: "rolling::volatility",
    formula: "s * sqrt(ppy) of each window",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "trailing window, sample (n - 1)",
    undefined_when: "fewer returns than the window; a window under 2",
    higher_is_better: Some(false),
};

/// The annualised volatility of each trailing window. O(n), memory O(window).
pub fn volatility(
    returns: &Returns<'_>,
    window: usize,
    periods: PeriodsPerYear,
) -> Result<RollingSeries, Undefined> {
    checked_window(window, returns.len())?;
    let mut series = RollingSeries::with_capacity(window, returns.len() + 1 - window);
    let year = periods.get().sqrt();
    each_window(returns.as_slice(), window, |w| series.push(w.stdev().and_then(|s| defined(s * year))));
    Ok(series)
}
