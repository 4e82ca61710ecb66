//! What is won per what is lost.

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Outcomes, WinsAndLosses};

/// [`profit_factor`].
pub const PROFIT_FACTOR: MetricInfo = MetricInfo {
    name: "profit_factor",
    label: "Profit factor",
    calculator: "profit_factor::profit_factor",
    formula: "sum(x > 0) / |sum(x < 0)|",
    source: "common practice",
    unit: MetricUnit::Ratio,
    convention: "sums, not means",
    undefined_when: "no outcome; no loss beyond rounding",
    higher_is_better: Some(true),
};

/// The sum of wins per sum of losses. O(n).
pub fn profit_factor(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    of_sums(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn of_sums(all: &WinsAndLosses) -> Result<f64, Undefined> {
    defined(all.gross_profit() / all.dividing_loss()?)
}

/// [`payoff_ratio`].
pub const PAYOFF_RATIO: MetricInfo = MetricInfo {
    name: "payoff_ratio",
    label: "Payoff ratio",
    calculator: "profit_factor::payoff_ratio",
    formula: "mean(x > 0) / |mean(x < 0)|",
    source: "common practice",
    unit: MetricUnit::Ratio,
    convention: "means of wins and of losses",
    undefined_when: "no outcome; no win or no loss beyond rounding",
    higher_is_better: Some(true),
};

/// The mean win per mean loss. O(n).
pub fn payoff_ratio(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    let all = WinsAndLosses::of(outcomes)?;
    payoff_of(&all)
}

pub(crate) fn payoff_of(all: &WinsAndLosses) -> Result<f64, Undefined> {
    let (wins, losses) = (all.wins() as f64, all.losses() as f64);
    // Neither means anything when it is the rounding of the other.
    let (profit, loss) = (all.dividing_profit()?, all.dividing_loss()?);
    defined(profit / wins / (loss / losses))
}

/// [`average_win`].
pub const AVERAGE_WIN: MetricInfo = MetricInfo {
    name: "average_win",
    label: "Average win",
    calculator: "profit_factor::average_win",
    formula: "mean(x > 0)",
    source: "definition",
    unit: MetricUnit::Outcome,
    convention: "arithmetic",
    undefined_when: "no outcome; no win",
    higher_is_better: Some(true),
};

/// The mean of the wins. O(n).
pub fn average_win(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    average_win_of(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn average_win_of(all: &WinsAndLosses) -> Result<f64, Undefined> {
    if all.wins() == 0 { Err(Undefined::NoGains) } else { defined(all.gross_profit() / all.wins() as f64) }
}

/// [`average_loss`].
pub const AVERAGE_LOSS: MetricInfo = MetricInfo {
    name: "average_loss",
    label: "Average loss",
    calculator: "profit_factor::average_loss",
    formula: "mean(x < 0)",
    source: "definition",
    unit: MetricUnit::Outcome,
    convention: "arithmetic, negative",
    undefined_when: "no outcome; no loss",
    higher_is_better: Some(true),
};

/// The mean of the losses, negative. O(n).
pub fn average_loss(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    average_loss_of(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn average_loss_of(all: &WinsAndLosses) -> Result<f64, Undefined> {
    if all.losses() == 0 { Err(Undefined::NoLosses) } else { defined(all.gross_loss() / all.losses() as f64) }
}

/// [`gain_to_pain`].
pub const GAIN_TO_PAIN: MetricInfo = MetricInfo {
    name: "gain_to_pain",
    label: "Gain to pain",
    calculator: "profit_factor::gain_to_pain",
    formula: "sum(x) / |sum(x < 0)|",
    source: "Schwager 2012",
    unit: MetricUnit::Ratio,
    convention: "on the given periods; the original takes months",
    undefined_when: "no outcome; no loss beyond rounding",
    higher_is_better: Some(true),
};

/// The sum of outcomes per sum of losses: the profit factor minus 1. O(n).
pub fn gain_to_pain(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    gain_to_pain_of(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn gain_to_pain_of(all: &WinsAndLosses) -> Result<f64, Undefined> {
    defined((all.gross_profit() + all.gross_loss()) / all.dividing_loss()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TradeResults;

    #[test]
    fn wins_only_have_no_profit_factor_and_no_large_number_instead() {
        let wins = TradeResults::new(&[1.0, 2.0]).unwrap();
        assert_eq!(profit_factor(&wins), Err(Undefined::NoLosses));
        assert_eq!(payoff_ratio(&wins), Err(Undefined::NoLosses));
        assert_eq!(gain_to_pain(&wins), Err(Undefined::NoLosses));
        assert_eq!(average_win(&wins), Ok(1.5));
    }

    #[test]
    fn losses_only_have_a_profit_factor_of_zero_and_no_payoff() {
        let losses = TradeResults::new(&[-1.0, -3.0]).unwrap();
        assert_eq!(profit_factor(&losses), Ok(0.0));
        assert_eq!(payoff_ratio(&losses), Err(Undefined::NoGains));
        assert_eq!(average_loss(&losses), Ok(-2.0));
        assert_eq!(gain_to_pain(&losses), Ok(-1.0));
    }
}
