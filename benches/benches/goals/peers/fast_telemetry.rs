use std::sync::{Arc, OnceLock};

use fast_telemetry::{Counter, DynamicCounter, DynamicHistogram, GaugeF64, Histogram, PrometheusExport};

use crate::desk::{self, BOUNDS, Desk, Pair, whole_nanos};
use crate::page::Page;
use crate::round::{Case, Group};

const NAME: &str = "fast-telemetry";
const LACKS: &str = "escaping of labels and help";
/// More than the threads that record.
const SHARDS: usize = 4;

fn bounds() -> [u64; 10] {
    BOUNDS.map(whole_nanos)
}

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let orders = DynamicCounter::with_max_series(SHARDS, 2_000);
    let series = DynamicCounter::new(SHARDS).series(&[("venue", "XNYS"), ("symbol", "SPY")]);
    let histogram = Histogram::new(&bounds(), SHARDS);
    vec![
        Case::counter(NAME, Counter::new(SHARDS), Counter::inc),
        Case::counter("fast-telemetry, handle of a series", series, |series| series.inc()),
        Case::labelled(NAME, desk, move |[venue, symbol]| {
            orders.inc(&[("venue", venue), ("symbol", symbol)]);
        }),
        Case::fed(Group::Gauge, NAME, desk, GaugeF64::new(), GaugeF64::set),
        Case::fed(Group::Histogram, NAME, desk, histogram, |histogram, value| {
            histogram.record(whole_nanos(value));
        }),
    ]
}

pub(super) fn counters(labels: &[Pair]) -> Page {
    let fill = || {
        let orders = DynamicCounter::with_max_series(2, 20_000);
        for (i, [venue, symbol]) in labels.iter().enumerate() {
            orders.add(&[("venue", venue), ("symbol", symbol)], desk::count(i) as isize);
        }
        orders
    };
    page(labels.len(), "orders_total", fill)
}

pub(super) fn histograms(labels: &[Pair], values: &[f64]) -> Page {
    let fill = || {
        let latencies = DynamicHistogram::with_limits(&bounds(), 2, 20_000);
        for [venue, symbol] in labels {
            let series = [("venue", venue.as_str()), ("symbol", symbol)];
            values.iter().for_each(|value| latencies.record(&series, whole_nanos(*value)));
        }
        latencies
    };
    page(labels.len(), "ack_seconds", fill).without("escaping of labels and help, fractions")
}

fn page<T: PrometheusExport + Send + Sync + 'static>(
    series: usize,
    name: &'static str,
    fill: impl FnOnce() -> T,
) -> Page {
    let filled = Arc::new(OnceLock::new());
    let (shared, mut text) = (Arc::clone(&filled), String::new());
    let render = move || {
        text.clear();
        shared.get().iter().for_each(|metric: &&T| metric.export_prometheus(&mut text, name, "Help."));
        text.len()
    };
    Page::new(NAME, series, || drop(filled.set(fill())), render).without(LACKS)
}
