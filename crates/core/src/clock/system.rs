//! The machine's own clocks.
use std::sync::Arc;
#[cfg(not(feature = "runtime"))]
use std::time::Instant;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
#[cfg(feature = "runtime")]
use tokio::time::Instant;

use super::{Clock, Monotonic, SharedClock};

/// The machine's clocks: the only place in Bellwether that reads them.
///
/// Monotonic time begins when the clock is made. With the feature `runtime` it is tokio's time, so that a
/// runtime whose time is paused also pauses this clock's monotonic time and waits (the wall time is always
/// the machine's). Tokio's timer has a resolution of one millisecond: a wait may end up to that much late,
/// never early.
///
/// Making a wait needs no runtime; polling one outside a tokio runtime with its timer enabled panics, as
/// tokio's own do.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn new() -> Self {
        Self { origin: instant() }
    }

    /// The same, ready to be shared.
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        wall()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::after_origin(instant().saturating_duration_since(self.origin))
    }
}

#[allow(clippy::disallowed_methods, reason = "the one clock that reads the machine's monotonic time")]
fn instant() -> Instant {
    Instant::now()
}

/// The machine's wall time. A clock set outside the range of dates reads as the nearest end of that range.
#[allow(clippy::disallowed_methods, reason = "the one clock that reads the machine's wall time")]
fn wall() -> DateTime<Utc> {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => after_epoch(since).unwrap_or(DateTime::<Utc>::MAX_UTC),
        Err(before) => before_epoch(before.duration()).unwrap_or(DateTime::<Utc>::MIN_UTC),
    }
}

fn after_epoch(since: Duration) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, since.subsec_nanos())
}

fn before_epoch(before: Duration) -> Option<DateTime<Utc>> {
    DateTime::UNIX_EPOCH.checked_sub_signed(chrono::TimeDelta::from_std(before).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_between_2024_and_2200() {
        let now = SystemClock::new().now();
        assert!(now > DateTime::from_timestamp(1_704_067_200, 0).unwrap());
        assert!(now < DateTime::from_timestamp(7_258_118_400, 0).unwrap());
    }

    #[test]
    fn monotonic_time_begins_at_the_origin_and_never_steps_back() {
        let clock = SystemClock::new();
        let readings: Vec<Monotonic> = (0..1_000).map(|_| clock.monotonic()).collect();
        assert!(readings[0] < Monotonic::after_origin(Duration::from_mins(1)));
        assert!(readings.is_sorted());
    }

    #[test]
    fn instants_before_the_epoch_keep_their_fraction() {
        let at = before_epoch(Duration::from_millis(1_500)).unwrap();
        assert_eq!(at.timestamp_millis(), -1_500);
    }

    #[test]
    fn instants_beyond_the_range_of_dates_are_refused() {
        assert_eq!(after_epoch(Duration::MAX), None);
        assert_eq!(before_epoch(Duration::MAX), None);
    }
}
