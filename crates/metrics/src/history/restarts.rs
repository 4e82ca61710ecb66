//! Where a total started again from zero.

use std::collections::VecDeque;

use crate::Buckets;

/// How a series shows that its total started again from zero.
#[derive(Debug, Clone)]
pub(crate) enum Restarts {
    /// By a fall: a counter falls for no other reason.
    Falls,
    /// By the buckets of the histogram that it is the count or the sum of.
    Told(Told),
}

/// The restarts that the buckets of a histogram told.
///
/// A restart is seen when a bucket has less than when it was last read, or when the bounds are others. One after which
/// every bucket has filled again before it is read is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The samples that came first after a restart, oldest first: stamp, and the value of the sample before.
    restarts: VecDeque<(i64, f64)>,
    /// What the buckets had when they were last read, be the sample taken or not.
    buckets: Option<Buckets>,
    counts: Vec<u64>,
    /// Whether there was a restart since the newest sample.
    since_newest: bool,
}

impl Told {
    /// The buckets as they are now, before the sample of this is taken.
    pub(crate) fn read(&mut self, buckets: &Buckets, counts: &[u64]) {
        match &self.buckets {
            Some(before) if before == buckets => {
                let fell = self.counts.iter().zip(counts).any(|(before, now)| now < before);
                self.since_newest |= fell;
            }
            before => {
                self.since_newest |= before.is_some();
                self.buckets = Some(buckets.clone());
            }
        }
        self.counts.clear();
        self.counts.extend_from_slice(counts);
    }

    /// The sample of this stamp was taken; the one before it, if there is one, had `before`.
    pub(crate) fn took(&mut self, time: i64, before: Option<f64>) {
        if std::mem::take(&mut self.since_newest)
            && let Some(before) = before
        {
            self.restarts.push_back((time, before));
        }
    }

    /// What was there before the restart that the oldest sample came first after.
    pub(crate) fn at(&self, oldest: i64) -> Option<f64> {
        self.restarts.front().filter(|&&(time, _)| time == oldest).map(|&(_, before)| before)
    }

    /// Whether there was a restart after an instant.
    pub(crate) fn any_after(&self, at: i64) -> bool {
        self.restarts.back().is_some_and(|&(time, _)| time > at)
    }

    /// A restart since the newest sample is known from elsewhere.
    pub(crate) fn restarted(&mut self) {
        self.since_newest = true;
    }

    /// Forgets restarts that no window over the samples from `oldest` to `newest` can span. One after the newest, whose
    /// sample is gone, is one before the next.
    pub(crate) fn keep(&mut self, oldest: Option<i64>, newest: Option<i64>) {
        let (Some(oldest), Some(newest)) = (oldest, newest) else {
            self.restarts = VecDeque::new();
            return;
        };
        while self.restarts.front().is_some_and(|&(time, _)| time <= oldest) {
            self.restarts.pop_front();
        }
        while self.restarts.back().is_some_and(|&(time, _)| time > newest) {
            self.restarts.pop_back();
            self.since_newest = true;
        }
    }

    /// What was there before the restarts between two samples, added up. O(restarts).
    pub(crate) fn before(&self, oldest: i64, newest: i64) -> f64 {
        let between = self.restarts.iter().filter(|&&(time, _)| oldest < time && time <= newest);
        between.map(|&(_, before)| before).sum()
    }
}
