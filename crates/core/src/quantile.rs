//! Exact quantiles of some values.

use std::cmp::Ordering;

/// What [`Aggregate::Quantile`](crate::Aggregate::Quantile) is: the quantile `q` of some finite values, linear between
/// order statistics (Hyndman and Fan 1996, type 7); nothing of none, or when `q` is outside 0..=1.
///
/// By selection, O(n); the values are left in another order.
///
/// ```
/// use bellwether_core::quantile;
/// assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.25), Some(1.75));
/// assert_eq!(quantile(&mut [], 0.5), None);
/// ```
pub fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    quantiles(values, [q]).map(|[value]| value)
}

/// Several [quantiles](quantile) of the same values, in the order they were asked for; nothing if one of them is none.
///
/// By nested selection: the first halves the values, and each of the others looks only at the part it lies in.
///
/// ```
/// use bellwether_core::quantiles;
/// let mut latencies: Vec<f64> = (0..=100).map(f64::from).collect();
/// assert_eq!(quantiles(&mut latencies, [0.5, 0.95, 0.99]), Some([50.0, 95.0, 99.0]));
/// ```
pub fn quantiles<const N: usize>(values: &mut [f64], qs: [f64; N]) -> Option<[f64; N]> {
    let last = values.len().checked_sub(1)?;
    if !qs.iter().all(|q| (0.0..=1.0).contains(q)) {
        return None;
    }
    let rank = |q: f64| q * last as f64;
    let below = |q: f64| (rank(q).floor() as usize).min(last);
    let mut ranks = qs.map(below);
    ranks.sort_unstable();
    if values.iter().all(|value| !value.is_nan()) {
        // Without NaN this is an order, and a comparison is one instruction.
        select(values, 0, &ranks, |a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    } else {
        select(values, 0, &ranks, f64::total_cmp);
    }
    let value = |q: f64| {
        let (at, part) = (below(q), rank(q) - below(q) as f64);
        let low = *values.get(at)?;
        if part <= 0.0 {
            return Some(low);
        }
        // What comes next in order lies before the next rank that was selected, or is it.
        let end = ranks.iter().copied().find(|&rank| rank > at).unwrap_or(last);
        let high = least(values.get(at + 1..=end)?)?;
        // Between values of opposite sign the distance may be beyond a `f64`; the weighted mean never is.
        let between = low + (high - low) * part;
        Some(if between.is_finite() { between } else { low * (1.0 - part) + high * part })
    };
    let mut found = [0.0; N];
    for (found, q) in found.iter_mut().zip(qs) {
        *found = value(q)?;
    }
    Some(found)
}

/// Brings the values of these ranks, in order, to their places; the values begin with the rank `first`.
fn select(values: &mut [f64], first: usize, ranks: &[usize], order: impl Fn(&f64, &f64) -> Ordering + Copy) {
    // The one nearest to the middle leaves least to do for the others.
    let middle = first + values.len() / 2;
    let Some((chosen, &rank)) = ranks.iter().enumerate().min_by_key(|(_, rank)| rank.abs_diff(middle)) else {
        return;
    };
    let Some(place) = rank.checked_sub(first).filter(|&place| place < values.len()) else { return };
    let (low, _, high) = values.select_nth_unstable_by(place, order);
    let (before, after) = ranks.split_at(chosen);
    select(low, first, before, order);
    let after = after.iter().position(|&other| other > rank).and_then(|next| after.get(next..));
    select(high, rank + 1, after.unwrap_or_default(), order);
}

/// The least value; nothing of none.
fn least(values: &[f64]) -> Option<f64> {
    // Eight at once do not wait for one another.
    let (eights, rest) = values.as_chunks::<8>();
    let mut least = [f64::INFINITY; 8];
    for eight in eights {
        for (least, &value) in least.iter_mut().zip(eight) {
            *least = if value < *least { value } else { *least };
        }
    }
    least.into_iter().chain(rest.iter().copied()).reduce(f64::min).filter(|least| least.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_seven_by_hand() {
        let values = [4.0, 1.0, 3.0, 2.0];
        let at = |q| quantile(&mut values.clone(), q);
        assert_eq!((at(0.0), at(0.25), at(0.5), at(1.0)), (Some(1.0), Some(1.75), Some(2.5), Some(4.0)));
        assert_eq!(quantile(&mut [7.0], 0.99), Some(7.0));
    }

    #[test]
    fn several_at_once_are_each_alone_in_any_order_and_twice() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64
        };
        for n in [1, 2, 3, 7, 8, 9, 100, 1_001] {
            let values: Vec<f64> = (0..n).map(|_| random() % 50.0 - 25.0).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for qs in [[0.5, 0.95, 0.99, 0.5], [1.0, 0.0, 0.3, 0.31], [0.25, 0.5, 0.75, 1.0], [0.01; 4]] {
                let expected = qs.map(|q| {
                    let rank = q * f64::from(n - 1);
                    let low = sorted[rank.floor() as usize];
                    low + (sorted[rank.ceil() as usize] - low) * rank.fract()
                });
                assert_eq!(quantiles(&mut values.clone(), qs), Some(expected), "{qs:?} of {n}");
            }
        }
        assert_eq!(quantiles(&mut [1.0], [0.5, 1.5]), None);
        assert_eq!(quantiles(&mut [], [0.5, 0.9]), None);
        assert_eq!(quantiles(&mut [1.0], []), Some([]));
    }

    #[test]
    fn nothing_of_no_values_or_no_quantile() {
        assert_eq!(quantile(&mut [], 0.5), None);
        for q in [-0.1, 1.1, f64::NAN] {
            assert_eq!(quantile(&mut [1.0], q), None);
        }
    }

    #[test]
    fn the_ends_of_the_numbers_have_a_middle() {
        assert_eq!(quantile(&mut [f64::MAX, f64::MIN], 0.5), Some(0.0));
    }
}
