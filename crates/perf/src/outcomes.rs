//! A row of wins and losses: returns per period, or results per trade.

use std::borrow::Cow;

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::Undefined;
use crate::{InvalidReturn, Returns};

/// A row of outcomes whose sign tells win, loss or neither: [`Returns`] per period or [`TradeResults`] per
/// trade. What counts outcomes (win rate, profit factor, streaks) takes either, and the type says which.
///
/// Sealed: the two are all there are.
pub trait Outcomes: sealed::Sealed {
    /// The outcomes in order of time, each finite.
    fn outcomes(&self) -> &[f64];

    /// Why there is no value when there is no outcome.
    fn missing(&self) -> Undefined;
}

mod sealed {
    pub trait Sealed {
        /// The largest size by which an outcome is rounded; 0 of those that are what they are.
        fn rounding_magnitude(&self) -> f64;
    }
    impl Sealed for crate::Returns<'_> {
        fn rounding_magnitude(&self) -> f64 {
            self.magnitude()
        }
    }
    impl Sealed for super::TradeResults<'_> {
        fn rounding_magnitude(&self) -> f64 {
            0.0
        }
    }
}

impl Outcomes for Returns<'_> {
    fn outcomes(&self) -> &[f64] {
        self.as_slice()
    }
    fn missing(&self) -> Undefined {
        Undefined::TooFewObservations { needed: 1, got: 0 }
    }
}

/// Profit or loss per closed trade in money, in order of closing; each finite.
///
/// ```
/// use bellwether_perf::{TradeResults, profit_factor, win_rate};
/// let trades = TradeResults::new(&[120.0, -40.0, 0.0, -20.0])?;
/// assert_eq!(profit_factor(&trades)?, 2.0);
/// assert_eq!(win_rate(&trades)?, 0.25);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TradeResults<'a>(Cow<'a, [f64]>);

/// A profit or loss that is no number.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("trade {index} has the result {value}: expected a finite number")]
pub struct InvalidTradeResult {
    /// Where it stands.
    pub index: usize,
    /// What it is.
    pub value: f64,
}

impl<'a> TradeResults<'a> {
    /// Checks that each is finite. O(n).
    pub fn new(results: impl Into<Cow<'a, [f64]>>) -> Result<Self, InvalidTradeResult> {
        let checked = Returns::allowing_beyond_total_loss(results)
            .map_err(|InvalidReturn { index, value }| InvalidTradeResult { index, value })?;
        Ok(Self(checked.into_values()))
    }

    #[cfg(feature = "ledger")]
    pub(crate) fn of_finite(results: Vec<f64>) -> Self {
        Self(Cow::Owned(results))
    }

    /// How many trades there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Outcomes for TradeResults<'_> {
    fn outcomes(&self) -> &[f64] {
        &self.0
    }
    fn missing(&self) -> Undefined {
        Undefined::NoTrades
    }
}

/// [`count`].
pub const COUNT: MetricInfo = MetricInfo {
    name: "count",
    label: "Count",
    calculator: "outcomes::count",
    formula: "n",
    source: "definition",
    unit: MetricUnit::Count,
    convention: "all outcomes, zeros too",
    undefined_when: "never",
    higher_is_better: None,
};

/// How many outcomes there are; 0 is a value. O(1).
pub fn count(outcomes: &impl Outcomes) -> Result<usize, Undefined> {
    Ok(outcomes.outcomes().len())
}

/// Counts and sums of wins and losses, from which every ratio of outcomes is read.
///
/// A win is over 0, a loss under it, and an outcome of exactly 0 is neither.
///
/// ```
/// use bellwether_perf::{TradeResults, WinsAndLosses};
/// let all = WinsAndLosses::of(&TradeResults::new(&[120.0, -40.0, 0.0])?)?;
/// assert_eq!((all.wins(), all.losses(), all.neither()), (1, 1, 1));
/// assert_eq!((all.gross_profit(), all.gross_loss()), (120.0, -40.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WinsAndLosses {
    count: usize,
    wins: usize,
    losses: usize,
    gross_profit: f64,
    gross_loss: f64,
    /// The size by which outcomes are rounded.
    magnitude: f64,
}

impl WinsAndLosses {
    /// Of the outcomes; an error when there is none. O(n).
    pub fn of(outcomes: &impl Outcomes) -> Result<Self, Undefined> {
        use crate::kernel::lanes::{self, sum_by};
        let values = outcomes.outcomes();
        if values.is_empty() {
            return Err(outcomes.missing());
        }
        Ok(Self {
            count: values.len(),
            wins: lanes::count(values, |x| x > 0.0),
            losses: lanes::count(values, |x| x < 0.0),
            gross_profit: sum_by(values, |x| x.max(0.0)),
            gross_loss: sum_by(values, |x| x.min(0.0)),
            magnitude: outcomes.rounding_magnitude(),
        })
    }

    /// How many outcomes there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many are over 0.
    pub fn wins(&self) -> usize {
        self.wins
    }

    /// How many are under 0.
    pub fn losses(&self) -> usize {
        self.losses
    }

    /// How many are exactly 0.
    pub fn neither(&self) -> usize {
        self.count - self.wins - self.losses
    }

    /// The sum of the wins.
    pub fn gross_profit(&self) -> f64 {
        self.gross_profit
    }

    /// The sum of the losses, negative or 0.
    pub fn gross_loss(&self) -> f64 {
        self.gross_loss
    }

    /// The sum of the losses as a positive divisor: undefined when there is none, or of returns when it is
    /// no more than the rounding of the largest.
    pub(crate) fn dividing_loss(&self) -> Result<f64, Undefined> {
        let loss = -self.gross_loss;
        if is_flat(loss, self.magnitude) { Err(Undefined::NoLosses) } else { Ok(loss) }
    }

    /// As [`dividing_loss`](Self::dividing_loss), of the wins.
    pub(crate) fn dividing_profit(&self) -> Result<f64, Undefined> {
        let profit = self.gross_profit;
        if is_flat(profit, self.magnitude) { Err(Undefined::NoGains) } else { Ok(profit) }
    }
}
