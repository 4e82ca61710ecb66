//! Growth of compounded wealth: total return, CAGR, geometric mean.

use crate::kernel::lanes;
use crate::kernel::wealth::Wealth;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, at_least, defined};
use crate::{PeriodsPerYear, Returns};

/// [`total_return`].
pub const TOTAL_RETURN: MetricInfo = MetricInfo {
    name: "total_return",
    label: "Total return",
    calculator: "growth::total_return",
    formula: "prod(1 + r) - 1",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "compounded",
    undefined_when: "no return; a return under -1; beyond the range of a float",
    higher_is_better: Some(true),
};

/// What one unit of wealth gains over all returns, compounded. O(n).
///
/// ```
/// use bellwether_perf::{Returns, total_return};
/// let returns = Returns::new(&[0.5, -0.5, 3.0])?;
/// assert_eq!(total_return(&returns)?, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn total_return(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Growth::of(returns)?.total_return()
}

/// [`cagr`].
pub const CAGR: MetricInfo = MetricInfo {
    name: "cagr",
    label: "Growth per year (CAGR)",
    calculator: "growth::cagr",
    formula: "prod(1 + r)^(ppy / n) - 1",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "over n / periods per year, not calendar dates",
    undefined_when: "no return; a return under -1; beyond the range of a float",
    higher_is_better: Some(true),
};

/// The compound annual growth rate over `n / ppy` years; -1 after a total loss. O(n).
///
/// With less than a year of returns it extrapolates.
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, cagr};
/// let quarters = Returns::new(&[0.1, 0.1, 0.1, 0.1])?;
/// assert!((cagr(&quarters, PeriodsPerYear::QUARTERS)? - 0.4641).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cagr(returns: &Returns<'_>, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    Growth::of(returns)?.cagr(periods)
}

/// [`arithmetic_mean`].
pub const MEAN: MetricInfo = MetricInfo {
    name: "mean",
    label: "Mean return",
    calculator: "growth::arithmetic_mean",
    formula: "sum(r) / n",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "arithmetic, per period",
    undefined_when: "no return",
    higher_is_better: Some(true),
};

/// The arithmetic mean per period. O(n).
///
/// ```
/// use bellwether_perf::{Returns, arithmetic_mean};
/// assert_eq!(arithmetic_mean(&Returns::new(&[0.25, -0.25, 0.75])?)?, 0.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn arithmetic_mean(returns: &Returns<'_>) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    defined(lanes::mean(returns.as_slice()))
}

/// [`annualized_mean`].
pub const ANNUALIZED_MEAN: MetricInfo = MetricInfo {
    name: "annualized_mean",
    label: "Mean return per year",
    calculator: "growth::annualized_mean",
    formula: "mean(r) * ppy",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "arithmetic, not compounded",
    undefined_when: "no return",
    higher_is_better: Some(true),
};

/// The arithmetic mean per year. O(n).
pub fn annualized_mean(returns: &Returns<'_>, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    defined(arithmetic_mean(returns)? * periods.get())
}

/// [`geometric_mean`].
pub const GEOMETRIC_MEAN: MetricInfo = MetricInfo {
    name: "geometric_mean",
    label: "Geometric mean return",
    calculator: "growth::geometric_mean",
    formula: "exp(mean(ln(1 + r))) - 1",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "compounded, per period",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(true),
};

/// The return that, the same in every period, leads to the same wealth; -1 after a total loss. O(n).
///
/// ```
/// use bellwether_perf::{Returns, geometric_mean};
/// let returns = Returns::new(&[1.0, -0.5])?; // doubled and halved
/// assert!(geometric_mean(&returns)?.abs() < 1e-16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn geometric_mean(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Growth::of(returns)?.geometric_mean()
}

/// [`log_growth_rate`].
pub const LOG_GROWTH_RATE: MetricInfo = MetricInfo {
    name: "log_growth_rate",
    label: "Log growth per year",
    calculator: "growth::log_growth_rate",
    formula: "mean(ln(1 + r)) * ppy",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "continuously compounded",
    undefined_when: "no return; a return under -1; everything lost",
    higher_is_better: Some(true),
};

/// The continuously compounded growth per year. O(n).
pub fn log_growth_rate(returns: &Returns<'_>, periods: PeriodsPerYear) -> Result<f64, Undefined> {
    let growth = Growth::of(returns)?;
    if growth.wealth.is_lost() {
        return Err(Undefined::TotalLoss);
    }
    defined(growth.wealth.ln() / growth.count as f64 * periods.get())
}

/// Compounded wealth, from which every figure of growth is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    count: usize,
    wealth: Wealth,
}

impl Growth {
    pub(crate) fn of(returns: &Returns<'_>) -> Result<Self, Undefined> {
        at_least(1, returns.len())?;
        if let Some(index) = returns.beyond_total_loss() {
            return Err(Undefined::BeyondTotalLoss { index });
        }
        Ok(Self { count: returns.len(), wealth: Wealth::after(returns.as_slice()) })
    }

    pub(crate) fn total_return(self) -> Result<f64, Undefined> {
        defined(self.wealth.gain())
    }

    pub(crate) fn cagr(self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        if self.wealth.is_lost() {
            return Ok(-1.0);
        }
        // From the logarithm of wealth itself: the total return cancels when nearly all is lost.
        defined((self.wealth.ln() * (periods.get() / self.count as f64)).exp_m1())
    }

    pub(crate) fn geometric_mean(self) -> Result<f64, Undefined> {
        self.cagr(PeriodsPerYear::YEARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_after_a_total_loss_is_minus_one_and_its_logarithm_does_not_exist() {
        for values in [[-1.0, 0.5, 0.1], [0.5, -1.0, 0.1], [0.5, 0.1, -1.0]] {
            let returns = Returns::new(&values).unwrap();
            assert_eq!(total_return(&returns), Ok(-1.0));
            assert_eq!(cagr(&returns, PeriodsPerYear::MONTHS), Ok(-1.0));
            assert_eq!(geometric_mean(&returns), Ok(-1.0));
            assert_eq!(log_growth_rate(&returns, PeriodsPerYear::MONTHS), Err(Undefined::TotalLoss));
        }
    }

    #[test]
    fn growth_beyond_a_total_loss_is_undefined_and_the_mean_is_not() {
        let returns = Returns::allowing_beyond_total_loss(&[0.5, -1.5]).unwrap();
        assert_eq!(total_return(&returns), Err(Undefined::BeyondTotalLoss { index: 1 }));
        assert_eq!(cagr(&returns, PeriodsPerYear::MONTHS), Err(Undefined::BeyondTotalLoss { index: 1 }));
        assert_eq!(arithmetic_mean(&returns), Ok(-0.5));
    }

    #[test]
    fn cagr_keeps_its_digits_when_nearly_all_is_lost() {
        // Two halves of a year of -1 + 2^-30 each: 2^-60 is left.
        let left = 2.0_f64.powi(-30);
        let returns = Returns::new(vec![left - 1.0; 2]).unwrap();
        let rate = log_growth_rate(&returns, PeriodsPerYear::new(2.0).unwrap()).unwrap();
        assert!((rate / (-60.0 * std::f64::consts::LN_2) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn growth_beyond_a_float_is_an_overflow_and_its_rate_is_not() {
        let returns = Returns::new(vec![0.001; 1_000_000]).unwrap();
        assert_eq!(total_return(&returns), Err(Undefined::Overflow));
        assert!((geometric_mean(&returns).unwrap() / 0.001 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_return_is_too_few() {
        let none = Returns::new(&[]).unwrap();
        let few = Undefined::TooFewObservations { needed: 1, got: 0 };
        assert_eq!(total_return(&none), Err(few));
        assert_eq!(arithmetic_mean(&none), Err(few));
    }
}
