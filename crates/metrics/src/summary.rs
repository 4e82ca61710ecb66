//! Quantiles of observed values, told by the process itself.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, Monotonic, SeriesKey, SummarySnapshot, Timestamp};
use parking_lot::Mutex;

use crate::histogram::Observation;
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::{Cells, Slot};
use crate::native_histogram::record;
use crate::own_metrics::Figures;
use crate::quantiles::Quantiles;
use crate::sketch::Sketch;
use crate::summary_window::SummaryWindow;
use crate::values::Values;

/// Tells quantiles of the values that were observed lately, and counts and adds up all: a handle that is cheap to clone, and
/// that any thread may use.
///
/// The quantiles are those of the window that [`Quantiles`] names, by default the last minute; count and sum are of all time.
/// A window without values has no quantiles, rather than zeros. How exact they are [`Sketch`] says; quantiles of several
/// series, or processes, come from their sketches merged, and never from quantiles.
///
/// A value that is not finite, or that would make the sum so, or is negative where the buckets are not for those, is refused
/// and counted in `bellwether_metrics_refused_total`. Recording takes no lock and no locked instruction, allocates nothing
/// and cannot fail. The window is moved on by scrapes and samples only, each O(buckets): what came since the last one, however
/// long ago that was, is within it. A series has 8 bytes per bucket for each thread that records; and once per series 16 bytes
/// per bucket and, for each slice of the window, 16 bytes per bucket that counted something in it. With the buckets for
/// latencies that is 8 kB per thread, and 16 kB to 110 kB per series.
///
/// ```
/// # use bellwether_core::ManualClock;
/// use std::time::Duration;
/// use bellwether_metrics::{Quantiles, Registry, RegistryConfig, Unit};
/// # let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
/// let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
/// let acked = metrics.summary("order_ack_seconds", Unit::Seconds, "Order to acknowledgement.", Quantiles::latency())?;
/// (1..=1_000).for_each(|us| acked.record(Duration::from_micros(us)));
/// let p99 = acked.snapshot().quantile(0.99).unwrap();
/// assert!((p99 / 0.000_99 - 1.0).abs() < 0.011);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Summary {
    slot: Slot,
    series: Arc<SummarySeries>,
}

struct SummarySeries {
    shape: Quantiles,
    /// A count per bucket, and behind them the sum.
    cells: Cells,
    /// For readers only.
    window: Mutex<SummaryWindow>,
    values: Values,
    key: Arc<SeriesKey>,
    created: Timestamp,
    figures: Arc<Figures>,
}

impl Summary {
    /// Takes a value: a number in the unit of the summary, or a `Duration` as seconds.
    #[inline]
    pub fn record(&self, value: impl Observation) {
        let SummarySeries { shape, cells, figures, .. } = &*self.series;
        record(self.slot, shape.buckets(), cells, figures, value.value());
    }

    /// The quantiles of the window, and count and sum of all time, as they stand now.
    pub fn snapshot(&self) -> SummarySnapshot {
        let (mut counts, mut quantiles) = (Vec::new(), Vec::new());
        let count = self.series.read(self.series.now(), &mut counts);
        self.series.quantiles(&counts, &mut quantiles);
        SummarySnapshot { quantiles: quantiles.into(), count, sum: self.series.sum() }
    }

    /// The values of the window: for other quantiles, and to be merged with others.
    pub fn sketch(&self) -> Sketch {
        let mut counts = Vec::new();
        self.series.read(self.series.now(), &mut counts);
        Sketch::of(*self.series.shape.buckets(), &counts)
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.series.key.labels
    }
}

impl SummarySeries {
    fn now(&self) -> Monotonic {
        self.figures.clock().monotonic()
    }

    /// The counts of the window; how many values there were in all.
    fn read(&self, now: Monotonic, counts: &mut Vec<u64>) -> u64 {
        // With the lock held: of two readers the later one has the higher counts.
        let mut window = self.window.lock();
        self.cells.read_all(self.shape.buckets().len(), counts);
        let count = counts.iter().fold(0u64, |all, &count| all.wrapping_add(count));
        window.narrow(now, (self.shape.window(), self.shape.slice()), counts);
        count
    }

    fn sum(&self) -> f64 {
        self.cells.read_real(self.shape.buckets().len())
    }

    fn quantiles(&self, counts: &[u64], out: &mut Vec<(f64, f64)>) {
        out.clear();
        self.shape.buckets().quantiles(counts, self.shape.quantiles().iter().copied(), out);
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SummarySeries { key, cells, shape, .. } = &*self.series;
        let mut counts = Vec::new();
        cells.read_all(shape.buckets().len(), &mut counts);
        let count: u64 = counts.iter().sum();
        write!(f, "Summary({}{} = {count} values)", key.descriptor.name, key.labels)
    }
}

impl Instrument for Summary {}

impl Measure for Summary {
    type Shape = Quantiles;

    fn create(shape: &Quantiles, key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let buckets = shape.buckets().len();
        let cells = Cells::new(buckets + 1);
        Self {
            slot: cells.slot(),
            series: Arc::new(SummarySeries {
                shape: shape.clone(),
                cells,
                window: Mutex::new(SummaryWindow::new(buckets, figures.clock().monotonic())),
                values,
                key,
                created: figures.now(),
                figures: Arc::clone(figures),
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

    fn detail(shape: &Quantiles) -> Option<String> {
        Some(shape.to_string())
    }

    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>> {
        let Scratch { now, counts, quantiles, .. } = scratch;
        let count = self.series.read(*now, counts);
        self.series.quantiles(counts, quantiles);
        Some(Reading::Summary { quantiles, count, sum: self.series.sum() })
    }

    fn created(&self) -> Option<Timestamp> {
        Some(self.series.created)
    }
}
