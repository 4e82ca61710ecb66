//! The Burke ratio: growth per root of the squared depths of the drawdowns.

use crate::drawdown::{Drawdowns, walk};
use crate::growth::Growth;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns, RiskFree};

/// What the Burke ratio takes for a drawdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum BurkeEpisodes {
    /// From a peak until it is reached again; one still open counts.
    PeakToRecovery,
    /// A run of consecutive negative returns, summed and not compounded: the convention of the values in
    /// Bacon's book.
    NegativeRunsSummed,
}

/// [`burke`].
pub const BURKE: MetricInfo = MetricInfo {
    name: "burke_ratio",
    label: "Burke ratio",
    calculator: "burke::burke",
    formula: "(cagr - rf) / sqrt(sum(depth^2))",
    source: "Burke 1994",
    unit: MetricUnit::Ratio,
    convention: "per year; the kind of drawdown is named",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// Compound growth per year over the risk-free rate, per root of the summed squares of drawdown depths. O(n).
pub fn burke(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
    episodes: BurkeEpisodes,
) -> Result<f64, Undefined> {
    // A run of losses is a drawdown where wealth has one.
    Drawdowns::of(returns)?.dividing_depth()?;
    let squares = match episodes {
        BurkeEpisodes::PeakToRecovery => squares_to_recovery(returns),
        BurkeEpisodes::NegativeRunsSummed => squares_of_runs(returns),
    };
    let growth = Growth::of(returns)?.cagr(periods)?;
    defined((growth - risk_free.per_year(periods)?) / squares.sqrt())
}

/// [`burke_modified`].
pub const BURKE_MODIFIED: MetricInfo = MetricInfo {
    name: "burke_ratio_modified",
    label: "Burke ratio (modified)",
    calculator: "burke::burke_modified",
    formula: "(cagr - rf) / sqrt(sum(depth^2) / n)",
    source: "Bacon 2008",
    unit: MetricUnit::Ratio,
    convention: "per year; the kind of drawdown is named",
    undefined_when: "no return; a return under -1; no drawdown",
    higher_is_better: Some(true),
};

/// The Burke ratio times the root of the number of returns. O(n).
pub fn burke_modified(
    returns: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
    episodes: BurkeEpisodes,
) -> Result<f64, Undefined> {
    defined(burke(returns, risk_free, periods, episodes)? * (returns.len() as f64).sqrt())
}

fn squares_to_recovery(returns: &Returns<'_>) -> f64 {
    let (mut squares, mut depth) = (0.0, 0.0_f64);
    for drawdown in walk(returns.as_slice()) {
        if drawdown < 0.0 {
            depth = depth.min(drawdown);
        } else {
            squares += depth * depth;
            depth = 0.0;
        }
    }
    squares + depth * depth
}

fn squares_of_runs(returns: &Returns<'_>) -> f64 {
    let runs = returns.as_slice().split(|&r| r >= 0.0).map(|run| run.iter().sum::<f64>());
    runs.map(|depth| depth * depth).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_kinds_of_episode_by_hand() {
        // Wealth 0.5, 1, 0.75, 0.9, 0.45: episodes to recovery are 0.5 and 0.55; runs are 0.5, 0.25 and 0.5.
        let returns = Returns::new(&[-0.5, 1.0, -0.25, 0.2, -0.5]).unwrap();
        assert!((squares_to_recovery(&returns) - (0.25 + 0.55 * 0.55)).abs() < 1e-15);
        assert_eq!(squares_of_runs(&returns), 0.25 + 0.0625 + 0.25);
    }

    #[test]
    fn gains_only_have_no_ratio() {
        let gains = Returns::new(&[0.1, 0.0]).unwrap();
        for episodes in [BurkeEpisodes::PeakToRecovery, BurkeEpisodes::NegativeRunsSummed] {
            let answer = burke(&gains, RiskFree::ZERO, PeriodsPerYear::MONTHS, episodes);
            assert_eq!(answer, Err(Undefined::NoDrawdown));
        }
    }
}
