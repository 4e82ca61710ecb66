//! The peers, each through the handle that it recommends.

mod fast_telemetry;
mod measured;
mod metrics;
mod opentelemetry;
mod prometheus;
mod prometheus_client;

use crate::desk::{Desk, Pair};
use crate::page::Page;
use crate::round::Case;

pub(crate) use self::prometheus::NAME as PROMETHEUS;

pub(crate) fn cases(desk: &Desk) -> Vec<Case> {
    let peers = [
        fast_telemetry::cases,
        measured::cases,
        metrics::cases,
        opentelemetry::cases,
        prometheus::cases,
        prometheus_client::cases,
    ];
    peers.iter().flat_map(|cases| cases(desk)).collect()
}

pub(crate) fn counters(labels: &[Pair]) -> Vec<Page> {
    vec![
        fast_telemetry::counters(labels),
        measured::counters(labels),
        metrics::counters(labels),
        opentelemetry::counters(labels),
        prometheus::counters(labels),
        prometheus_client::counters(labels),
    ]
}

pub(crate) fn histograms(labels: &[Pair], values: &[f64]) -> Vec<Page> {
    vec![
        fast_telemetry::histograms(labels, values),
        measured::histograms(labels, values),
        metrics::histograms(labels, values),
        opentelemetry::histograms(labels, values),
        prometheus::histograms(labels, values),
        prometheus_client::histograms(labels, values),
    ]
}
