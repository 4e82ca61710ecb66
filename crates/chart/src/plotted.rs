//! The series that a plot over time shows, each with its colour and its extremes.

use std::borrow::Cow;
use std::ops::Range;

use crate::gaps::{Interval, runs};
use crate::palette::{Role, SERIES};
use crate::series::{Extremes, Series, extremes};

/// A series with at least one value to show.
#[derive(Debug)]
pub(crate) struct Plotted<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: Cow<'a, [(i64, f64)]>,
    /// The unbroken stretches of the points.
    pub(crate) runs: Vec<Range<usize>>,
    pub(crate) found: Extremes,
    pub(crate) role: Role,
    pub(crate) is_filled: bool,
}

impl<'a> Plotted<'a> {
    /// The series with a value in `range`; the first `filled` are areas.
    ///
    /// The first five are coloured, or where there are more the five with the highest last value; the others
    /// are grey. On a logarithmic axis what is not above zero is a hole.
    pub(crate) fn select(
        series: &'a [Series],
        range: Option<(i64, i64)>,
        filled: usize,
        interval: Interval,
        only_positive: bool,
    ) -> Vec<Self> {
        let mut shown: Vec<Self> = Vec::new();
        for (index, series) in series.iter().enumerate() {
            let points = drawable(series.within(range), only_positive);
            if let Some(found) = extremes(&points) {
                let is_filled = index < filled;
                let runs = runs(&points, interval);
                shown.push(Self { name: &series.name, points, runs, found, role: Role::Other, is_filled });
            }
        }
        let mut ranked: Vec<usize> = (0..shown.len()).collect();
        if shown.len() > SERIES {
            ranked.sort_by(|&a, &b| shown[b].found.last.1.total_cmp(&shown[a].found.last.1));
            ranked.truncate(SERIES);
            ranked.sort_unstable();
        }
        for (colour, index) in ranked.into_iter().enumerate() {
            shown[index].role = Role::Series(colour);
        }
        shown
    }

    pub(crate) fn is_coloured(&self) -> bool {
        self.role != Role::Other
    }

    /// Values that are numbers.
    pub(crate) fn finite(&self) -> usize {
        self.runs.iter().map(Range::len).sum()
    }

    /// Values that are no numbers.
    pub(crate) fn missing(&self) -> usize {
        self.points.len() - self.finite()
    }

    pub(crate) fn gaps(&self) -> usize {
        self.runs.len().saturating_sub(1)
    }
}

fn drawable(points: &[(i64, f64)], only_positive: bool) -> Cow<'_, [(i64, f64)]> {
    if only_positive && points.iter().any(|point| point.1 <= 0.0) {
        let positive = |&(at, value): &(i64, f64)| (at, if value > 0.0 { value } else { f64::NAN });
        Cow::Owned(points.iter().map(positive).collect())
    } else {
        Cow::Borrowed(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_five_series_those_with_the_highest_last_value_are_coloured_in_given_order() {
        let series: Vec<Series> = (0..7)
            .map(|index| Series::new(index.to_string(), [(0, 0.0), (1, f64::from(index % 4))]))
            .collect();
        let shown = Plotted::select(&series, None, 0, Interval::Unknown, false);
        let coloured: Vec<_> = shown.iter().filter(|line| line.is_coloured()).map(|line| line.name).collect();
        assert_eq!(coloured, ["1", "2", "3", "5", "6"]);
        assert_eq!(shown[1].role, Role::Series(0));
    }

    #[test]
    fn series_without_a_value_in_range_are_left_out() {
        let series = [Series::new("a", [(0, f64::NAN)]), Series::new("b", [(10, 1.0)])];
        assert_eq!(Plotted::select(&series, None, 0, Interval::Unknown, false).len(), 1);
        assert!(Plotted::select(&series, Some((0, 9)), 0, Interval::Unknown, false).is_empty());
    }

    #[test]
    fn what_is_not_positive_is_a_hole_on_a_logarithmic_axis() {
        let series = [Series::new("a", [(0, 1.0), (1, 0.0), (2, 2.0)])];
        let shown = Plotted::select(&series, None, 0, Interval::Unknown, true);
        assert_eq!((shown[0].missing(), shown[0].gaps(), shown[0].found.low), (1, 1, (0, 1.0)));
    }
}
