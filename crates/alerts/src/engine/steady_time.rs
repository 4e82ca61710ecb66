//! Time that never steps back, made of one that may.
use chrono::{DateTime, TimeDelta, Utc};

/// Wall time with its steps taken out: when the clock is set back by an hour, this goes on from where it was, so that timers
/// set before neither fire again nor wait an hour longer. A step ahead is taken out if it is [told](Self::set): it looks like time that went by.
#[derive(Debug, Clone, Copy)]
pub(super) struct SteadyTime {
    latest: DateTime<Utc>,
    ahead: TimeDelta,
    /// How much of steps back was noticed and not told yet.
    noticed: TimeDelta,
}

impl Default for SteadyTime {
    fn default() -> Self {
        Self { latest: DateTime::<Utc>::MIN_UTC, ahead: TimeDelta::zero(), noticed: TimeDelta::zero() }
    }
}

impl SteadyTime {
    /// The steady time at a wall time.
    pub(super) fn advance(&mut self, wall: DateTime<Utc>) -> DateTime<Utc> {
        let steady = plus(wall, self.ahead);
        if steady < self.latest {
            let back = self.latest - steady;
            self.ahead += back;
            self.noticed += back;
        } else {
            self.latest = steady;
        }
        self.latest
    }

    /// The wall was set ahead by a length: what it shows from now on means what it would have shown. What was noticed already of a step back
    /// is not taken out again.
    pub(super) fn set(&mut self, ahead: TimeDelta) {
        let noticed = self.noticed.min(-ahead).max(TimeDelta::zero());
        self.noticed -= noticed;
        self.ahead -= ahead + noticed;
    }

    /// The steady time when the wall will show a time, if it is not set again.
    pub(super) fn to_steady(self, wall: DateTime<Utc>) -> DateTime<Utc> {
        plus(wall, self.ahead)
    }

    /// What the wall will show at a steady time, if it is not set again.
    pub(super) fn to_wall(self, steady: DateTime<Utc>) -> DateTime<Utc> {
        plus(steady, -self.ahead)
    }
}

/// A time moved by a length, stopping at the ends of time.
pub(super) fn plus(at: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    let end = if length < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    at.checked_add_signed(length).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_is_taken_out_and_time_goes_on() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let mut time = SteadyTime::default();
        assert_eq!(time.advance(at(100)), at(100));
        assert_eq!(time.advance(at(40)), at(100));
        assert_eq!(time.advance(at(45)), at(105));
        assert_eq!(time.to_wall(at(110)), at(50));
        assert_eq!(time.advance(at(200)), at(260));
        time.set(TimeDelta::seconds(3_600));
        assert_eq!(time.advance(at(3_801)), at(261));
    }

    #[test]
    fn a_step_back_is_taken_out_once_whether_it_is_noticed_or_told_first() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        for noticed_first in [true, false] {
            let mut time = SteadyTime::default();
            time.advance(at(10_000));
            if noticed_first {
                time.advance(at(6_400));
            }
            time.set(TimeDelta::seconds(-3_600));
            assert_eq!(time.advance(at(6_401)), at(10_001), "noticed first: {noticed_first}");
            time.set(TimeDelta::seconds(-1_000));
            assert_eq!(time.advance(at(5_402)), at(10_002), "the next one counts whole");
        }
    }
}
