use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group};

pub(crate) const NAME: &str = "prometheus";
const LABELS: [&str; 2] = ["venue", "symbol"];

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let counter = IntCounter::new("fills_total", "Fills.").unwrap();
    let orders = IntCounterVec::new(Opts::new("orders_total", "Orders."), &LABELS).unwrap();
    let gauge = Gauge::new("depth", "Depth.").unwrap();
    let histogram = Histogram::with_opts(options()).unwrap();
    vec![
        Case::counter(NAME, counter, IntCounter::inc),
        Case::labelled(NAME, desk, move |[venue, symbol]| {
            orders.with_label_values(&[venue.as_str(), symbol.as_str()]).inc();
        }),
        Case::fed(Group::Gauge, NAME, desk, gauge, |gauge, value| gauge.set(value)),
        Case::fed(Group::Histogram, NAME, desk, histogram, |histogram, value| histogram.observe(value)),
    ]
}

fn options() -> HistogramOpts {
    HistogramOpts::new("ack_seconds", "Ack.").buckets(BOUNDS.to_vec())
}

pub(super) fn counters(labels: &[Pair]) -> Page {
    let registry = Registry::new();
    let fill = || {
        let orders = IntCounterVec::new(Opts::new("orders_total", "Orders."), &LABELS).unwrap();
        registry.register(Box::new(orders.clone())).unwrap();
        for (i, [venue, symbol]) in labels.iter().enumerate() {
            orders.with_label_values(&[venue.as_str(), symbol.as_str()]).inc_by(desk::count(i));
        }
        orders
    };
    Page::new(NAME, labels.len(), fill, text(registry.clone()))
}

pub(super) fn histograms(labels: &[Pair], values: &[f64]) -> Page {
    let registry = Registry::new();
    let fill = || {
        let latencies = HistogramVec::new(options(), &LABELS).unwrap();
        registry.register(Box::new(latencies.clone())).unwrap();
        for [venue, symbol] in labels {
            let histogram = latencies.with_label_values(&[venue.as_str(), symbol.as_str()]);
            values.iter().for_each(|value| histogram.observe(*value));
        }
        latencies
    };
    Page::new(NAME, labels.len(), fill, text(registry.clone()))
}

/// Writes the page of a registry into a buffer that is used again.
pub(super) fn text(registry: Registry) -> impl FnMut() -> usize {
    let (encoder, mut page) = (TextEncoder::new(), String::new());
    move || {
        page.clear();
        encoder.encode_utf8(&registry.gather(), &mut page).unwrap();
        page.len()
    }
}
