//! The pain index and the pain ratio.

use crate::growth::Growth;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Drawdowns, PeriodsPerYear, Returns, RiskFree};

/// [`pain_index`].
pub const PAIN_INDEX: MetricInfo = MetricInfo {
    name: "pain_index",
    label: "Pain index",
    calculator: "pain::pain_index",
    formula: "sum(|drawdown|) / n",
    source: "Zephyr Associates 2006",
    unit: MetricUnit::Fraction,
    convention: "over all n periods; positive",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(false),
};

/// The mean size of the drawdown over all periods, positive. O(n).
pub fn pain_index(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Drawdowns::of(returns)?.pain()
}

/// How the drawdown of the pain ratio is built from returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Compounding {
    /// Wealth compounds; the drawdown is a share of its peak.
    Geometric,
    /// Returns are summed; the drawdown is the distance from the highest sum: the convention of the values in
    /// Bacon's book.
    Additive,
}

/// [`pain_ratio`].
pub const PAIN_RATIO: MetricInfo = MetricInfo {
    name: "pain_ratio",
    label: "Pain ratio",
    calculator: "pain::pain_ratio",
    formula: "(cagr - rf) / pain index",
    source: "Zephyr Associates 2006",
    unit: MetricUnit::Ratio,
    convention: "per year; how the drawdown compounds is named",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// Compound growth per year over the risk-free rate, per unit of the pain index. O(n).
pub fn pain_ratio(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
    compounding: Compounding,
) -> Result<f64, Undefined> {
    let growth = Growth::of(returns)?;
    let pain = match compounding {
        Compounding::Geometric => Drawdowns::of(returns)?.pain()?,
        Compounding::Additive => additive_pain(returns)?,
    };
    of_parts(&growth, pain, risk_free, periods)
}

pub(crate) fn of_parts(
    growth: &Growth,
    pain: f64,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    if pain == 0.0 {
        return Err(Undefined::NoDrawdown);
    }
    defined((growth.cagr(periods)? - risk_free.per_year(periods)?) / pain)
}

fn additive_pain(returns: &Returns<'_>) -> Result<f64, Undefined> {
    // Returns fall from their highest sum where wealth falls from its peak.
    if Drawdowns::of(returns)?.deepest() == 0.0 {
        return Ok(0.0);
    }
    let (mut below, mut sum) = (0.0_f64, 0.0);
    for &r in returns.as_slice() {
        below = (below + r).min(0.0);
        sum -= below;
    }
    defined(sum / returns.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_drawdowns_by_hand() {
        let returns = Returns::new(&[-0.5, 0.5, 0.5, 0.0]).unwrap();
        // Compounded: 0.5, 0.75, 1.125, 1.125. Summed: -0.5, 0, 0.5, 0.5.
        assert_eq!(pain_index(&returns), Ok(0.1875));
        assert_eq!(additive_pain(&returns), Ok(0.125));
        let ratio = pain_ratio(&returns, RiskFree::ZERO, PeriodsPerYear::QUARTERS, Compounding::Geometric);
        assert_eq!(ratio.map(|x| (x * 1e12).round()), Ok((0.125 / 0.1875 * 1e12_f64).round()));
    }

    #[test]
    fn gains_only_have_no_ratio() {
        let gains = Returns::new(&[0.1, 0.0]).unwrap();
        for compounding in [Compounding::Geometric, Compounding::Additive] {
            let answer = pain_ratio(&gains, RiskFree::ZERO, PeriodsPerYear::MONTHS, compounding);
            assert_eq!(answer, Err(Undefined::NoDrawdown));
        }
    }
}
