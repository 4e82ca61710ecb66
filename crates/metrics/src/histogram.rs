//! How observed values spread over buckets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Labels, SeriesKey, SpreadSnapshot, Timestamp};

use crate::Buckets;
use crate::exemplar::{Exemplars, KeptExemplars};
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::{Cells, Slot};
use crate::own_metrics::Figures;
use crate::values::Values;

/// Counts observed values in buckets and keeps their sum: a handle that is cheap to clone, and that any thread may
/// use.
///
/// The count of all values is the sum of the buckets, so that the two never disagree. A value that is not finite, or
/// that would make the sum so, is refused and counted in `bellwether_metrics_refused_total`. Recording takes no lock and no
/// locked instruction, allocates nothing and cannot fail. A series has 8 bytes per bucket, and for the sum, for each thread
/// that records.
///
/// **Negative values** are counted as any others, and lower the sum: it is then no counter. The registry's own history
/// takes no fall of `<name>_sum` for a restart: that a histogram started again, as one that a collector tells may, it sees
/// by a bucket that has less than at the sample before, or by other bounds. So
/// [`Aggregate::Increase`](bellwether_core::Aggregate::Increase) and
/// [`Aggregate::Rate`](bellwether_core::Aggregate::Rate) there are what the sum really gained, and may be negative; only
/// a restart after which every bucket has filled to what it had before the next sample goes unseen. A store knows the
/// samples alone: with a bound below zero `<name>_sum` is a gauge in them, otherwise a counter, whose every fall is a
/// restart to it. The text format has a `_sum` in either case; Prometheus takes each fall for a restart, so `rate()` of it
/// means nothing there.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use std::time::Duration;
/// use bellwether_metrics::{Buckets, Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let acked = metrics.histogram("order_ack_seconds", Unit::Seconds, "Order to acknowledgement.", Buckets::latency())?;
/// acked.record(Duration::from_micros(150));
/// acked.record(0.5);
/// let seen = acked.snapshot();
/// assert_eq!((seen.count(), seen.sum), (2, 0.500_15));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Histogram {
    slot: Slot,
    series: Arc<HistogramSeries>,
}

struct HistogramSeries {
    buckets: Buckets,
    /// A count per bucket, and behind them the sum.
    cells: Cells,
    values: Values,
    key: Arc<SeriesKey>,
    created: Timestamp,
    figures: Arc<Figures>,
    exemplars: KeptExemplars,
}

/// Something that a [`Histogram`], [`NativeHistogram`](crate::NativeHistogram) or [`Summary`](crate::Summary) can take.
pub trait Observation {
    /// The value in the unit of the metric.
    fn value(self) -> f64;
}

impl Observation for f64 {
    #[inline]
    fn value(self) -> f64 {
        self
    }
}

impl Observation for Duration {
    /// In seconds.
    #[inline]
    fn value(self) -> f64 {
        self.as_secs_f64()
    }
}

impl Histogram {
    /// Counts a value: a number in the unit of the histogram, or a `Duration` as seconds.
    #[inline]
    pub fn record(&self, value: impl Observation) {
        self.try_record(value.value());
    }

    /// Counts a value and keeps it as the example of its bucket: see [`Exemplar`](crate::Exemplar). Takes the time, and a
    /// lock that no other recording waits for.
    pub fn record_with_exemplar(&self, value: impl Observation, labels: &Labels) {
        let value = value.value();
        if let Some(bucket) = self.try_record(value) {
            let series = &*self.series;
            series.exemplars.keep(
                (bucket, series.buckets.bounds().len() + 1),
                labels,
                value,
                &series.figures,
            );
        }
    }

    /// The bucket that counted the value, if it was not refused.
    #[inline]
    fn try_record(&self, value: f64) -> Option<usize> {
        let series = &*self.series;
        let bucket = series.buckets.of(value);
        let sum = series.buckets.bounds().len() + 1;
        let recorded = match self.slot.mine() {
            Some(row) => {
                let good = row.add_real(sum, value);
                if good {
                    row.add(bucket, 1);
                }
                good
            }
            None => series.record_elsewhere(bucket, value),
        };
        if !recorded {
            series.figures.refused.not_finite.increment();
        }
        recorded.then_some(bucket)
    }

    /// The buckets as they stand now. The count of all values is theirs; the sum may lack, or be ahead by, what is recorded
    /// this very moment.
    pub fn snapshot(&self) -> SpreadSnapshot {
        let mut counts = Vec::new();
        let sum = self.series.read(&mut counts);
        SpreadSnapshot { bounds: self.series.buckets.bounds().into(), counts: counts.into(), sum }
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.series.key.labels
    }
}

impl HistogramSeries {
    #[cold]
    fn record_elsewhere(&self, bucket: usize, value: f64) -> bool {
        let good = self.cells.add_real(self.buckets.bounds().len() + 1, value);
        if good {
            self.cells.add(bucket, 1);
        }
        good
    }

    /// The counts into `counts`; the sum.
    fn read(&self, counts: &mut Vec<u64>) -> f64 {
        let buckets = self.buckets.bounds().len() + 1;
        self.cells.read_all(buckets, counts);
        self.cells.read_real(buckets)
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.series.key;
        write!(f, "Histogram({}{} = {} values)", key.descriptor.name, key.labels, self.snapshot().count())
    }
}

impl Instrument for Histogram {}

impl Measure for Histogram {
    type Shape = Buckets;

    fn create(buckets: &Buckets, key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let cells = Cells::new(buckets.bounds().len() + 2);
        Self {
            slot: cells.slot(),
            series: Arc::new(HistogramSeries {
                buckets: buckets.clone(),
                cells,
                values,
                key,
                created: figures.now(),
                figures: Arc::clone(figures),
                exemplars: KeptExemplars::default(),
            }),
        }
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.series.key
    }

    #[inline]
    fn values(&self) -> &Values {
        &self.series.values
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.series)
    }

    fn buckets(buckets: &Buckets) -> Option<&Buckets> {
        Some(buckets)
    }

    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>> {
        let sum = self.series.read(&mut scratch.counts);
        Some(Reading::Histogram { buckets: &self.series.buckets, counts: &scratch.counts, sum })
    }

    fn created(&self) -> Option<Timestamp> {
        Some(self.series.created)
    }

    fn exemplars(&self) -> Option<&Exemplars> {
        self.series.exemplars.get()
    }
}
