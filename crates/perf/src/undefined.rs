//! Why a metric has no value on valid input.

use std::fmt;

/// A metric has no value on these returns, and why.
///
/// Input that is wrong in itself (not finite, unsorted) is found once, when it is checked at the edge; this is
/// the answer for valid input on which the formula has no value. No calculator answers with 0, infinity or NaN
/// instead.
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, RiskFree, Undefined, sharpe};
/// let constant = Returns::new(&[0.01; 252])?;
/// let answer = sharpe(&constant, RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
/// assert_eq!(answer, Err(Undefined::ZeroVariance));
/// # Ok::<(), bellwether_perf::InvalidReturn>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "reason", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Undefined {
    /// The formula needs more observations.
    #[error("needs at least {needed} observations, got {got}")]
    TooFewObservations {
        /// The fewest with which there is a value.
        needed: usize,
        /// How many there are.
        got: usize,
    },
    /// The values do not vary by more than the rounding of their own size, or of that of the prices behind them.
    #[error("the values do not vary")]
    ZeroVariance,
    /// No return lies under the threshold by more than rounding.
    #[error("no return lies under the threshold")]
    NoDownside,
    /// Wealth never fell under its peak by more than rounding.
    #[error("there is no drawdown")]
    NoDrawdown,
    /// There is no loss beyond the rounding of the gains.
    #[error("there is no loss")]
    NoLosses,
    /// There is no gain beyond the rounding of the losses.
    #[error("there is no gain")]
    NoGains,
    /// There is no closed trade.
    #[error("there is no closed trade")]
    NoTrades,
    /// Everything was lost, so logarithms of wealth do not exist.
    #[error("everything was lost")]
    TotalLoss,
    /// A return is under -1: compounded wealth would be negative.
    #[error("return {index} is under -1: compounded wealth would be negative")]
    BeyondTotalLoss {
        /// Where the first such return stands.
        index: usize,
    },
    /// The benchmark does not vary.
    #[error("the benchmark does not vary")]
    FlatBenchmark,
    /// Beta is zero, or no more than the rounding of both series, so nothing can be told per unit of it.
    #[error("beta is zero")]
    ZeroBeta,
    /// The variance over the long run, with autocorrelation, is not positive.
    #[error("the long-run variance is not positive")]
    NonPositiveLongRunVariance,
    /// A number is outside of what the formula allows.
    #[error("{what}")]
    OutsideDomain {
        /// Which number, and what it must be.
        what: Domain,
    },
    /// The moment of the fitted distribution does not exist.
    #[error("the moment of the fitted distribution does not exist")]
    MomentDoesNotExist,
    /// The tail holds too few observations.
    #[error("the tail holds {have} observations, needs {need}")]
    TailTooSmall {
        /// How many the tail holds, with the fraction of the last one.
        have: f64,
        /// How many it must hold.
        need: f64,
    },
    /// An iteration did not reach its tolerance.
    #[error("the iteration did not converge")]
    NotConverged,
    /// The value is beyond the range of a 64-bit float.
    #[error("the value is beyond the range of a 64-bit float")]
    Overflow,
    /// Two series that must run side by side do not have one length.
    #[error("{returns} returns stand against {benchmark} of the benchmark")]
    LengthMismatch {
        /// How many returns there are.
        returns: usize,
        /// How many returns the benchmark has.
        benchmark: usize,
    },
}

impl Undefined {
    /// The reason as one word, as it stands in JSON and labels: `zero_variance`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooFewObservations { .. } => "too_few_observations",
            Self::ZeroVariance => "zero_variance",
            Self::NoDownside => "no_downside",
            Self::NoDrawdown => "no_drawdown",
            Self::NoLosses => "no_losses",
            Self::NoGains => "no_gains",
            Self::NoTrades => "no_trades",
            Self::TotalLoss => "total_loss",
            Self::BeyondTotalLoss { .. } => "beyond_total_loss",
            Self::FlatBenchmark => "flat_benchmark",
            Self::ZeroBeta => "zero_beta",
            Self::NonPositiveLongRunVariance => "non_positive_long_run_variance",
            Self::OutsideDomain { .. } => "outside_domain",
            Self::MomentDoesNotExist => "moment_does_not_exist",
            Self::TailTooSmall { .. } => "tail_too_small",
            Self::NotConverged => "not_converged",
            Self::Overflow => "overflow",
            Self::LengthMismatch { .. } => "length_mismatch",
        }
    }
}

/// A number that a formula takes, and what it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Domain {
    /// The risk-free rate: finite and over -1.
    RiskFreeRate,
    /// The minimum acceptable return: finite and over -1.
    MinimumAcceptableReturn,
    /// A threshold per period: finite.
    Threshold,
    /// A probability: in 0 to 1.
    Probability,
    /// A rolling window: at least one period.
    Window,
    /// The order of a moment: finite and over 0.
    MomentOrder,
    /// A lag: at least one period.
    Lag,
    /// The lower tail quantile that divides: not 0.
    LowerTailQuantile,
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RiskFreeRate => "the risk-free rate must be finite and over -1",
            Self::MinimumAcceptableReturn => "the minimum acceptable return must be finite and over -1",
            Self::Threshold => "the threshold must be finite",
            Self::Probability => "the probability must be in 0 to 1",
            Self::Window => "the window must be at least one period",
            Self::MomentOrder => "the order of the moment must be finite and over 0",
            Self::Lag => "the lag must be at least one period",
            Self::LowerTailQuantile => "the lower tail quantile must not be 0",
        })
    }
}

/// The value, unless a step left the range of a 64-bit float.
pub(crate) fn defined(value: f64) -> Result<f64, Undefined> {
    if value.is_finite() { Ok(value) } else { Err(Undefined::Overflow) }
}

/// An error unless there are `needed` observations.
pub(crate) fn at_least(needed: usize, got: usize) -> Result<(), Undefined> {
    if got < needed { Err(Undefined::TooFewObservations { needed, got }) } else { Ok(()) }
}
