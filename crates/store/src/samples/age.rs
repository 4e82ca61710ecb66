//! Which samples are too old.

use std::collections::VecDeque;
use std::time::Duration;

use bellwether_core::{Monotonic, Timestamp};
use parking_lot::Mutex;

/// Spans that the greatest age is counted in.
const SPANS: i64 = 50;

/// Which samples are too old to be read, and which of those may be deleted for it.
///
/// What is read depends on the clock alone. A clock can be wrong, also for many openings of a store, and what is deleted is gone. So the
/// time that a store is open is counted, by the monotonic clock and on from one opening to the next, and beside it is kept which was the
/// lowest instant that came: what is below all that came within the greatest age of open time was stored before, and is so old however
/// wrong the clock was. So a sample may go once the store was open for the greatest age since it came and nothing older than it has come in
/// that time: a late sample keeps all that is newer than it for so long. Time that a store is closed is not counted, nor does anything come in it.
#[derive(Debug)]
pub(crate) struct Age {
    most: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// How long the store had been open, in microseconds, and when that was.
    open: Option<(i64, Monotonic)>,
    /// Numbers of spans of open time, and the lowest instant that came in each.
    lowest: VecDeque<(i64, i64)>,
    /// Up to where was deleted.
    deleted: Option<i64>,
}

/// What is kept of it in the database.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The length of a span in microseconds: with another, or none, the count begins anew.
    pub(crate) span: Option<i64>,
    /// How long the store was open in microseconds.
    pub(crate) open: i64,
    /// Numbers of spans, and the lowest instant that came in each.
    pub(crate) lowest: Vec<(i64, i64)>,
}

impl Age {
    pub(super) fn new(most: Option<Duration>) -> Self {
        Self { most, seen: Mutex::default() }
    }

    fn span(&self) -> Option<i64> {
        self.most.map(|most| (micros(most) / SPANS).saturating_add(1))
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
        let (most, span) = (self.most?, self.span()?);
        let first = seen.open_for(at)? / span - SPANS;
        if first < 0 {
            return None;
        }
        let came = seen.lowest.iter().filter(|(number, _)| *number >= first).map(|(_, lowest)| *lowest);
        Some(came.min().unwrap_or(i64::MAX).min(now.saturating_sub(most).as_micros()))
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

    /// Goes on from what is kept in the database, once; tells whether that is of no use and is to be forgotten.
    pub(crate) fn resume(&self, kept: &Kept, at: Monotonic) -> bool {
        let span = self.span();
        let of_use = span.is_some() && kept.span == span;
        let mut seen = self.seen.lock();
        if span.is_some() && seen.open.is_none() {
            seen.open = Some((if of_use { kept.open.max(0) } else { 0 }, at));
            if of_use {
                seen.lowest = kept.lowest.iter().copied().collect();
            }
        }
        kept.span.is_some() && !of_use
    }

    /// Samples come, the lowest of that instant; tells what of that is to be kept with them: only the newest span, and which spans
    /// need not be kept any longer. Nothing without a greatest age.
    pub(crate) fn came(&self, lowest: i64, at: Monotonic) -> Option<(Kept, Vec<i64>)> {
        let span = self.span()?;
        let mut seen = self.seen.lock();
        let open = seen.open_for(at)?;
        let number = open / span;
        let lowest = match seen.lowest.back_mut() {
            Some((last, known)) if *last == number => {
                *known = lowest.min(*known);
                *known
            }
            _ => {
                seen.lowest.push_back((number, lowest));
                lowest
            }
        };
        let mut gone = Vec::new();
        while let Some((first, _)) = seen.lowest.pop_front_if(|(first, _)| *first < number - SPANS) {
            gone.push(first);
        }
        Some((Kept { span: Some(span), open, lowest: vec![(number, lowest)] }, gone))
    }
}

impl Seen {
    /// How long the store has been open, in this opening and in those before.
    fn open_for(&self, at: Monotonic) -> Option<i64> {
        let (open, since) = self.open?;
        Some(open.saturating_add(micros(at.saturating_since(since))))
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> (Timestamp, Monotonic) {
        let length = Duration::from_secs(seconds);
        (Timestamp::EPOCH.saturating_add(length), Monotonic::ORIGIN.saturating_add(length))
    }

    fn hundred() -> Age {
        let age = Age::new(Some(Duration::from_secs(100)));
        age.resume(&Kept::default(), Monotonic::ORIGIN);
        age
    }

    #[test]
    fn nothing_is_deleted_before_the_store_was_open_for_the_greatest_age_nor_past_the_clock() {
        let age = hundred();
        for second in 0..=99 {
            age.came(at(second).0.as_micros(), at(second).1);
            assert_eq!(age.kept_from(at(99_999).0, at(second).1), i64::MIN);
        }
        let later = at(150).1;
        let from = age.kept_from(at(99_999).0, later);
        assert!((44_000_000..=50_000_000).contains(&from), "{from}");
        assert_eq!(age.kept_from(at(120).0, later), 20_000_000, "not past the clock");
        assert_eq!(age.read_from(at(120).0), 20_000_000);
    }

    #[test]
    fn it_deletes_a_few_times_in_the_greatest_age() {
        let age = hundred();
        let due = |seconds| age.deletes_before(at(seconds).0, at(seconds).1);
        assert_eq!(due(200), Some(100_000_000));
        age.deleted(100_000_000);
        assert_eq!((due(201), due(202)), (None, Some(102_000_000)));
        assert_eq!(Age::new(None).deletes_before(at(200).0, at(200).1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// However the clock jumps and however often the store is opened again.
        #[test]
        fn what_is_deleted_was_stored_before_the_greatest_age_of_open_time(
            steps in prop::collection::vec((1u64..20, prop::option::of(-2_000i64..2_000), any::<bool>()), 1..120),
        ) {
            let mut age = hundred();
            let (mut kept, mut open, mut wrong) = (Kept::default(), 0, 0);
            let mut stored: Vec<(u64, i64)> = Vec::new();
            for (passed, jump, reopens) in steps {
                open += passed;
                wrong = jump.unwrap_or(wrong);
                let stamp = (5_000 + open.cast_signed() + wrong) * 1_000_000;
                let (_, now) = at(open);
                if let Some((now_kept, gone)) = age.came(stamp, now) {
                    let Kept { span, open, lowest } = now_kept;
                    kept.lowest.retain(|(number, _)| !gone.contains(number) && *number != lowest[0].0);
                    kept.lowest.extend(lowest);
                    (kept.span, kept.open) = (span, open);
                }
                stored.push((open, stamp));
                if reopens {
                    age = Age::new(Some(Duration::from_secs(100)));
                    age.resume(&kept, now);
                }
                let clock = Timestamp::from_micros(stamp).unwrap();
                let from = age.kept_from(clock, now);
                for (stored, stamp) in &stored {
                    prop_assert!(*stamp >= from || open - stored >= 100, "{stamp} of {stored} is gone at {open}");
                }
            }
        }
    }
}
