//! Wall time that nobody sets.
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};
use chrono::{DateTime, TimeDelta, Utc};

/// Wall time as it would be if nobody had set the clock since this was made: what retries, leases and waits are counted in, so that setting
/// the clock neither holds them up nor brings them on.
#[derive(Debug, Clone)]
pub(crate) struct SteadyClock {
    clock: SharedClock,
    /// What the wall showed when it was made.
    wall: DateTime<Utc>,
    /// When it was made.
    made: Monotonic,
}

impl SteadyClock {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { wall: clock.now(), made: clock.monotonic(), clock }
    }

    /// The clock behind it.
    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.at(self.clock.monotonic())
    }

    pub(crate) fn at(&self, instant: Monotonic) -> DateTime<Utc> {
        let (after, before) = (instant.saturating_since(self.made), self.made.saturating_since(instant));
        let length = |length: Duration| TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
        let at = self.wall.checked_add_signed(length(after));
        at.and_then(|at| at.checked_sub_signed(length(before))).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// The instant of such a time.
    pub(crate) fn instant(&self, at: DateTime<Utc>) -> Monotonic {
        let length = |length: TimeDelta| length.to_std().unwrap_or_default();
        let made = self.made.since_origin();
        let (after, before) = (length(at - self.wall), length(self.wall - at));
        Monotonic::after_origin(made.saturating_add(after).saturating_sub(before))
    }

    /// How far the wall has been set ahead since this was made, if it shows this now.
    pub(crate) fn set_ahead(&self, wall: DateTime<Utc>) -> TimeDelta {
        wall - self.now()
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::ManualClock;

    use super::*;

    #[test]
    fn setting_the_clock_changes_nothing_but_what_it_is_ahead() {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH + TimeDelta::days(1));
        clock.advance(Duration::from_secs(5));
        let steady = SteadyClock::new(clock.shared());
        let start = steady.now();
        assert_eq!(steady.instant(start), clock.shared().monotonic());
        clock.step_wall(TimeDelta::hours(-1));
        clock.advance(Duration::from_secs(7));
        assert_eq!(steady.now() - start, TimeDelta::seconds(7));
        assert_eq!(steady.at(steady.instant(start)), start);
        assert_eq!(steady.instant(steady.now()), clock.shared().monotonic());
        assert_eq!(steady.set_ahead(clock.shared().now()), TimeDelta::hours(-1));
        assert_eq!(steady.instant(DateTime::<Utc>::MIN_UTC), Monotonic::ORIGIN);
        assert_eq!(steady.at(Monotonic::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
