//! A named series of values in time.

use crate::gaps::Interval;

/// Values beyond this magnitude have no place on an axis; they count as missing.
const DRAWABLE: f64 = 1e300;

/// A named series, in time order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    points: Vec<(i64, f64)>,
}

/// What a series says in four numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extremes {
    pub(crate) first: (i64, f64),
    pub(crate) last: (i64, f64),
    pub(crate) low: (i64, f64),
    pub(crate) high: (i64, f64),
}

impl Series {
    /// Sorts by time; points of the same moment keep their order. What cannot be drawn becomes a hole.
    pub(crate) fn new(name: impl Into<String>, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let hole = |(at, value): (i64, f64)| (at, if value.abs() <= DRAWABLE { value } else { f64::NAN });
        let mut points: Vec<_> = points.into_iter().map(hole).collect();
        points.sort_by_key(|point| point.0);
        Self { name: name.into(), points }
    }

    /// Only what lies inside a range of time.
    pub(crate) fn within(&self, range: Option<(i64, i64)>) -> &[(i64, f64)] {
        let Some((from, to)) = range else { return &self.points };
        let start = self.points.partition_point(|point| point.0 < from);
        let end = self.points.partition_point(|point| point.0 <= to);
        &self.points[start..end.max(start)]
    }
}

/// The extremes of the finite values; the earliest of equals. One pass.
pub(crate) fn extremes(points: &[(i64, f64)]) -> Option<Extremes> {
    let mut finite = points.iter().copied().filter(|point| point.1.is_finite());
    let first = finite.next()?;
    let mut found = Extremes { first, last: first, low: first, high: first };
    for point in finite {
        if point.1 < found.low.1 {
            found.low = point;
        }
        if point.1 > found.high.1 {
            found.high = point;
        }
        found.last = point;
    }
    Some(found)
}

/// The value of a line at a moment: on a point, or between two that are joined; none in a gap.
pub(crate) fn value_at(points: &[(i64, f64)], interval: Interval, at: i64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 <= at);
    let (from, value) = *points.get(after.checked_sub(1)?)?;
    if from == at || !value.is_finite() {
        return value.is_finite().then_some(value);
    }
    let &(to, next) = points.get(after)?;
    if !next.is_finite() || interval.breaks(from, to) {
        return None;
    }
    let share = (i128::from(at) - i128::from(from)) as f64 / (i128::from(to) - i128::from(from)) as f64;
    Some(value + (next - value) * share)
}
