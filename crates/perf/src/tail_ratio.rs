//! The tail ratio: how far the best returns reach against the worst.

use crate::kernel::order;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::{Domain, Undefined, at_least, defined};
use crate::{Confidence, Quantile, Returns};

/// [`tail_ratio`].
pub const TAIL_RATIO: MetricInfo = MetricInfo {
    name: "tail_ratio",
    label: "Tail ratio",
    calculator: "tail_ratio::tail_ratio",
    formula: "|q(c)| / |q(1 - c)|",
    source: "common practice",
    unit: MetricUnit::Ratio,
    convention: "linear quantiles (type 7)",
    undefined_when: "no return; the lower quantile is 0 up to rounding",
    higher_is_better: Some(true),
};

/// The size of the upper quantile per size of the lower one, both linear (type 7). O(n log n), one copy.
pub fn tail_ratio(returns: &Returns<'_>, confidence: Confidence) -> Result<f64, Undefined> {
    let mut sorted = returns.as_slice().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    of_sorted(&sorted, confidence)
}

pub(crate) fn of_sorted(sorted: &[f64], confidence: Confidence) -> Result<f64, Undefined> {
    at_least(1, sorted.len())?;
    let low = order::sorted_quantile(sorted, confidence.probability(), Quantile::Linear);
    let high = order::sorted_quantile(sorted, confidence.level(), Quantile::Linear);
    let largest = sorted.iter().fold(0.0_f64, |most, r| most.max(r.abs()));
    if is_flat(low.abs(), largest) {
        return Err(Undefined::OutsideDomain { what: Domain::LowerTailQuantile });
    }
    defined((high / low).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_no_tail_ratio_and_a_constant_has_one() {
        let outside = Undefined::OutsideDomain { what: Domain::LowerTailQuantile };
        assert_eq!(tail_ratio(&Returns::new(&[0.0; 6]).unwrap(), Confidence::P95), Err(outside));
        assert_eq!(tail_ratio(&Returns::new(&[0.1; 6]).unwrap(), Confidence::P95), Ok(1.0));
    }
}
