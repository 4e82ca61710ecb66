//! The common collectors as a configuration wants them.

use std::fmt;

use bellwether_core::{CollectError, LabelsError};
use tokio::runtime::Handle;

use super::{
    AllocatorCollector, AllocatorStats, CgroupCollector, CollectorSwitch, CollectorsConfig, Feeds,
    MemoryMonitor, PoolCollector, PoolStats, ProcessCollector, RuntimeCollector, SystemCollector,
};
use crate::{Registry, RegistryError, ScheduledCollector};

/// The common collectors as a configuration wants them, each on an interval of its own.
///
/// What needs something of the host is given it here; what is switched off is left out, given or not. They run from when a
/// [`Sampler`](crate::Sampler) starts, as every [`ScheduledCollector`].
///
/// ```
/// use bellwether_core::{Supervisor, SystemClock};
/// use bellwether_metrics::collectors::{Collectors, CollectorsConfig, Feeds, PoolStats};
/// use bellwether_metrics::{Registry, RegistryConfig, Sampler};
/// use std::time::Duration;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let metrics = Registry::new(&clock, RegistryConfig::default());
/// let feeds = Feeds::new(&clock);
/// Collectors::from_config(&CollectorsConfig::default())
///     .feeds(&feeds)
///     .database_pool("store", || PoolStats { size: 4, idle: 3, ..PoolStats::default() })
///     .register(&metrics)?;
/// let sampler = Sampler::start(&metrics, &tasks.tasks(), Duration::from_secs(1))?;
/// # drop(sampler);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing is collected before `register`"]
pub struct Collectors {
    config: CollectorsConfig,
    given: Vec<(CollectorSwitch, Result<ScheduledCollector, LabelsError>)>,
    memory: Vec<(String, Box<dyn Fn() -> usize + Send + Sync>)>,
}

/// Why the common collectors are not registered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorsError {
    /// One of them cannot be registered.
    #[error("collector {collector:?}: {source}")]
    Register {
        /// Which.
        collector: String,
        /// Why.
        source: Box<RegistryError>,
    },
    /// The machine or the process cannot be asked.
    #[error("collector {collector:?}: {source}")]
    Ask {
        /// Which.
        collector: &'static str,
        /// Why.
        source: CollectError,
    },
    /// The name of a pool or collection cannot be a label.
    #[error(transparent)]
    Name(#[from] LabelsError),
    /// The call was not made on a tokio runtime, whose figures are wanted.
    #[error("collector \"runtime\": no tokio runtime here; call from async code, or inside `Runtime::enter`")]
    NoRuntime,
}

impl Collectors {
    /// As a configuration wants them.
    pub fn from_config(config: &CollectorsConfig) -> Self {
        Self { config: config.clone(), given: Vec::new(), memory: Vec::new() }
    }

    /// With the allocator of the host.
    pub fn allocator(mut self, ask: impl Fn() -> AllocatorStats + Send + Sync + 'static) -> Self {
        let switch = self.config.allocator;
        let allocator = ScheduledCollector::of("allocator", switch.interval, AllocatorCollector::new(ask));
        self.given.push((switch, Ok(allocator)));
        self
    }

    /// With a pool of database connections; may be called for several.
    pub fn database_pool(mut self, pool: &str, ask: impl Fn() -> PoolStats + Send + Sync + 'static) -> Self {
        let switch = self.config.database;
        let pool = PoolCollector::new(pool, ask);
        self.given.push((switch, pool.map(|pool| ScheduledCollector::of("database", switch.interval, pool))));
        self
    }

    /// With the data feeds of the host.
    pub fn feeds(mut self, feeds: &Feeds) -> Self {
        let switch = self.config.feeds;
        self.given.push((switch, Ok(ScheduledCollector::of("feeds", switch.interval, feeds.clone()))));
        self
    }

    /// With a collection whose size the memory monitor tells.
    pub fn watch(
        mut self,
        collection: impl Into<String>,
        size: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        self.memory.push((collection.into(), Box::new(size)));
        self
    }

    /// Registers what is switched on. Ends at the first that cannot be registered; those before it stay.
    pub fn register(self, registry: &Registry) -> Result<(), CollectorsError> {
        let CollectorsConfig { system, cgroup, process, runtime, memory, memory_window, .. } = self.config;
        let add = |scheduled: ScheduledCollector| {
            let collector = scheduled.name().to_owned();
            registry
                .collect(scheduled)
                .map_err(|error| CollectorsError::Register { collector, source: Box::new(error) })
        };
        if system.enabled {
            let asked = SystemCollector::new();
            let asked = asked.map_err(|source| CollectorsError::Ask { collector: "system", source })?;
            add(ScheduledCollector::of("system", system.interval, asked))?;
        }
        if cgroup.enabled {
            let asked = CgroupCollector::new();
            add(ScheduledCollector::of("cgroup", cgroup.interval, asked))?;
        }
        if process.enabled {
            let asked = ProcessCollector::new();
            let asked = asked.map_err(|source| CollectorsError::Ask { collector: "process", source })?;
            add(ScheduledCollector::of("process", process.interval, asked))?;
        }
        if runtime.enabled {
            let handle = Handle::try_current().map_err(|_| CollectorsError::NoRuntime)?;
            let asked = RuntimeCollector::new(handle);
            add(ScheduledCollector::of("runtime", runtime.interval, asked))?;
        }
        for (switch, given) in self.given {
            let given = given?;
            if switch.enabled {
                add(given)?;
            }
        }
        if memory.enabled {
            let mut monitor = MemoryMonitor::new(registry, memory_window.get());
            for (collection, size) in self.memory {
                monitor = monitor.watch(&collection, size)?;
            }
            add(ScheduledCollector::of("memory", memory.interval, monitor))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Collectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collectors").field("config", &self.config).finish_non_exhaustive()
    }
}
