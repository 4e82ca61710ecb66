//! Goals 16 to 18: nothing grows, and nothing is lost.

use std::thread;

use bellwether_core::{MetricName, Selector, SystemClock};
use bellwether_metrics::{Buckets, Registry, RegistryConfig, Unit, Value};

use crate::desk::{BOUNDS, Desk};
use crate::request::Request;
use crate::row::{Bound, Row, Table};
use crate::{heap, ours};

pub(crate) fn measure(request: &Request, desk: &Desk, table: &mut Table) {
    if request.wants(16) {
        observations(desk, table);
    }
    if request.wants(17) {
        flood(table);
    }
    if request.wants(18) {
        threads(table);
    }
}

/// 10 million observations that nobody scrapes.
fn observations(desk: &Desk, table: &mut Table) {
    let registry = ours::registry(1_000);
    let buckets = Buckets::new(BOUNDS).unwrap();
    let histogram = registry.histogram("ack_seconds", Unit::Seconds, "Ack.", buckets).unwrap();
    histogram.record(0.1);
    let observations = 10_000_000;
    let (_, heap) = heap::watch(|| {
        for i in 0..observations {
            histogram.record(desk.latencies[i as usize % desk.latencies.len()]);
        }
    });
    assert_eq!(histogram.snapshot().count(), observations + 1);
    let row =
        Row::new(16, "heap growth after 10 million observations without a scrape", heap.growth as f64, "B");
    table.add(row.must(Bound::at_most(0.0, "B")));
}

/// 100,000 label sets where 2,000 may be.
fn flood(table: &mut Table) {
    const SETS: u64 = 100_000;
    const CAP: u64 = 2_000;
    let config =
        RegistryConfig::default().with_max_series(1_000_000).with_max_series_per_metric(CAP as usize);
    let registry = Registry::new(&SystemClock::shared(), config);
    let orders = ours::orders(&registry);
    for i in 0..SETS {
        ours::count_one(&orders, &[format!("venue-{}", i % 7), format!("ID{i}")]);
    }
    let counts = counts(&registry, "orders_total");
    let lost = SETS.abs_diff(counts.iter().sum());
    let overflowed = counts_of_one(&registry, "bellwether_metrics_overflowed_total");
    let row = Row::new(17, "series after 100,000 label sets at a bound of 2,000", counts.len() as f64, "");
    table.add(row.must(Bound::at_most((CAP + 1) as f64, "")));
    table.add(
        Row::new(17, "increments lost or doubled by them", lost as f64, "").must(Bound::at_most(0.0, "")),
    );
    let unseen = (SETS - CAP).abs_diff(orders.overflow().get()) + (SETS - CAP).abs_diff(overflowed);
    let row =
        Row::new(17, "overflow that the overflow series and our own counter do not show", unseen as f64, "");
    table.add(row.must(Bound::at_most(0.0, "")));
}

/// Threads that come and go.
fn threads(table: &mut Table) {
    const THREADS: u64 = 432;
    const AT_ONCE: u64 = 8;
    let registry = ours::registry(1_000);
    let counter = registry.counter("fills_total", Unit::None, "Fills.").unwrap();
    let orders = ours::orders(&registry);
    let each = 250_000;
    let mut fell = 0u64;
    for _ in 0..THREADS / AT_ONCE {
        thread::scope(|scope| {
            for number in 0..AT_ONCE {
                let (counter, orders) = (&counter, &orders);
                scope.spawn(move || {
                    let pair = [format!("venue-{}", number % 3), "SPY".to_owned()];
                    for i in 0..each {
                        counter.increment();
                        if i % 16 == 0 {
                            ours::count_one(orders, &pair);
                        }
                    }
                });
            }
            let mut before = 0;
            for _ in 0..100 {
                let now = counter.get();
                fell += u64::from(now < before);
                before = now;
            }
        });
    }
    let lost = (THREADS * each).abs_diff(counter.get());
    let labelled = THREADS * each.div_ceil(16);
    let lost = lost + labelled.abs_diff(counts(&registry, "orders_total").iter().sum());
    let row = Row::new(18, "increments lost or doubled, 432 threads that come and go", lost as f64, "");
    table.add(row.must(Bound::at_most(0.0, "")));
    let row = Row::new(18, "lost through handles whose series was taken out meanwhile", removed() as f64, "");
    table.add(row.must(Bound::at_most(0.0, "")));
    let row = Row::new(18, "reads meanwhile that were lower than one before", fell as f64, "");
    table.add(row.must(Bound::at_most(0.0, "")));
}

/// What is lost when a series goes again and again while its handles and its labels are used.
fn removed() -> u64 {
    const EACH: u64 = 1_000_000;
    let registry = ours::registry(1_000);
    let orders = ours::orders(&registry);
    let pair = ["XNYS".to_owned(), "SPY".to_owned()];
    let handle = orders.with(["XNYS", "SPY"]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..EACH).for_each(|_| handle.increment()));
        }
        for _ in 0..1_000 {
            orders.remove(["XNYS", "SPY"]);
            ours::count_one(&orders, &pair);
        }
    });
    // The last look-up made a series of its own, which has counted that one.
    (4 * EACH).abs_diff(handle.get()) + 1u64.abs_diff(counts(&registry, "orders_total").iter().sum())
}

fn counts(registry: &Registry, name: &'static str) -> Vec<u64> {
    let series = registry.values(&Selector::metric(MetricName::new(name).unwrap()));
    let whole = |value: &Value| value.as_f64().map_or(0, |total| total as u64);
    series.iter().map(|series| whole(&series.value)).collect()
}

fn counts_of_one(registry: &Registry, name: &'static str) -> u64 {
    counts(registry, name).into_iter().sum()
}
