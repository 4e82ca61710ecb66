//! Order statistics by selection, without a full sort.

use crate::Quantile;
use crate::kernel::lanes;

/// The quantile of the values, which are reordered. O(n). `values` must not be empty.
pub(crate) fn select_quantile(values: &mut [f64], p: f64, rule: Quantile) -> f64 {
    let at = rule.rank(values.len(), p);
    let (_, &mut low, above) = values.select_nth_unstable_by(at.index, f64::total_cmp);
    if at.fraction == 0.0 {
        return low;
    }
    // A position never has a fraction at the last index, so there is one above.
    let high = above.iter().copied().fold(f64::INFINITY, |least, x| if x < least { x } else { least });
    between(low, high, at.fraction)
}

/// The quantile of values in ascending order, not empty. O(1).
pub(crate) fn sorted_quantile(sorted: &[f64], p: f64, rule: Quantile) -> f64 {
    let at = rule.rank(sorted.len(), p);
    let low = sorted[at.index];
    if at.fraction == 0.0 { low } else { between(low, sorted[at.index + 1], at.fraction) }
}

/// `low` to `high` by `fraction`, from the nearer end, as numpy does it; exactly `low` when the two are equal.
#[inline]
pub(crate) fn between(low: f64, high: f64, fraction: f64) -> f64 {
    let step = high - low;
    if fraction < 0.5 { low + step * fraction } else { high - step * (1.0 - fraction) }
}

/// The mean of the `m` smallest values, the last of them by its fraction; `m` in (0, n]. The values are
/// reordered. O(n).
pub(crate) fn lower_tail_mean(values: &mut [f64], m: f64) -> f64 {
    let last = tail_index(values.len(), m);
    let (below, &mut edge, _) = values.select_nth_unstable_by(last, f64::total_cmp);
    tail_mean_from(below, edge, m)
}

/// As [`lower_tail_mean`], of values in ascending order.
pub(crate) fn sorted_tail_mean(sorted: &[f64], m: f64) -> f64 {
    let last = tail_index(sorted.len(), m);
    tail_mean_from(&sorted[..last], sorted[last], m)
}

/// Index of the last value that the `m` smallest touch.
pub(crate) fn tail_index(n: usize, m: f64) -> usize {
    (m.ceil() as usize).clamp(1, n) - 1
}

/// Written as the edge plus the mean distance from it: it can then not lie above the edge by a rounding.
fn tail_mean_from(below: &[f64], edge: f64, m: f64) -> f64 {
    edge + lanes::sum_by(below, |x| x - edge) / m
}
