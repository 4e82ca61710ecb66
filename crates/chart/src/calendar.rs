//! The civil calendar in UTC, computed from microseconds since 1970-01-01T00:00:00Z.
//!
//! The conversions are those of Howard Hinnant, "chrono-compatible low-level date algorithms" (2013),
//! `days_from_civil` and `civil_from_days`: exact in the proleptic Gregorian calendar over the whole range of
//! an `i64` of microseconds (about ± 292,277 years).

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(crate) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(crate) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment taken apart into the fields of a UTC calendar and clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    /// Microseconds since midnight.
    pub(crate) of_day: i64,
}

impl Civil {
    pub(crate) fn at(micros: i64) -> Self {
        let days = micros.div_euclid(MICROS_PER_DAY);
        let of_day = micros.rem_euclid(MICROS_PER_DAY);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day, of_day }
    }

    pub(crate) fn month_name(self) -> &'static str {
        MONTHS[(self.month - 1).rem_euclid(12) as usize]
    }

    /// `2026-11-24`.
    pub(crate) fn date(self) -> String {
        let Self { year, month, day, .. } = self;
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `14:02`, `14:02:07` or `14:02:07.12`, as short as the moment allows.
    pub(crate) fn clock(self) -> String {
        let (hour, minute) = (self.of_day / MICROS_PER_HOUR, self.of_day / MICROS_PER_MINUTE % 60);
        let (second, micro) = (self.of_day / MICROS_PER_SECOND % 60, self.of_day % MICROS_PER_SECOND);
        if micro != 0 {
            let fraction = format!("{micro:06}");
            format!("{hour:02}:{minute:02}:{second:02}.{}", fraction.trim_end_matches('0'))
        } else if second != 0 {
            format!("{hour:02}:{minute:02}:{second:02}")
        } else {
            format!("{hour:02}:{minute:02}")
        }
    }
}

/// Days from 1970-01-01 to the first day of a month; `month` counts from 0 and may lie outside 0..12.
pub(crate) fn days_to_month(year: i64, month: i64) -> i64 {
    let year = year + month.div_euclid(12);
    let month = month.rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The moment in words: `2026-11-24` at midnight, else `2026-11-24 14:02:07`. Always UTC.
pub fn moment(micros: i64) -> String {
    let civil = Civil::at(micros);
    if civil.of_day == 0 { civil.date() } else { format!("{} {}", civil.date(), civil.clock()) }
}

/// The moment as RFC 3339 text for a `datetime` attribute: `2026-11-24T14:02:07Z`.
pub(crate) fn rfc3339(micros: i64) -> String {
    let civil = Civil::at(micros);
    format!("{}T{}Z", civil.date(), civil.clock())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_the_first_of_january_1970() {
        assert_eq!(Civil::at(0), Civil { year: 1970, month: 1, day: 1, of_day: 0 });
        assert_eq!(days_to_month(1970, 0), 0);
    }

    #[test]
    fn the_microsecond_before_the_epoch_is_in_1969() {
        assert_eq!(moment(-1), "1969-12-31 23:59:59.999999");
    }

    #[test]
    fn leap_days_exist_in_2000_and_not_in_1900() {
        assert_eq!(Civil::at((days_to_month(2000, 1) + 28) * MICROS_PER_DAY).date(), "2000-02-29");
        assert_eq!(Civil::at((days_to_month(1900, 1) + 28) * MICROS_PER_DAY).date(), "1900-03-01");
    }

    #[test]
    fn both_ends_of_the_range_have_a_date() {
        assert_eq!(Civil::at(i64::MAX).date(), "294247-01-10");
        assert_eq!(Civil::at(i64::MIN).date(), "-290308-12-21");
    }

    #[test]
    fn every_month_of_eight_centuries_comes_back() {
        for month in 0..12 * 800 {
            let civil = Civil::at(days_to_month(1600, month) * MICROS_PER_DAY);
            assert_eq!((civil.year, civil.month, civil.day), (1600 + month / 12, month % 12 + 1, 1));
        }
    }

    #[test]
    fn clock_is_as_short_as_the_moment_allows() {
        assert_eq!(moment(14 * MICROS_PER_HOUR + 2 * MICROS_PER_MINUTE), "1970-01-01 14:02");
        assert_eq!(moment(7 * MICROS_PER_SECOND + 120_000), "1970-01-01 00:00:07.12");
        assert_eq!(rfc3339(7 * MICROS_PER_SECOND), "1970-01-01T00:00:07Z");
    }
}
