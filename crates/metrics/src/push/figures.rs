//! How pushing fares.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, Spread, Tally, Unit,
};

use crate::{Buckets, OwnMetric};

/// The metrics that each way of pushing tells about itself, in the order of their names.
///
/// | label | values |
/// | --- | --- |
/// | `pusher` | the name in its settings |
/// | `reason` | `queue_full`; `age`: could not be delivered in time; `refused`: by the receiver, for good; `duplicate`: two of one series within a millisecond; `shutdown`: left at the end of the host |
pub const PUSH_METRICS: [OwnMetric; 5] = [
    OwnMetric {
        name: "bellwether_push_dropped_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["pusher", "reason"],
        help: "Samples that were not delivered and will not be.",
    },
    OwnMetric {
        name: "bellwether_push_queued_samples",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["pusher"],
        help: "Samples that wait to be delivered.",
    },
    OwnMetric {
        name: "bellwether_push_request_duration_seconds",
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        labels: &["pusher"],
        help: "How long requests took, answered or not.",
    },
    OwnMetric {
        name: "bellwether_push_retries_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["pusher"],
        help: "Requests that were made again.",
    },
    OwnMetric {
        name: "bellwether_push_sent_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["pusher"],
        help: "Samples that were delivered.",
    },
];

/// Samples that will not be delivered, by reason.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) queue_full: Tally,
    pub(crate) age: Tally,
    pub(crate) refused: Tally,
    pub(crate) duplicate: Tally,
    pub(crate) shutdown: Tally,
}

impl Dropped {
    fn all(&self) -> [(&'static str, &Tally); 5] {
        [
            ("queue_full", &self.queue_full),
            ("age", &self.age),
            ("refused", &self.refused),
            ("duplicate", &self.duplicate),
            ("shutdown", &self.shutdown),
        ]
    }
}

/// How one way of pushing fares: a collector of [`PUSH_METRICS`], to be registered by the host.
#[derive(Debug)]
pub struct PushFigures {
    pub(crate) sent: Tally,
    pub(crate) retries: Tally,
    pub(crate) dropped: Dropped,
    queued: AtomicUsize,
    /// There by the bounds of latencies, which are some.
    seconds: Option<Spread>,
    descriptors: Vec<Descriptor>,
    labels: Labels,
    by_reason: Vec<Labels>,
}

impl PushFigures {
    pub(crate) fn new(pusher: &str) -> Self {
        let descriptor = |own: &OwnMetric| {
            let name = MetricName::new(own.name).ok()?;
            Some(Descriptor { name, kind: own.kind, unit: own.unit.clone(), help: own.help.into() })
        };
        let dropped = Dropped::default();
        let labels = |reason: Option<&str>| {
            let pairs = [("pusher", Some(pusher)), ("reason", reason)];
            let there = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
            // The name is checked with the settings to be short enough.
            Labels::new(there).unwrap_or_else(|_| Labels::empty())
        };
        Self {
            by_reason: dropped.all().map(|(reason, _)| labels(Some(reason))).into(),
            labels: labels(None),
            // All of them: a test looks that each name is one.
            descriptors: PUSH_METRICS.iter().filter_map(descriptor).collect(),
            seconds: Spread::new(Buckets::latency().bounds()).ok(),
            queued: AtomicUsize::new(0),
            sent: Tally::new(),
            retries: Tally::new(),
            dropped,
        }
    }

    /// How many samples were delivered.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// How many samples will not be delivered.
    pub fn dropped(&self) -> u64 {
        self.dropped.all().iter().map(|(_, count)| count.get()).sum()
    }

    /// How many samples wait.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    pub(crate) fn set_queued(&self, samples: usize) {
        self.queued.store(samples, Ordering::Relaxed);
    }

    pub(crate) fn requested(&self, took: Duration) {
        if let Some(seconds) = &self.seconds {
            seconds.record(took.as_secs_f64());
        }
    }
}

impl Collect for PushFigures {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [dropped, queued, seconds, retries, sent] = &*self.descriptors else {
            return Err(CollectError::new("the metrics of pushing have no valid names"));
        };
        for ((_, count), labels) in self.dropped.all().iter().zip(&self.by_reason) {
            out.counter(dropped, labels, count.get() as f64);
        }
        out.gauge(queued, &self.labels, self.queued() as f64);
        if let Some(spread) = &self.seconds {
            out.histogram(seconds, &self.labels, &spread.snapshot());
        }
        out.counter(retries, &self.labels, self.retries.get() as f64);
        out.counter(sent, &self.labels, self.sent.get() as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_and_every_reason_has_its_labels() {
        let figures = PushFigures::new("desk");
        let names: Vec<_> = figures.descriptors.iter().map(|descriptor| descriptor.name.as_str()).collect();
        assert_eq!(names, PUSH_METRICS.map(|own| own.name));
        assert!(names.is_sorted());
        for (labels, (reason, _)) in figures.by_reason.iter().zip(figures.dropped.all()) {
            assert_eq!((labels.get("pusher"), labels.get("reason")), (Some("desk"), Some(reason)));
        }
    }
}
