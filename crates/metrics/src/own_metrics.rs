//! What the registry tells about itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Kind, Labels, MetricName, Monotonic, SampleSink, SharedClock,
    SpreadSnapshot, Tally, Timestamp, Unit,
};
use parking_lot::Mutex;

/// One metric that a registry tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnMetric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves over time.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// The labels that its series have.
    pub labels: &'static [&'static str],
    /// One sentence for people.
    pub help: &'static str,
}

/// The metrics that every registry tells about itself, in the order of their names.
///
/// | label | values |
/// | --- | --- |
/// | `reason` of `bellwether_metrics_collector_failures_total` | `error`, `panic`, and `timeout` of one with an interval of its own |
/// | `reason` of `bellwether_metrics_history_evicted_total` | `count`, `age`, `idle`, `clock_step` |
/// | `reason` of `bellwether_metrics_refused_total` | `not_finite`, `negative`, `undeclared`, `repeated`, `label`, `buckets`, `out_of_order`, `nested`, `exemplar`, `state`, `callback`, `removed` |
/// | `collector` | the name of the collector, or its Rust type; with `#2` and so on for the next that is called the same |
///
/// Those with an interval of their own have an age (time since the start of the last run that ended well), the length of that
/// run, and runs that were skipped because the one before had not ended.
pub const OWN_METRICS: [OwnMetric; 16] = [
    OwnMetric {
        name: "bellwether_metrics_collector_age_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["collector"],
        help: "Time since the start of the last run of a collector that ended well.",
    },
    OwnMetric {
        name: "bellwether_metrics_collector_failures_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["collector", "reason"],
        help: "Runs of a collector that ended in an error, a panic or not in time.",
    },
    OwnMetric {
        name: "bellwether_metrics_collector_run_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["collector"],
        help: "Length of the last run of a collector that ended well.",
    },
    OwnMetric {
        name: "bellwether_metrics_collector_skipped_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["collector"],
        help: "Runs of a collector that were left out because the one before had not ended.",
    },
    OwnMetric {
        name: "bellwether_metrics_expired_series_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Series of instruments that went for being idle.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_evicted_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["reason"],
        help: "Samples that left the history at one of its bounds.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_held_samples",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Samples that the history holds.",
    },
    OwnMetric {
        name: "bellwether_metrics_history_samples_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Samples that the history took.",
    },
    OwnMetric {
        name: "bellwether_metrics_overflowed_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Look-ups and collected figures whose label set was beyond the bound of series.",
    },
    OwnMetric {
        name: "bellwether_metrics_refused_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["reason"],
        help: "Values and samples that were refused.",
    },
    OwnMetric {
        name: "bellwether_metrics_sample_seconds",
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        labels: &[],
        help: "How long it took to sample the registry.",
    },
    OwnMetric {
        name: "bellwether_metrics_sampler_missed_ticks_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Ticks of the sampler that passed without a sample.",
    },
    OwnMetric {
        name: "bellwether_metrics_scrapes_refused_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Scrapes refused because as many pages were on their way as may be.",
    },
    OwnMetric {
        name: "bellwether_metrics_series",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Series of instruments and collectors.",
    },
    OwnMetric {
        name: "bellwether_metrics_subscriber_missed_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Batches of samples that a subscriber did not take in time.",
    },
    OwnMetric {
        name: "bellwether_metrics_subscribers",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Subscribers to samples.",
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
    /// A label that is reserved, a value that is too long, or a state set without the label that names the state.
    pub(crate) label: Tally,
    /// Buckets or quantiles that are none.
    pub(crate) buckets: Tally,
    /// A sample before the newest of its series.
    pub(crate) out_of_order: Tally,
    /// A collector that reads the registry it is asked by.
    pub(crate) nested: Tally,
    /// An exemplar with too many characters.
    pub(crate) exemplar: Tally,
    /// A state that a state set does not have or that is neither 1 nor 0; an info that is not 1.
    pub(crate) state: Tally,
    /// The callback of a gauge that panicked.
    pub(crate) callback: Tally,
    /// A look-up in a metric that was removed.
    pub(crate) removed: Tally,
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
    /// Series that went for being idle.
    pub(crate) expired: Tally,
    /// Scrapes that a handler refused.
    pub(crate) scrapes_refused: Tally,
    pub(crate) evicted: Evicted,
    pub(crate) samples: Tally,
    pub(crate) sample_seconds: SampleSeconds,
    pub(crate) missed_ticks: Tally,
    pub(crate) subscribers: AtomicUsize,
    pub(crate) subscribers_missed: Tally,
    series: AtomicUsize,
    collectors: Mutex<Vec<Arc<CollectorFigures>>>,
}

/// Upper bounds of the buckets for the length of a sample, in seconds.
const SAMPLE_SECONDS: [f64; 15] =
    [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// How long samples took. Told as it is, so that a scrape allocates nothing.
#[derive(Debug)]
pub(crate) struct SampleSeconds(Mutex<SpreadSnapshot>);

impl Default for SampleSeconds {
    fn default() -> Self {
        let counts = Box::new([0; SAMPLE_SECONDS.len() + 1]);
        Self(Mutex::new(SpreadSnapshot { bounds: Box::new(SAMPLE_SECONDS), counts, sum: 0.0 }))
    }
}

impl SampleSeconds {
    /// Counts a sample. Waits at most for a scrape that tells this very metric.
    pub(crate) fn record(&self, took: Duration) {
        let took = took.as_secs_f64();
        let mut spread = self.0.lock();
        let at = spread.bounds.partition_point(|&bound| bound < took);
        if let Some(count) = spread.counts.get_mut(at) {
            *count += 1;
        }
        spread.sum += took;
    }
}

/// The failures of one collector.
#[derive(Debug)]
pub(crate) struct CollectorFigures {
    /// The name, or the end of the type, of the collector.
    name: Box<str>,
    pub(crate) errors: Tally,
    pub(crate) panics: Tally,
    error_labels: Labels,
    panic_labels: Labels,
    scheduled: Option<ScheduledFigures>,
}

/// What there is to tell of a collector with an interval of its own.
#[derive(Debug)]
struct ScheduledFigures {
    timeouts: Tally,
    skipped: Tally,
    /// Start and length of the last run that ended well.
    last: Mutex<Option<(Monotonic, Duration)>>,
    timeout_labels: Labels,
    labels: Labels,
}

impl Figures {
    pub(crate) fn new(clock: &SharedClock) -> Self {
        Self {
            clock: SharedClock::clone(clock),
            refused: Refused::default(),
            overflowed: Tally::new(),
            expired: Tally::new(),
            scrapes_refused: Tally::new(),
            evicted: Evicted::default(),
            samples: Tally::new(),
            sample_seconds: SampleSeconds::default(),
            missed_ticks: Tally::new(),
            subscribers: AtomicUsize::new(0),
            subscribers_missed: Tally::new(),
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
    pub(crate) fn add_collector(&self, collector: &str) -> Arc<CollectorFigures> {
        self.add(collector, |_| None)
    }

    /// The same for one with an interval of its own.
    #[cfg(feature = "runtime")]
    pub(crate) fn add_scheduled(&self, collector: &str) -> Arc<CollectorFigures> {
        self.add(collector, |label| {
            Some(ScheduledFigures {
                timeouts: Tally::new(),
                skipped: Tally::new(),
                last: Mutex::new(None),
                timeout_labels: labels([("collector", label), ("reason", "timeout")]),
                labels: labels([("collector", label)]),
            })
        })
    }

    fn add(
        &self,
        collector: &str,
        scheduled: impl FnOnce(&str) -> Option<ScheduledFigures>,
    ) -> Arc<CollectorFigures> {
        let collector = label_of(collector);
        let mut collectors = self.collectors.lock();
        let same = collectors.iter().filter(|other| &*other.name == collector).count();
        let label = match same {
            0 => collector.to_owned(),
            n => format!("{collector}#{}", n + 1),
        };
        let mut figures = CollectorFigures::new(collector, &label);
        figures.scheduled = scheduled(&label);
        let figures = Arc::new(figures);
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
fn label_of(collector: &str) -> &str {
    let start = collector.char_indices().rev().nth(MOST_NAME_CHARS - 1).map_or(0, |(start, _)| start);
    collector.get(start..).unwrap_or(collector)
}

/// None of them is too long for a label; a set without labels would be told twice and refused by the sink.
fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    Labels::new(pairs).unwrap_or_else(|_| Labels::empty())
}

impl CollectorFigures {
    pub(crate) fn new(name: &str, label: &str) -> Self {
        let labels = |reason| labels([("collector", label), ("reason", reason)]);
        Self {
            name: name.into(),
            errors: Tally::new(),
            panics: Tally::new(),
            error_labels: labels("error"),
            panic_labels: labels("panic"),
            scheduled: None,
        }
    }
}

#[cfg(feature = "runtime")]
impl CollectorFigures {
    /// A run ended well.
    pub(crate) fn told(&self, began: Monotonic, took: Duration) {
        if let Some(scheduled) = &self.scheduled {
            *scheduled.last.lock() = Some((began, took));
        }
    }

    /// A run missed its deadline.
    pub(crate) fn timed_out(&self) {
        if let Some(scheduled) = &self.scheduled {
            scheduled.timeouts.increment();
        }
    }

    /// A run was left out.
    pub(crate) fn skipped(&self) {
        if let Some(scheduled) = &self.scheduled {
            scheduled.skipped.increment();
        }
    }
}

/// The figures as a collector: how a registry registers itself.
pub(crate) struct OwnFigures {
    figures: Arc<Figures>,
    clock: SharedClock,
    descriptors: Vec<Descriptor>,
    reasons: Reasons,
}

/// A label set per reason, made once.
struct Reasons {
    evicted: [Labels; 4],
    refused: [Labels; 12],
}

fn reasons<const N: usize>(reasons: [&str; N]) -> [Labels; N] {
    reasons.map(|reason| labels([("reason", reason)]))
}

impl OwnFigures {
    pub(crate) fn new(figures: Arc<Figures>, clock: &SharedClock) -> Self {
        let descriptor = |own: &OwnMetric| {
            let name = MetricName::new(own.name).ok()?;
            Some(Descriptor { name, kind: own.kind, unit: own.unit.clone(), help: own.help.into() })
        };
        Self {
            figures,
            clock: SharedClock::clone(clock),
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
                    "removed",
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
        let [
            age,
            failures,
            run,
            skipped,
            expired,
            evicted,
            held,
            samples,
            overflowed,
            refused,
            sample_seconds,
            missed_ticks,
            scrapes_refused,
            series,
            subscribers_missed,
            subscribers,
        ] = &*self.descriptors
        else {
            return Err(CollectError::new("the registry's own metrics have no valid names"));
        };
        let figures = &*self.figures;
        let none = Labels::empty();
        for collector in &*figures.collectors.lock() {
            out.counter(failures, &collector.error_labels, collector.errors.get() as f64);
            out.counter(failures, &collector.panic_labels, collector.panics.get() as f64);
            let Some(scheduled) = &collector.scheduled else { continue };
            out.counter(failures, &scheduled.timeout_labels, scheduled.timeouts.get() as f64);
            out.counter(skipped, &scheduled.labels, scheduled.skipped.get() as f64);
            if let Some((began, took)) = *scheduled.last.lock() {
                let passed = self.clock.monotonic().saturating_since(began);
                out.gauge(age, &scheduled.labels, passed.as_secs_f64());
                out.gauge(run, &scheduled.labels, took.as_secs_f64());
            }
        }
        out.counter(expired, &none, figures.expired.get() as f64);
        let by_reason = &figures.evicted;
        let counts = [&by_reason.count, &by_reason.age, &by_reason.idle, &by_reason.clock_step];
        for (labels, count) in self.reasons.evicted.iter().zip(counts) {
            out.counter(evicted, labels, count.get() as f64);
        }
        let gone = figures.evicted.all();
        let taken = figures.samples.get();
        out.gauge(held, &none, taken.saturating_sub(gone) as f64);
        out.counter(samples, &none, taken as f64);
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
            &by_reason.removed,
        ];
        for (labels, count) in self.reasons.refused.iter().zip(counts) {
            out.counter(refused, labels, count.get() as f64);
        }
        out.counter(scrapes_refused, &none, figures.scrapes_refused.get() as f64);
        out.histogram(sample_seconds, &none, &figures.sample_seconds.0.lock());
        out.counter(missed_ticks, &none, figures.missed_ticks.get() as f64);
        out.gauge(series, &none, figures.series.load(Ordering::Relaxed) as f64);
        out.counter(subscribers_missed, &none, figures.subscribers_missed.get() as f64);
        out.gauge(subscribers, &none, figures.subscribers.load(Ordering::Relaxed) as f64);
        Ok(())
    }
}
