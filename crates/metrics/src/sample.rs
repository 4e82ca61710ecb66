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
        let [first, _] = &mut *tracks;
        let own = || Arc::clone(key);
        match reading {
            Reading::Counter(total) => {
                let track = self.history.push(first, own, total.as_f64());
                self.batch.values.push((Arc::clone(track.key()), total.as_f64()));
            }
            Reading::Gauge(value) => {
                let track = self.history.push(first, own, value);
                self.batch.values.push((Arc::clone(track.key()), value));
            }
            Reading::Histogram { buckets, counts, sum } => {
                let Some(of) = &self.derived else { return };
                let count = counts.iter().fold(0u64, |all, &count| all.wrapping_add(count)) as f64;
                let sum_of = if buckets.are_for_negatives() { &of.signed_sum } else { &of.sum };
                let keys = (|| derived(&of.count, key), || derived(sum_of, key));
                let [of_count, of_sum] =
                    self.history.push_histogram(tracks, keys, (count, sum), (buckets, counts));
                self.batch.values.push((Arc::clone(of_count.key()), count));
                self.batch.values.push((Arc::clone(of_sum.key()), sum));
            }
        }
    }
}

fn derived(descriptor: &Arc<Descriptor>, of: &SeriesKey) -> Arc<SeriesKey> {
    Arc::new(SeriesKey { descriptor: Arc::clone(descriptor), labels: of.labels.clone() })
}
