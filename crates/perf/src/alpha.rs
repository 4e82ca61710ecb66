//! What is left beside the benchmark: Jensen's alpha, simple and compounded.

use crate::co_moments::CoMoments;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns, RiskFree};

/// [`alpha`].
pub const ALPHA: MetricInfo = MetricInfo {
    name: "alpha_jensen_arithmetic",
    label: "Alpha (Jensen)",
    calculator: "alpha::alpha",
    formula: "(mean(r - rf) - beta mean(b - rf)) * ppy",
    source: "Jensen 1968",
    unit: MetricUnit::FractionPerYear,
    convention: "arithmetic means, per year",
    undefined_when: "as beta",
    higher_is_better: Some(true),
};

/// Jensen's alpha per year from arithmetic means. O(n).
pub fn alpha(
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
    defined(per_period(both, risk_free, periods)? * periods.get())
}

fn per_period(both: &CoMoments, risk_free: RiskFree, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    let (beta, risk_free) = (both.beta()?, risk_free.at(periods)?);
    defined((both.returns.mean() - risk_free) - beta * (both.benchmark.mean() - risk_free))
}

/// [`alpha_compounded`].
pub const ALPHA_COMPOUNDED: MetricInfo = MetricInfo {
    name: "alpha_compounded",
    label: "Alpha (compounded)",
    calculator: "alpha::alpha_compounded",
    formula: "(1 + mean(r - rf) - beta mean(b - rf))^ppy - 1",
    source: "empyrical",
    unit: MetricUnit::FractionPerYear,
    convention: "alpha per period, compounded over a year",
    undefined_when: "as beta; an alpha per period of -1 or under",
    higher_is_better: Some(true),
};

/// Jensen's alpha per period, compounded over a year. O(n).
pub fn alpha_compounded(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let alpha = per_period(&CoMoments::of(returns, benchmark)?, risk_free, periods)?;
    if alpha <= -1.0 {
        return Err(Undefined::TotalLoss);
    }
    defined((alpha.ln_1p() * periods.get()).exp_m1())
}
