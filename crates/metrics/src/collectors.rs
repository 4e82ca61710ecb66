//! The common collectors: of the machine, the process, the runtime, the allocator, database pools, data feeds, memory.

#[cfg(any(feature = "runtime", feature = "system"))]
use bellwether_core::Labels;
use bellwether_core::{CollectError, Descriptor, Kind, MetricName, Unit};

mod allocator;
mod cgroup;
#[cfg(feature = "collectors")]
mod common_set;
#[cfg(feature = "collectors")]
mod config;
mod database_pool;
mod feed;
mod memory_monitor;
#[cfg(feature = "system")]
mod process;
#[cfg(feature = "runtime")]
mod runtime;
#[cfg(feature = "system")]
mod system;

pub use self::allocator::{AllocatorCollector, AllocatorStats};
pub use self::cgroup::CgroupCollector;
#[cfg(feature = "collectors")]
pub use self::common_set::{Collectors, CollectorsError};
#[cfg(feature = "collectors")]
pub use self::config::{
    CollectorSwitch, CollectorsConfig, DEFAULT_COLLECTOR_INTERVAL, DEFAULT_TREND_WINDOW, MAX_TREND_WINDOW,
    MIN_TREND_WINDOW,
};
pub use self::database_pool::{PoolCollector, PoolStats};
pub use self::feed::{Feed, FeedError, Feeds, MAX_FEEDS};
pub use self::memory_monitor::{MAX_WATCHED_COLLECTIONS, MemoryMonitor};
#[cfg(feature = "system")]
pub use self::process::ProcessCollector;
#[cfg(feature = "runtime")]
pub use self::runtime::RuntimeCollector;
#[cfg(feature = "system")]
pub use self::system::SystemCollector;

/// A metric of a collector: name, kind, unit, help.
type Metric = (&'static str, Kind, Unit, &'static str);

/// The metrics of a collector as it declares them, in the order of the list. A name that is none is left out, and then the
/// collector finds one too few and says so; a test looks at each.
fn declare<const N: usize>(metrics: [Metric; N]) -> Vec<Descriptor> {
    let describe = |(name, kind, unit, help): Metric| {
        Some(Descriptor { name: MetricName::new(name).ok()?, kind, unit, help: help.into() })
    };
    metrics.into_iter().filter_map(describe).collect()
}

/// What a collector says that finds fewer metrics than it declares.
fn undeclared() -> CollectError {
    CollectError::new("a metric of this collector has no valid name")
}

/// One label.
#[cfg(any(feature = "runtime", feature = "system"))]
fn label(name: &str, value: &str) -> Result<Labels, CollectError> {
    Labels::new([(name, value)]).map_err(|error| CollectError::new(error.to_string()))
}
