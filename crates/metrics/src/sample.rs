//! One tick: all values into a batch and into the history.

use std::sync::Arc;

use bellwether_core::{Descriptor, SampleBatch, SeriesKey};

use crate::gather::Visit;
use crate::history::{Append, Track};
use crate::instrument::{Declared, Derived, Reading};

/// Puts every value it meets into a batch and into the history.
pub(crate) struct Sampling<'a> {
    batch: SampleBatch,
    history: Append<'a>,
    derived: Option<Derived>,
}

impl<'a> Sampling<'a> {
    pub(crate) fn new(batch: SampleBatch, history: Append<'a>) -> Self {
        Self { batch, history, derived: None }
    }

    /// The batch, and whether the history has too many series.
    pub(crate) fn finish(self) -> (SampleBatch, bool) {
        (self.batch, self.history.finish())
    }

    fn put(&mut self, track: &mut Option<Arc<Track>>, key: impl FnOnce() -> Arc<SeriesKey>, value: f64) {
        let track = self.history.push(track, key, value);
        self.batch.values.push((Arc::clone(track.key()), value));
    }
}

impl Visit for Sampling<'_> {
    fn family(&mut self, declared: &Declared) {
        self.derived.clone_from(&declared.derived);
    }

    fn series(
        &mut self,
        key: &Arc<SeriesKey>,
        _: &str,
        reading: Reading<'_>,
        tracks: &mut [Option<Arc<Track>>; 2],
    ) {
        let [first, second] = tracks;
        let own = || Arc::clone(key);
        match reading {
            Reading::Counter(total) => self.put(first, own, total.as_f64()),
            Reading::Gauge(value) => self.put(first, own, value),
            Reading::Histogram { counts, sum, .. } => {
                let Some(Derived { count: of_count, sum: of_sum }) = self.derived.clone() else { return };
                let count = counts.iter().fold(0u64, |all, &count| all.wrapping_add(count));
                self.put(first, || derived(of_count, key), count as f64);
                self.put(second, || derived(of_sum, key), sum);
            }
        }
    }
}

fn derived(descriptor: Arc<Descriptor>, of: &SeriesKey) -> Arc<SeriesKey> {
    Arc::new(SeriesKey { descriptor, labels: of.labels.clone() })
}
