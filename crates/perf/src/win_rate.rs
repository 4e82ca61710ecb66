//! How often outcomes win.

use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;
use crate::{Outcomes, WinsAndLosses};

/// [`win_rate`].
pub const WIN_RATE: MetricInfo = MetricInfo {
    name: "win_rate",
    label: "Win rate",
    calculator: "win_rate::win_rate",
    formula: "count(x > 0) / n",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "of all; zeros count as not won",
    undefined_when: "no outcome",
    higher_is_better: Some(true),
};

/// The share of outcomes over 0, of all. O(n).
pub fn win_rate(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    let all = WinsAndLosses::of(outcomes)?;
    Ok(all.wins() as f64 / all.count() as f64)
}

/// [`win_rate_nonzero`].
pub const WIN_RATE_NONZERO: MetricInfo = MetricInfo {
    name: "win_rate_nonzero",
    label: "Win rate (zeros left out)",
    calculator: "win_rate::win_rate_nonzero",
    formula: "count(x > 0) / count(x != 0)",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "of wins and losses; zeros left out",
    undefined_when: "no outcome; neither win nor loss",
    higher_is_better: Some(true),
};

/// The share of wins among wins and losses. O(n).
pub fn win_rate_nonzero(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    of_nonzero(&WinsAndLosses::of(outcomes)?)
}

pub(crate) fn of_nonzero(all: &WinsAndLosses) -> Result<f64, Undefined> {
    match all.wins() + all.losses() {
        0 => Err(Undefined::NoGains),
        decided => Ok(all.wins() as f64 / decided as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Returns, TradeResults};

    #[test]
    fn the_two_rates_differ_by_the_zeros() {
        let returns = Returns::new(&[0.1, 0.0, -0.1, 0.2]).unwrap();
        assert_eq!(win_rate(&returns), Ok(0.5));
        assert_eq!(win_rate_nonzero(&returns), Ok(2.0 / 3.0));
    }

    #[test]
    fn nothing_has_no_rate_and_says_what_is_missing() {
        assert_eq!(win_rate(&TradeResults::new(&[]).unwrap()), Err(Undefined::NoTrades));
        let few = Undefined::TooFewObservations { needed: 1, got: 0 };
        assert_eq!(win_rate(&Returns::new(&[]).unwrap()), Err(few));
        assert_eq!(win_rate(&TradeResults::new(&[0.0]).unwrap()), Ok(0.0));
        assert_eq!(win_rate_nonzero(&TradeResults::new(&[0.0]).unwrap()), Err(Undefined::NoGains));
    }
}
