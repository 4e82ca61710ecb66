//! One metric and its series.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bellwether_core::{LabelName, Labels, LabelsError, MAX_LABEL_VALUE_LEN, SeriesKey};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::{Mutex, RwLock};

use crate::error::{Definition, SeriesError};
use crate::instrument::{Declared, Instrument};
use crate::own_metrics::Figures;
use crate::padded::Padded;
use crate::values::Values;

/// The label of the series that takes what has no series of its own: `overflow="true"`.
pub const OVERFLOW_LABEL: &str = "overflow";

/// How many series a metric and its registry may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesBounds {
    pub(crate) per_metric: usize,
    pub(crate) all: usize,
}

type Shard<I> = RwLock<HashTable<Entry<I>>>;

/// One metric and its series. A look-up that hits reads one shard of the table and allocates nothing; who scrapes
/// never holds a lock that a look-up waits for.
#[derive(Debug)]
pub(crate) struct Metric<I: Instrument> {
    declared: Declared,
    /// Sorted.
    labels: Box<[LabelName]>,
    shape: I::Shape,
    hashes: RandomState,
    shards: Box<[Padded<Shard<I>>]>,
    overflow: OnceLock<I>,
    /// Series in the shards.
    series: AtomicUsize,
    bounds: SeriesBounds,
    figures: Arc<Figures>,
    /// Series that the gatherer does not know yet.
    arrivals: Mutex<Vec<I>>,
    arrived: AtomicBool,
}

/// Why there is no series for some pairs.
enum Missing {
    Label(LabelsError),
    Bound(usize),
}

/// Shards of a metric with labels.
const SHARDS: usize = 16;

/// One known combination of label values: as little as can be, so that many fit into a cache.
#[derive(Debug)]
struct Entry<I> {
    hash: u64,
    series: I,
}

impl<I: Instrument> Entry<I> {
    #[inline]
    fn is<const N: usize>(&self, hash: u64, values: &[&str; N]) -> bool {
        self.hash == hash && self.series.values().are(values)
    }
}

impl<I: Instrument> Metric<I> {
    pub(crate) fn new(
        declared: Declared,
        labels: Box<[LabelName]>,
        shape: I::Shape,
        bounds: SeriesBounds,
        figures: &Arc<Figures>,
    ) -> Self {
        let shards = if labels.is_empty() { 1 } else { SHARDS };
        Self {
            declared,
            labels,
            shape,
            hashes: RandomState::default(),
            shards: (0..shards).map(|_| Padded::new(RwLock::new(HashTable::new()))).collect(),
            overflow: OnceLock::new(),
            series: AtomicUsize::new(0),
            bounds,
            figures: Arc::clone(figures),
            arrivals: Mutex::new(Vec::new()),
            arrived: AtomicBool::new(false),
        }
    }

    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    pub(crate) fn labels(&self) -> &[LabelName] {
        &self.labels
    }

    pub(crate) fn shape(&self) -> &I::Shape {
        &self.shape
    }

    /// The series of these values, which are in the order of the sorted names; made if there is none yet.
    pub(crate) fn series<const N: usize>(&self, values: &[&str; N]) -> Result<I, SeriesError> {
        self.find(values).or_else(|hash| self.make(values, hash)).map_err(|missing| {
            let metric = self.declared.descriptor.name.clone();
            match missing {
                Missing::Label(source) => SeriesError::Label { metric, source },
                Missing::Bound(limit) => {
                    let pairs = self.labels.iter().zip(values);
                    let labels: Vec<_> = pairs.map(|(name, value)| format!("{name}={value:?}")).collect();
                    SeriesError::Bound { metric, labels: labels.join(","), limit }
                }
            }
        })
    }

    /// The series of these values, or the overflow series.
    #[inline]
    pub(crate) fn series_or_overflow<const N: usize>(&self, values: &[&str; N]) -> I {
        self.find(values).unwrap_or_else(|hash| self.make_or_overflow(values, hash))
    }

    /// The series of these values if it is known, otherwise their hash.
    #[inline]
    fn find<const N: usize>(&self, values: &[&str; N]) -> Result<I, u64> {
        let mut hasher = self.hashes.build_hasher();
        for value in values {
            // Folds the length in, so that where one value ends and the next begins makes a difference.
            hasher.write(value.as_bytes());
        }
        let hash = hasher.finish();
        let table = self.shard(hash).read();
        table.find(hash, |entry| entry.is(hash, values)).map(|entry| entry.series.clone()).ok_or(hash)
    }

    /// What cannot be made must cost little, since a flood of label sets comes just when there is no time: no lock is
    /// written, nothing is allocated.
    #[cold]
    fn make_or_overflow<const N: usize>(&self, values: &[&str; N], hash: u64) -> I {
        let too_long = values.iter().any(|value| value.len() > MAX_LABEL_VALUE_LEN);
        let refused = match (!too_long).then(|| self.make(values, hash)) {
            Some(Ok(series)) => return series,
            Some(Err(Missing::Bound(_))) => &self.figures.overflowed,
            None | Some(Err(Missing::Label(_))) => &self.figures.refused.label,
        };
        refused.increment();
        self.overflow()
    }

    /// The series that takes what has none of its own. Beyond every bound, once per metric.
    pub(crate) fn overflow(&self) -> I {
        let make = || {
            // Neither is too long, and the name is one; a set without labels is never reached.
            let labels = Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty());
            self.figures.add_series();
            self.arrive(labels, Values::new(&[]))
        };
        self.overflow.get_or_init(make).clone()
    }

    #[cold]
    fn make<const N: usize>(&self, values: &[&str; N], hash: u64) -> Result<I, Missing> {
        // Once a bound is reached, look-ups beyond it disturb no one.
        if self.series.load(Ordering::Relaxed) >= self.bounds.per_metric {
            return Err(Missing::Bound(self.bounds.per_metric));
        }
        if !self.figures.has_room(self.bounds.all) {
            return Err(Missing::Bound(self.bounds.all));
        }
        let pairs = self.labels.iter().map(LabelName::as_str).zip(values.iter().copied());
        let labels = Labels::new(pairs).map_err(Missing::Label)?;
        let mut table = self.shard(hash).write();
        // Another thread may have been quicker.
        if let Some(entry) = table.find(hash, |entry| entry.is(hash, values)) {
            return Ok(entry.series.clone());
        }
        let more = |series| (series < self.bounds.per_metric).then_some(series + 1);
        if self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return Err(Missing::Bound(self.bounds.per_metric));
        }
        if !self.figures.reserve_series(self.bounds.all) {
            self.series.fetch_sub(1, Ordering::Relaxed);
            return Err(Missing::Bound(self.bounds.all));
        }
        let series = self.arrive(labels, Values::new(values));
        table.insert_unique(hash, Entry { hash, series: series.clone() }, |entry| entry.hash);
        Ok(series)
    }

    fn arrive(&self, labels: Labels, values: Values) -> I {
        let key = SeriesKey { descriptor: Arc::clone(&self.declared.descriptor), labels };
        let series = I::create(&self.shape, Arc::new(key), values, &self.figures);
        self.arrivals.lock().push(series.clone());
        self.arrived.store(true, Ordering::Release);
        series
    }

    /// Moves the series that arrived since the last call into `to`.
    pub(crate) fn take_arrivals(&self, to: &mut Vec<I>) {
        if self.arrived.swap(false, Ordering::Acquire) {
            to.append(&mut self.arrivals.lock());
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<I> {
        // The table uses the lowest and the highest bits. There is always at least one shard, a power of two.
        let at = (hash >> 32) as usize & (self.shards.len() - 1);
        &self.shards[at]
    }
}

/// A metric of any kind.
#[derive(Debug, Clone)]
pub(crate) enum AnyMetric {
    Counter(Arc<Metric<crate::Counter>>),
    FloatCounter(Arc<Metric<crate::FloatCounter>>),
    Gauge(Arc<Metric<crate::Gauge>>),
    Histogram(Arc<Metric<crate::Histogram>>),
}

impl AnyMetric {
    pub(crate) fn definition(&self) -> Definition {
        let (declared, labels, buckets) = match self {
            Self::Counter(metric) => (metric.declared(), metric.labels(), None),
            Self::FloatCounter(metric) => (metric.declared(), metric.labels(), None),
            Self::Gauge(metric) => (metric.declared(), metric.labels(), None),
            Self::Histogram(metric) => (metric.declared(), metric.labels(), Some(metric.shape().clone())),
        };
        let descriptor = Arc::clone(&declared.descriptor);
        Definition { descriptor, labels: labels.into(), buckets, collector: None }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use bellwether_core::{Descriptor, MetricName, Unit};

    use super::*;
    use crate::Counter;

    fn orders(bounds: SeriesBounds) -> Metric<Counter> {
        let name = MetricName::new("orders_total").unwrap();
        let declared = Declared::new(Arc::new(Descriptor::counter(name, Unit::None, "Orders."))).unwrap();
        let labels = Box::new([LabelName::new("id").unwrap()]);
        Metric::new(declared, labels, (), bounds, &Arc::default())
    }

    #[test]
    fn what_has_no_series_of_its_own_waits_for_no_reader_of_the_table() {
        for bounds in [SeriesBounds { per_metric: 2, all: 100 }, SeriesBounds { per_metric: 100, all: 2 }] {
            let orders = orders(bounds);
            for id in ["1", "2", "3"] {
                orders.series_or_overflow(&[id]);
            }
            // A writer would wait for these.
            let readers: Vec<_> = orders.shards.iter().map(|shard| shard.read()).collect();
            let (done, is_done) = mpsc::channel();
            thread::scope(|scope| {
                let orders = &orders;
                scope.spawn(move || {
                    for id in 10..100 {
                        let id: &str = &id.to_string();
                        orders.series_or_overflow(&[id]).increment();
                    }
                    orders.series_or_overflow(&[&"x".repeat(5_000)]).increment();
                    let _ = done.send(());
                });
                let outcome = is_done.recv_timeout(Duration::from_secs(20));
                drop(readers);
                assert_eq!(outcome, Ok(()));
            });
            assert_eq!(orders.overflow().get(), 91);
        }
    }
}
