//! Fewer points, the same picture: the lowest and the highest of each pixel column are kept.
//!
//! Every extreme of the data is therefore on the chart, at its own time to within a pixel. Averages and
//! "largest triangle" selection lose spikes, so neither is used.

/// Reduces points in time order to at most two a column, plus the first and the last.
///
/// `column` gives the pixel column of a moment and must not fall as time rises. Non-finite values must have
/// been split off before (see [`crate::gaps::runs`]). O(n) comparisons of values, and O(c log n) calls of `column`
/// for c columns; the kept points stay in time order.
pub fn min_max(points: &[(i64, f64)], column: impl Fn(i64) -> i64) -> Vec<(i64, f64)> {
    let Some(&first) = points.first() else { return Vec::new() };
    let mut kept = vec![first];
    let mut start = 0;
    while start < points.len() {
        let here = column(points[start].0);
        let end = start + prefix(&points[start..], |point| column(point.0) == here).max(1);
        let (low, high) = extremes(&points[start..end]);
        for index in [low.min(high), low.max(high)] {
            push_new(&mut kept, points[start + index]);
        }
        start = end;
    }
    push_new(&mut kept, points[points.len() - 1]);
    kept
}

/// Where the lowest and the highest value stand; the first of equals.
fn extremes(column: &[(i64, f64)]) -> (usize, usize) {
    let Some(&(_, first)) = column.first() else { return (0, 0) };
    let (mut low, mut high) = ((0, first), (0, first));
    for (index, &(_, value)) in column.iter().enumerate() {
        low = if value < low.1 { (index, value) } else { low };
        high = if value > high.1 { (index, value) } else { high };
    }
    (low.0, high.0)
}

/// The length of the prefix that `holds`, found by strides that double and then a binary search.
fn prefix(points: &[(i64, f64)], holds: impl Fn(&(i64, f64)) -> bool) -> usize {
    let mut stride = 1;
    while stride < points.len() && holds(&points[stride]) {
        stride *= 2;
    }
    let from = stride / 2;
    from + points[from..points.len().min(stride)].partition_point(holds)
}

fn push_new(kept: &mut Vec<(i64, f64)>, point: (i64, f64)) {
    if kept.last() != Some(&point) {
        kept.push(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_spike_survives_in_its_column() {
        let mut points: Vec<_> = (0..1_000).map(|at| (at, 1.0)).collect();
        points[537].1 = 99.0;
        points[538].1 = -99.0;
        let kept = min_max(&points, |at| at / 100);
        assert!(kept.contains(&(537, 99.0)) && kept.contains(&(538, -99.0)));
        assert!(kept.len() <= 2 * 10 + 2, "{} kept", kept.len());
    }

    #[test]
    fn the_first_and_the_last_point_are_kept() {
        let points: Vec<_> = (0..100).map(|at| (at, (at % 7) as f64)).collect();
        let kept = min_max(&points, |_| 0);
        assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[99]));
    }

    #[test]
    fn a_prefix_of_any_length_is_found() {
        let points: Vec<_> = (0..20).map(|at| (at, 0.0)).collect();
        for length in 0..=20 {
            assert_eq!(prefix(&points, |point| point.0 < length), length as usize);
        }
    }

    #[test]
    fn nothing_stays_nothing_and_one_stays_one() {
        assert!(min_max(&[], |_| 0).is_empty());
        assert_eq!(min_max(&[(3, 1.5)], |_| 0), [(3, 1.5)]);
    }
}
