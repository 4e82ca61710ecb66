//! Where a line must break: a gap in the data is a gap on the chart.

use crate::calendar::MICROS_PER_DAY;
use std::ops::Range;
use std::time::Duration;

/// How far apart the points of a series are meant to be. A line breaks where two points lie more than 2.5
/// intervals apart, whatever the interval is, and always at a value that is no finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Interval {
    /// Not known: only values that are no numbers break the line.
    #[default]
    Unknown,
    /// One point in each span of so many microseconds; made by [`Interval::every`].
    Micros(u64),
    /// One point a weekday, as of a daily close: Friday to Monday is one step, one missed holiday is no gap.
    Weekdays,
}

impl Interval {
    /// One point a day, weekends included.
    pub const DAY: Self = Self::Micros(MICROS_PER_DAY as u64);

    /// One point in each `span`. A span of zero says nothing and is [`Interval::Unknown`].
    pub fn every(span: Duration) -> Self {
        match u64::try_from(span.as_micros()).unwrap_or(u64::MAX) {
            0 => Self::Unknown,
            micros => Self::Micros(micros),
        }
    }

    /// Whether a line breaks between two moments (microseconds UTC, the earlier first).
    pub fn breaks(self, earlier: i64, later: i64) -> bool {
        match self {
            Self::Unknown => false,
            Self::Micros(interval) => u128::from(later.abs_diff(earlier)) > u128::from(interval) * 5 / 2,
            Self::Weekdays => 2 * (weekdays_until(later) - weekdays_until(earlier)) > 5,
        }
    }
}

/// Weekdays between a fixed Monday long ago and the day of a moment.
fn weekdays_until(micros: i64) -> i64 {
    // 1970-01-05 was a Monday.
    let since_monday = micros.div_euclid(MICROS_PER_DAY) - 4;
    since_monday.div_euclid(7) * 5 + since_monday.rem_euclid(7).min(5)
}

/// The unbroken stretches of a series in time order, as index ranges; none is empty. O(n).
///
/// A value that is not finite belongs to no stretch and breaks the line.
pub fn runs(points: &[(i64, f64)], interval: Interval) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (index, &(at, value)) in points.iter().enumerate() {
        let is_hole = !value.is_finite();
        if let Some(earlier) = last
            && (is_hole || interval.breaks(earlier, at))
        {
            runs.push(start..index);
            last = None;
        }
        if !is_hole {
            start = if last.is_none() { index } else { start };
            last = Some(at);
        }
    }
    if last.is_some() {
        runs.push(start..points.len());
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_line_breaks_only_beyond_two_and_a_half_intervals() {
        let minutely = Interval::every(Duration::from_mins(1));
        assert!(!minutely.breaks(0, MINUTE * 5 / 2));
        assert!(minutely.breaks(0, MINUTE * 5 / 2 + 1));
    }

    #[test]
    fn an_unknown_interval_never_breaks() {
        assert!(!Interval::Unknown.breaks(i64::MIN, i64::MAX));
        assert_eq!(Interval::every(Duration::ZERO), Interval::Unknown);
    }

    #[test]
    fn the_widest_step_is_a_gap_and_does_not_overflow() {
        assert!(Interval::Micros(1).breaks(i64::MIN, i64::MAX));
        assert!(!Interval::Micros(u64::MAX).breaks(i64::MIN, i64::MAX));
    }

    #[test]
    fn a_weekend_and_one_holiday_are_no_gap_in_daily_closes_but_a_missing_week_is() {
        let day = |days: i64| days * MICROS_PER_DAY;
        // 2001-09-07 was a Friday, day 11,572.
        assert!(!Interval::Weekdays.breaks(day(11_572), day(11_575)), "Friday to Monday");
        assert!(!Interval::Weekdays.breaks(day(11_572), day(11_576)), "Friday to Tuesday");
        assert!(Interval::Weekdays.breaks(day(11_575), day(11_582)), "closed from 11 to 14 September 2001");
        assert!(Interval::DAY.breaks(day(11_572), day(11_575)), "a day by the clock knows no weekend");
    }

    #[test]
    fn values_that_are_no_numbers_split_the_series() {
        let points = [(0, 1.0), (1, 2.0), (2, f64::NAN), (3, 3.0), (4, f64::INFINITY), (5, 4.0), (6, 5.0)];
        assert_eq!(runs(&points, Interval::Unknown), [0..2, 3..4, 5..7]);
        assert!(runs(&[(0, f64::NAN)], Interval::Unknown).is_empty());
    }
}
