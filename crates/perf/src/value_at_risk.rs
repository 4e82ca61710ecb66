//! Value at risk: the loss that a period exceeds only in the tail.

use crate::kernel::order;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, at_least, defined};
use crate::{Confidence, Quantile, Returns};

/// [`historical`].
pub const VAR_HISTORICAL: MetricInfo = MetricInfo {
    name: "var_historical",
    label: "Value at risk",
    calculator: "value_at_risk::historical",
    formula: "-(quantile of r at the float 1 - c)",
    source: "Hyndman & Fan 1996",
    unit: MetricUnit::Fraction,
    convention: "positive = loss, per period; the rule is named",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// Historical value at risk per period: positive is a loss, negative when even the tail gains. O(n), one copy.
///
/// The quantile is read at [`Confidence::probability`], a float whose last bits choose between two neighbours where a
/// rule jumps; how many observations stand behind it says [`Confidence::tail_observations`].
///
/// ```
/// use bellwether_perf::{Confidence, Quantile, Returns, value_at_risk};
/// let returns = Returns::new(&[-0.05, -0.03, -0.03, 0.0, 0.01, 0.01, 0.02, 0.03, 0.04, 0.04])?;
/// let tenth = value_at_risk::historical(&returns, Confidence::P90, Quantile::InvertedCdf)?;
/// assert_eq!(tenth, 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn historical(returns: &Returns<'_>, confidence: Confidence, rule: Quantile) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    let mut values = returns.as_slice().to_vec();
    defined(0.0 - order::select_quantile(&mut values, confidence.probability(), rule))
}

/// As [`historical`], of values in ascending order.
pub(crate) fn historical_of_sorted(
    sorted: &[f64],
    confidence: Confidence,
    rule: Quantile,
) -> Result<f64, Undefined> {
    at_least(1, sorted.len())?;
    defined(0.0 - order::sorted_quantile(sorted, confidence.probability(), rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_that_gains_has_a_negative_value_at_risk() {
        let gains: Vec<f64> = (0..20_i32).map(|i| 0.01 + 0.002 * f64::from(i)).collect();
        let returns = Returns::new(&gains).unwrap();
        let var = historical(&returns, Confidence::P95, Quantile::Linear).unwrap();
        assert!((var + 0.0119).abs() < 1e-12, "{var}");
    }

    #[test]
    fn one_return_is_its_own_quantile_at_every_level_and_rule() {
        let returns = Returns::new(&[-0.02]).unwrap();
        for rule in Quantile::ALL {
            for confidence in [Confidence::P90, Confidence::P999, Confidence::new(0.5).unwrap()] {
                assert_eq!(historical(&returns, confidence, rule), Ok(0.02));
            }
        }
    }

    #[test]
    fn zeros_have_a_value_at_risk_of_positive_zero() {
        let returns = Returns::new(&[0.0; 6]).unwrap();
        let var = historical(&returns, Confidence::P95, Quantile::Linear).unwrap();
        assert_eq!(var.to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn no_return_is_too_few() {
        let answer = historical(&Returns::new(&[]).unwrap(), Confidence::P95, Quantile::Linear);
        assert_eq!(answer, Err(Undefined::TooFewObservations { needed: 1, got: 0 }));
    }
}
