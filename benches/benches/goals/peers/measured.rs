use std::sync::{Arc, OnceLock};

use lasso::ThreadedRodeo;
use measured::metric::MetricFamilyEncoding as _;
use measured::metric::histogram::Thresholds;
use measured::metric::name::MetricName;
use measured::text::BufferedTextEncoder;
use measured::{Counter, CounterVec, FloatGauge, Histogram, HistogramVec, LabelGroup};

use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group};

const NAME: &str = "measured";
const LACKS: &str = "escaping of help";

#[derive(LabelGroup)]
#[label(set = LabelSet)]
struct Labels<'a> {
    #[label(dynamic_with = ThreadedRodeo, default)]
    venue: &'a str,
    #[label(dynamic_with = ThreadedRodeo, default)]
    symbol: &'a str,
}

fn labels([venue, symbol]: &Pair) -> Labels<'_> {
    Labels { venue, symbol }
}

fn thresholds() -> Thresholds<10> {
    Thresholds::with_buckets(BOUNDS)
}

pub(super) fn cases(desk: &Desk) -> Vec<Case> {
    let orders = CounterVec::with_label_set(LabelSet::new());
    let histogram = Histogram::<10>::with_metadata(thresholds());
    vec![
        Case::counter(NAME, Counter::new(), |counter| counter.inc()),
        Case::labelled(NAME, desk, move |pair| orders.inc(labels(pair))),
        Case::fed(Group::Gauge, NAME, desk, FloatGauge::new(), |gauge, value| gauge.get_metric().set(value)),
        Case::fed(Group::Histogram, NAME, desk, histogram, |histogram, value| histogram.observe(value)),
    ]
}

pub(super) fn counters(pairs: &[Pair]) -> Page {
    let orders = Arc::new(OnceLock::new());
    let fill = || {
        let filled = CounterVec::with_label_set(LabelSet::new());
        pairs.iter().enumerate().for_each(|(i, pair)| filled.inc_by(labels(pair), desk::count(i)));
        drop(orders.set(filled));
    };
    let (shared, mut encoder) = (Arc::clone(&orders), BufferedTextEncoder::new());
    let render = move || {
        shared
            .get()
            .unwrap()
            .collect_family_into(MetricName::from_str("orders_total"), &mut encoder)
            .unwrap();
        encoder.finish().len()
    };
    Page::new(NAME, pairs.len(), fill, render).without(LACKS)
}

pub(super) fn histograms(pairs: &[Pair], values: &[f64]) -> Page {
    let latencies = Arc::new(OnceLock::new());
    let fill = || {
        let filled = HistogramVec::<_, 10>::with_label_set_and_metadata(LabelSet::new(), thresholds());
        pairs.iter().for_each(|pair| values.iter().for_each(|value| filled.observe(labels(pair), *value)));
        drop(latencies.set(filled));
    };
    let (shared, mut encoder) = (Arc::clone(&latencies), BufferedTextEncoder::new());
    let render = move || {
        shared.get().unwrap().collect_family_into(MetricName::from_str("ack_seconds"), &mut encoder).unwrap();
        encoder.finish().len()
    };
    Page::new(NAME, pairs.len(), fill, render).without(LACKS)
}
