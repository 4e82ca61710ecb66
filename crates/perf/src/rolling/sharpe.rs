//! Rolling Sharpe ratio.

use super::moments::each_window;
use super::{RollingSeries, checked_window};
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns, RiskFree};

/// [`sharpe`].
pub const ROLLING_SHARPE: MetricInfo = MetricInfo {
    name: "rolling_sharpe",
    label: "Rolling Sharpe ratio",
    calculator: "rolling::sharpe",
    formula: "mean(r - rf) / s(r - rf) * sqrt(ppy) of each window",
    source: "Sharpe 1994",
    unit: MetricUnit::Ratio,
    convention: "trailing window, arithmetic mean, sample deviation",
    undefined_when: "fewer returns than the window; a window without variance has no value",
    higher_is_better: Some(true),
};

/// The annualised Sharpe ratio of each trailing window. O(n), memory O(window).
pub fn sharpe(
    returns: &Returns<'_>,
    window: usize,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<RollingSeries, Undefined> {
    checked_window(window, returns.len())?;
    let risk_free = risk_free.at(periods)?;
    let mut series = RollingSeries::with_capacity(window, returns.len() + 1 - window);
    let year = periods.get().sqrt();
    each_window(returns.as_slice(), window, |w| {
        series.push(
            w.varying_stdev(returns.rounding_size()).and_then(|s| defined((w.mean() - risk_free) / s * year)),
        );
    });
    Ok(series)
}
