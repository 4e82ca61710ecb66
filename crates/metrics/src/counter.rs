//! A count that only grows.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, SeriesKey, Timestamp};

use crate::exemplar::{Exemplars, KeptExemplars};
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::{Cells, Slot};
use crate::own_metrics::Figures;
use crate::total::Total;
use crate::values::Values;

/// Counts events: a handle that is cheap to clone, and that any thread may use.
///
/// Counting takes no lock and no locked instruction, allocates nothing and cannot fail. The count starts at zero and wraps
/// after 2^64. A series has 8 bytes per thread that records.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let fills = metrics.counter("fills_total", Unit::None, "Fills received.")?;
/// fills.increment();
/// fills.add(2);
/// assert_eq!(fills.get(), 3);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Counter {
    /// Beside the pointer, so that to count it need not be followed.
    slot: Slot,
    series: Arc<CounterSeries>,
}

struct CounterSeries {
    count: Cells,
    values: Values,
    key: Arc<SeriesKey>,
    created: Timestamp,
    figures: Arc<Figures>,
    exemplars: KeptExemplars,
}

impl Counter {
    /// One more.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// `n` more.
    #[inline]
    pub fn add(&self, n: u64) {
        match self.slot.mine() {
            Some(row) => row.add(0, n),
            None => self.series.count.add(0, n),
        }
    }

    /// `n` more, and an example of what they were: see [`Exemplar`](crate::Exemplar). Takes the time, and a lock that no
    /// other recording waits for.
    pub fn add_with_exemplar(&self, n: u64, labels: &Labels) {
        self.add(n);
        self.series.exemplars.keep((0, 1), labels, n as f64, &self.series.figures);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.series.count.read(0)
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.series.key.labels
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.series.key;
        write!(f, "Counter({}{} = {})", key.descriptor.name, key.labels, self.get())
    }
}

impl Instrument for Counter {}

impl Measure for Counter {
    type Shape = ();

    fn create((): &(), key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let count = Cells::new(1);
        Self {
            slot: count.slot(),
            series: Arc::new(CounterSeries {
                count,
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

    fn read<'a>(&'a self, _: &'a mut Scratch) -> Option<Reading<'a>> {
        Some(Reading::Counter(Total::Whole(self.get())))
    }

    fn created(&self) -> Option<Timestamp> {
        Some(self.series.created)
    }

    fn exemplars(&self) -> Option<&Exemplars> {
        self.series.exemplars.get()
    }
}
