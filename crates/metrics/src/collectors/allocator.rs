//! What the allocator of the process says of itself.

use std::fmt;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, SampleSink, Unit};

use super::{declare, undeclared};

/// What an allocator says of itself, in bytes; what it does not know is left out. The terms are those of jemalloc's `stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllocatorStats {
    /// Asked for and not yet given back.
    pub allocated: Option<u64>,
    /// In pages that hold allocations.
    pub active: Option<u64>,
    /// In physical memory.
    pub resident: Option<u64>,
    /// Mapped and kept for later.
    pub retained: Option<u64>,
}

/// Tells what the allocator of the host says of itself. Bellwether brings no allocator and counts no allocation: the host asks its
/// own.
///
/// Gauges: `allocator_allocated_bytes`, `allocator_active_bytes`, `allocator_resident_bytes`, `allocator_retained_bytes`.
///
/// ```
/// use bellwether_core::SystemClock;
/// use bellwether_metrics::collectors::{AllocatorCollector, AllocatorStats};
/// use bellwether_metrics::{Registry, RegistryConfig};
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// metrics.collect(AllocatorCollector::new(|| AllocatorStats { allocated: Some(4_096), ..AllocatorStats::default() }))?;
/// assert!(metrics.text().contains("allocator_allocated_bytes 4096\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
pub struct AllocatorCollector {
    ask: Box<dyn Fn() -> AllocatorStats + Send + Sync>,
    descriptors: Vec<Descriptor>,
}

impl AllocatorCollector {
    /// With a function that asks the allocator.
    pub fn new(ask: impl Fn() -> AllocatorStats + Send + Sync + 'static) -> Self {
        let gauge = |name, help| (name, Kind::Gauge, Unit::Bytes, help);
        let descriptors = declare([
            gauge("allocator_allocated_bytes", "Memory that was asked for and not yet given back."),
            gauge("allocator_active_bytes", "Memory in pages that hold allocations."),
            gauge("allocator_resident_bytes", "Physical memory that the allocator holds."),
            gauge("allocator_retained_bytes", "Memory that the allocator keeps mapped for later."),
        ]);
        Self { ask: Box::new(ask), descriptors }
    }
}

impl Collect for AllocatorCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [allocated, active, resident, retained] = &*self.descriptors else { return Err(undeclared()) };
        let stats = (self.ask)();
        for (descriptor, bytes) in [
            (allocated, stats.allocated),
            (active, stats.active),
            (resident, stats.resident),
            (retained, stats.retained),
        ] {
            if let Some(bytes) = bytes {
                out.gauge(descriptor, &Labels::empty(), bytes as f64);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AllocatorCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllocatorCollector").finish_non_exhaustive()
    }
}
