//! The exact quantile of some values.

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
    let last = values.len().checked_sub(1)?;
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * last as f64;
    let below = (rank.floor() as usize).min(last);
    let part = rank - below as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| part > 0.0);
    let Some(high) = high else { return Some(low) };
    // Between values of opposite sign the distance may be beyond a `f64`; the weighted mean never is.
    let between = low + (high - low) * part;
    Some(if between.is_finite() { between } else { low * (1.0 - part) + high * part })
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
