//! Growth per drawdown: the Calmar ratio and the recovery factor.

use crate::growth::Growth;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, at_least, defined};
use crate::{Drawdowns, PeriodsPerYear, Returns};

/// [`calmar`].
pub const CALMAR: MetricInfo = MetricInfo {
    name: "calmar",
    label: "Calmar ratio",
    calculator: "calmar::calmar",
    formula: "cagr / |maximum drawdown|",
    source: "Young 1991",
    unit: MetricUnit::Ratio,
    convention: "over the whole series (MAR ratio), not 36 months",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// Compound growth per year per maximum drawdown, both over the whole series. O(n).
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, calmar};
/// let quarters = Returns::new(&[-0.5, 1.0, 0.25, 0.0])?; // grows by 25 %, fell by 50 %
/// assert_eq!(calmar(&quarters, PeriodsPerYear::QUARTERS)?, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calmar(returns: &Returns<'_>, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    of_parts(&Growth::of(returns)?, &Drawdowns::of(returns)?, periods)
}

/// [`calmar_trailing`].
pub const CALMAR_TRAILING: MetricInfo = MetricInfo {
    name: "calmar_trailing",
    label: "Calmar ratio (trailing)",
    calculator: "calmar::calmar_trailing",
    formula: "cagr / |maximum drawdown| of the last periods",
    source: "Young 1991",
    unit: MetricUnit::Ratio,
    convention: "both of one window; the original takes 36 months",
    undefined_when: "fewer returns than the window; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// The Calmar ratio of the last `window` periods. O(window).
pub fn calmar_trailing(
    returns: &Returns<'_>,
    window: usize,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    at_least(window.max(1), returns.len())?;
    calmar(&returns.last(window), periods)
}

pub(crate) fn of_parts(
    growth: &Growth,
    drawdowns: &Drawdowns,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    defined(growth.cagr(periods)? / drawdowns.dividing_depth()?)
}

/// [`recovery_factor`].
pub const RECOVERY_FACTOR: MetricInfo = MetricInfo {
    name: "recovery_factor",
    label: "Recovery factor",
    calculator: "calmar::recovery_factor",
    formula: "|total return / maximum drawdown|",
    source: "definition",
    unit: MetricUnit::Ratio,
    convention: "compounded total return; without sign",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// The size of the total return per maximum drawdown. O(n).
pub fn recovery_factor(returns: &Returns<'_>) -> Result<f64, Undefined> {
    recovery_of_parts(&Growth::of(returns)?, &Drawdowns::of(returns)?)
}

pub(crate) fn recovery_of_parts(growth: &Growth, drawdowns: &Drawdowns) -> Result<f64, Undefined> {
    defined((growth.total_return()? / drawdowns.dividing_depth()?).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailing_ratio_takes_growth_and_drawdown_of_the_same_window() {
        let returns = Returns::new(&[-0.9, 5.0, -0.5, 1.0, 0.25, 0.0]).unwrap();
        assert_eq!(calmar_trailing(&returns, 4, PeriodsPerYear::QUARTERS), Ok(0.5));
        let few = Undefined::TooFewObservations { needed: 7, got: 6 };
        assert_eq!(calmar_trailing(&returns, 7, PeriodsPerYear::QUARTERS), Err(few));
    }

    #[test]
    fn gains_only_have_no_ratio() {
        let gains = Returns::new(&[0.1, 0.2]).unwrap();
        assert_eq!(calmar(&gains, PeriodsPerYear::MONTHS), Err(Undefined::NoDrawdown));
        assert_eq!(recovery_factor(&gains), Err(Undefined::NoDrawdown));
    }
}
