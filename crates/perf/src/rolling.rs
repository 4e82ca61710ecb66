//! Metrics over a window that rolls through the returns.
//!
//! The window is trailing: the first value stands at the index `window - 1`. Nothing is ever subtracted from a
//! running sum, so one wild return leaves no trace once it has left the window, and nothing drifts.

mod moments;
mod sharpe;
mod shortfall;
mod sorted;
mod tail;
mod value_at_risk;
mod volatility;

use crate::undefined::{Domain, Undefined, at_least};

pub use self::sharpe::{ROLLING_SHARPE, sharpe};
pub use self::shortfall::{ROLLING_CVAR_HISTORICAL_EXACT, expected_shortfall};
pub use self::value_at_risk::{ROLLING_VAR_HISTORICAL, value_at_risk};
pub use self::volatility::{ROLLING_VOLATILITY, volatility};

/// A value for each position of the window, or the reason why there is none.
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, Returns, RiskFree, Undefined, rolling};
/// let returns = Returns::new(&[0.5, 0.5, 0.25, 0.0])?;
/// let series = rolling::sharpe(&returns, 2, RiskFree::ZERO, PeriodsPerYear::YEARS)?;
/// assert_eq!(series.first_index(), 1);
/// assert_eq!(series.get(0), Some(Err(Undefined::ZeroVariance)));
/// assert_eq!(series.iter().filter_map(Result::ok).count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RollingSeries {
    window: usize,
    /// Where there is no value, a 0 that is never given out.
    values: Vec<f64>,
    /// Positions without a value, ascending.
    undefined: Vec<(usize, Undefined)>,
}

impl RollingSeries {
    fn with_capacity(window: usize, positions: usize) -> Self {
        Self { window, values: Vec::with_capacity(positions), undefined: Vec::new() }
    }

    #[inline]
    fn push(&mut self, value: Result<f64, Undefined>) {
        match value {
            Ok(value) => self.values.push(value),
            Err(why) => {
                self.undefined.push((self.values.len(), why));
                self.values.push(0.0);
            }
        }
    }

    /// How many periods the window holds.
    pub fn window(&self) -> usize {
        self.window
    }

    /// The index of the return at which the first window ends.
    pub fn first_index(&self) -> usize {
        self.window - 1
    }

    /// How many positions the window took.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none; never, as one that fits nowhere is an error.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at a position, counted from 0 at [`first_index`](Self::first_index). O(log of the undefined).
    pub fn get(&self, position: usize) -> Option<Result<f64, Undefined>> {
        let &value = self.values.get(position)?;
        match self.undefined.binary_search_by_key(&position, |&(at, _)| at) {
            Ok(at) => Some(Err(self.undefined[at].1)),
            Err(_) => Some(Ok(value)),
        }
    }

    /// The value at the last position.
    pub fn last(&self) -> Result<f64, Undefined> {
        let few = Undefined::TooFewObservations { needed: self.window, got: 0 };
        self.len().checked_sub(1).and_then(|last| self.get(last)).unwrap_or(Err(few))
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<f64, Undefined>> + '_ {
        let mut undefined = self.undefined.iter().copied().peekable();
        self.values.iter().enumerate().map(move |(position, &value)| {
            match undefined.next_if(|&(at, _)| at == position) {
                Some((_, why)) => Err(why),
                None => Ok(value),
            }
        })
    }
}

/// An error unless the window holds something and fits at least once.
fn checked_window(window: usize, n: usize) -> Result<(), Undefined> {
    if window == 0 {
        return Err(Undefined::OutsideDomain { what: Domain::Window });
    }
    at_least(window, n)
}
