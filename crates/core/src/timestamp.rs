//! An instant in UTC as stored and compared on the hot path.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// Microseconds since 1970-01-01T00:00:00Z, in UTC, between [`Timestamp::MIN`] and [`Timestamp::MAX`].
///
/// The form that is stored and compared; public borders of alerts, health and store speak `DateTime<Utc>`,
/// and the two convert into one another without loss down to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// A time lies outside of what a [`Timestamp`] can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time {value} is outside of {} to {}", Timestamp::MIN, Timestamp::MAX)]
pub struct TimestampError {
    /// The offending time as text.
    pub value: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The first instant of year 1.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last microsecond of year 9999.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// From microseconds since the epoch.
    pub fn from_micros(micros: i64) -> Result<Self, TimestampError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(TimestampError { value: format!("{micros} us") })
        }
    }

    /// From milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Result<Self, TimestampError> {
        let wrong = || TimestampError { value: format!("{millis} ms") };
        Self::from_micros(millis.checked_mul(1_000).ok_or_else(wrong)?)
    }

    /// From seconds since the epoch.
    pub fn from_seconds(seconds: i64) -> Result<Self, TimestampError> {
        let wrong = || TimestampError { value: format!("{seconds} s") };
        Self::from_micros(seconds.checked_mul(1_000_000).ok_or_else(wrong)?)
    }

    /// Microseconds since the epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, for formats that want a number; exact to about a quarter microsecond in our century.
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The same instant for people and for borders.
    pub fn to_datetime(self) -> DateTime<Utc> {
        // Every value in MIN..=MAX is a date that chrono knows; the fallback is never reached.
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// `self + duration`, stopping at [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX.0))
    }

    /// `self - duration`, stopping at [`Timestamp::MIN`].
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(Self::MIN.0))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The last instant at or before this one that lies on a grid of `step` since the epoch; the instant
    /// itself for a step under one microsecond.
    #[must_use]
    pub fn floor_to(self, step: Duration) -> Self {
        match i64::try_from(step.as_micros()) {
            Ok(step) if step > 0 => Self((self.0.div_euclid(step) * step).max(Self::MIN.0)),
            _ => self,
        }
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = TimestampError;
    fn try_from(time: DateTime<Utc>) -> Result<Self, TimestampError> {
        Self::from_micros(time.timestamp_micros()).map_err(|_| TimestampError { value: time.to_string() })
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(at: Timestamp) -> Self {
        at.to_datetime()
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many decimals as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_datetime().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        use crate::human_duration::shortened;

        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(|error| {
            D::Error::custom(format!("{:?} is not an RFC 3339 time: {error}", shortened(&text)))
        })?;
        Self::try_from(time.to_utc()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_dates_and_one_beyond_is_an_error() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert!(Timestamp::from_micros(Timestamp::MAX.0 + 1).is_err());
        assert!(Timestamp::from_micros(Timestamp::MIN.0 - 1).is_err());
        assert!(Timestamp::from_seconds(i64::MAX).unwrap_err().to_string().contains("9223372036854775807 s"));
    }

    #[test]
    fn times_before_the_epoch_floor_downwards() {
        let at = Timestamp::from_micros(-1).unwrap();
        assert_eq!(at.floor_to(Duration::from_secs(1)), Timestamp::from_seconds(-1).unwrap());
        assert_eq!(at.floor_to(Duration::ZERO), at);
    }

    #[test]
    fn arithmetic_stops_at_the_bounds() {
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.saturating_since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::MIN.floor_to(Duration::from_secs(7)), Timestamp::MIN);
    }
}
