//! The recent past of every series, and how it is read back.

mod confidence;
mod ewma;
mod index;
mod lanes;
mod level;
#[cfg_attr(
    not(feature = "long-history"),
    allow(dead_code, reason = "without the feature no configuration makes one")
)]
mod long;
mod pages;
mod recent;
mod restarts;
mod ring;
mod series;
mod student_t;
mod summary;
mod track;
mod trend;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Sample, SeriesKey, SharedClock, TimeRange, Timestamp};

pub use self::confidence::{Confidence, InvalidConfidence};
pub use self::ewma::Ewma;
use self::index::Index;
pub(crate) use self::long::Long;
pub use self::recent::{Answer, Recent};
pub use self::series::{Dropped, RefusedSample, Series};
pub(crate) use self::track::Track;
pub use self::trend::{Direction, NoGrowth, Trend};
use crate::instrument::{Declared, Derived};
use crate::own_metrics::Figures;
use crate::{Buckets, HistoryConfig};

/// The recent past of every series of one registry.
///
/// The sampler appends, one batch at a time; readers find the series of a metric in an index that they hold only to
/// copy a pointer, and each series has a lock of its own that is held for one append or one aggregate.
#[derive(Debug)]
pub(crate) struct History {
    index: Index,
    bounds: HistoryConfig,
    /// Most series, of which those that still get samples never are more than half.
    most_series: usize,
    clock: SharedClock,
    figures: Arc<Figures>,
}

/// One tick of the sampler on its way into the history.
#[derive(Debug)]
pub(crate) struct Append<'a> {
    history: &'a History,
    at: Timestamp,
    /// Series that the index does not know yet.
    new: Vec<Arc<Track>>,
    taken: u64,
    dropped: Dropped,
}

impl History {
    pub(crate) fn new(
        bounds: HistoryConfig,
        most_series: usize,
        clock: SharedClock,
        figures: Arc<Figures>,
    ) -> Self {
        Self { index: Index::default(), bounds, most_series, clock, figures }
    }

    /// Begins a batch of samples of one instant.
    pub(crate) fn append(&self, at: Timestamp) -> Append<'_> {
        Append { history: self, at, new: Vec::new(), taken: 0, dropped: Dropped::default() }
    }

    /// Drops what is younger than `at`: the wall clock was set back to it.
    pub(crate) fn step_back(&self, at: Timestamp) {
        let dropped: usize = self.index.all().iter().map(|track| track.series().truncate(at)).sum();
        self.figures.evicted.clock_step.add(dropped as u64);
        tracing::warn!(%at, dropped, "wall clock was set back: samples after it are dropped");
    }

    /// Drops what is too old, then the series that have no sample left, then, while there are too many, those that have
    /// got none for longest. O(series).
    pub(crate) fn sweep(&self, now: Timestamp) {
        let mut tracks = self.index.all();
        let mut gone = Vec::new();
        tracks.retain(|track| {
            let mut series = track.series();
            self.figures.evicted.age.add(series.expire(now) as u64);
            let stays = !series.is_empty();
            drop(series);
            if !stays {
                gone.push(Arc::clone(track));
            }
            stays
        });
        if tracks.len() > self.most_series {
            let newest = |track: &Arc<Track>| track.series().newest().map(|sample| sample.at);
            tracks.sort_by_cached_key(newest);
            for track in tracks.drain(..tracks.len() - self.most_series) {
                self.figures.evicted.idle.add(track.series().len() as u64);
                gone.push(track);
            }
        }
        self.index.remove(&gone);
    }

    /// Drops what another metric of this name has left, so that its past is not taken for that of this one.
    pub(crate) fn redefine(&self, declared: &Declared) {
        let mut descriptors = vec![&declared.descriptor];
        if let Some(Derived { count, sum, signed_sum, quantile }) = &declared.derived {
            descriptors.extend([count, sum, signed_sum, quantile]);
        }
        let mut gone = Vec::new();
        for descriptor in &descriptors {
            for track in self.index.metric(&descriptor.name).iter().flat_map(|tracks| tracks.iter()) {
                if !descriptors.contains(&&track.key().descriptor) {
                    self.figures.evicted.idle.add(track.series().len() as u64);
                    gone.push(Arc::clone(track));
                }
            }
        }
        self.index.remove(&gone);
    }

    /// The part of a range that the bound of age leaves now.
    fn visible(&self, range: TimeRange) -> TimeRange {
        // One microsecond more: a range is open at its start, and a sample that is just as old as allowed is in.
        let oldest =
            self.clock.timestamp().saturating_sub(self.bounds.longest_age() + Duration::from_micros(1));
        let start = range.start().max(oldest);
        TimeRange::new(start.min(range.end()), range.end()).unwrap_or(range)
    }
}

impl Append<'_> {
    /// Appends the value of a counter or gauge; `track` remembers where it belongs from one batch to the next.
    pub(crate) fn push<'t>(
        &mut self,
        track: &'t mut Option<Arc<Track>>,
        key: impl FnOnce() -> Arc<SeriesKey>,
        value: f64,
    ) -> &'t Track {
        let track = self.track(track, key, Series::new);
        self.count(track.series().push(Sample::new(self.at, value)));
        track
    }

    /// Appends the count and the sum of a histogram. That it started again from zero is seen by its buckets: none falls
    /// for another reason, while the sum falls with every negative value, and the count may by the next sample be above
    /// what it was before.
    pub(crate) fn push_histogram<'t>(
        &mut self,
        [of_count, of_sum]: [&'t mut Option<Arc<Track>>; 2],
        keys: (impl FnOnce() -> Arc<SeriesKey>, impl FnOnce() -> Arc<SeriesKey>),
        (count, sum): (f64, f64),
        (buckets, counts): (&Buckets, &[u64]),
    ) -> [&'t Track; 2] {
        let of_count = self.track(of_count, keys.0, Series::of_histogram);
        let of_sum = self.track(of_sum, keys.1, Series::of_histogram);
        for (track, value) in [(of_count, count), (of_sum, sum)] {
            self.count(track.series().push_of_histogram(Sample::new(self.at, value), buckets, counts));
        }
        [of_count, of_sum]
    }

    fn count(&mut self, outcome: Result<Dropped, RefusedSample>) {
        let figures = &self.history.figures;
        match outcome {
            Ok(dropped) => {
                self.taken += 1;
                self.dropped.by_count += dropped.by_count;
                self.dropped.by_age += dropped.by_age;
            }
            Err(RefusedSample::NotFinite { .. }) => figures.refused.not_finite.increment(),
            Err(RefusedSample::OutOfOrder { .. } | RefusedSample::Future { .. }) => {
                figures.refused.out_of_order.increment();
            }
            Err(RefusedSample::Repeated { .. }) => figures.refused.repeated.increment(),
        }
    }

    /// The track of a series, looked up or made if it is not remembered.
    fn track<'t>(
        &mut self,
        remembered: &'t mut Option<Arc<Track>>,
        key: impl FnOnce() -> Arc<SeriesKey>,
        make: impl FnOnce(&HistoryConfig) -> Series,
    ) -> &'t Track {
        remembered.take_if(|track| track.is_retired());
        remembered.get_or_insert_with(|| {
            let key = key();
            if let Some(track) = self.history.index.find(&key) {
                return track;
            }
            let track = Arc::new(Track::new(key, make(&self.history.bounds)));
            self.new.push(Arc::clone(&track));
            track
        })
    }

    /// Ends the batch: series that are new can be read from now on. Says whether there are too many.
    pub(crate) fn finish(self) -> bool {
        let figures = &self.history.figures;
        figures.samples.add(self.taken);
        figures.evicted.count.add(self.dropped.by_count as u64);
        figures.evicted.age.add(self.dropped.by_age as u64);
        self.history.index.insert(self.new);
        self.history.index.len() > self.history.most_series
    }
}
