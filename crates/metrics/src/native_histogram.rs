//! How observed values spread over buckets that are chosen by their resolution.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, SeriesKey, Timestamp};

use crate::exemplar::{Exemplars, KeptExemplars};
use crate::histogram::Observation;
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::{Cells, Slot};
use crate::native::NativeSnapshot;
use crate::native_buckets::NativeBuckets;
use crate::own_metrics::Figures;
use crate::sketch::Sketch;
use crate::values::Values;

/// Counts observed values in buckets that are chosen by their resolution, as Prometheus' native histograms have them, and
/// keeps their sum: a handle that is cheap to clone, and that any thread may use.
///
/// It has room for all of its [`NativeBuckets`] from the start: 8 bytes per bucket, and for the sum, for each thread that
/// records, and never more. A value that is not finite, or that would make the sum so, is refused and counted in
/// `bellwether_metrics_refused_total`; so is a negative one, unless the buckets are
/// [for those too](NativeBuckets::with_negatives). Recording takes no lock and no locked instruction, allocates nothing and
/// cannot fail. The text format 0.0.4 has only the count and the sum of it, protobuf has its buckets.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use std::time::Duration;
/// use bellwether_metrics::{NativeBuckets, Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let buckets = NativeBuckets::with_relative_error(0.05, 1e-6, 100.0)?;
/// let acked = metrics.native_histogram("order_ack_seconds", Unit::Seconds, "Order to acknowledgement.", buckets)?;
/// acked.record(Duration::from_micros(150));
/// acked.record(0.5);
/// assert_eq!(acked.snapshot().count(), 2);
/// assert_eq!(acked.snapshot().positive[1], (-8, 1)); // up to and with 2^(-8 / 2^3)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct NativeHistogram {
    slot: Slot,
    series: Arc<NativeSeries>,
}

struct NativeSeries {
    buckets: NativeBuckets,
    /// A count per bucket, and behind them the sum.
    cells: Cells,
    values: Values,
    key: Arc<SeriesKey>,
    created: Timestamp,
    figures: Arc<Figures>,
    exemplars: KeptExemplars,
}

impl NativeHistogram {
    /// Counts a value: a number in the unit of the histogram, or a `Duration` as seconds.
    #[inline]
    pub fn record(&self, value: impl Observation) {
        record(self.slot, &self.series.buckets, &self.series.cells, &self.series.figures, value.value());
    }

    /// Counts a value and keeps it as an example: see [`Exemplar`](crate::Exemplar). Takes the time, and a lock that no
    /// other recording waits for.
    pub fn record_with_exemplar(&self, value: impl Observation, labels: &Labels) {
        let series = &*self.series;
        let value = value.value();
        if let Some(bucket) = record(self.slot, &series.buckets, &series.cells, &series.figures, value) {
            let place = bucket * Exemplars::OF_NATIVE / series.buckets.len();
            series.exemplars.keep((place, Exemplars::OF_NATIVE), labels, value, &series.figures);
        }
    }

    /// The buckets as they stand now.
    pub fn snapshot(&self) -> NativeSnapshot {
        let NativeSeries { buckets, cells, .. } = &*self.series;
        let mut counts = Vec::new();
        cells.read_all(buckets.len(), &mut counts);
        NativeSnapshot {
            schema: buckets.schema(),
            zero_threshold: buckets.min(),
            zero_count: counts.first().copied().unwrap_or(0),
            positive: buckets.above(&counts).collect(),
            negative: buckets.below(&counts).collect(),
            sum: cells.read_real(buckets.len()),
        }
    }

    /// All values so far as a sketch: for quantiles, and to be merged with others.
    pub fn sketch(&self) -> Sketch {
        let NativeSeries { buckets, cells, .. } = &*self.series;
        let mut counts = Vec::new();
        cells.read_all(buckets.len(), &mut counts);
        Sketch::of(*buckets, &counts)
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.series.key.labels
    }
}

/// Counts a value in its bucket and adds it to the sum behind them; the bucket, if the value was not refused.
#[inline]
pub(crate) fn record(
    slot: Slot,
    buckets: &NativeBuckets,
    cells: &Cells,
    figures: &Figures,
    value: f64,
) -> Option<usize> {
    let place = buckets.place(value);
    let recorded = place.filter(|&place| match slot.mine() {
        Some(row) => {
            let good = row.add_real(buckets.len(), value);
            if good {
                row.add(place, 1);
            }
            good
        }
        None => record_elsewhere(buckets, cells, place, value),
    });
    if recorded.is_none() {
        refuse(figures, value);
    }
    recorded
}

#[cold]
fn record_elsewhere(buckets: &NativeBuckets, cells: &Cells, place: usize, value: f64) -> bool {
    let good = cells.add_real(buckets.len(), value);
    if good {
        cells.add(place, 1);
    }
    good
}

#[cold]
fn refuse(figures: &Figures, value: f64) {
    let refused = &figures.refused;
    let tally = if value < 0.0 && value.is_finite() { &refused.negative } else { &refused.not_finite };
    tally.increment();
}

impl fmt::Debug for NativeHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.series.key;
        let count = self.snapshot().count();
        write!(f, "NativeHistogram({}{} = {count} values)", key.descriptor.name, key.labels)
    }
}

impl Instrument for NativeHistogram {}

impl Measure for NativeHistogram {
    type Shape = NativeBuckets;

    fn create(buckets: &NativeBuckets, key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let cells = Cells::new(buckets.len() + 1);
        Self {
            slot: cells.slot(),
            series: Arc::new(NativeSeries {
                buckets: *buckets,
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

    fn detail(buckets: &NativeBuckets) -> Option<String> {
        Some(buckets.to_string())
    }

    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>> {
        let NativeSeries { buckets, cells, .. } = &*self.series;
        let Scratch { counts, positive, negative, .. } = scratch;
        cells.read_all(buckets.len(), counts);
        positive.clear();
        positive.extend(buckets.above(counts));
        negative.clear();
        negative.extend(buckets.below(counts));
        Some(Reading::Native {
            schema: buckets.schema(),
            zero_threshold: buckets.min(),
            zero_count: counts.first().copied().unwrap_or(0),
            positive,
            negative,
            sum: cells.read_real(buckets.len()),
        })
    }

    fn created(&self) -> Option<Timestamp> {
        Some(self.series.created)
    }

    fn exemplars(&self) -> Option<&Exemplars> {
        self.series.exemplars.get()
    }
}
