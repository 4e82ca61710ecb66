//! The samples of one source, on their way to the queue.
use std::collections::HashSet;
use std::sync::Arc;

use bellwether_core::{SampleBatch, SeriesKey};

use super::Shared;
use super::queue::Queued;

/// The value that says that a series has ended: a NaN of its own, as Prometheus has it (`model/value/value.go`).
pub(super) const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Takes the samples of one source, such as a registry, batch after batch.
///
/// A series that a batch no longer has is told to the receiver as ended, so that queries do not carry its last value on for minutes.
/// Hence the batches of one feed must each hold all series of their source; another source has another feed.
pub struct Feed {
    shared: Arc<Shared>,
    before: Vec<Arc<SeriesKey>>,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, before: Vec::new() }
    }

    /// Hands a batch over to be sent. Never waits and cannot fail; O(samples). What is beyond the bounds is counted as dropped.
    pub fn push(&mut self, batch: &SampleBatch) {
        let millis = batch.at.as_micros().div_euclid(1_000);
        let ended = self.ended(batch);
        let queued = batch.values.iter().map(|(series, value)| Queued {
            series: Arc::clone(series),
            millis,
            value: *value,
        });
        let stale = ended.into_iter().map(|series| Queued { series, millis, value: f64::from_bits(STALE) });
        let all: Vec<_> = queued.chain(stale).collect();
        self.shared.push(all);
    }

    /// Series of the batch before that this one has no more.
    fn ended(&mut self, batch: &SampleBatch) -> Vec<Arc<SeriesKey>> {
        let keys = batch.values.iter().map(|(series, _)| series);
        let same = self.before.len() == batch.len()
            && self.before.iter().zip(keys.clone()).all(|(before, now)| Arc::ptr_eq(before, now));
        if same {
            return Vec::new();
        }
        let now: HashSet<&SeriesKey> = keys.clone().map(|series| &**series).collect();
        let ended = self.before.iter().filter(|series| !now.contains(&***series)).cloned().collect();
        self.before = keys.cloned().collect();
        ended
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("series", &self.before.len()).finish_non_exhaustive()
    }
}
