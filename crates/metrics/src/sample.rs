//! One tick: all values into a batch and into the history.

use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, LabelName, SampleBatch, SeriesKey};

use crate::gather::{SeriesView, Tracks, Visit};
use crate::history::Append;
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

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { key, reading, tracks, .. } = series;
        match reading {
            // What never changes has no past.
            Reading::Gauge(_) if key.descriptor.kind == Kind::Info => {}
            Reading::Counter(total) => self.number(tracks, 0, || Arc::clone(key), total.as_f64()),
            Reading::Gauge(value) => self.number(tracks, 0, || Arc::clone(key), value),
            Reading::Histogram { buckets, counts, sum } => {
                let Some(of) = &self.derived else { return };
                let count = reading.count() as f64;
                let sum_of = if buckets.are_for_negatives() { &of.signed_sum } else { &of.sum };
                let keys = (|| derived(&of.count, key), || derived(sum_of, key));
                let [of_count, of_sum, ..] = tracks.at_least(2) else { return };
                let [of_count, of_sum] =
                    self.history.push_histogram([of_count, of_sum], keys, (count, sum), (buckets, counts));
                self.batch.values.push((Arc::clone(of_count.key()), count));
                self.batch.values.push((Arc::clone(of_sum.key()), sum));
            }
            Reading::Native { negative, sum, .. } => {
                let Some(of) = self.derived.clone() else { return };
                let count = reading.count();
                // Values below zero lower the sum.
                let sum_of = if negative.is_empty() { &of.sum } else { &of.signed_sum };
                self.number(tracks, 0, || derived(&of.count, key), count as f64);
                self.number(tracks, 1, || derived(sum_of, key), sum);
            }
            Reading::Summary { quantiles, count, sum } => {
                let Some(of) = self.derived.clone() else { return };
                self.number(tracks, 0, || derived(&of.count, key), count as f64);
                self.number(tracks, 1, || derived(&of.signed_sum, key), sum);
                for (at, &(q, value)) in quantiles.iter().enumerate() {
                    self.number(tracks, at + 2, || quantile(&of.quantile, key, q), value);
                }
            }
        }
    }
}

impl Sampling<'_> {
    /// Takes the value of a series that is one number.
    fn number(&mut self, tracks: &mut Tracks, at: usize, key: impl FnOnce() -> Arc<SeriesKey>, value: f64) {
        let Some(track) = tracks.at_least(at + 1).get_mut(at) else { return };
        let track = self.history.push(track, key, value);
        self.batch.values.push((Arc::clone(track.key()), value));
    }
}

fn derived(descriptor: &Arc<Descriptor>, of: &SeriesKey) -> Arc<SeriesKey> {
    Arc::new(SeriesKey { descriptor: Arc::clone(descriptor), labels: of.labels.clone() })
}

/// The gauge that a quantile of a summary is sampled as.
fn quantile(descriptor: &Arc<Descriptor>, of: &SeriesKey, q: f64) -> Arc<SeriesKey> {
    let with_quantile = LabelName::new("quantile").map(|name| of.labels.with(name, q.to_string()));
    // The name is one; only a series with as many labels as there may be stays without it.
    let labels = match with_quantile {
        Ok(Ok(labels)) => labels,
        _ => of.labels.clone(),
    };
    Arc::new(SeriesKey { descriptor: Arc::clone(descriptor), labels })
}
