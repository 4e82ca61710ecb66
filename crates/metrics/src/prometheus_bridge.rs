//! Between a registry of the crate `prometheus` and ours, both ways.
//!
//! [`PrometheusBridge`] reads a `prometheus` registry in: what a host or its libraries have there gets a history, rules
//! and all expositions of ours. [`PrometheusExport`] is the other way: a collector of `prometheus` that tells what a
//! registry of ours has, for a host whose page is made by that crate. Not both between the same two registries: each
//! would tell the other what it was told.
//!
//! A host that makes its page as text needs neither: appending [`Registry::write_text`](crate::Registry::write_text) to
//! it makes one page, as long as no metric has the same name on both sides.
//!
//! ```
//! use bellwether_metrics::{Registry, RegistryConfig};
//! use prometheus::{Encoder, TextEncoder};
//! # use bellwether_core::SystemClock;
//! # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
//!
//! let theirs = prometheus::Registry::new();
//! let mut page = TextEncoder::new().encode_to_string(&theirs.gather())?;
//! metrics.write_text(&mut page);
//! # assert!(page.contains("bellwether_metrics_series 0"));
//! # Ok::<(), prometheus::Error>(())
//! ```

mod export;
mod reading;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Labels, MetricName, Monotonic, SampleSink, SharedClock, Unit,
};
use parking_lot::Mutex;
use prometheus::proto::MetricFamily;

pub use self::export::PrometheusExport;
use self::reading::{descriptor, tell};
use crate::registry::WeakRegistry;
use crate::{Registry, RegistryError};

/// Reads a registry of the crate `prometheus` in, as collectors of ours.
///
/// Counters, gauges, histograms with their own bounds, and summaries are read at each look at our registry, and get what
/// every series there has: history, windows, rules, all expositions. Reading costs what `gather` of that registry costs,
/// O(series) with allocations: for many thousands of series rather append texts.
///
/// **New families.** `prometheus` does not say which families there will be, and shows one only once it has a series. So
/// each look adopts what is new, as a further collector, and it is told from the next look on. What cannot be adopted is
/// told once as a `tracing` event, listed by [`untold`](PrometheusBridge::untold), and counted in the gauge
/// `bellwether_prometheus_untold_families`.
///
/// **Names.** Kept where our registry takes them. A counter gets the `_total` that it lacks; another kind that ends in
/// `_total`, `_bucket` or `_info` gets `_value` behind it, but that a gauge named `…_info` is an info. A unit is taken
/// from the name's end: `_seconds`, `_bytes`, `_ratio`. Two families that come to the same name are a conflict, and the
/// later one is not told. Time stamps that a custom collector gave are left out: values are as of now.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::prometheus_bridge::PrometheusBridge;
/// # use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let theirs = prometheus::Registry::new();
/// let fills = prometheus::IntCounter::new("fills", "Fills received.")?;
/// theirs.register(Box::new(fills.clone()))?;
///
/// PrometheusBridge::attach(theirs, &metrics)?;
/// fills.inc_by(3);
/// assert!(metrics.text().contains("\nfills_total 3\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PrometheusBridge(Arc<Shared>);

struct Shared {
    theirs: prometheus::Registry,
    /// Does not keep it alive, since it keeps us.
    ours: WeakRegistry,
    clock: SharedClock,
    gathered: Mutex<Gathered>,
    families: Mutex<Families>,
}

/// What `gather` of the other registry gave last: several collectors of one look share it.
struct Gathered {
    number: u64,
    at: Monotonic,
    families: Vec<MetricFamily>,
}

/// Two collectors that are asked within this time are taken to be asked by the same look.
const SAME_LOOK: Duration = Duration::from_millis(50);

/// Families that are known, told or not.
#[derive(Default)]
struct Families {
    known: HashSet<String>,
    untold: Vec<Untold>,
    /// Beyond those that are listed.
    unlisted: usize,
    /// Beyond those that are known, at the last look.
    unknown: usize,
}

/// A family of the other registry that ours cannot tell.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Untold {
    /// Its name there.
    pub family: String,
    /// Why.
    pub reason: RegistryError,
}

/// Most families that are known: whoever makes names without end gets no memory without end.
const MOST_FAMILIES: usize = 10_000;
/// Most that are listed with a reason.
const MOST_LISTED: usize = 100;

impl PrometheusBridge {
    /// Reads `theirs` in from now on. The only error is that there are as many collectors as may be; a family that cannot
    /// be told keeps no other from it.
    pub fn attach(theirs: prometheus::Registry, ours: &Registry) -> Result<Self, RegistryError> {
        let name = MetricName::new("bellwether_prometheus_untold_families")?;
        let help = "Families of a `prometheus` registry that cannot be told.";
        let shared = Arc::new(Shared {
            theirs,
            ours: ours.downgrade(),
            clock: SharedClock::clone(ours.clock()),
            gathered: Mutex::new(Gathered { number: 0, at: Monotonic::ORIGIN, families: Vec::new() }),
            families: Mutex::default(),
        });
        ours.collect(Discovery {
            descriptors: [Descriptor::gauge(name, Unit::None, help)],
            shared: Arc::clone(&shared),
            seen: AtomicU64::new(0),
        })?;
        shared.adopt(&shared.theirs.gather(), 0, ours);
        Ok(Self(shared))
    }

    /// Families that cannot be told, and why: of the first hundred.
    pub fn untold(&self) -> Vec<Untold> {
        self.0.families.lock().untold.clone()
    }
}

impl fmt::Debug for PrometheusBridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let families = self.0.families.lock();
        f.debug_struct("PrometheusBridge")
            .field("families", &families.known.len())
            .field("untold", &families.count())
            .finish_non_exhaustive()
    }
}

impl Families {
    fn count(&self) -> usize {
        self.untold.len() + self.unlisted + self.unknown
    }

    fn refuse(&mut self, family: String, reason: RegistryError) {
        tracing::warn!(family, %reason, "a family of a prometheus registry cannot be told");
        if self.untold.len() < MOST_LISTED {
            self.untold.push(Untold { family, reason });
        } else {
            self.unlisted += 1;
        }
    }
}

impl Shared {
    /// Calls with what the other registry has now: gathered anew, unless another collector of the same look has just
    /// done that. `seen` is the number of what the caller was given last.
    fn gathered<T>(&self, seen: &AtomicU64, call: impl FnOnce(&[MetricFamily]) -> T) -> T {
        let now = self.clock.monotonic();
        let mut gathered = self.gathered.lock();
        let is_known = seen.load(Ordering::Relaxed) == gathered.number;
        if is_known || now.saturating_since(gathered.at) > SAME_LOOK {
            *gathered = Gathered { number: gathered.number + 1, at: now, families: self.theirs.gather() };
        }
        seen.store(gathered.number, Ordering::Relaxed);
        call(&gathered.families)
    }

    /// Registers what is not known yet of the families that were gathered under a number, in one collector; what is
    /// refused is left out.
    fn adopt(self: &Arc<Self>, families: &[MetricFamily], number: u64, ours: &Registry) {
        let mut known = self.families.lock();
        known.unknown = 0;
        let mut new: Vec<(String, Descriptor)> = Vec::new();
        for family in families {
            let name = family.name();
            if known.known.contains(name) {
                continue;
            }
            if known.known.len() >= MOST_FAMILIES {
                known.unknown += 1;
                continue;
            }
            known.known.insert(name.to_owned());
            match descriptor(family) {
                Ok(descriptor) => match new.iter().find(|(_, other)| other.name == descriptor.name) {
                    None => new.push((name.to_owned(), descriptor)),
                    Some((_, other)) => {
                        let reason = RegistryError::SharedLine {
                            requested: descriptor.name.clone(),
                            registered: other.name.clone(),
                            line: descriptor.name.as_str().to_owned(),
                        };
                        known.refuse(name.to_owned(), reason);
                    }
                },
                Err(error) => known.refuse(name.to_owned(), error.into()),
            }
        }
        while !new.is_empty() {
            let (names, descriptors): (Vec<_>, Vec<_>) = new.iter().cloned().unzip();
            let places = names.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
            let adopted =
                Adopted { descriptors, places, shared: Arc::clone(self), seen: AtomicU64::new(number) };
            let Err(reason) = ours.collect(adopted) else { return };
            // All or none of a collector's metrics are taken: without the one that is in the way the others are.
            let refused = offender(&reason)
                .and_then(|name| new.iter().position(|(_, descriptor)| descriptor.name == *name));
            match refused {
                Some(at) => known.refuse(new.swap_remove(at).0, reason),
                None => new.drain(..).for_each(|(name, _)| known.refuse(name, reason.clone())),
            }
        }
    }
}

/// The metric that an error is about.
fn offender(error: &RegistryError) -> Option<&MetricName> {
    match error {
        RegistryError::Conflict { requested, .. } => Some(&requested.descriptor.name),
        RegistryError::SharedLine { requested, .. } => Some(requested),
        RegistryError::NotTotal { name }
        | RegistryError::NotInfo { name }
        | RegistryError::Suffix { name, .. }
        | RegistryError::TooManyMetrics { name, .. } => Some(name),
        _ => None,
    }
}

/// Looks for new families, and tells how many cannot be told.
struct Discovery {
    descriptors: [Descriptor; 1],
    shared: Arc<Shared>,
    seen: AtomicU64,
}

impl Collect for Discovery {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        if let Some(ours) = self.shared.ours.upgrade() {
            self.shared.gathered(&self.seen, |families| {
                self.shared.adopt(families, self.seen.load(Ordering::Relaxed), &ours);
            });
        }
        let [untold] = &self.descriptors;
        let count = self.shared.families.lock().count();
        // Of several bridges only those that have something to tell do.
        if count > 0 {
            out.gauge(untold, &Labels::empty(), count as f64);
        }
        Ok(())
    }
}

/// Tells the families that were found at one look.
struct Adopted {
    descriptors: Vec<Descriptor>,
    /// Of each family's name there, which descriptor is its own.
    places: HashMap<String, usize>,
    shared: Arc<Shared>,
    seen: AtomicU64,
}

impl Collect for Adopted {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        self.shared.gathered(&self.seen, |families| {
            let mut outcome = Ok(());
            for family in families {
                let place = self.places.get(family.name());
                if let Some(descriptor) = place.and_then(|&at| self.descriptors.get(at)) {
                    outcome = tell(family, descriptor, out).and(outcome);
                }
            }
            outcome
        })
    }
}
