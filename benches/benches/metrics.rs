//! What does a flood of unknown label sets cost, and what does it cost to look back?
//!
//! What recording and scraping cost, beside the peers, is told by `cargo xtask bench metrics`.
//!
//! Groups of the flood end in the number of threads that record the same metric at once; a time is that of one operation
//! of one thread, by the wall.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use bellwether_core::{Aggregate, ManualClock, Sample, SystemClock, TimeRange, Timestamp};
use bellwether_metrics::{Confidence, HistoryConfig, Registry, RegistryConfig, Series, Unit};
use criterion::{Criterion, criterion_group, criterion_main};
use parking_lot::Mutex;

const THREADS: [usize; 2] = [1, 2];

/// The time of `n` operations on each of some threads that begin together.
fn on_threads(threads: usize, n: u64, operation: impl Fn(u64) + Sync) -> Duration {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let run = || {
            start.wait();
            let began = Instant::now();
            for i in 0..n {
                operation(i);
            }
            began.elapsed()
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap_or_default()
    })
}

/// A flood of label sets that nobody knows, in a registry that is full: by the bound of one metric, and by that of all.
fn flood(c: &mut Criterion) {
    const SETS: usize = 4_096;
    let values: Vec<[String; 2]> =
        (0..SETS).map(|i| [format!("venue-{}", i % 100), format!("ID{i:08}")]).collect();
    let per_metric = RegistryConfig::default().with_max_series_per_metric(100);
    let of_all = RegistryConfig::default().with_max_series(100);
    for (bound, config) in [("of the metric", per_metric), ("of the registry", of_all)] {
        let registry = Registry::new(&SystemClock::shared(), config);
        let family = registry.counter_family("orders_total", Unit::None, "Orders.", ["venue", "id"]).unwrap();
        (0..100).for_each(|i| family.with(["known", &i.to_string()]).increment());
        for threads in THREADS {
            let mut group = c.benchmark_group(format!("counter by 2 labels beyond the bound/{threads}"));
            group.bench_function(format!("bellwether, {bound}"), |b| {
                b.iter_custom(|n| {
                    on_threads(threads, n, |i| {
                        let [venue, id] = &values[i as usize % SETS];
                        family.with([venue, id]).increment();
                    })
                });
            });
            group.finish();
        }
    }
}

fn history(c: &mut Criterion) {
    const KEPT: usize = 16_384;
    let stamp = |i: i64| Timestamp::from_millis(1_760_000_000_000 + 100 * i).unwrap();
    let mut series = Series::new(&HistoryConfig::default().with_max_samples(KEPT));
    let mut next = 0;
    let mut append = |series: &mut Series| {
        next += 1;
        series.push(Sample::new(stamp(next), (next % 977) as f64)).is_ok()
    };
    (0..2 * KEPT).for_each(|_| assert!(append(&mut series)));
    let end = series.newest().unwrap().at;
    let window = TimeRange::ending(end, Duration::from_millis(100 * 10_000));
    let mut group = c.benchmark_group("history of 16,384 samples");
    for (name, aggregate) in [
        ("min", Aggregate::Min),
        ("mean", Aggregate::Mean),
        ("slope", Aggregate::Slope),
        ("quantile", Aggregate::Quantile(0.99)),
    ] {
        group.bench_function(format!("{name} of 10,000"), |b| b.iter(|| series.aggregate(window, aggregate)));
    }
    group.bench_function("trend of 10,000", |b| b.iter(|| series.trend(black_box(window))));
    group.bench_function("direction of a trend", |b| {
        let trend = series.trend(window).unwrap();
        b.iter(|| black_box(trend).direction(Confidence::P95));
    });
    group.bench_function("p50, p95 and p99 of 10,000", |b| {
        b.iter(|| series.quantiles(black_box(window), [0.5, 0.95, 0.99]));
    });
    group.bench_function("average by half-life of 10,000", |b| {
        b.iter(|| series.ewma(black_box(window), Duration::from_mins(5)));
    });
    let locked = Mutex::new(series);
    group.bench_function("append at the bound of count, with its lock", |b| {
        b.iter(|| append(&mut locked.lock()));
    });
    let minutes = HistoryConfig::default().with_max_samples(KEPT).with_max_age(Duration::from_mins(20));
    let aged = Mutex::new(Series::new(&minutes));
    (0..2 * KEPT).for_each(|_| assert!(append(&mut aged.lock())));
    group.bench_function("append at the bound of age, with its lock", |b| {
        b.iter(|| append(&mut aged.lock()));
    });

    let clock = ManualClock::starting_at(Timestamp::EPOCH.to_datetime());
    let config = RegistryConfig::default().with_max_series(10_000).with_max_series_per_metric(10_000);
    let metrics = Registry::new(&clock.shared(), config);
    let family = metrics.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    (0..10_000).for_each(|i| family.with(&i.to_string()).increment());
    group.bench_function("sample of 10,000 series", |b| {
        b.iter(|| {
            clock.advance(Duration::from_secs(1));
            metrics.sample().len()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = flood, history
}
criterion_main!(benches);
