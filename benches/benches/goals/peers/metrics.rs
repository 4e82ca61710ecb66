use std::sync::OnceLock;

use metrics::{Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group};

const NAME: &str = "metrics + exporter";

fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().set_buckets(&BOUNDS).unwrap().build_recorder()
}

/// The facade has one recorder for the whole process.
fn installed() -> PrometheusHandle {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = recorder();
        let handle = recorder.handle();
        assert!(metrics::set_global_recorder(recorder).is_ok());
        handle
    };
    INSTALLED.get_or_init(install).clone()
}

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let handle = installed();
    let counter = metrics::counter!("fills_total", "venue" => "XNYS", "symbol" => "SPY");
    let gauge = metrics::gauge!("depth");
    let histogram = metrics::histogram!("fill_seconds");
    vec![
        Case::counter(NAME, counter, |counter| counter.increment(1)),
        Case::labelled(NAME, desk, |[venue, symbol]| {
            metrics::counter!("orders_total", "venue" => venue.clone(), "symbol" => symbol.clone())
                .increment(1);
        }),
        Case::fed(Group::Gauge, NAME, desk, gauge, |gauge, value| gauge.set(value)),
        // It queues values, which the upkeep puts into buckets: after the round, for nothing.
        Case::fed(Group::Histogram, "metrics + exporter, queue only", desk, histogram, |histogram, value| {
            histogram.record(value);
        })
        .then(move || handle.run_upkeep()),
    ]
}

fn key(name: &'static str, [venue, symbol]: &Pair) -> Key {
    Key::from_parts(name, vec![Label::new("venue", venue.clone()), Label::new("symbol", symbol.clone())])
}

const METADATA: Metadata<'static> = Metadata::new("desk", Level::INFO, None);

pub(super) fn counters(labels: &[Pair]) -> Page {
    let recorder = recorder();
    let fill = || {
        for (i, pair) in labels.iter().enumerate() {
            recorder.register_counter(&key("orders_total", pair), &METADATA).increment(desk::count(i));
        }
    };
    let handle = recorder.handle();
    Page::new(NAME, labels.len(), fill, move || handle.render().len())
}

pub(super) fn histograms(labels: &[Pair], values: &[f64]) -> Page {
    let recorder = recorder();
    let fill = || {
        for pair in labels {
            let histogram = recorder.register_histogram(&key("ack_seconds", pair), &METADATA);
            values.iter().for_each(|value| histogram.record(*value));
        }
        recorder.handle().run_upkeep();
    };
    let handle = recorder.handle();
    Page::new(NAME, labels.len(), fill, move || handle.render().len())
}
