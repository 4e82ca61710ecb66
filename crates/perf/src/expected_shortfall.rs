//! Expected shortfall (CVaR): the mean loss in the tail.

use crate::kernel::{lanes, order};
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, at_least, defined};
use crate::{Confidence, Quantile, Returns};

/// [`historical`].
pub const CVAR_HISTORICAL_EXACT: MetricInfo = MetricInfo {
    name: "cvar_historical_exact",
    label: "Expected shortfall (CVaR)",
    calculator: "expected_shortfall::historical",
    formula: "-(sum of the k smallest r + (m - k) r[k + 1]) / m, m = n (1 - c), k = floor m",
    source: "Rockafellar & Uryasev 2002, prop. 8; Acerbi & Tasche 2002",
    unit: MetricUnit::Fraction,
    convention: "positive = loss, per period; exact fractional tail",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The mean of exactly the worst `n (1 - c)` returns, the last of them by its fraction; positive is a loss.
/// O(n), one copy.
///
/// Computed from ranks and never by comparing returns with a threshold, so ties and gains in the tail are
/// right. Never under the value at risk of the same level by [`Quantile::InvertedCdf`], on whichever side of a
/// step that reads; nor, but for a rounding, by [`Quantile::Linear`].
///
/// ```
/// use bellwether_perf::{Confidence, Returns, expected_shortfall};
/// let returns = Returns::new(&[-0.05, -0.03, -0.03, -0.03, -0.01, 0.0, 0.01, 0.02, 0.03, 0.04])?;
/// let shortfall = expected_shortfall::historical(&returns, Confidence::new(0.8)?)?; // the worst two
/// assert!((shortfall - 0.04).abs() < 1e-16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn historical(returns: &Returns<'_>, confidence: Confidence) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    let tail = confidence.tail_observations(returns.len());
    defined(0.0 - order::lower_tail_mean(&mut returns.as_slice().to_vec(), tail))
}

/// As [`historical`], of values in ascending order.
pub(crate) fn historical_of_sorted(sorted: &[f64], confidence: Confidence) -> Result<f64, Undefined> {
    at_least(1, sorted.len())?;
    defined(0.0 - order::sorted_tail_mean(sorted, confidence.tail_observations(sorted.len())))
}

/// [`tail_mean`].
pub const CVAR_HISTORICAL_TAIL_MEAN: MetricInfo = MetricInfo {
    name: "cvar_historical_tail_mean",
    label: "Expected shortfall (mean under the quantile)",
    calculator: "expected_shortfall::tail_mean",
    formula: "-mean(r where r <= type 7 quantile at 1 - c)",
    source: "common practice",
    unit: MetricUnit::Fraction,
    convention: "positive = loss, per period; ties of the quantile in",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The mean of all returns that do not exceed the linear quantile, as many packages take it; positive is a
/// loss. O(n), one copy.
///
/// For comparison only: it takes too much of the tail where returns tie, and no fraction of the last one.
pub fn tail_mean(returns: &Returns<'_>, confidence: Confidence) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    let values = returns.as_slice();
    let edge = order::select_quantile(&mut values.to_vec(), confidence.probability(), Quantile::Linear);
    let inside = lanes::count(values, |r| r <= edge) as f64;
    let distance = lanes::sum_by(values, |r| if r <= edge { r - edge } else { 0.0 });
    defined(0.0 - (edge + distance / inside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_at_risk;

    #[test]
    fn a_tail_under_one_observation_is_the_worst_return() {
        let returns = Returns::new(&[0.01, -0.07, 0.02]).unwrap();
        assert_eq!(historical(&returns, Confidence::P99), Ok(0.07));
    }

    #[test]
    fn the_last_observation_counts_by_its_fraction() {
        // m = 1.5 of three: (0.5 + 0.25 / 2) / 1.5.
        let returns = Returns::new(&[-0.25, -0.5, 0.25]).unwrap();
        let half = historical(&returns, Confidence::new(0.5).unwrap()).unwrap();
        assert!((half - 0.625 / 1.5).abs() < 1e-15, "{half}");
    }

    #[test]
    fn a_tail_that_gains_has_a_negative_shortfall_over_the_value_at_risk() {
        let gains: Vec<f64> = (0..20_i32).map(|i| 0.01 + 0.002 * f64::from(i)).collect();
        let returns = Returns::new(&gains).unwrap();
        let shortfall = historical(&returns, Confidence::P95).unwrap();
        assert_eq!(shortfall, -0.01);
        assert!(shortfall >= value_at_risk::historical(&returns, Confidence::P95, Quantile::Linear).unwrap());
    }

    #[test]
    fn ties_at_the_edge_swell_the_mean_under_the_quantile_only() {
        let values = [-0.05, -0.03, -0.03, -0.03, -0.01, 0.0, 0.01, 0.02, 0.03, 0.04];
        let returns = Returns::new(&values).unwrap();
        let eighty = Confidence::new(0.8).unwrap();
        assert!((historical(&returns, eighty).unwrap() - 0.04).abs() < 1e-16);
        assert!((tail_mean(&returns, eighty).unwrap() - 0.035).abs() < 1e-16);
    }

    #[test]
    fn constant_returns_have_themselves_as_tail() {
        for n in [1, 2, 10, 252] {
            let values = vec![0.1; n];
            let returns = Returns::new(&values).unwrap();
            assert_eq!(historical(&returns, Confidence::P95), Ok(-0.1));
            assert_eq!(tail_mean(&returns, Confidence::P95), Ok(-0.1));
        }
    }
}
