//! A count that only grows.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, SeriesKey};

use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::Cells;
use crate::own_metrics::Figures;
use crate::total::Total;
use crate::values::Values;

/// Counts events: a handle that is cheap to clone, and that any thread may use.
///
/// Counting takes no lock, allocates nothing and cannot fail. The count starts at zero and wraps after 2^64.
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
pub struct Counter(Arc<CounterSeries>);

struct CounterSeries {
    count: Cells,
    values: Values,
    key: Arc<SeriesKey>,
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
        self.0.count.add(0, n);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.count.read(0)
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.0.key.labels
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.0.key;
        write!(f, "Counter({}{} = {})", key.descriptor.name, key.labels, self.get())
    }
}

impl Instrument for Counter {}

impl Measure for Counter {
    type Shape = ();

    fn create((): &(), key: Arc<SeriesKey>, values: Values, _: &Arc<Figures>) -> Self {
        Self(Arc::new(CounterSeries { count: Cells::new(1), values, key }))
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.0.key
    }

    #[inline]
    fn values(&self) -> &Values {
        &self.0.values
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn read<'a>(&'a self, _: &'a mut Scratch) -> Option<Reading<'a>> {
        Some(Reading::Counter(Total::Whole(self.get())))
    }
}
