//! Goals 12 to 16: the recent past of a series.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp};
use bellwether_metrics::{HistoryConfig, Series};

use crate::desk::{Desk, Random};
use crate::heap;
use crate::processor::median_nanos;
use crate::request::Request;
use crate::row::{Bound, Row, Table, figure};

/// Samples that a series holds.
const KEPT: usize = 16_384;
/// Samples of a window.
const WINDOW: usize = 10_000;
/// Milliseconds between two samples.
const STEP: i64 = 100;
/// The first stamp, in milliseconds since 1970.
const FIRST: i64 = 1_760_000_000_000;

fn stamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(FIRST + millis).unwrap()
}

/// A series whose samples are appended one after the other.
struct Feed<'a> {
    series: Series,
    values: &'a [f64],
    next: i64,
}

impl<'a> Feed<'a> {
    fn full(max_age: Duration, desk: &'a Desk) -> Self {
        let bounds = HistoryConfig::default().with_max_samples(KEPT).with_max_age(max_age);
        let mut feed = Self { series: Series::new(&bounds), values: &desk.latencies, next: 0 };
        feed.append(3 * KEPT as u64);
        feed
    }

    fn append(&mut self, count: u64) {
        for _ in 0..count {
            let value = self.values[self.next as usize % self.values.len()];
            let taken = self.series.push(Sample::new(stamp(STEP * self.next), value));
            assert!(taken.is_ok());
            self.next += 1;
        }
    }

    /// The newest 10,000 samples.
    fn window(&self) -> TimeRange {
        let window = TimeRange::ending(self.series.newest().unwrap().at, step(WINDOW as i64));
        assert_eq!(self.series.aggregate(window, Aggregate::Count), Some(WINDOW as f64));
        window
    }
}

fn step(steps: i64) -> Duration {
    Duration::from_millis((STEP * steps).unsigned_abs())
}

pub(crate) fn measure(request: &Request, desk: &Desk, table: &mut Table) {
    if request.wants(12) {
        append(request, desk, table);
    }
    if request.wants(13) || request.wants(14) {
        windows(request, desk, table);
    }
    if request.wants(15) {
        accuracy(table);
    }
    if request.wants(16) {
        let mut feed = Feed::full(step(KEPT as i64 * 2), desk);
        let appends = 10_000_000;
        let growth = heap::watch(|| feed.append(appends)).1.growth;
        let row = Row::new(16, "heap growth after 10 million appends at capacity", growth as f64, "B");
        table.add(row.must(Bound::at_most(0.0, "B")));
    }
}

fn append(request: &Request, desk: &Desk, table: &mut Table) {
    let appends = 200_000;
    for (what, max_age) in [
        ("history append, the bound of count holds", step(2 * KEPT as i64)),
        ("history append, the bound of age holds", step(6_000)),
    ] {
        let mut feed = Feed::full(max_age, desk);
        let ours = median_nanos(request.repeats, appends, || feed.append(appends));
        let (mut plain, mut next) = (VecDeque::with_capacity(KEPT), 0i64);
        let age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        let beside = median_nanos(request.repeats, appends, || {
            for _ in 0..appends {
                let at = STEP * next;
                while plain.front().is_some_and(|(first, _)| *first < at - age) {
                    plain.pop_front();
                }
                if plain.len() == KEPT {
                    plain.pop_front();
                }
                plain.push_back((at, desk.latencies[next as usize % desk.latencies.len()]));
                next += 1;
            }
        });
        let row = Row::new(12, what, ours, "ns").beside("a plain VecDeque", beside);
        table.add(row.must(Bound::at_most(30.0, "ns")).aim(Bound::at_most(15.0, "ns")));
    }
}

fn windows(request: &Request, desk: &Desk, table: &mut Table) {
    let feed = Feed::full(step(2 * KEPT as i64), desk);
    let (series, window) = (&feed.series, feed.window());
    let plain: VecDeque<(i64, f64)> =
        series.samples(window).map(|sample| (sample.at.as_micros(), sample.value)).collect();
    let micros = |queries: u64, call: &mut dyn FnMut()| {
        let many = || (0..queries).for_each(|_| call());
        median_nanos(request.repeats, queries, many) / 1e3
    };

    let aggregates = [
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
        ("mean", Aggregate::Mean),
        ("slope", Aggregate::Slope),
    ];
    let costs = aggregates.map(|(name, aggregate)| {
        let micros = micros(500, &mut || _ = black_box(series.aggregate(black_box(window), aggregate)));
        (name, micros)
    });
    let slowest = costs.iter().map(|(_, micros)| *micros).fold(0.0, f64::max);
    let scan = micros(10, &mut || {
        let sum = |(min, max, sum): (f64, f64, f64), (_, value): &(i64, f64)| {
            (min.min(*value), max.max(*value), sum + value)
        };
        black_box(plain.iter().fold((f64::INFINITY, f64::NEG_INFINITY, 0.0), sum));
    });
    let row = Row::new(13, "slowest of min, max, mean, slope over 10,000 of 16,384 samples", slowest, "µs");
    let row = row.beside("scan of a VecDeque", scan);
    table.add(row.must(Bound::at_most(10.0, "µs")).aim(Bound::at_most(1.0, "µs")));

    let three = micros(5, &mut || {
        black_box(quantiles(series, black_box(window)));
    });
    let mut copy = Vec::with_capacity(WINDOW);
    let sorted = micros(5, &mut || {
        copy.clear();
        copy.extend(plain.iter().map(|(_, value)| *value));
        copy.sort_unstable_by(f64::total_cmp);
        black_box(copy[WINDOW / 2] + copy[WINDOW * 95 / 100] + copy[WINDOW * 99 / 100]);
    });
    let row = Row::new(14, "exact p50, p95 and p99 over 10,000 samples", three, "µs");
    let row = row.beside("sorted copy of a VecDeque", sorted);
    table.add(row.must(Bound::at_most(60.0, "µs")).aim(Bound::at_most(25.0, "µs")));

    let costs = costs.map(|(name, micros)| format!("{name} {}", figure(micros, "µs")));
    table.detail("Windows over 10,000 of 16,384 samples", format!("{}\n", costs.join(", ")));
}

/// The one place to change when there is a better way.
fn quantiles(series: &Series, window: TimeRange) -> Option<[f64; 3]> {
    series.quantiles(window, [0.5, 0.95, 0.99])
}

/// Against whole numbers, which are exact: a level of a million in steps of 1/1024, and stamps in milliseconds.
fn accuracy(table: &mut Table) {
    let mut worst = [0.0f64; 2];
    for seed in 0..8 {
        let mut random = Random(seed);
        let (mut millis, mut steps, mut samples) = (0i64, 1_000_000 * 1_024i64, Vec::new());
        for _ in 0..WINDOW {
            millis += 1 + random.below(400) as i64;
            // Walks slowly away from its level: with a trend in half of the cases.
            steps += random.below(2_049) as i64 - 1_024 + i64::from(seed % 2 == 0);
            samples.push((millis, steps));
        }
        let mut series = Series::new(&HistoryConfig::default().with_max_samples(KEPT));
        for (millis, steps) in &samples {
            series.push(Sample::new(stamp(*millis), *steps as f64 / 1_024.0)).unwrap();
        }
        let all = TimeRange::ending(stamp(millis), Duration::from_hours(10));
        let found =
            [Aggregate::Slope, Aggregate::StdDev].map(|kind| series.aggregate(all, kind).unwrap_or(f64::NAN));
        let exact = exact(&samples);
        for (worst, (found, exact)) in
            worst.iter_mut().zip([found[0], found[1].powi(2)].into_iter().zip(exact))
        {
            let error = ((found - exact) / exact).abs();
            *worst = if error >= *worst || error.is_nan() { error } else { *worst };
        }
    }
    for (what, worst) in ["slope: relative error", "variance: relative error"].into_iter().zip(worst) {
        table.add(Row::new(15, what, worst, "").must(Bound::at_most(1e-9, "").told("<= 1e-9")));
    }
}

/// Slope per second, and sample variance.
fn exact(samples: &[(i64, i64)]) -> [f64; 2] {
    let count = samples.len() as i128;
    let sum = |of: &dyn Fn(i128, i128) -> i128| -> i128 {
        samples.iter().map(|(millis, steps)| of((*millis).into(), (*steps).into())).sum()
    };
    let (times, values) = (sum(&|time, _| time), sum(&|_, value| value));
    let (squares, products) = (sum(&|time, _| time * time), sum(&|time, value| time * value));
    let value_squares = sum(&|_, value| value * value);
    let slope = (count * products - times * values) as f64 / (count * squares - times * times) as f64;
    let variance = (count * value_squares - values * values) as f64 / (count * (count - 1)) as f64;
    [slope / 1_024.0 * 1_000.0, variance / (1_024.0 * 1_024.0)]
}
