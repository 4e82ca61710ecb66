//! A trading day: its date, the instant of its close, and one closing price per instrument that traded.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;

/// The close of every session, as hours after midnight UTC.
///
/// A convention of this example: 16:00 in New York is 21:00 UTC in winter. The files carry dates only, so
/// summer time would add precision that the data do not have.
const CLOSE_HOUR_UTC: i64 = 21;

/// First and last year that a date of a file or of the command line may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1800..=2199;

/// An instrument, as its place in [`Market::instruments`](crate::market::Market::instruments).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstrumentId(usize);

impl InstrumentId {
    pub(crate) const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place in every table that has one entry per instrument.
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

/// One closing price: an index level in USD, rounded to [`PRICE_DECIMALS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) instrument: InstrumentId,
    pub(crate) price: Decimal,
}

/// Decimals of every price on the desk: one tick is 0.0001 USD.
pub(crate) const PRICE_DECIMALS: u32 = 4;

/// All that the desk sees of one day. An instrument that did not trade has no tick: its feed is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: NaiveDate,
    /// The close, see [`session_close`].
    pub(crate) at: DateTime<Utc>,
    /// In the order of the instruments.
    pub(crate) ticks: Vec<Tick>,
}

/// The instant of the close of `date`: 21:00 UTC by convention.
pub(crate) fn session_close(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(CLOSE_HOUR_UTC)
}

/// Reads `YYYY-MM-DD`, all ten characters of it, with a year from 1800 to 2199.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    let date: NaiveDate = text.parse().ok()?;
    YEARS.contains(&date.year()).then_some(date)
}

/// The days to look at, both ends included; an end that is not given is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
}

impl Period {
    pub(crate) fn contains(self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.to.is_none_or(|to| date <= to)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "from {from} to {to}"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(to)) => write!(f, "up to {to}"),
            (None, None) => f.write_str("over all days"),
        }
    }
}

/// How often a strategy thinks again about its positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// At every session.
    Daily,
    /// At the first session of each calendar month.
    Monthly,
}

impl Schedule {
    /// Whether the session of `today` is one of the schedule's, after a session on `previous`.
    pub(crate) fn is_due(self, previous: Option<NaiveDate>, today: NaiveDate) -> bool {
        match self {
            Self::Daily => true,
            Self::Monthly => previous
                .is_none_or(|previous| (previous.year(), previous.month()) != (today.year(), today.month())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    #[test]
    fn a_session_closes_at_nine_in_the_evening_utc() {
        assert_eq!(session_close(date("2008-10-10")).to_rfc3339(), "2008-10-10T21:00:00+00:00");
    }

    #[test]
    fn only_ten_characters_that_name_a_real_day_are_a_date() {
        assert_eq!(date("2000-02-29"), NaiveDate::from_ymd_opt(2000, 2, 29).unwrap());
        for wrong in [
            "",
            "2000-2-29",
            "2001-02-29",
            "2000/02/29",
            "20000229",
            " 2000-02-2",
            "2000-02-29 ",
            "+200-02-29",
            "1799-12-31",
            "2200-01-01",
            "2000-13-01",
            "2000-02-2é",
            "9999-99-99",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_period_holds_both_its_ends() {
        let period = Period { from: Some(date("2001-01-02")), to: Some(date("2001-01-04")) };
        let held =
            ["2001-01-01", "2001-01-02", "2001-01-04", "2001-01-05"].map(|day| period.contains(date(day)));
        assert_eq!(held, [false, true, true, false]);
        assert!(Period::default().contains(date("1999-01-05")));
    }

    #[test]
    fn a_monthly_schedule_is_due_once_per_calendar_month() {
        let days = ["2001-12-28", "2001-12-31", "2002-01-02", "2002-01-03", "2003-01-03"].map(date);
        let mut previous = None;
        let due = days.map(|today| Schedule::Monthly.is_due(previous.replace(today), today));
        assert_eq!(due, [true, false, true, false, true]);
        assert!(Schedule::Daily.is_due(Some(days[0]), days[1]));
    }
}
