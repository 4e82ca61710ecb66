//! The metrics of queues between the parts of an engine.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bellwether_core::{Collect, CollectError, Descriptor, Labels, SampleSink, Unit};
use parking_lot::Mutex;

use super::{Preset, places};
use crate::metric::OVERFLOW_LABEL;
use crate::{Counter, CounterFamily, Histogram, HistogramFamily, Registry, RegistryError};

/// The metrics of queues between the parts of an engine: depth, drops, and how long things wait.
///
/// A queue that knows its length is [watched](QueueMetrics::watch): it is asked at each look at the registry, and costs
/// nothing in between. One that does not is [told](QueueMetrics::at) of what goes in and out.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::trading::QueueMetrics;
/// # use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let queues = QueueMetrics::register(&metrics)?;
///
/// let signals = Arc::new(Mutex::new(vec![1, 2, 3]));
/// let seen = Arc::clone(&signals);
/// queues.watch("signals", Some(8), move || seen.lock().map_or(0, |signals| signals.len()));
///
/// let outbound = queues.at("outbound", Some(1_024));
/// outbound.pushed();
/// outbound.pushed();
/// outbound.popped(Duration::from_micros(12));
/// outbound.dropped();
///
/// let page = metrics.text();
/// assert!(page.contains("\nqueue_depth{queue=\"outbound\"} 1\n"));
/// assert!(page.contains("\nqueue_utilisation_ratio{queue=\"signals\"} 0.375\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
///
/// | metric (after the prefix) | kind | what |
/// | --- | --- | --- |
/// | `queue_pushed_total` | counter | items that went in |
/// | `queue_popped_total` | counter | items that came out |
/// | `queue_dropped_total` | counter | items that were refused or thrown away because it was full |
/// | `queue_wait_seconds` | histogram | how long items waited |
/// | `queue_depth` | gauge | items in it |
/// | `queue_capacity` | gauge | items that fit; none for one without a bound |
/// | `queue_utilisation_ratio` | gauge | depth as a part of the capacity |
///
/// All have the label `queue`.
#[derive(Debug, Clone)]
pub struct QueueMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pushed: CounterFamily,
    popped: CounterFamily,
    dropped: CounterFamily,
    waited: HistogramFamily,
    most: usize,
    watched: Mutex<HashMap<Box<str>, Arc<Watched>>>,
}

/// A queue whose depth is told when it is asked for.
struct Watched {
    labels: Labels,
    capacity: Option<usize>,
    depth: Depth,
}

enum Depth {
    Asked(Box<dyn Fn() -> usize + Send + Sync>),
    Counted { pushed: Counter, popped: Counter },
}

impl Depth {
    fn get(&self) -> f64 {
        match self {
            Self::Asked(depth) => depth() as f64,
            Self::Counted { pushed, popped } => {
                // In this order, so that what goes in and out between the two makes the queue no deeper than it was.
                let pushed = pushed.get();
                pushed.saturating_sub(popped.get()) as f64
            }
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("labels", &self.labels)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// The handles of one queue. Cloning copies pointers; no call takes a lock or allocates.
#[derive(Debug, Clone)]
pub struct Queue {
    pushed: Counter,
    popped: Counter,
    dropped: Counter,
    waited: Histogram,
}

impl Queue {
    /// An item went in.
    #[inline]
    pub fn pushed(&self) {
        self.pushed.increment();
    }

    /// An item came out that had waited for so long.
    #[inline]
    pub fn popped(&self, waited: impl crate::Observation) {
        self.popped.increment();
        self.waited.record(waited);
    }

    /// An item came out; how long it had waited is not known.
    #[inline]
    pub fn popped_unmeasured(&self) {
        self.popped.increment();
    }

    /// An item was refused because the queue was full.
    #[inline]
    pub fn dropped(&self) {
        self.dropped.increment();
    }

    /// An item that was in the queue was thrown away for a newer one.
    #[inline]
    pub fn overwritten(&self) {
        self.popped.increment();
        self.dropped.increment();
    }
}

impl QueueMetrics {
    /// Registers the metrics under their plain names, once per registry. [`Preset`] registers them under others.
    pub fn register(metrics: &Registry) -> Result<Self, RegistryError> {
        Self::register_as(&Preset::new(), metrics)
    }

    pub(super) fn register_as(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let counter = |name, help| metrics.counter_family(preset.name(name)?, Unit::None, help, ["queue"]);
        let descriptors = [
            Descriptor::gauge(preset.name("queue_depth")?, Unit::None, "Items in the queue."),
            Descriptor::gauge(preset.name("queue_capacity")?, Unit::None, "Items that fit into the queue."),
            Descriptor::gauge(
                preset.name("queue_utilisation_ratio")?,
                Unit::Ratio,
                "Items in the queue as a part of those that fit.",
            ),
        ];
        let inner = Arc::new(Inner {
            pushed: counter("queue_pushed_total", "Items that went into the queue.")?,
            popped: counter("queue_popped_total", "Items that came out of the queue.")?,
            dropped: counter("queue_dropped_total", "Items refused or thrown away because it was full.")?,
            waited: metrics.histogram_family(
                preset.name("queue_wait_seconds")?,
                Unit::Seconds,
                "How long items waited in the queue.",
                ["queue"],
                preset.latencies(),
            )?,
            most: places(metrics),
            watched: Mutex::default(),
        });
        metrics.collect(Depths { descriptors, metrics: Arc::clone(&inner), looked_at: Mutex::default() })?;
        Ok(Self(inner))
    }

    /// The handles of a queue that tells what goes in and out, with how many items fit. Take them once.
    ///
    /// Its depth is what was pushed and not popped. Queues beyond the bound of series share the overflow series.
    pub fn at(&self, queue: &str, capacity: Option<usize>) -> Queue {
        let handles = Queue {
            pushed: self.0.pushed.with(queue),
            popped: self.0.popped.with(queue),
            dropped: self.0.dropped.with(queue),
            waited: self.0.waited.with(queue),
        };
        let depth = Depth::Counted { pushed: handles.pushed.clone(), popped: handles.popped.clone() };
        self.0.add(queue, capacity, depth);
        handles
    }

    /// Watches a queue that knows its length. `depth` is called at each look at the registry: it must be quick and must
    /// not block. One that panics has no depth then, which counts as a failure of the collector. Watching a name again replaces what was watched.
    pub fn watch(
        &self,
        queue: &str,
        capacity: Option<usize>,
        depth: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        self.0.add(queue, capacity, Depth::Asked(Box::new(depth)));
    }
}

impl Inner {
    fn add(&self, queue: &str, capacity: Option<usize>, depth: Depth) {
        let mut watched = self.watched.lock();
        let full = watched.len() >= self.most && !watched.contains_key(queue);
        let (queue, labels, capacity) = match Labels::new([("queue", queue)]) {
            Ok(labels) if !full => (queue, labels, capacity),
            _ => {
                let labels = Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty());
                ("", labels, None)
            }
        };
        let replaced = watched.insert(queue.into(), Arc::new(Watched { labels, capacity, depth }));
        drop(watched);
        // Not under the lock: what a host's closure holds may do anything when it goes.
        drop(replaced);
    }
}

/// Tells depth and capacity of each queue.
struct Depths {
    descriptors: [Descriptor; 3],
    metrics: Arc<Inner>,
    /// Room that is used again.
    looked_at: Mutex<Vec<Arc<Watched>>>,
}

impl Collect for Depths {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [depth, capacity, utilisation] = &self.descriptors;
        let mut looked_at = self.looked_at.lock();
        looked_at.clear();
        // A host's closure is not called under the lock that `watch` takes.
        looked_at.extend(self.metrics.watched.lock().values().cloned());
        let mut failed = None;
        for queue in &*looked_at {
            // One that panics takes no other queue's depth away.
            let Ok(items) = catch_unwind(AssertUnwindSafe(|| queue.depth.get())) else {
                failed = Some(&queue.labels);
                continue;
            };
            out.gauge(depth, &queue.labels, items);
            if let Some(fit) = queue.capacity {
                out.gauge(capacity, &queue.labels, fit as f64);
                if fit > 0 {
                    out.gauge(utilisation, &queue.labels, items / fit as f64);
                }
            }
        }
        match failed {
            Some(queue) => Err(CollectError::new(format!("the depth of {queue} panicked"))),
            None => Ok(()),
        }
    }
}
