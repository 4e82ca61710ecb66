//! How busy a pool of database connections is.

use std::fmt;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Labels, LabelsError, SampleSink, Unit};

use super::{declare, undeclared};

/// A pool of connections at one moment; what the pool does not know is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections that are open.
    pub size: u64,
    /// Those among them that nobody uses.
    pub idle: u64,
    /// Most connections there may be.
    pub max: Option<u64>,
    /// Callers that wait for a connection.
    pub waiting: Option<u64>,
    /// Callers that gave up waiting, since the pool was made.
    pub timeouts: Option<u64>,
}

/// Tells how busy a pool of database connections is, by a function of the host that asks it.
///
/// `database_pool_connections{state="idle"}` and `{state="in_use"}`, `database_pool_max_connections`, `database_pool_waiting`,
/// `database_pool_timeouts_total`; each with the label `pool`.
pub struct PoolCollector {
    ask: Box<dyn Fn() -> PoolStats + Send + Sync>,
    descriptors: Vec<Descriptor>,
    labels: Labels,
    idle: Labels,
    in_use: Labels,
}

impl PoolCollector {
    /// Of the pool that is called `pool`.
    pub fn new(pool: &str, ask: impl Fn() -> PoolStats + Send + Sync + 'static) -> Result<Self, LabelsError> {
        let gauge = |name, help| (name, Kind::Gauge, Unit::None, help);
        let descriptors = declare([
            gauge("database_pool_connections", "Open connections, by what they do."),
            gauge("database_pool_max_connections", "Most connections there may be."),
            gauge("database_pool_waiting", "Callers that wait for a connection."),
            (
                "database_pool_timeouts_total",
                Kind::Counter,
                Unit::None,
                "Callers that gave up waiting for a connection.",
            ),
        ]);
        Ok(Self {
            ask: Box::new(ask),
            descriptors,
            labels: Labels::new([("pool", pool)])?,
            idle: Labels::new([("pool", pool), ("state", "idle")])?,
            in_use: Labels::new([("pool", pool), ("state", "in_use")])?,
        })
    }
}

impl Collect for PoolCollector {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [connections, max, waiting, timeouts] = &*self.descriptors else { return Err(undeclared()) };
        let stats = (self.ask)();
        out.gauge(connections, &self.idle, stats.idle as f64);
        out.gauge(connections, &self.in_use, stats.size.saturating_sub(stats.idle) as f64);
        for (descriptor, value) in [(max, stats.max), (waiting, stats.waiting)] {
            if let Some(value) = value {
                out.gauge(descriptor, &self.labels, value as f64);
            }
        }
        if let Some(total) = stats.timeouts {
            out.counter(timeouts, &self.labels, total as f64);
        }
        Ok(())
    }
}

impl fmt::Debug for PoolCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolCollector").field("labels", &self.labels).finish_non_exhaustive()
    }
}
