//! The Sharpe ratio.

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Moments, PeriodsPerYear, Returns, RiskFree};

/// [`sharpe`].
pub const SHARPE: MetricInfo = MetricInfo {
    name: "sharpe",
    label: "Sharpe ratio",
    calculator: "sharpe::sharpe",
    formula: "mean(r - rf) / s(r - rf) * sqrt(ppy)",
    source: "Sharpe 1994",
    unit: MetricUnit::Ratio,
    convention: "arithmetic mean, sample deviation, root of time",
    undefined_when: "fewer than 2 returns; no variance beyond rounding",
    higher_is_better: Some(true),
};

/// The annualised Sharpe ratio: mean excess return over its sample deviation. O(n).
///
/// Near-constant returns, whose deviation is no more than the rounding of their own size, have none.
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, RiskFree, sharpe};
/// let quarters = Returns::new(&[0.5, 0.25, 0.0])?;
/// assert_eq!(sharpe(&quarters, RiskFree::ZERO, PeriodsPerYear::QUARTERS)?, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sharpe(returns: &Returns<'_>, risk_free: RiskFree, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    of_moments(&returns.moments(), risk_free, periods)
}

pub(crate) fn of_moments(
    moments: &Moments,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let risk_free = risk_free.at(periods)?;
    defined((moments.mean() - risk_free) / moments.varying_stdev()? * periods.get().sqrt())
}

/// [`sharpe_per_period`].
pub const SHARPE_PER_PERIOD: MetricInfo = MetricInfo {
    name: "sharpe_per_period",
    label: "Sharpe ratio per period",
    calculator: "sharpe::sharpe_per_period",
    formula: "mean(r - rf) / s(r - rf)",
    source: "Sharpe 1994",
    unit: MetricUnit::Ratio,
    convention: "arithmetic mean, sample deviation, not annualised",
    undefined_when: "fewer than 2 returns; no variance beyond rounding",
    higher_is_better: Some(true),
};

/// The Sharpe ratio per period, against a risk-free return per period. O(n).
pub fn sharpe_per_period(returns: &Returns<'_>, risk_free: f64) -> Result<f64, Undefined> {
    sharpe(returns, RiskFree::per_period(risk_free), PeriodsPerYear::YEARS)
}

/// [`sharpe_standard_error_iid`].
pub const SHARPE_STANDARD_ERROR_IID: MetricInfo = MetricInfo {
    name: "sharpe_standard_error_iid",
    label: "Standard error of the Sharpe ratio",
    calculator: "sharpe::sharpe_standard_error_iid",
    formula: "sqrt((1 + SR^2 / 2) / n)",
    source: "Lo 2002",
    unit: MetricUnit::Ratio,
    convention: "per period, for independent normal returns",
    undefined_when: "fewer than 2 returns; no variance beyond rounding",
    higher_is_better: Some(false),
};

/// The standard error of the Sharpe ratio per period for independent normal returns. O(n).
///
/// Too small where returns are autocorrelated; annualise by the root of the periods per year.
pub fn sharpe_standard_error_iid(returns: &Returns<'_>, risk_free: f64) -> Result<f64, Undefined> {
    let ratio = sharpe_per_period(returns, risk_free)?;
    defined(((1.0 + ratio * ratio / 2.0) / returns.len() as f64).sqrt())
}

/// [`sharpe_geometric`].
pub const SHARPE_GEOMETRIC: MetricInfo = MetricInfo {
    name: "sharpe_geometric",
    label: "Sharpe ratio (CAGR)",
    calculator: "sharpe::sharpe_geometric",
    formula: "(cagr - rf) / (s * sqrt(ppy))",
    source: "Bacon 2008",
    unit: MetricUnit::Ratio,
    convention: "compound growth over volatility, both per year",
    undefined_when: "fewer than 2 returns; no variance beyond rounding; a return under -1",
    higher_is_better: Some(true),
};

/// Compound growth per year over the risk-free rate per year, per unit of annualised volatility. O(n).
pub fn sharpe_geometric(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let volatility = returns.moments().varying_stdev()? * periods.get().sqrt();
    defined((crate::cagr(returns, periods)? - risk_free.per_year(periods)?) / volatility)
}

/// [`sharpe_adjusted`].
pub const SHARPE_ADJUSTED: MetricInfo = MetricInfo {
    name: "sharpe_adjusted",
    label: "Adjusted Sharpe ratio",
    calculator: "sharpe::sharpe_adjusted",
    formula: "SR (1 + g1 / 6 SR - g2 / 24 SR^2) with SR = (cagr - rf) / (s sqrt(ppy))",
    source: "Pezier & White 2006",
    unit: MetricUnit::Ratio,
    convention: "geometric Sharpe ratio, population g1 and excess g2",
    undefined_when: "fewer than 2 returns; no variance beyond rounding; a return under -1",
    higher_is_better: Some(true),
};

/// The geometric Sharpe ratio, adjusted for skewness and excess kurtosis. O(n).
pub fn sharpe_adjusted(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let ratio = sharpe_geometric(returns, risk_free, periods)?;
    let moments = returns.moments();
    let (skewness, kurtosis) = (moments.skewness()?, moments.excess_kurtosis()?);
    defined(ratio * (1.0 + skewness / 6.0 * ratio - kurtosis / 24.0 * ratio * ratio))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Domain;

    #[test]
    fn sharpe_of_constant_and_nearly_constant_returns_is_undefined() {
        for constant in [0.0, 0.001, 0.1, 3.3e-4] {
            let mut values = vec![constant; 252];
            let answer =
                sharpe(&Returns::new(&values).unwrap(), RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
            assert_eq!(answer, Err(Undefined::ZeroVariance));
            values[7] *= 1.0 + 1e-15;
            let answer =
                sharpe(&Returns::new(&values).unwrap(), RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
            assert_eq!(answer, Err(Undefined::ZeroVariance));
        }
    }

    #[test]
    fn four_times_the_periods_give_twice_the_ratio() {
        let returns = Returns::new(&[0.01, -0.02, 0.03]).unwrap();
        let per_period = sharpe_per_period(&returns, 0.001).unwrap();
        let four = sharpe(&returns, RiskFree::per_period(0.001), PeriodsPerYear::QUARTERS).unwrap();
        assert_eq!(four, 2.0 * per_period);
    }

    #[test]
    fn a_risk_free_rate_that_is_none_is_outside_of_the_domain() {
        let returns = Returns::new(&[0.01, -0.02, 0.03]).unwrap();
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            let answer = sharpe(&returns, RiskFree::annual(rate), PeriodsPerYear::MONTHS);
            assert_eq!(answer, Err(Undefined::OutsideDomain { what: Domain::RiskFreeRate }));
        }
    }

    #[test]
    fn one_return_is_too_few() {
        let answer = sharpe_per_period(&Returns::new(&[0.05]).unwrap(), 0.0);
        assert_eq!(answer, Err(Undefined::TooFewObservations { needed: 2, got: 1 }));
    }
}
