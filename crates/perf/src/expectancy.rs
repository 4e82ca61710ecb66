//! What an outcome brings on average, and how much of the wealth it deserves.

use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::profit_factor::payoff_of;
use crate::undefined::{Undefined, defined};
use crate::win_rate::of_nonzero;
use crate::{Outcomes, WinsAndLosses};

/// [`expectancy`].
pub const EXPECTANCY: MetricInfo = MetricInfo {
    name: "expectancy",
    label: "Expectancy",
    calculator: "expectancy::expectancy",
    formula: "sum(x) / n",
    source: "definition",
    unit: MetricUnit::Outcome,
    convention: "zeros count",
    undefined_when: "no outcome",
    higher_is_better: Some(true),
};

/// The mean outcome. O(n).
pub fn expectancy(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    if outcomes.outcomes().is_empty() {
        return Err(outcomes.missing());
    }
    defined(lanes::mean(outcomes.outcomes()))
}

/// [`kelly_fraction`].
pub const KELLY_FRACTION: MetricInfo = MetricInfo {
    name: "kelly_fraction",
    label: "Kelly fraction",
    calculator: "expectancy::kelly_fraction",
    formula: "p - (1 - p) / payoff",
    source: "Kelly 1956",
    unit: MetricUnit::Fraction,
    convention: "zeros left out; not halved; may be negative",
    undefined_when: "no outcome; no win or no loss beyond rounding",
    higher_is_better: Some(true),
};

/// The share of wealth that grows it fastest, from win rate and payoff; negative when the game is lost. O(n).
pub fn kelly_fraction(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    kelly_of(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn kelly_of(all: &WinsAndLosses) -> Result<f64, Undefined> {
    let (p, payoff) = (of_nonzero(all)?, payoff_of(all)?);
    defined(p - (1.0 - p) / payoff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TradeResults;

    #[test]
    fn kelly_of_an_even_game_won_three_times_in_four_is_one_half() {
        let trades = TradeResults::new(&[1.0, 1.0, -1.0, 1.0, 0.0]).unwrap();
        assert_eq!(kelly_fraction(&trades), Ok(0.5));
        assert_eq!(expectancy(&trades), Ok(0.4));
    }

    #[test]
    fn kelly_without_losses_or_wins_is_undefined() {
        assert_eq!(kelly_fraction(&TradeResults::new(&[1.0]).unwrap()), Err(Undefined::NoLosses));
        assert_eq!(kelly_fraction(&TradeResults::new(&[-1.0]).unwrap()), Err(Undefined::NoGains));
        assert_eq!(expectancy(&TradeResults::new(&[]).unwrap()), Err(Undefined::NoTrades));
    }
}
