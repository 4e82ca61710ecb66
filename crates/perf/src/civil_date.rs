//! A calendar date without a time zone library.

use std::fmt;
use std::str::FromStr;

/// A date of the Gregorian calendar, year 1 to 9999.
///
/// ```
/// use bellwether_perf::CivilDate;
/// let date: CivilDate = "2008-10-13".parse()?;
/// assert_eq!((date.year(), date.month(), date.day()), (2008, 10, 13));
/// assert!(date < CivilDate::new(2008, 10, 14)?);
/// assert_eq!(CivilDate::new(2001, 2, 29).unwrap_err().to_string(), "2001-02-29 is no date");
/// # Ok::<(), bellwether_perf::InvalidDate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct CivilDate {
    year: u16,
    month: u8,
    day: u8,
}

/// What is written there is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no date")]
pub struct InvalidDate {
    /// The offending text.
    pub text: String,
}

const DAY_SECONDS: i64 = 86_400;

impl CivilDate {
    /// From its parts.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, InvalidDate> {
        if (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month)
        {
            Ok(Self { year, month, day })
        } else {
            Err(InvalidDate { text: format!("{year:04}-{month:02}-{day:02}") })
        }
    }

    /// The date in UTC of a time in microseconds since 1970; none outside of year 1 to 9999.
    ///
    /// ```
    /// use bellwether_perf::CivilDate;
    /// let date = CivilDate::from_unix_micros(1_000_000_000_000_000).unwrap();
    /// assert_eq!(date.to_string(), "2001-09-09");
    /// ```
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        let days = micros.div_euclid(DAY_SECONDS * 1_000_000);
        // Days to civil, by eras of 400 years that begin on the first of March (Hinnant 2013).
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()
    }

    /// Midnight in UTC of the date, in microseconds since 1970.
    pub fn to_unix_micros(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * 146_097 + day_of_era - 719_468) * DAY_SECONDS * 1_000_000
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for CivilDate {
    type Err = InvalidDate;
    /// Reads `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let wrong = || InvalidDate { text: format!("{text:?}") };
        let well_formed = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !well_formed {
            return Err(wrong());
        }
        let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u16>().ok());
        let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
            return Err(wrong());
        };
        Self::new(year, month as u8, day as u8)
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
    }
}

impl TryFrom<String> for CivilDate {
    type Error = InvalidDate;
    fn try_from(text: String) -> Result<Self, InvalidDate> {
        text.parse()
    }
}

impl From<CivilDate> for String {
    fn from(date: CivilDate) -> Self {
        date.to_string()
    }
}

#[cfg(feature = "calendar")]
impl TryFrom<chrono::NaiveDate> for CivilDate {
    type Error = InvalidDate;
    fn try_from(date: chrono::NaiveDate) -> Result<Self, InvalidDate> {
        use chrono::Datelike;
        let wrong = || InvalidDate { text: date.to_string() };
        let year = u16::try_from(date.year()).map_err(|_| wrong())?;
        Self::new(year, date.month() as u8, date.day() as u8)
    }
}

#[cfg(feature = "calendar")]
impl From<CivilDate> for chrono::NaiveDate {
    fn from(date: CivilDate) -> Self {
        // Every date of year 1 to 9999 is one of chrono's; the fallback is never reached.
        Self::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_goes_there_and_back_in_order() {
        let mut previous = CivilDate::new(1799, 12, 31).unwrap();
        for day in -62_091_i64..=84_006 {
            let date = CivilDate::from_unix_micros(day * 86_400_000_000).unwrap();
            assert_eq!(date.to_unix_micros(), day * 86_400_000_000);
            assert_eq!(CivilDate::from_unix_micros(day * 86_400_000_000 + 86_399_999_999), Some(date));
            assert!(date > previous, "{date} after {previous}");
            previous = date;
        }
        assert_eq!(CivilDate::from_unix_micros(0).unwrap().to_string(), "1970-01-01");
        assert_eq!(CivilDate::from_unix_micros(-1).unwrap().to_string(), "1969-12-31");
        assert_eq!(previous.to_string(), "2200-01-01");
        assert_eq!(CivilDate::from_unix_micros(i64::MAX), None);
        assert_eq!(CivilDate::from_unix_micros(i64::MIN), None);
    }

    #[test]
    fn text_that_is_no_date_is_refused() {
        for text in [
            "",
            "2008-1-1",
            "2008-13-01",
            "2008-02-30",
            "2100-02-29",
            "08-10-13",
            "2008/10/13",
            "+008-10-13",
            "2008-10-1é",
        ] {
            assert!(text.parse::<CivilDate>().is_err(), "{text}");
        }
        assert!("2000-02-29".parse::<CivilDate>().is_ok());
    }

    #[cfg(feature = "calendar")]
    #[test]
    fn dates_are_those_of_chrono() {
        let date = CivilDate::new(2020, 4, 20).unwrap();
        let chrono = chrono::NaiveDate::from(date);
        assert_eq!(chrono.to_string(), date.to_string());
        assert_eq!(CivilDate::try_from(chrono), Ok(date));
        assert!(CivilDate::try_from(chrono::NaiveDate::MIN).is_err());
    }
}
