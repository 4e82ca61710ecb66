//! Modigliani's M2: the return at the benchmark's risk.

use crate::co_moments::CoMoments;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::sharpe;
use crate::undefined::{Undefined, defined};
use crate::volatility;
use crate::{PeriodsPerYear, Returns, RiskFree};

/// [`m2`].
pub const M2: MetricInfo = MetricInfo {
    name: "m2",
    label: "M2 (Modigliani)",
    calculator: "m2::m2",
    formula: "rf + SR * s(b) sqrt(ppy)",
    source: "Modigliani & Modigliani 1997",
    unit: MetricUnit::FractionPerYear,
    convention: "arithmetic Sharpe ratio, at the benchmark's volatility",
    undefined_when: "as the Sharpe ratio; lengths differ",
    higher_is_better: Some(true),
};

/// What the returns would bring per year at the volatility of the benchmark. O(n).
pub fn m2(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    of_co_moments(&CoMoments::of(returns, benchmark)?, risk_free, periods)
}

pub(crate) fn of_co_moments(
    both: &CoMoments,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let ratio = sharpe::of_moments(&both.returns, risk_free, periods)?;
    let volatility = volatility::of_moments(&both.benchmark, periods)?;
    defined(risk_free.per_year(periods)? + ratio * volatility)
}

/// [`m2_geometric`].
pub const M2_GEOMETRIC: MetricInfo = MetricInfo {
    name: "m2_geometric",
    label: "M2 (Modigliani, CAGR)",
    calculator: "m2::m2_geometric",
    formula: "rf + (cagr - rf) s(b) / s(r)",
    source: "Bacon 2008",
    unit: MetricUnit::FractionPerYear,
    convention: "compound growth; the kind of deviation cancels",
    undefined_when: "as the Sharpe ratio; lengths differ; a return under -1",
    higher_is_better: Some(true),
};

/// Compound growth per year, brought to the volatility of the benchmark. O(n).
pub fn m2_geometric(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let both = CoMoments::of(returns, benchmark)?;
    let scale = both.benchmark.stdev()? / both.returns.varying_stdev()?;
    let risk_free = risk_free.per_year(periods)?;
    defined(risk_free + (crate::cagr(returns, periods)? - risk_free) * scale)
}
