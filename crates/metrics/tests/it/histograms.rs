//! The count and the sum of a histogram in the history: a sum that falls is no restart.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether_core::{
    Aggregate, Collect, CollectError, Descriptor, Kind, Labels, MetricName, SampleSink, SampleWindows,
    Spread, SpreadSnapshot, TimeRange, Unit,
};
use bellwether_metrics::{Buckets, HistoryConfig, RegistryConfig};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::desk::{Desk, selector};

/// A part that keeps a histogram about itself and is now and then replaced by a new one.
struct Slippage {
    descriptors: [Descriptor; 1],
    spread: Mutex<Spread>,
}

impl Slippage {
    fn new() -> Self {
        let name = MetricName::new("slippage_ticks").unwrap();
        let descriptors = [Descriptor::histogram(name, Unit::None, "Slippage.")];
        Self { descriptors, spread: Mutex::new(Self::spread()) }
    }

    fn spread() -> Spread {
        Spread::new([-1.0, 0.0, 1.0]).unwrap()
    }

    fn record(&self, value: f64) {
        self.spread.lock().unwrap().record(value);
    }

    fn restart(&self) {
        *self.spread.lock().unwrap() = Self::spread();
    }

    fn now(&self) -> SpreadSnapshot {
        self.spread.lock().unwrap().snapshot()
    }
}

impl Collect for Slippage {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        out.histogram(&self.descriptors[0], &Labels::empty(), &self.spread.lock().unwrap().snapshot());
        Ok(())
    }
}

#[test]
fn negative_observations_lower_the_sum_and_are_no_restart() {
    let desk = Desk::new();
    // Nobody expected negative values here: the machine's clocks differ.
    let lag = desk.histogram("feed_lag_seconds", Unit::Seconds, "Lag.", Buckets::latency()).unwrap();
    lag.record(8.0);
    desk.sample();
    for value in [-0.5, 1.0, -2.5, 0.25] {
        desk.advance(1);
        lag.record(value);
        desk.sample();
    }
    assert_eq!(desk.one("feed_lag_seconds_sum", Aggregate::Increase), Some(-1.75));
    assert_eq!(desk.one("feed_lag_seconds_sum", Aggregate::Rate), Some(-1.75 / 4.0));
    assert_eq!(desk.one("feed_lag_seconds_count", Aggregate::Increase), Some(4.0));
}

#[test]
fn a_part_that_starts_again_is_seen_by_its_count_and_has_gained_what_it_has_since() {
    let desk = Desk::new();
    let slippage = Arc::new(Slippage::new());
    desk.collect(Arc::clone(&slippage)).unwrap();
    for value in [2.0, -3.0, 2.0] {
        slippage.record(value);
        desk.sample();
        desk.advance(1);
    }
    slippage.restart();
    slippage.record(4.0);
    desk.sample();
    // 2, -1 and 1; then 4 of the new one.
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Increase), Some(-1.0 + 4.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Increase), Some(2.0 + 1.0));
}

#[test]
fn a_part_that_had_more_by_the_next_sample_than_before_it_started_again_is_seen_by_its_buckets() {
    let desk = Desk::new();
    let slippage = Arc::new(Slippage::new());
    desk.collect(Arc::clone(&slippage)).unwrap();
    (0..10).for_each(|_| slippage.record(100.0));
    desk.sample();
    desk.advance(15);
    slippage.restart();
    (0..12).for_each(|_| slippage.record(0.25));
    desk.sample();
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Increase), Some(3.0));
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Rate), Some(3.0 / 15.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Increase), Some(12.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Rate), Some(12.0 / 15.0));
}

#[test]
fn a_part_that_comes_back_with_other_buckets_has_started_again() {
    let desk = Desk::new();
    let slippage = Arc::new(Slippage::new());
    desk.collect(Arc::clone(&slippage)).unwrap();
    (0..10).for_each(|_| slippage.record(100.0));
    desk.sample();
    desk.advance(1);
    // As many buckets as before.
    *slippage.spread.lock().unwrap() = Spread::new([-1.0, 0.0, 50.0]).unwrap();
    (0..12).for_each(|_| slippage.record(60.0));
    desk.sample();
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Increase), Some(720.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Increase), Some(12.0));
}

#[test]
fn a_restart_that_only_a_refused_sample_shows_counts_at_the_next() {
    let desk = Desk::new();
    let slippage = Arc::new(Slippage::new());
    desk.collect(Arc::clone(&slippage)).unwrap();
    (0..10).for_each(|_| slippage.record(2.0));
    desk.sample();
    slippage.restart();
    // Of two samples of one instant the first stays.
    desk.sample();
    desk.advance(1);
    (0..12).for_each(|_| slippage.record(3.0));
    desk.sample();
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Increase), Some(36.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Increase), Some(12.0));
}

#[test]
fn a_restart_whose_sample_a_clock_set_back_drops_counts_at_the_next() {
    let desk = Desk::new();
    let slippage = Arc::new(Slippage::new());
    desk.collect(Arc::clone(&slippage)).unwrap();
    (0..10).for_each(|_| slippage.record(2.0));
    desk.sample();
    desk.advance(10);
    slippage.restart();
    desk.sample();
    desk.clock.step_wall(chrono::TimeDelta::seconds(-5));
    (0..12).for_each(|_| slippage.record(3.0));
    desk.sample();
    assert_eq!(desk.one("slippage_ticks_sum", Aggregate::Increase), Some(36.0));
    assert_eq!(desk.one("slippage_ticks_count", Aggregate::Increase), Some(12.0));
}

#[test]
fn the_sum_of_a_histogram_with_negative_bounds_is_a_gauge_and_otherwise_a_counter() {
    let desk = Desk::new();
    let bounds = |bounds: &[f64]| Buckets::new(bounds).unwrap();
    for (name, buckets) in [("a", bounds(&[-1.0, 1.0])), ("b", bounds(&[0.0, 1.0])), ("c", bounds(&[]))] {
        desk.histogram(name, Unit::None, "H.", buckets).unwrap().record(1.0);
    }
    desk.collect(Slippage::new()).unwrap();
    let batch = desk.sample();
    let kind = |name: &str| {
        batch.samples().find(|(key, _)| key.descriptor.name == name).map(|(key, _)| key.descriptor.kind)
    };
    for (name, expected) in [
        ("a_sum", Kind::Gauge),
        ("b_sum", Kind::Counter),
        ("c_sum", Kind::Counter),
        ("slippage_ticks_sum", Kind::Gauge),
        ("slippage_ticks_count", Kind::Counter),
        ("a_count", Kind::Counter),
    ] {
        assert_eq!(kind(name), Some(expected), "{name}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Record(i32),
    Restart,
    Sample,
    SetBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-8i32..8).prop_map(Step::Record),
        1 => Just(Step::Restart),
        9 => Just(Step::Sample),
        1 => (0u64..12).prop_map(Step::SetBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What a count and a sum gained is what they gained from sample to sample, restarts being where a bucket fell from one
    /// reading to the next, taken or not: over every window, at both bounds, and after the clock was set back.
    #[test]
    fn what_a_sum_gained_is_right_over_every_window(
        steps in prop::collection::vec(step(), 1..400),
        max_samples in 2usize..150,
        max_age in 20u64..200,
    ) {
        let history = HistoryConfig::default()
            .with_max_samples(max_samples)
            .with_max_age(Duration::from_secs(max_age));
        let desk = Desk::with(RegistryConfig::default().with_history(history));
        let slippage = Arc::new(Slippage::new());
        desk.collect(Arc::clone(&slippage)).unwrap();
        // Stamp, how many restarts there were before it, count and sum.
        let mut list: Vec<(i64, u32, f64, f64)> = Vec::new();
        let (mut restarts, mut read) = (0, Slippage::spread().snapshot());
        let second = || desk.now().as_micros() / 1_000_000;
        for step in steps {
            match step {
                Step::Record(value) => slippage.record(f64::from(value) / 4.0),
                Step::Restart => slippage.restart(),
                Step::Sample => {
                    desk.advance(1);
                    let seen = slippage.now();
                    restarts += u32::from(read.counts.iter().zip(&seen.counts).any(|(before, now)| now < before));
                    desk.sample();
                    let now = second();
                    list.retain(|sample| sample.0 <= now);
                    // Of two samples of one instant the first stays.
                    if list.last().is_none_or(|last| last.0 < now) {
                        list.retain(|sample| sample.0 >= now - max_age as i64);
                        list.push((now, restarts, seen.count() as f64, seen.sum));
                    }
                    read = seen;
                    if list.len() > max_samples {
                        list.remove(0);
                    }
                }
                Step::SetBack(seconds) => {
                    desk.clock.step_wall(chrono::TimeDelta::seconds(-(seconds as i64)));
                }
            }
        }
        for length in [1u64, 5, 30, 70, 150, 1_000] {
            let range = TimeRange::ending(desk.now(), Duration::from_secs(length));
            let start = second() - length as i64;
            let oldest = second() - max_age as i64;
            let inside: Vec<_> =
                list.iter().filter(|s| s.0 > start && s.0 >= oldest && s.0 <= second()).collect();
            let gained = |before: f64, now: f64, restarted| if restarted { now } else { now - before };
            let [mut count, mut sum] = [0.0; 2];
            for [before, now] in inside.array_windows() {
                count += gained(before.2, now.2, before.1 != now.1);
                sum += gained(before.3, now.3, before.1 != now.1);
            }
            for (name, gained) in [("slippage_ticks_count", count), ("slippage_ticks_sum", sum)] {
                let expected = (inside.len() >= 2).then_some(gained);
                let mut out = Vec::new();
                desk.windows().aggregate(&selector(name), range, Aggregate::Increase, &mut out);
                let got = out.first().map(|answer| answer.value);
                match (got, expected) {
                    (Some(got), Some(expected)) if (got - expected).abs() <= 1e-9 => {}
                    (None, None) => {}
                    _ => {
                        let wrong = format!("{name}, {length} s: {got:?}, expected {expected:?}");
                        return Err(TestCaseError::fail(wrong));
                    }
                }
            }
        }
    }
}
