//! Runs of wins and of losses.

use crate::Outcomes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;

/// [`longest_win_streak`].
pub const LONGEST_WIN_STREAK: MetricInfo = MetricInfo {
    name: "longest_win_streak",
    label: "Longest win streak",
    calculator: "streaks::longest_win_streak",
    formula: "longest run of x > 0",
    source: "definition",
    unit: MetricUnit::Count,
    convention: "a zero ends a streak",
    undefined_when: "no outcome",
    higher_is_better: Some(true),
};

/// The most wins in a row. O(n).
///
/// ```
/// use bellwether_perf::{Returns, longest_win_streak};
/// assert_eq!(longest_win_streak(&Returns::new(&[0.1, 0.1, 0.0, 0.1, -0.1])?)?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn longest_win_streak(outcomes: &impl Outcomes) -> Result<usize, Undefined> {
    longest(outcomes, |x| x > 0.0)
}

/// [`longest_loss_streak`].
pub const LONGEST_LOSS_STREAK: MetricInfo = MetricInfo {
    name: "longest_loss_streak",
    label: "Longest loss streak",
    calculator: "streaks::longest_loss_streak",
    formula: "longest run of x < 0",
    source: "definition",
    unit: MetricUnit::Count,
    convention: "a zero ends a streak",
    undefined_when: "no outcome",
    higher_is_better: Some(false),
};

/// The most losses in a row. O(n).
pub fn longest_loss_streak(outcomes: &impl Outcomes) -> Result<usize, Undefined> {
    longest(outcomes, |x| x < 0.0)
}

fn longest(outcomes: &impl Outcomes, belongs: impl Fn(f64) -> bool) -> Result<usize, Undefined> {
    if outcomes.outcomes().is_empty() {
        return Err(outcomes.missing());
    }
    let (mut longest, mut run) = (0_usize, 0_usize);
    for &x in outcomes.outcomes() {
        run = if belongs(x) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    Ok(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TradeResults;

    #[test]
    fn a_zero_ends_a_streak_and_none_is_zero_long() {
        let trades = TradeResults::new(&[-1.0, -1.0, 0.0, -1.0, -1.0, -1.0]).unwrap();
        assert_eq!(longest_loss_streak(&trades), Ok(3));
        assert_eq!(longest_win_streak(&trades), Ok(0));
        assert_eq!(longest_win_streak(&TradeResults::new(&[]).unwrap()), Err(Undefined::NoTrades));
    }
}
