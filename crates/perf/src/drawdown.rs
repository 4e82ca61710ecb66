//! How far wealth lies under its peak.

use crate::Returns;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, at_least, defined};

/// [`max_drawdown`].
pub const MAX_DRAWDOWN: MetricInfo = MetricInfo {
    name: "max_drawdown",
    label: "Maximum drawdown",
    calculator: "drawdown::max_drawdown",
    formula: "min(wealth / peak - 1)",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "negative; the peak starts at 1 before the first return",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(true),
};

/// The deepest drawdown, negative; 0 when wealth never fell under its peak. O(n).
///
/// The peak starts at 1 before the first return, so a loss in the first period is a drawdown. A peak counts as
/// regained when wealth is under it by no more than the rounding of what was computed since.
///
/// ```
/// use bellwether_perf::{Returns, max_drawdown};
/// assert_eq!(max_drawdown(&Returns::new(&[-0.5, 3.0, -0.25])?)?, -0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn max_drawdown(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Ok(Drawdowns::of(returns)?.deepest())
}

/// [`current_drawdown`].
pub const CURRENT_DRAWDOWN: MetricInfo = MetricInfo {
    name: "current_drawdown",
    label: "Current drawdown",
    calculator: "drawdown::current_drawdown",
    formula: "wealth / peak - 1 after the last return",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "negative; 0 at the peak",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(true),
};

/// The drawdown after the last return, negative; 0 at the peak. O(n).
pub fn current_drawdown(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Ok(Drawdowns::of(returns)?.current())
}

/// [`mean_drawdown`].
pub const MEAN_DRAWDOWN: MetricInfo = MetricInfo {
    name: "mean_drawdown",
    label: "Mean drawdown",
    calculator: "drawdown::mean_drawdown",
    formula: "mean(wealth / peak - 1)",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "over all n periods, negative",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(true),
};

/// The mean of the drawdown series over all periods, negative. O(n).
pub fn mean_drawdown(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Drawdowns::of(returns)?.mean()
}

/// [`average_drawdown_depth`].
pub const AVERAGE_DRAWDOWN_DEPTH: MetricInfo = MetricInfo {
    name: "average_drawdown_depth",
    label: "Average drawdown depth",
    calculator: "drawdown::average_drawdown_depth",
    formula: "mean over episodes of min(wealth / peak - 1)",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "negative; an episode that is still open counts",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// The mean depth of the drawdown episodes, negative; one still open counts. O(n).
pub fn average_drawdown_depth(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Drawdowns::of(returns)?.average_depth()
}

/// [`longest_drawdown`].
pub const LONGEST_DRAWDOWN: MetricInfo = MetricInfo {
    name: "longest_drawdown_periods",
    label: "Longest drawdown",
    calculator: "drawdown::longest_drawdown",
    formula: "longest run of periods with wealth under its peak beyond rounding",
    source: "definition",
    unit: MetricUnit::Periods,
    convention: "an episode that is still open counts",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(false),
};

/// The most consecutive periods that wealth stayed under its peak. O(n).
pub fn longest_drawdown(returns: &Returns<'_>) -> Result<usize, Undefined> {
    Ok(Drawdowns::of(returns)?.longest())
}

/// [`time_under_water`].
pub const TIME_UNDER_WATER: MetricInfo = MetricInfo {
    name: "time_under_water",
    label: "Time under water",
    calculator: "drawdown::time_under_water",
    formula: "count(wealth < peak beyond rounding) / n",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "share of all periods",
    undefined_when: "no return; a return under -1",
    higher_is_better: Some(false),
};

/// The share of periods that ended with wealth under its peak. O(n).
pub fn time_under_water(returns: &Returns<'_>) -> Result<f64, Undefined> {
    Ok(Drawdowns::of(returns)?.share_under_water())
}

/// The drawdown after each return, negative or 0. O(n).
///
/// ```
/// use bellwether_perf::{Returns, drawdown_series};
/// let returns = Returns::new(&[-0.5, 1.0, 0.5, -0.25])?;
/// assert_eq!(drawdown_series(&returns)?, [-0.5, 0.0, 0.0, -0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn drawdown_series(returns: &Returns<'_>) -> Result<Vec<f64>, Undefined> {
    compounding(returns)?;
    Ok(walk(returns.as_slice()).collect())
}

/// Every figure of the drawdown family that one pass over the returns gives.
///
/// ```
/// use bellwether_perf::{Drawdowns, Returns};
/// let drawdowns = Drawdowns::of(&Returns::new(&[-0.5, 1.0, 0.5, -0.25, -0.5])?)?;
/// assert_eq!(drawdowns.deepest(), -0.625);
/// assert_eq!((drawdowns.episodes(), drawdowns.longest(), drawdowns.current_duration()), (2, 2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdowns {
    count: usize,
    deepest: f64,
    current: f64,
    current_duration: usize,
    longest: usize,
    under_water: usize,
    episodes: usize,
    sum: f64,
    sum_of_squares: f64,
    sum_of_depths: f64,
}

impl Drawdowns {
    /// Of the returns. O(n).
    pub fn of(returns: &Returns<'_>) -> Result<Self, Undefined> {
        compounding(returns)?;
        let mut all = Self {
            count: returns.len(),
            deepest: 0.0,
            current: 0.0,
            current_duration: 0,
            longest: 0,
            under_water: 0,
            episodes: 0,
            sum: 0.0,
            sum_of_squares: 0.0,
            sum_of_depths: 0.0,
        };
        let mut depth = 0.0;
        for drawdown in walk(returns.as_slice()) {
            if drawdown < 0.0 {
                all.episodes += usize::from(all.current_duration == 0);
                all.current_duration += 1;
                all.under_water += 1;
                all.longest = all.longest.max(all.current_duration);
                all.sum += drawdown;
                all.sum_of_squares += drawdown * drawdown;
                depth = if drawdown < depth { drawdown } else { depth };
            } else if all.current_duration > 0 {
                all.current_duration = 0;
                all.sum_of_depths += depth;
                all.deepest = all.deepest.min(depth);
                depth = 0.0;
            }
            all.current = drawdown;
        }
        all.sum_of_depths += depth;
        all.deepest = all.deepest.min(depth);
        Ok(all)
    }

    /// The deepest drawdown, negative or 0.
    pub fn deepest(&self) -> f64 {
        self.deepest
    }

    /// The drawdown after the last return, negative or 0.
    pub fn current(&self) -> f64 {
        self.current
    }

    /// How many periods wealth has now been under its peak.
    pub fn current_duration(&self) -> usize {
        self.current_duration
    }

    /// The most consecutive periods under the peak.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// How many periods ended under the peak.
    pub fn under_water(&self) -> usize {
        self.under_water
    }

    /// The share of periods that ended under the peak.
    pub fn share_under_water(&self) -> f64 {
        self.under_water as f64 / self.count as f64
    }

    /// How many episodes under a peak there were, one still open included.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// The mean drawdown over all periods, negative or 0.
    pub fn mean(&self) -> Result<f64, Undefined> {
        defined(self.sum / self.count as f64)
    }

    /// The mean size of the drawdown over all periods, positive or 0.
    pub(crate) fn pain(&self) -> Result<f64, Undefined> {
        self.mean().map(|mean| 0.0 - mean)
    }

    /// The root of the mean squared drawdown over all periods.
    pub fn root_mean_square(&self) -> Result<f64, Undefined> {
        defined((self.sum_of_squares / self.count as f64).sqrt())
    }

    /// The mean depth of the episodes, negative.
    pub fn average_depth(&self) -> Result<f64, Undefined> {
        if self.episodes == 0 {
            return Err(Undefined::NoDrawdown);
        }
        defined(self.sum_of_depths / self.episodes as f64)
    }

    /// The deepest drawdown as a positive divisor.
    pub(crate) fn dividing_depth(&self) -> Result<f64, Undefined> {
        if self.deepest < 0.0 { Ok(-self.deepest) } else { Err(Undefined::NoDrawdown) }
    }
}

/// An error unless the returns compound to wealth that is not negative.
pub(crate) fn compounding(returns: &Returns<'_>) -> Result<(), Undefined> {
    at_least(1, returns.len())?;
    match returns.beyond_total_loss() {
        Some(index) => Err(Undefined::BeyondTotalLoss { index }),
        None => Ok(()),
    }
}

/// No drawdown is less deep than this; the rounding that is no variance either.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The bound of what rounding has added up to is trusted to here; over it a return took so nearly everything
/// that the bound says little.
const MOST_ROUNDING: f64 = 1e-6;

/// The drawdown after each return. The level `wealth / peak` is carried instead of both: it stays in 0 to 1,
/// so nothing overflows, and each new peak sets its rounding back to nothing. What its sums lose is carried beside it
/// (the two-sum of Knuth).
///
/// A peak is regained when the level reaches 1 less what the rounding of the returns may have taken from it: a bound
/// of that is carried too (the running error analysis of Wilkinson 1963). It grows with each return that is not 0, and
/// goes when the peak is regained. Losses at a peak that are none one by one still add up.
pub(crate) fn walk(returns: &[f64]) -> impl Iterator<Item = f64> {
    // Half a unit in the last place: what one rounding takes, of a number of size 1.
    const UNIT: f64 = f64::EPSILON / 2.0;
    let (mut level, mut lost, mut error, mut under) = (1.0_f64, 0.0_f64, 0.0_f64, false);
    returns.iter().map(move |&r| {
        let factor = 1.0 + r;
        let change = level * r;
        let next = level + change;
        let added = next - level;
        lost = lost * factor + ((level - (next - added)) + (change - added));
        if r != 0.0 {
            // A return that is a ratio of prices less 1 is rounded by the size of the ratio once, and by its own
            // twice; its product with the level once more.
            error = error * factor + UNIT * (next + 3.0 * change.abs());
        }
        level = next;
        let drawdown = (level - 1.0) + lost;
        if drawdown >= 0.0 {
            (level, lost, error, under) = (1.0, 0.0, 0.0, false);
            return 0.0;
        }
        if level == 0.0 {
            // Everything is lost: what is gained on nothing is nothing.
            (lost, error) = (0.0, 0.0);
        }
        if drawdown < -(ROUNDING + error).min(MOST_ROUNDING) {
            under = true;
            return drawdown;
        }
        if under {
            (level, lost, error, under) = (1.0, 0.0, 0.0, false);
        }
        0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_in_the_first_period_is_a_drawdown() {
        assert_eq!(max_drawdown(&Returns::new(&[-0.25, 0.1]).unwrap()), Ok(-0.25));
    }

    #[test]
    fn gains_only_have_no_drawdown() {
        let gains = Returns::new(&[0.1, 0.0, 0.2]).unwrap();
        assert_eq!(max_drawdown(&gains), Ok(0.0));
        assert_eq!(longest_drawdown(&gains), Ok(0));
        assert_eq!(time_under_water(&gains), Ok(0.0));
        assert_eq!(average_drawdown_depth(&gains), Err(Undefined::NoDrawdown));
    }

    #[test]
    fn after_a_total_loss_the_drawdown_stays_whole() {
        let returns = Returns::new(&[0.5, -1.0, 9.0, 0.1]).unwrap();
        assert_eq!(drawdown_series(&returns).unwrap(), [0.0, -1.0, -1.0, -1.0]);
        assert_eq!(current_drawdown(&returns), Ok(-1.0));
    }

    #[test]
    fn wealth_under_zero_has_no_drawdown() {
        let returns = Returns::allowing_beyond_total_loss(&[0.1, -1.5]).unwrap();
        assert_eq!(max_drawdown(&returns), Err(Undefined::BeyondTotalLoss { index: 1 }));
        assert_eq!(drawdown_series(&returns), Err(Undefined::BeyondTotalLoss { index: 1 }));
    }

    #[test]
    fn episodes_are_counted_with_the_open_one() {
        // 0.5 | back to 1 | 1.5 | 1.125, 0.5625
        let returns = Returns::new(&[-0.5, 1.0, 0.5, -0.25, -0.5]).unwrap();
        let drawdowns = Drawdowns::of(&returns).unwrap();
        assert_eq!(drawdowns.average_depth(), Ok(f64::midpoint(-0.5, -0.625)));
        assert_eq!(drawdowns.mean(), Ok((-0.5 - 0.25 - 0.625) / 5.0));
        assert_eq!(drawdowns.under_water(), 3);
        assert_eq!(drawdowns.current(), -0.625);
    }

    #[test]
    fn a_million_losses_keep_the_drawdown_in_range() {
        let returns = Returns::new(vec![-0.01; 1_000_000]).unwrap();
        assert_eq!(max_drawdown(&returns), Ok(-1.0));
        assert_eq!(longest_drawdown(&returns), Ok(1_000_000));
    }
}
