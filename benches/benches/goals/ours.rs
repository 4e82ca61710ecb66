//! How a host uses Bellwether: the one place to change when there is a better way.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_core::SystemClock;
use bellwether_metrics::{Buckets, CounterFamily, HistogramFamily, Registry, RegistryConfig, Unit};

use crate::desk::{self, BOUNDS, Desk, Pair};
use crate::page::Page;
use crate::round::{Case, Group, Who};

const NAME: &str = "bellwether";
pub(crate) const LABELS: [&str; 2] = ["venue", "symbol"];

/// A registry with room for so many series of one metric.
pub(crate) fn registry(series: usize) -> Registry {
    let config = RegistryConfig::default().with_max_series(3 * series).with_max_series_per_metric(series);
    Registry::new(&SystemClock::shared(), config)
}

/// Counts one, by label values that are known only now.
#[inline]
pub(crate) fn count_one(family: &CounterFamily<2>, [venue, symbol]: &Pair) {
    family.increment([venue, symbol]);
}

pub(crate) fn orders(registry: &Registry) -> CounterFamily<2> {
    registry.counter_family("orders_total", Unit::None, "Orders.", LABELS).unwrap()
}

pub(crate) fn latencies(registry: &Registry) -> HistogramFamily<2> {
    let buckets = Buckets::new(BOUNDS).unwrap();
    registry.histogram_family("ack_seconds", Unit::Seconds, "Ack.", LABELS, buckets).unwrap()
}

/// The raw operations, and ours.
pub(crate) fn cases(desk: &Desk) -> Vec<Case> {
    let registry = registry(1_000);
    let counter = registry.counter("fills_total", Unit::None, "Fills.").unwrap();
    let gauge = registry.gauge("depth", Unit::None, "Depth.").unwrap();
    let buckets = Buckets::new(BOUNDS).unwrap();
    let histogram = registry.histogram("fill_seconds", Unit::Seconds, "Fill.", buckets).unwrap();
    let orders = orders(&registry);
    vec![
        Case::counter("one shared fetch_add", Line::default(), |line| {
            line.0.fetch_add(1, Ordering::Relaxed);
        })
        .by(Who::Raw),
        Case::new(Group::Counter, "an atomic for each thread, load and store", {
            let lines: [Line; 2] = Default::default();
            move |thread, operations| {
                for _ in 0..operations {
                    let line = &black_box(&lines)[thread % 2].0;
                    line.store(line.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
                }
            }
        })
        .by(Who::Raw),
        Case::counter(NAME, counter, |counter| counter.increment()).by(Who::Ours),
        Case::labelled(NAME, desk, move |pair| count_one(&orders, pair)).by(Who::Ours),
        Case::fed(Group::Gauge, "one shared store", desk, Line::default(), |line, value| {
            line.0.store(value.to_bits(), Ordering::Relaxed);
        })
        .by(Who::Raw),
        Case::fed(Group::Gauge, NAME, desk, gauge, |gauge, value| gauge.set(value)).by(Who::Ours),
        Case::fed(Group::Histogram, NAME, desk, histogram, |histogram, value| histogram.record(value))
            .by(Who::Ours),
    ]
}

/// An atomic on a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

/// 10,000 counters, as they stand on a page.
pub(crate) fn counters(labels: &[Pair]) -> Page {
    let registry = registry(labels.len());
    let mut page = String::with_capacity(4 << 20);
    let fill = || {
        let orders = orders(&registry);
        for (i, [venue, symbol]) in labels.iter().enumerate() {
            orders.with([venue, symbol]).add(desk::count(i));
        }
        // What a series keeps for its page is part of what it costs.
        registry.write_text(&mut page);
    };
    Page::new(NAME, labels.len(), fill, text(&registry)).by(Who::Ours)
}

/// 1,000 histograms.
pub(crate) fn histograms(labels: &[Pair], values: &[f64]) -> Page {
    let registry = registry(labels.len());
    let mut page = String::with_capacity(4 << 20);
    let fill = || {
        let latencies = latencies(&registry);
        for [venue, symbol] in labels {
            let histogram = latencies.with([venue, symbol]);
            values.iter().for_each(|value| histogram.record(*value));
        }
        registry.write_text(&mut page);
    };
    Page::new(NAME, labels.len(), fill, text(&registry)).by(Who::Ours)
}

/// Writes the page of a registry into a buffer that is used again.
pub(crate) fn text(registry: &Registry) -> impl FnMut() -> usize + 'static {
    let (registry, mut page) = (registry.clone(), String::new());
    move || {
        page.clear();
        registry.write_text(&mut page);
        page.len()
    }
}
