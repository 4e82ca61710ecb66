use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::{Instrument, MeterProviderBuilder, SdkMeterProvider, Stream};
use prometheus::Registry;

use super::prometheus::text;
use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group};

const NAME: &str = "opentelemetry";
const BOUND: &str = "opentelemetry, bound (experimental)";

/// With a reader.
fn provider(registry: &Registry) -> MeterProviderBuilder {
    let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
    SdkMeterProvider::builder().with_reader(reader)
}

fn labels([venue, symbol]: &Pair) -> [KeyValue; 2] {
    [KeyValue::new("symbol", symbol.clone()), KeyValue::new("venue", venue.clone())]
}

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let meter = meter();
    let pair = labels(&["XNYS".to_owned(), "SPY".to_owned()]);
    let counter = meter.u64_counter("fills").build();
    let gauge = meter.f64_gauge("depth").build();
    let histogram = meter.f64_histogram("fill_seconds").with_boundaries(BOUNDS.to_vec()).build();
    let orders = meter.u64_counter("orders").build();
    let (bound, bound_gauge, bound_histogram) =
        (counter.bind(&pair), gauge.bind(&pair), histogram.bind(&pair));
    vec![
        Case::counter(NAME, counter, |counter| counter.add(1, &[])),
        Case::counter(BOUND, bound, |counter| counter.add(1)),
        Case::labelled(NAME, desk, move |pair| orders.add(1, &labels(pair))),
        Case::fed(Group::Gauge, NAME, desk, gauge, |gauge, value| gauge.record(value, &[])),
        Case::fed(Group::Gauge, BOUND, desk, bound_gauge, |gauge, value| gauge.record(value)),
        Case::fed(Group::Histogram, NAME, desk, histogram, |histogram, value| histogram.record(value, &[])),
        Case::fed(Group::Histogram, BOUND, desk, bound_histogram, |histogram, value| histogram.record(value)),
    ]
}

/// Of a provider that lasts as long as the process.
fn meter() -> Meter {
    static PROVIDER: std::sync::OnceLock<SdkMeterProvider> = std::sync::OnceLock::new();
    PROVIDER.get_or_init(|| provider(&Registry::new()).build()).meter("desk")
}

pub(super) fn counters(pairs: &[Pair]) -> Page {
    let registry = Registry::new();
    // More label sets than the 2,000 that it would take.
    let room = |_: &Instrument| Stream::builder().with_cardinality_limit(20_000).build().ok();
    let provider = provider(&registry).with_view(room).build();
    let fill = || {
        let orders = provider.meter("desk").u64_counter("orders").build();
        pairs.iter().enumerate().for_each(|(i, pair)| orders.add(desk::count(i), &labels(pair)));
        provider
    };
    Page::new(NAME, pairs.len(), fill, text(registry))
}

pub(super) fn histograms(pairs: &[Pair], values: &[f64]) -> Page {
    let registry = Registry::new();
    let provider = provider(&registry).build();
    let fill = || {
        let meter = provider.meter("desk");
        let latencies = meter.f64_histogram("ack_seconds").with_boundaries(BOUNDS.to_vec()).build();
        for pair in pairs {
            let labels = labels(pair);
            values.iter().for_each(|value| latencies.record(*value, &labels));
        }
        provider
    };
    Page::new(NAME, pairs.len(), fill, text(registry))
}
