//! The ulcer index and the Martin ratio.

use crate::growth::Growth;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Drawdowns, PeriodsPerYear, Returns, RiskFree};

/// [`ulcer_index`].
pub const ULCER_INDEX: MetricInfo = MetricInfo {
    name: "ulcer_index",
    label: "Ulcer index",
    calculator: "ulcer::ulcer_index",
    formula: "sqrt(sum(drawdown^2) / n)",
    source: "Martin & McCann 1987",
    unit: MetricUnit::Fraction,
    convention: "over all n periods; a fraction, not percent",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(false),
};

/// The root mean square of the drawdown series over all periods, as a fraction. O(n).
pub fn ulcer_index(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Drawdowns::of(returns)?.root_mean_square()
}

/// [`martin_ratio`].
pub const MARTIN_RATIO: MetricInfo = MetricInfo {
    name: "martin_ratio",
    label: "Martin ratio (UPI)",
    calculator: "ulcer::martin_ratio",
    formula: "(cagr - rf) / ulcer index",
    source: "Martin & McCann 1987",
    unit: MetricUnit::Ratio,
    convention: "growth and risk-free rate per year",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// Compound growth per year over the risk-free rate, per unit of the ulcer index. O(n).
pub fn martin_ratio(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    of_parts(&Growth::of(returns)?, &Drawdowns::of(returns)?, risk_free, periods)
}

pub(crate) fn of_parts(
    growth: &Growth,
    drawdowns: &Drawdowns,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    drawdowns.dividing_depth()?;
    defined((growth.cagr(periods)? - risk_free.per_year(periods)?) / drawdowns.root_mean_square()?)
}
