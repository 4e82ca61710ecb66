//! Whether the memory of the process grows, and which collection does.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Aggregate, Collect, CollectError, Descriptor, Kind, Labels, LabelsError, MetricName, SampleSink,
    SampleWindows, Selector, SeriesValue, SharedClock, TimeRange, Unit,
};
use parking_lot::Mutex;

use super::{declare, undeclared};
use crate::Registry;

/// Collections of one [`MemoryMonitor`]: 256. Further ones are not told.
pub const MAX_WATCHED_COLLECTIONS: usize = 256;

/// Tells whether the resident memory of the process grows, and how large its collections are: what a leak is seen by.
///
/// `process_resident_memory_trend_bytes_per_second` is the slope of the least-squares line through the samples of
/// `process_resident_memory_bytes` within the window, told from ten samples on; it needs a collector of the process
/// and a sampler. `memory_collection_items{collection}` is the size of each collection that is watched. Bellwether's own sizes are
/// among its own metrics: `bellwether_metrics_series`, `bellwether_metrics_history_held_samples`, `bellwether_metrics_subscribers`.
pub struct MemoryMonitor {
    windows: Arc<dyn SampleWindows>,
    clock: SharedClock,
    window: Duration,
    resident: Option<Selector>,
    collections: Vec<(Labels, Size)>,
    descriptors: Vec<Descriptor>,
    answers: Mutex<Vec<SeriesValue>>,
}

/// A line through fewer samples tells of noise.
const FEWEST_SAMPLES: f64 = 10.0;

type Size = Box<dyn Fn() -> usize + Send + Sync>;

impl MemoryMonitor {
    /// Of the process whose memory is sampled in this registry; the trend is that of the last `window`.
    pub fn new(registry: &Registry, window: Duration) -> Self {
        Self {
            windows: registry.windows(),
            clock: SharedClock::clone(registry.clock()),
            window,
            resident: MetricName::new("process_resident_memory_bytes").ok().map(Selector::metric),
            collections: Vec::new(),
            descriptors: declare([
                (
                    "process_resident_memory_trend_bytes_per_second",
                    Kind::Gauge,
                    Unit::Other("bytes_per_second".into()),
                    "Growth of the resident memory of the process.",
                ),
                ("memory_collection_items", Kind::Gauge, Unit::None, "Items in a collection of the process."),
            ]),
            answers: Mutex::default(),
        }
    }

    /// Watches a collection: `size` is asked how many items it holds.
    pub fn watch(
        mut self,
        collection: &str,
        size: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Result<Self, LabelsError> {
        if self.collections.len() < MAX_WATCHED_COLLECTIONS {
            self.collections.push((Labels::new([("collection", collection)])?, Box::new(size)));
        }
        Ok(self)
    }

    /// The slope of the resident memory within the window, in bytes per second.
    fn slope(&self) -> Option<f64> {
        let range = TimeRange::ending(self.clock.timestamp(), self.window);
        let mut answers = self.answers.lock();
        let mut ask = |aggregate| {
            answers.clear();
            self.windows.aggregate(self.resident.as_ref()?, range, aggregate, &mut answers);
            answers.first().map(|answer| answer.value)
        };
        let enough = ask(Aggregate::Count)? >= FEWEST_SAMPLES;
        enough.then(|| ask(Aggregate::Slope)).flatten()
    }
}

impl Collect for MemoryMonitor {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [trend, items] = &*self.descriptors else { return Err(undeclared()) };
        if let Some(slope) = self.slope() {
            out.gauge(trend, &Labels::empty(), slope);
        }
        for (labels, size) in &self.collections {
            out.gauge(items, labels, size() as f64);
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMonitor").field("window", &self.window).finish_non_exhaustive()
    }
}
