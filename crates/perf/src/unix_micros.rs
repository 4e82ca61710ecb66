//! A time as the ledger keeps it.

use std::fmt;

use crate::CivilDate;

/// Microseconds since 1970-01-01T00:00:00Z, in UTC.
///
/// The ledger reads no clock and needs no calendar: it takes the time of each fill from its caller. The form is
/// that of `bellwether_core::Timestamp`, into and from which it converts under the feature `tracker`; under
/// `calendar` it comes from `chrono::DateTime<Utc>`.
///
/// ```
/// use bellwether_perf::UnixMicros;
/// let at = UnixMicros::from_seconds(1_000_000_000);
/// assert_eq!(at.to_string(), "2001-09-09T01:46:40Z");
/// assert_eq!(UnixMicros::from(1_500_000).to_string(), "1970-01-01T00:00:01.500000Z");
/// ```
///
/// A time without a zone is none:
///
/// ```compile_fail,E0277
/// fn at(naive: chrono::NaiveDateTime) -> bellwether_perf::UnixMicros {
///     naive.into()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct UnixMicros(i64);

impl UnixMicros {
    /// The last microsecond of the year 9999.
    pub const LAST: Self = Self(253_402_300_799_999_999);

    /// From whole seconds since 1970; stops at the ends of the range.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// The microseconds.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The date in UTC; none outside of year 1 to 9999.
    pub fn date(self) -> Option<CivilDate> {
        CivilDate::from_unix_micros(self.0)
    }

    /// Microseconds from `earlier` to this; negative if it is not earlier. Stops at the ends of the range.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<i64> for UnixMicros {
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}

impl fmt::Display for UnixMicros {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(date) = self.date() else { return f.pad(&format!("{} us since 1970", self.0)) };
        let micros = self.0.rem_euclid(86_400_000_000);
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
        f.pad(&format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
    }
}

#[cfg(feature = "calendar")]
impl From<chrono::DateTime<chrono::Utc>> for UnixMicros {
    fn from(time: chrono::DateTime<chrono::Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

#[cfg(feature = "tracker")]
impl From<bellwether_core::Timestamp> for UnixMicros {
    fn from(at: bellwether_core::Timestamp) -> Self {
        Self(at.as_micros())
    }
}

#[cfg(feature = "tracker")]
impl TryFrom<UnixMicros> for bellwether_core::Timestamp {
    type Error = bellwether_core::TimestampError;
    fn try_from(at: UnixMicros) -> Result<Self, Self::Error> {
        Self::from_micros(at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_is_that_of_the_calendar() {
        assert_eq!(UnixMicros::LAST.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(UnixMicros::from(UnixMicros::LAST.get() + 1).date().is_none());
    }

    #[test]
    fn times_before_1970_and_beyond_the_calendar_have_a_text() {
        assert_eq!(UnixMicros::from(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(UnixMicros::from(i64::MAX).to_string(), "9223372036854775807 us since 1970");
    }
}
