//! The instants at which samples and collectors are due: whole multiples of an interval since the epoch.

use std::time::Duration;

use bellwether_core::{SharedClock, Stop, Timestamp};

/// One instant of a grid that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// When it was due.
    pub(crate) due: Timestamp,
    /// How many came after it, up to now: whoever waited was held up.
    pub(crate) missed: u64,
}

impl Tick {
    /// What a sample bears that was due at this tick and is taken `now`.
    pub(crate) fn stamp(self, now: Timestamp, interval: Duration) -> Timestamp {
        if now.saturating_since(self.due) <= interval / 10 { self.due } else { now }
    }
}

/// Waits for the next instant of the grid; nothing when it is to stop. Cancel-safe.
pub(crate) async fn next_tick(clock: &SharedClock, interval: Duration, stop: &Stop) -> Option<Tick> {
    loop {
        let now = clock.timestamp();
        let due = after(now, interval);
        let awaited = clock.monotonic().saturating_add(due.saturating_since(now));
        loop {
            let wait = due.saturating_since(clock.timestamp());
            if wait > interval {
                // The wall clock was set back: another tick is the next.
                break;
            }
            stop.or(clock.sleep(wait)).await?;
            let now = clock.timestamp();
            // A timer may wake a little early by the wall clock.
            if now >= due {
                // A wall clock that was set forth misses nothing: no more can have passed than really did.
                let late = now.saturating_since(due).min(clock.monotonic().saturating_since(awaited));
                return Some(Tick { due, missed: ticks_in(late, interval) });
            }
        }
    }
}

/// The first instant of the grid after `now`.
fn after(now: Timestamp, interval: Duration) -> Timestamp {
    now.floor_to(interval).saturating_add(interval)
}

fn ticks_in(length: Duration, interval: Duration) -> u64 {
    length.as_nanos().checked_div(interval.as_nanos()).and_then(|n| n.try_into().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn ticks_lie_on_the_grid_of_the_epoch() {
        let second = Duration::from_secs(1);
        assert_eq!(after(millis(1_500), second), millis(2_000));
        assert_eq!(after(millis(2_000), second), millis(3_000));
        assert_eq!(after(millis(-500), second), millis(0));
    }

    #[test]
    fn a_tick_that_is_a_little_late_bears_the_instant_it_was_due() {
        let second = Duration::from_secs(1);
        let tick = Tick { due: millis(2_000), missed: 0 };
        assert_eq!(tick.stamp(millis(2_100), second), millis(2_000));
        assert_eq!(tick.stamp(millis(2_101), second), millis(2_101));
    }

    #[test]
    fn as_many_ticks_are_missed_as_whole_intervals_have_passed() {
        let second = Duration::from_secs(1);
        for (late, missed) in [(0, 0), (999, 0), (1_000, 1), (3_350, 3)] {
            assert_eq!(ticks_in(Duration::from_millis(late), second), missed, "{late} ms");
        }
    }
}
