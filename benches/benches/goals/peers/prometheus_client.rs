use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group};

const NAME: &str = "prometheus-client";
const LACKS: &str = "escaping of help; writes OpenMetrics";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    venue: String,
    symbol: String,
}

fn labels([venue, symbol]: &Pair) -> Labels {
    Labels { venue: venue.clone(), symbol: symbol.clone() }
}

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let orders = Family::<Labels, Counter>::default();
    vec![
        Case::counter(NAME, <Counter>::default(), |counter| _ = counter.inc()),
        Case::labelled(NAME, desk, move |pair| _ = orders.get_or_create(&labels(pair)).inc()),
        Case::fed(Group::Gauge, NAME, desk, Gauge::<f64, AtomicU64>::default(), |gauge, value| {
            gauge.set(value);
        }),
        Case::fed(Group::Histogram, NAME, desk, Histogram::new(BOUNDS), |histogram, value| {
            histogram.observe(value);
        }),
    ]
}

pub(super) fn counters(pairs: &[Pair]) -> Page {
    let fill = |registry: &mut Registry| {
        let orders = Family::<Labels, Counter>::default();
        registry.register("orders", "Orders", orders.clone());
        for (i, pair) in pairs.iter().enumerate() {
            orders.get_or_create(&labels(pair)).inc_by(desk::count(i));
        }
    };
    page(pairs.len(), fill)
}

pub(super) fn histograms(pairs: &[Pair], values: &[f64]) -> Page {
    let fill = |registry: &mut Registry| {
        let latencies = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        registry.register("ack_seconds", "Ack", latencies.clone());
        for pair in pairs {
            let histogram = latencies.get_or_create(&labels(pair));
            values.iter().for_each(|value| histogram.observe(*value));
        }
    };
    page(pairs.len(), fill)
}

fn page(series: usize, fill: impl FnOnce(&mut Registry)) -> Page {
    // Filled before its page can be written: the registry is not shared.
    let registry = Arc::new(Mutex::new(Registry::default()));
    let (filled, mut text) = (Arc::clone(&registry), String::new());
    let render = move || {
        text.clear();
        encode(&mut text, &registry.lock().unwrap()).unwrap();
        text.len()
    };
    Page::new(NAME, series, || fill(&mut filled.lock().unwrap()), render).without(LACKS)
}
