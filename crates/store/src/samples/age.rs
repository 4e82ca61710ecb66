//! Which samples are too old.

use std::time::Duration;

use bellwether_core::{Monotonic, Timestamp};
use parking_lot::Mutex;

/// Which samples are too old to be read, and which of those may be deleted for it.
///
/// What is read depends on the clock alone. A clock can be wrong, and what is deleted is gone: so nothing is deleted that is not old
/// also beside the newest sample that is stored, nor faster than monotonic time passes.
#[derive(Debug)]
pub(crate) struct Age {
    most: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The newest instant that is stored.
    newest: Option<i64>,
    /// What it was at first, and when that was.
    first: Option<(i64, Monotonic)>,
    /// Up to where was deleted.
    deleted: Option<i64>,
}

impl Age {
    pub(super) fn new(most: Option<Duration>) -> Self {
        Self { most, seen: Mutex::default() }
    }

    /// Samples from before are not read, in microseconds.
    pub(super) fn read_from(&self, now: Timestamp) -> i64 {
        self.most.map_or(i64::MIN, |most| now.saturating_sub(most).as_micros())
    }

    /// Samples from before may be deleted.
    pub(super) fn kept_from(&self, now: Timestamp, at: Monotonic) -> i64 {
        self.old_before(&self.seen.lock(), now, at).unwrap_or(i64::MIN)
    }

    fn old_before(&self, seen: &Seen, now: Timestamp, at: Monotonic) -> Option<i64> {
        let (most, newest, (first, since)) = (self.most?, seen.newest?, seen.first?);
        let passed = micros(at.saturating_since(since));
        let now = now.as_micros().min(newest).min(first.saturating_add(passed));
        Some(now.saturating_sub(micros(most)))
    }

    /// Before which instant samples are to be deleted now: not more often than fifty times in the greatest age.
    pub(super) fn deletes_before(&self, now: Timestamp, at: Monotonic) -> Option<i64> {
        let apart = micros(self.most? / 50).max(1_000_000);
        let seen = self.seen.lock();
        let before = self.old_before(&seen, now, at)?;
        seen.deleted.is_none_or(|deleted| before >= deleted.saturating_add(apart)).then_some(before)
    }

    /// What is older is deleted.
    pub(crate) fn deleted(&self, before: i64) {
        let mut seen = self.seen.lock();
        seen.deleted = seen.deleted.max(Some(before));
    }

    /// Samples up to an instant are stored.
    pub(crate) fn stored(&self, newest: i64, at: Monotonic) {
        let mut seen = self.seen.lock();
        seen.newest = seen.newest.max(Some(newest));
        seen.first.get_or_insert((newest, at));
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> (Timestamp, Monotonic) {
        let length = Duration::from_secs(seconds);
        (Timestamp::EPOCH.saturating_add(length), Monotonic::ORIGIN.saturating_add(length))
    }

    #[test]
    fn what_is_deleted_is_old_by_the_clock_beside_the_newest_sample_and_by_the_time_that_has_passed() {
        let age = Age::new(Some(Duration::from_secs(100)));
        let (wall, passed) = at(500);
        assert_eq!(age.kept_from(wall, passed), i64::MIN, "nothing is stored");
        age.stored(500_000_000, passed);
        assert_eq!(age.kept_from(wall, passed), 400_000_000);
        let (ahead, later) = (at(9_999).0, at(510).1);
        assert_eq!(age.kept_from(ahead, later), 400_000_000, "not past the newest sample");
        age.stored(9_999_000_000, later);
        assert_eq!(age.kept_from(ahead, later), 410_000_000, "not faster than time passes");
        assert_eq!(age.kept_from(at(450).0, later), 350_000_000, "not past the clock");
        assert_eq!(age.read_from(ahead), 9_899_000_000);
    }

    #[test]
    fn it_deletes_a_few_times_in_the_greatest_age() {
        let age = Age::new(Some(Duration::from_secs(100)));
        age.stored(0, Monotonic::ORIGIN);
        age.stored(1_000_000_000, Monotonic::ORIGIN);
        let due = |seconds| age.deletes_before(at(seconds).0, at(seconds).1);
        assert_eq!(due(200), Some(100_000_000));
        age.deleted(100_000_000);
        assert_eq!((due(201), due(202)), (None, Some(102_000_000)));
        assert_eq!(Age::new(None).deletes_before(at(200).0, at(200).1), None);
    }
}
