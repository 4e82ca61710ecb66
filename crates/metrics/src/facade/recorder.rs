//! A recorder for the facade.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, MetricName, Unit};
use metrics::{Key, KeyName, Metadata, SharedString};
use parking_lot::{Mutex, RwLock};

use super::handles::{FacadeCounter, FacadeGauge, FacadeHistogram};
use super::names::{KeyLabels, MOST_NAMES, name, unit};
use crate::instrument::Instrument;
use crate::{Buckets, Counter, CounterFamily, DynamicFamily, Gauge, Histogram, Registry, RegistryError};

/// A recorder for the `metrics` facade that feeds a registry.
///
/// Cloning copies a pointer: the host keeps one and installs the other.
///
/// **Cost.** A handle of the facade that is kept costs what ours costs, and a call through a pointer. A macro that is
/// called anew looks its metric and its labels up each time, under a lock that is written only when a metric is defined, and
/// makes a handle: keep handles on the hot path.
///
/// **Names.** Of the facade any text is a name. Characters that ours do not have become underscores: `http.requests` is
/// `http_requests`. A counter gets the `_total` that it lacks; a gauge or histogram that ends in `_total`, `_bucket` or
/// `_info` gets `_value` behind it. Two names that come to the same are a collision: the one that came first has it.
///
/// **Labels.** Each call may have labels of its own. Their names are changed as those of metrics are; the label sets of a
/// metric are bounded as those of a [`DynamicFamily`] are, and what is beyond or is no label set shares the series
/// `overflow="true"`.
///
/// **Descriptions.** The help and unit that a library gives before it first records are those of the metric; what it says
/// later is not heard, since a metric is what it was defined as. Units are told as they were given, and values never
/// changed: milliseconds stay milliseconds. Without a description the help says where the metric comes from.
///
/// **Histograms** have [`Buckets::latency`], in seconds, unless [`with_buckets`](FacadeRecorder::with_buckets) says
/// otherwise for the beginning of their names.
///
/// **What is refused.** A metric that ours cannot be, for its name, a collision, another kind of the same name, or a full
/// registry, goes nowhere. Each call for it is counted in `bellwether_facade_refused_total{reason}`, with `name`,
/// `collision`, `conflict`, `bound`; the first one is told as a `tracing` event with the reason.
///
/// **Totals.** [`metrics::Counter::absolute`] raises the total to a value and never lowers it; two that do so take turns.
#[derive(Clone)]
pub struct FacadeRecorder {
    shared: Arc<Shared>,
    buckets: Arc<[(String, Buckets)]>,
    other_buckets: Buckets,
}

struct Shared {
    registry: Registry,
    counters: Known<Counter>,
    gauges: Known<Gauge>,
    histograms: Known<Histogram>,
    definitions: Mutex<Definitions>,
    refused: CounterFamily,
    known: Gauge,
    turn: Arc<Mutex<()>>,
}

/// The metrics of a kind by their names in the facade: the family, or why there is none.
///
/// Locked for writing only while a metric is defined, for the first call that names it.
type Known<I> = RwLock<HashMap<Box<str>, Result<DynamicFamily<I>, Refusal>>>;

/// Why a metric is refused, as it stands in the label `reason`.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Name,
    Collision,
    Conflict,
    Bound,
}

impl Refusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Collision => "collision",
            Self::Conflict => "conflict",
            Self::Bound => "bound",
        }
    }
}

impl From<&RegistryError> for Refusal {
    fn from(error: &RegistryError) -> Self {
        match error {
            RegistryError::Name(_) => Self::Name,
            RegistryError::TooManyMetrics { .. } | RegistryError::Series(_) => Self::Bound,
            _ => Self::Conflict,
        }
    }
}

#[derive(Default)]
struct Definitions {
    /// Unit and help that were given before the metric was first used.
    described: HashMap<(Kind, String), (Unit, SharedString)>,
    /// Which name of the facade a name of ours comes from.
    owners: HashMap<MetricName, Box<str>>,
    /// Metrics that are known, refused ones too.
    names: usize,
}

impl FacadeRecorder {
    /// Feeds `registry`, which it keeps alive. Several of them may feed one registry: the same metrics are the same then.
    pub fn new(registry: &Registry) -> Result<Self, RegistryError> {
        let shared = Shared {
            registry: registry.clone(),
            counters: Known::default(),
            gauges: Known::default(),
            histograms: Known::default(),
            definitions: Mutex::default(),
            refused: registry.counter_family(
                "bellwether_facade_refused_total",
                Unit::None,
                "Calls of the `metrics` facade for a metric that is refused.",
                ["reason"],
            )?,
            known: registry.gauge(
                "bellwether_facade_metrics",
                Unit::None,
                "Metrics that came through the `metrics` facade.",
            )?,
            turn: Arc::default(),
        };
        shared.known.add(0.0);
        Ok(Self { shared: Arc::new(shared), buckets: Arc::default(), other_buckets: Buckets::latency() })
    }

    /// Histograms whose name in the facade begins with `prefix` have these buckets; of several prefixes the longest holds.
    /// To be said before it is installed: a histogram keeps what it was made with.
    #[must_use]
    pub fn with_buckets(mut self, prefix: impl Into<String>, buckets: Buckets) -> Self {
        let mut all = self.buckets.to_vec();
        all.push((prefix.into(), buckets));
        all.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        self.buckets = all.into();
        self
    }

    /// The buckets of histograms that no prefix is for.
    #[must_use]
    pub fn with_other_buckets(mut self, buckets: Buckets) -> Self {
        self.other_buckets = buckets;
        self
    }

    /// The registry that it feeds.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    fn buckets_of(&self, name: &str) -> Buckets {
        let meant = self.buckets.iter().find(|(prefix, _)| name.starts_with(prefix.as_str()));
        meant.map_or(&self.other_buckets, |(_, buckets)| buckets).clone()
    }

    /// The instrument of a key; counted if there is none.
    fn instrument<I: Instrument>(
        &self,
        key: &Key,
        kind: Kind,
        known: impl Fn(&Shared) -> &Known<I>,
        make: impl FnOnce(&Registry, Descriptor) -> Result<DynamicFamily<I>, RegistryError>,
    ) -> Option<I> {
        let with = |family: &DynamicFamily<I>| family.with(&KeyLabels::of(key));
        let known = known(&self.shared);
        let met =
            known.read().get(key.name()).map(|known| known.as_ref().map(with).map_err(|refusal| *refusal));
        let found = match met {
            Some(found) => found,
            None => self.shared.define(key.name(), kind, known, make).map(|family| with(&family)),
        };
        found.map_err(|refusal| self.shared.refused.with(refusal.as_str()).increment()).ok()
    }
}

impl Shared {
    /// Defines a metric that is called for the first time.
    #[cold]
    fn define<I: Instrument>(
        &self,
        of: &str,
        kind: Kind,
        known: &Known<I>,
        make: impl FnOnce(&Registry, Descriptor) -> Result<DynamicFamily<I>, RegistryError>,
    ) -> Result<DynamicFamily<I>, Refusal> {
        let mut definitions = self.definitions.lock();
        // Another thread may have been quicker.
        if let Some(known) = known.read().get(of) {
            return known.clone();
        }
        if definitions.names >= MOST_NAMES {
            return Err(Refusal::Bound);
        }
        definitions.names += 1;
        let made = definitions.descriptor(of, kind).and_then(|descriptor| {
            let name = descriptor.name.clone();
            match make(&self.registry, descriptor) {
                Ok(family) => {
                    definitions.owners.insert(name, of.into());
                    Ok(family)
                }
                Err(error) => {
                    tracing::warn!(metric = of, %error, "a metric of the facade is refused");
                    Err(Refusal::from(&error))
                }
            }
        });
        if made.is_ok() {
            self.known.add(1.0);
        }
        known.write().insert(of.into(), made.clone());
        made
    }
}

impl Definitions {
    fn descriptor(&mut self, of: &str, kind: Kind) -> Result<Descriptor, Refusal> {
        let name = name(of, kind).map_err(|error| {
            tracing::warn!(metric = of, %error, "a metric of the facade is refused");
            Refusal::Name
        })?;
        if let Some(owner) = self.owners.get(&name) {
            tracing::warn!(metric = of, %owner, %name, "a metric of the facade is refused: the name is taken");
            return Err(if **owner == *of { Refusal::Conflict } else { Refusal::Collision });
        }
        let (unit, help) = self.described.remove(&(kind, of.to_owned())).unwrap_or((Unit::None, "".into()));
        let help = match &*help {
            "" => format!("{of:?} of the `metrics` facade."),
            help => help.to_owned(),
        };
        Ok(Descriptor { name, kind, unit, help: help.into() })
    }

    fn describe(&mut self, kind: Kind, key: &KeyName, told: Option<metrics::Unit>, help: SharedString) {
        let key = (kind, key.as_str().to_owned());
        if self.described.len() < MOST_NAMES || self.described.contains_key(&key) {
            self.described.insert(key, (told.map_or(Unit::None, unit), help));
        }
    }
}

impl metrics::Recorder for FacadeRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.shared.definitions.lock().describe(Kind::Counter, &key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.shared.definitions.lock().describe(Kind::Gauge, &key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<metrics::Unit>, description: SharedString) {
        self.shared.definitions.lock().describe(Kind::Histogram, &key, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let make = |registry: &Registry, Descriptor { name, unit, help, .. }| {
            registry.dynamic_counter_family(name, unit, help)
        };
        let counter = self.instrument(key, Kind::Counter, |shared| &shared.counters, make);
        counter.map_or_else(metrics::Counter::noop, |counter| {
            let turn = Arc::clone(&self.shared.turn);
            metrics::Counter::from_arc(Arc::new(FacadeCounter { counter, turn }))
        })
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        let make = |registry: &Registry, Descriptor { name, unit, help, .. }| {
            registry.dynamic_gauge_family(name, unit, help)
        };
        let gauge = self.instrument(key, Kind::Gauge, |shared| &shared.gauges, make);
        gauge
            .map_or_else(metrics::Gauge::noop, |gauge| metrics::Gauge::from_arc(Arc::new(FacadeGauge(gauge))))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let make = |registry: &Registry, Descriptor { name, unit, help, .. }| {
            registry.dynamic_histogram_family(name, unit, help, self.buckets_of(key.name()))
        };
        let histogram = self.instrument(key, Kind::Histogram, |shared| &shared.histograms, make);
        histogram.map_or_else(metrics::Histogram::noop, |histogram| {
            metrics::Histogram::from_arc(Arc::new(FacadeHistogram(histogram)))
        })
    }
}

impl fmt::Debug for FacadeRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacadeRecorder")
            .field("metrics", &self.shared.known.get())
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}
