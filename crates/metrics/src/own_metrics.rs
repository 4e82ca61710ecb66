//! What the registry tells about itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::{
    Collect, CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, SharedClock, Tally, Timestamp,
    Unit,
};
use parking_lot::Mutex;

/// One metric that a registry tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnMetric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves over time.
    pub kind: Kind,
    /// The labels that its series have.
    pub labels: &'static [&'static str],
    /// One sentence for people.
    pub help: &'static str,
}

/// The metrics that every registry tells about itself, in the order of their names. None has a unit.
///
/// | label | values |
/// | --- | --- |
/// | `reason` of `bellwether_metrics_collector_failures_total` | `error`, `panic` |
/// | `reason` of `bellwether_metrics_history_evicted_total` | `count`, `age`, `idle`, `clock_step` |
/// | `reason` of `bellwether_metrics_refused_total` | `not_finite`, `negative`, `undeclared`, `repeated`, `label`, `buckets`, `out_of_order`, `nested`, `exemplar`, `state`, `callback` |
/// | `collector` | the Rust type of the collector, with `#2` and so on for the next of the same type |
pub const OWN_METRICS: [OwnMetric; 9] = [
    OwnMetric {
        name: "bellwether_metrics_collector_failures_total",
        kind: Kind::Counter,
        labels: &["collector", "reason"],
        help: "Runs of a collector that ended in an error or a panic.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_evicted_total",
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Samples that left the history at one of its bounds.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_held_samples",
        kind: Kind::Gauge,
        labels: &[],
        help: "Samples that the history holds.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_samples_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Samples that the history took.",
    },
    OwnMetric {
        name: "bellwether_metrics_lane_slots",
        kind: Kind::Gauge,
        labels: &[],
        help: "Slots that series of this process have in the lanes of its threads, of 1044480.",
    },
    OwnMetric {
        name: "bellwether_metrics_lanes",
        kind: Kind::Gauge,
        labels: &[],
        help: "Threads of this process that have a lane of their own to record in, of 256.",
    },
    OwnMetric {
        name: "bellwether_metrics_overflowed_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Look-ups and collected figures whose label set was beyond the bound of series.",
    },
    OwnMetric {
        name: "bellwether_metrics_refused_total",
        kind: Kind::Counter,
        labels: &["reason"],
        help: "Values and samples that were refused.",
    },
    OwnMetric {
        name: "bellwether_metrics_series",
        kind: Kind::Gauge,
        labels: &[],
        help: "Series of instruments and collectors.",
    },
];

/// Values and samples that were refused, by reason.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// NaN or infinite.
    pub(crate) not_finite: Tally,
    /// The total of a counter below zero.
    pub(crate) negative: Tally,
    /// A descriptor that the collector had not told before, or another kind than it told.
    pub(crate) undeclared: Tally,
    /// The same series twice in one run of a collector, or twice at one instant.
    pub(crate) repeated: Tally,
    /// A label that is reserved, or a value that is too long.
    pub(crate) label: Tally,
    /// Buckets that are none.
    pub(crate) buckets: Tally,
    /// A sample before the newest of its series.
    pub(crate) out_of_order: Tally,
    /// A collector that reads the registry it is asked by.
    pub(crate) nested: Tally,
    /// An exemplar with too many characters.
    pub(crate) exemplar: Tally,
    /// A state that a state set does not have.
    pub(crate) state: Tally,
    /// The callback of a gauge that panicked.
    pub(crate) callback: Tally,
}

/// Samples that left the history, by reason.
#[derive(Debug, Default)]
pub(crate) struct Evicted {
    /// A newer one needed the place.
    pub(crate) count: Tally,
    /// Older than the bound.
    pub(crate) age: Tally,
    /// Of a series that went away.
    pub(crate) idle: Tally,
    /// Stamped after a time that the wall clock was set back to.
    pub(crate) clock_step: Tally,
}

impl Evicted {
    fn all(&self) -> u64 {
        self.count.get() + self.age.get() + self.idle.get() + self.clock_step.get()
    }
}

/// The figures of one registry.
#[derive(Debug)]
pub struct Figures {
    clock: SharedClock,
    pub(crate) refused: Refused,
    pub(crate) overflowed: Tally,
    pub(crate) evicted: Evicted,
    pub(crate) samples: Tally,
    series: AtomicUsize,
    collectors: Mutex<Vec<Arc<CollectorFigures>>>,
}

/// The failures of one collector.
#[derive(Debug)]
pub(crate) struct CollectorFigures {
    /// The end of the type of the collector.
    name: &'static str,
    pub(crate) errors: Tally,
    pub(crate) panics: Tally,
    error_labels: Labels,
    panic_labels: Labels,
}

impl Figures {
    pub(crate) fn new(clock: &SharedClock) -> Self {
        Self {
            clock: SharedClock::clone(clock),
            refused: Refused::default(),
            overflowed: Tally::new(),
            evicted: Evicted::default(),
            samples: Tally::new(),
            series: AtomicUsize::new(0),
            collectors: Mutex::default(),
        }
    }

    /// The clock of the registry.
    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// What the clock of the registry says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.timestamp()
    }

    /// Takes one series out of a budget of `most`, if there is one left.
    pub(crate) fn reserve_series(&self, most: usize) -> bool {
        let more = |series| (series < most).then_some(series + 1);
        self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Whether one series is left of a budget of `most`.
    #[inline]
    pub(crate) fn has_room(&self, most: usize) -> bool {
        self.series.load(Ordering::Relaxed) < most
    }

    /// One series more, beyond any budget.
    pub(crate) fn add_series(&self) {
        self.series.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives series back.
    pub(crate) fn release_series(&self, n: usize) {
        self.series.fetch_sub(n, Ordering::Relaxed);
    }

    /// A place for the failures of one collector more, told from now on.
    pub(crate) fn add_collector(&self, collector: &'static str) -> Arc<CollectorFigures> {
        let collector = label_of(collector);
        let mut collectors = self.collectors.lock();
        let same = collectors.iter().filter(|other| other.name == collector).count();
        let figures = Arc::new(match same {
            0 => CollectorFigures::new(collector, collector),
            n => CollectorFigures::new(collector, &format!("{collector}#{}", n + 1)),
        });
        collectors.push(Arc::clone(&figures));
        figures
    }
}

#[cfg(test)]
impl Default for Figures {
    fn default() -> Self {
        Self::new(&bellwether_core::SystemClock::shared())
    }
}

/// How much of the name of a collector stands in its label.
const MOST_NAME_CHARS: usize = 200;

/// The end of a type's name: it may be longer than a label value may be, and its end tells more than its start.
fn label_of(collector: &'static str) -> &'static str {
    let start = collector.char_indices().rev().nth(MOST_NAME_CHARS - 1).map_or(0, |(start, _)| start);
    collector.get(start..).unwrap_or(collector)
}

impl CollectorFigures {
    pub(crate) fn new(name: &'static str, label: &str) -> Self {
        let labels = |reason| {
            Labels::new([("collector", label), ("reason", reason)]).unwrap_or_else(|_| Labels::empty())
        };
        Self {
            name,
            errors: Tally::new(),
            panics: Tally::new(),
            error_labels: labels("error"),
            panic_labels: labels("panic"),
        }
    }
}

/// The figures as a collector: how a registry registers itself.
pub(crate) struct OwnFigures {
    figures: Arc<Figures>,
    descriptors: Vec<Descriptor>,
    reasons: Reasons,
}

/// A label set per reason, made once.
struct Reasons {
    evicted: [Labels; 4],
    refused: [Labels; 11],
}

fn reasons<const N: usize>(reasons: [&str; N]) -> [Labels; N] {
    // No reason is too long for a label; a set without labels would be told twice and refused by the sink.
    reasons.map(|reason| Labels::new([("reason", reason)]).unwrap_or_else(|_| Labels::empty()))
}

impl OwnFigures {
    pub(crate) fn new(figures: Arc<Figures>) -> Self {
        let descriptor = |own: &OwnMetric| {
            let name = MetricName::new(own.name).ok()?;
            Some(Descriptor { name, kind: own.kind, unit: Unit::None, help: own.help.into() })
        };
        Self {
            figures,
            // All of them: a test looks that each name is one.
            descriptors: OWN_METRICS.iter().filter_map(descriptor).collect(),
            reasons: Reasons {
                evicted: reasons(["count", "age", "idle", "clock_step"]),
                refused: reasons([
                    "not_finite",
                    "negative",
                    "undeclared",
                    "repeated",
                    "label",
                    "buckets",
                    "out_of_order",
                    "nested",
                    "exemplar",
                    "state",
                    "callback",
                ]),
            },
        }
    }
}

impl Collect for OwnFigures {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [failures, evicted, held, samples, slots, lanes, overflowed, refused, series] =
            &*self.descriptors
        else {
            return Err(CollectError::new("the registry's own metrics have no valid names"));
        };
        let figures = &*self.figures;
        let none = Labels::empty();
        for collector in &*figures.collectors.lock() {
            out.counter(failures, &collector.error_labels, collector.errors.get() as f64);
            out.counter(failures, &collector.panic_labels, collector.panics.get() as f64);
        }
        let by_reason = &figures.evicted;
        let counts = [&by_reason.count, &by_reason.age, &by_reason.idle, &by_reason.clock_step];
        for (labels, count) in self.reasons.evicted.iter().zip(counts) {
            out.counter(evicted, labels, count.get() as f64);
        }
        let gone = figures.evicted.all();
        let taken = figures.samples.get();
        out.gauge(held, &none, taken.saturating_sub(gone) as f64);
        out.counter(samples, &none, taken as f64);
        let in_use = crate::lanes::in_use();
        out.gauge(slots, &none, f64::from(in_use.slots));
        out.gauge(lanes, &none, in_use.lanes as f64);
        out.counter(overflowed, &none, figures.overflowed.get() as f64);
        let by_reason = &figures.refused;
        let counts = [
            &by_reason.not_finite,
            &by_reason.negative,
            &by_reason.undeclared,
            &by_reason.repeated,
            &by_reason.label,
            &by_reason.buckets,
            &by_reason.out_of_order,
            &by_reason.nested,
            &by_reason.exemplar,
            &by_reason.state,
            &by_reason.callback,
        ];
        for (labels, count) in self.reasons.refused.iter().zip(counts) {
            out.counter(refused, labels, count.get() as f64);
        }
        out.gauge(series, &none, figures.series.load(Ordering::Relaxed) as f64);
        Ok(())
    }
}
