use std::time::Duration;

use bellwether_core::{Aggregate, Sample, SampleWindows, TimeRange, Timestamp};
use bellwether_metrics::{Buckets, HistoryConfig, RefusedSample, Series, Unit};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::desk::{Desk, at, selector};

#[test]
fn a_batch_holds_every_series_once_and_bears_one_instant() {
    let desk = Desk::new();
    desk.counter("fills_total", Unit::None, "Fills.").unwrap().add(3);
    desk.gauge("unset", Unit::None, "Never set.").unwrap();
    let ack = desk.histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency()).unwrap();
    ack.record(0.5);
    ack.record(1.0);
    let batch = desk.sample();
    assert_eq!(batch.at, at(0));
    let host: Vec<(String, f64)> = batch
        .samples()
        .map(|(key, sample)| (format!("{}{}", key.descriptor.name, key.labels), sample.value))
        .filter(|(name, _)| !name.starts_with("bellwether_"))
        .collect();
    assert_eq!(
        host,
        [("ack_seconds_count".into(), 2.0), ("ack_seconds_sum".into(), 1.5), ("fills_total".into(), 3.0)]
    );
    let (sum, _) = batch.samples().find(|(key, _)| key.descriptor.name == "ack_seconds_sum").unwrap();
    assert_eq!(sum.descriptor.unit, Unit::Seconds);
}

#[test]
fn the_second_sample_of_an_instant_is_refused_and_the_first_stays() {
    let desk = Desk::new();
    let gauge = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    gauge.set(1.0);
    desk.sample();
    gauge.set(2.0);
    let batch = desk.sample();
    assert!(batch.samples().any(|(key, sample)| key.descriptor.name == "depth" && sample.value == 2.0));
    assert_eq!(desk.one("depth", Aggregate::Last), Some(1.0));
    assert_eq!(desk.one("depth", Aggregate::Count), Some(1.0));
    assert!(desk.refused("repeated") >= 1.0);
}

#[test]
fn a_clock_set_back_drops_what_lies_in_the_future_and_goes_on() {
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    for _ in 0..200 {
        fills.increment();
        desk.sample();
        desk.advance(1);
    }
    // 200 s on the clock, 199 the newest sample; back to 150.5 s.
    desk.clock.step_wall(TimeDelta::milliseconds(-49_500));
    fills.add(100);
    desk.sample();
    assert_eq!(desk.one("fills_total", Aggregate::Count), Some(152.0));
    assert_eq!(desk.one("fills_total", Aggregate::Last), Some(300.0));
    assert_eq!(desk.one("fills_total", Aggregate::Increase), Some(299.0));
    assert!(desk.evicted("clock_step") >= 49.0);
    desk.advance(1);
    desk.sample();
    assert_eq!(desk.one("fills_total", Aggregate::Count), Some(153.0));
    assert_eq!((desk.refused("out_of_order"), desk.refused("repeated")), (0.0, 0.0));
}

#[test]
fn a_clock_set_forth_ages_what_there_is() {
    let desk = Desk::new();
    let gauge = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    gauge.set(1.0);
    desk.sample();
    desk.clock.step_wall(TimeDelta::days(2));
    assert_eq!(desk.one("depth", Aggregate::Last), None);
    desk.sample();
    assert_eq!(desk.one("depth", Aggregate::Count), Some(1.0));
}

#[test]
fn windows_answer_in_the_order_of_labels_and_only_what_is_meant() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    for (venue, side, n) in [("XNYS", "sell", 4), ("ARCX", "buy", 1), ("XNYS", "buy", 2)] {
        orders.with([venue, side]).add(n);
    }
    desk.sample();
    let values: Vec<f64> =
        desk.all("orders_total", Aggregate::Last).iter().map(|answer| answer.value).collect();
    assert_eq!(values, [1.0, 2.0, 4.0]);
    let mut out = Vec::new();
    let nyse = selector("orders_total").equal("venue".try_into().unwrap(), "XNYS");
    desk.metrics.aggregate(&nyse, TimeRange::until(desk.now()), Aggregate::Last, &mut out);
    assert_eq!(out.len(), 2);
    assert!(out.iter().all(|answer| answer.newest == at(0)));
    assert_eq!(desk.all("nothing_total", Aggregate::Last), []);
}

#[test]
fn windows_outlive_the_registry_and_do_not_keep_it() {
    let desk = Desk::new();
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    desk.sample();
    let windows = desk.windows();
    let range = TimeRange::until(desk.now());
    drop(desk);
    let mut out = Vec::new();
    windows.aggregate(&selector("depth"), range, Aggregate::Last, &mut out);
    assert_eq!(out.len(), 1);
}

#[test]
fn a_series_says_why_it_takes_no_sample() {
    let mut series = Series::new(&HistoryConfig::default());
    series.push(Sample::new(at(10), 1.0)).unwrap();
    let refused =
        |series: &mut Series, seconds, value| series.push(Sample::new(at(seconds), value)).unwrap_err();
    assert_eq!(refused(&mut series, 10, 2.0), RefusedSample::Repeated { at: at(10) });
    assert_eq!(refused(&mut series, 9, 2.0), RefusedSample::OutOfOrder { at: at(9), newest: at(10) });
    assert_eq!(
        refused(&mut series, 11, f64::NEG_INFINITY),
        RefusedSample::NotFinite { value: f64::NEG_INFINITY }
    );
    assert_eq!((series.len(), series.newest()), (1, Some(Sample::new(at(10), 1.0))));
    assert_eq!(
        refused(&mut series, 9, 0.0).to_string(),
        "sample of 2023-11-14T22:13:29Z is older than the newest, of 2023-11-14T22:13:30Z"
    );
}

#[test]
fn a_sample_from_the_future_neither_comes_in_nor_ages_what_there_is() {
    let mut series = Series::new(&HistoryConfig::default().with_max_age(Duration::from_mins(1)));
    series.push_by(Sample::new(at(10), 1.0), at(10)).unwrap();
    let ahead = Sample::new(at(10_000), 2.0);
    assert_eq!(
        series.push_by(ahead, at(11)).unwrap_err(),
        RefusedSample::Future { at: at(10_000), now: at(11) }
    );
    assert_eq!((series.len(), series.newest()), (1, Some(Sample::new(at(10), 1.0))));
    series.push_by(Sample::new(at(12), 3.0), at(12)).unwrap();
    // Who does not tell the time takes it for the present.
    assert_eq!(series.push(ahead).unwrap().by_age, 2);
    assert_eq!(series.truncate(at(12)), 1);
}

#[test]
fn the_same_sample_twice_counts_once() {
    let mut series = Series::new(&HistoryConfig::default());
    let sample = Sample::new(at(10), 1.0);
    series.push(sample).unwrap();
    assert_eq!(series.push(sample).unwrap_err(), RefusedSample::Repeated { at: at(10) });
    let all = TimeRange::until(Timestamp::MAX);
    assert_eq!(series.aggregate(all, Aggregate::Sum), Some(1.0));
}

#[derive(Debug, Clone)]
enum Step {
    Push { after: i64, value: f64 },
    Expire { after: i64 },
    Truncate { before: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (-2i64..6, -3i32..4).prop_map(|(after, value)| Step::Push { after, value: f64::from(value) }),
        1 => (0i64..80).prop_map(|after| Step::Expire { after }),
        1 => (0i64..80).prop_map(|before| Step::Truncate { before }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// The series is a plain list of samples, cut at both bounds; and its aggregates are those of that list.
    #[test]
    fn a_series_equals_a_plain_list(
        steps in prop::collection::vec(step(), 1..600),
        max_samples in 2usize..300,
        max_age in 1u64..400,
        windows in prop::collection::vec((0i64..700, 0i64..700), 8),
    ) {
        let bounds = HistoryConfig::default()
            .with_max_samples(max_samples)
            .with_max_age(Duration::from_secs(max_age));
        let mut series = Series::new(&bounds);
        let mut list: Vec<(i64, f64)> = Vec::new();
        let mut newest = 0;
        for step in steps {
            match step {
                Step::Push { after, value } => {
                    let time = newest + after;
                    let taken = series.push(Sample::new(at(time), value));
                    let fits = list.last().is_none_or(|last| last.0 < time);
                    prop_assert_eq!(taken.is_ok(), fits);
                    if fits {
                        newest = time;
                        list.push((time, value));
                        list.retain(|sample| sample.0 >= time - max_age as i64);
                        if list.len() > max_samples {
                            list.remove(0);
                        }
                    }
                }
                Step::Expire { after } => {
                    let now = newest + after;
                    let before = list.len();
                    list.retain(|sample| sample.0 >= now - max_age as i64);
                    prop_assert_eq!(series.expire(at(now)), before - list.len());
                }
                Step::Truncate { before } => {
                    let to = newest - before;
                    let length = list.len();
                    list.retain(|sample| sample.0 <= to);
                    prop_assert_eq!(series.truncate(at(to)), length - list.len());
                    newest = list.last().map_or(to, |last| last.0);
                }
            }
            prop_assert!(series.len() <= max_samples);
        }
        let everything = TimeRange::until(Timestamp::MAX);
        let kept: Vec<Sample> = list.iter().map(|&(time, value)| Sample::new(at(time), value)).collect();
        prop_assert_eq!(series.samples(everything).collect::<Vec<_>>(), kept);
        for (start, length) in windows {
            let start = newest - start;
            let range = TimeRange::new(at(start), at(start + length)).unwrap();
            let inside: Vec<(i64, f64)> =
                list.iter().copied().filter(|sample| start < sample.0 && sample.0 <= start + length).collect();
            crate::aggregates::compare(&series, range, &inside)?;
            crate::trends::compare(&series, range, &inside)?;
        }
    }
}
