//! Quantiles: how exact they are, and of which time.

use std::time::Duration;

use bellwether_core::{Aggregate, Labels, Selector, Unit};
use bellwether_metrics::{NativeBuckets, Quantiles, Sketch, SketchError, Value};
use proptest::prelude::*;

use crate::desk::{Desk, selector};

#[test]
fn the_quantiles_of_a_summary_are_those_of_the_last_minute_and_its_count_that_of_all_time() {
    let desk = Desk::new();
    let ack = desk.summary("ack_seconds", Unit::Seconds, "Ack.", Quantiles::latency()).unwrap();
    assert_eq!(ack.snapshot().quantiles, Box::default(), "no quantile of nothing");
    let mut medians = Vec::new();
    for second in 0..200 {
        // A second in which all goes wrong.
        let value = if second == 50 { 10.0 } else { 0.001 };
        (0..100).for_each(|_| ack.record(value));
        desk.sample();
        medians.push(ack.snapshot().quantile(0.999).unwrap() > 1.0);
        desk.advance(1);
    }
    let seen: Vec<usize> = (0..200).filter(|&second| medians[second]).collect();
    assert_eq!(seen[0], 50);
    assert!((101..=111).contains(&(seen[seen.len() - 1] + 1)), "{seen:?}");
    assert_eq!(seen.len(), seen[seen.len() - 1] - 49, "without a gap");
    let snapshot = ack.snapshot();
    assert_eq!(snapshot.count, 20_000);
    assert!((snapshot.sum - (1_000.0 + 19.9)).abs() < 1e-6);
}

#[test]
fn an_empty_window_tells_no_quantile() {
    let desk = Desk::new();
    let ack = desk.summary("ack_seconds", Unit::Seconds, "Ack.", Quantiles::latency()).unwrap();
    ack.record(0.5);
    assert!(desk.text().contains("ack_seconds{quantile=\"0.99\"} 0.4"));
    for _ in 0..8 {
        desk.advance(10);
        desk.text();
    }
    let text = desk.text();
    assert!(!text.contains("quantile") && text.contains("ack_seconds_count 1\n"), "{text}");
    assert_eq!(ack.sketch().count(), 0);
    // The next value is alone.
    ack.record(2.0);
    let median = ack.snapshot().quantile(0.5).unwrap();
    assert!((median / 2.0 - 1.0).abs() < 0.011, "{median}");
}

#[test]
fn the_quantiles_are_sampled_as_gauges() {
    let desk = Desk::new();
    let ack = desk.summary_family("ack", Unit::None, "Ack.", ["venue"], Quantiles::latency()).unwrap();
    ack.with("XNYS").record(Duration::from_millis(20));
    desk.sample();
    assert_eq!(desk.one("ack_count", Aggregate::Last), Some(1.0));
    let told = desk.all("ack", Aggregate::Last);
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|answer| (answer.value / 0.02 - 1.0).abs() < 0.011), "{told:?}");
    let median = Selector::metric(selector("ack").metric_name().clone());
    let Some(Value::Summary(summary)) = desk.value(&median) else { panic!("no summary") };
    assert_eq!(summary.quantiles.len(), 4);
}

#[test]
fn a_summary_refuses_what_a_native_histogram_refuses() {
    let desk = Desk::new();
    let ack = desk.summary("ack", Unit::None, "Ack.", Quantiles::latency()).unwrap();
    for value in [f64::NAN, f64::INFINITY, -1.0] {
        ack.record(value);
    }
    assert_eq!((ack.snapshot().count, desk.refused("not_finite"), desk.refused("negative")), (0, 2.0, 1.0));
    assert_eq!(*ack.labels(), Labels::empty());
}

#[test]
fn a_sketch_refuses_what_it_cannot_take() {
    let mut sketch = Sketch::new(NativeBuckets::latency());
    assert_eq!(sketch.record(-1.0), Err(SketchError::Negative { got: -1.0 }));
    assert!(matches!(sketch.record(f64::NAN), Err(SketchError::NotFinite { .. })));
    assert!(matches!(sketch.record(f64::INFINITY), Err(SketchError::NotFinite { .. })));
    let other = Sketch::new(NativeBuckets::new(3, 1e-6, 1.0).unwrap());
    let error = sketch.merge(&other).unwrap_err().to_string();
    assert!(
        error.contains("schema 3 from 1e-6 to 1.0 cannot be merged into one with native buckets of schema 5"),
        "{error}"
    );
    assert_eq!((sketch.quantile(0.5), sketch.count()), (None, 0));
    sketch.record(1.0).unwrap();
    assert_eq!((sketch.quantile(1.1), sketch.quantile(-0.1), sketch.quantile(f64::NAN)), (None, None, None));
}

#[test]
fn what_is_outside_of_the_range_is_told_at_its_ends() {
    let mut sketch = Sketch::new(NativeBuckets::new(5, 0.001, 10.0).unwrap());
    for value in [0.000_5, 0.0, 5_000.0] {
        sketch.record(value).unwrap();
    }
    assert_eq!(
        (sketch.quantile(0.0), sketch.quantile(0.5), sketch.quantile(1.0)),
        (Some(0.0), Some(0.0), Some(10.0))
    );
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = (-18.0..18.0f64, any::<bool>(), 0u8..10).prop_map(|(exponent, negative, zero)| {
        let size = if zero == 0 { 0.0 } else { exponent.exp2() };
        if negative { -size } else { size }
    });
    prop::collection::vec(value, 1..300)
}

proptest! {
    #[test]
    fn no_quantile_is_off_by_more_than_the_bound(mut values in values(), q in 0.0..=1.0f64, schema in -1i8..=5) {
        let buckets = NativeBuckets::new(schema, 1e-6, 1e6).unwrap().with_negatives().unwrap();
        let mut sketch = Sketch::new(buckets);
        values.iter().try_for_each(|&value| sketch.record(value)).unwrap();
        values.sort_by(f64::total_cmp);
        let exact = values[(q * (values.len() - 1) as f64).floor() as usize];
        let told = sketch.quantile(q).unwrap();
        prop_assert!((told - exact).abs() <= exact.abs() * buckets.relative_error() * (1.0 + 1e-12), "{told} for {exact}");
    }

    #[test]
    fn merging_is_recording_all(parts in prop::collection::vec(values(), 1..5)) {
        let buckets = NativeBuckets::new(4, 1e-6, 1e6).unwrap().with_negatives().unwrap();
        let (mut all, mut merged) = (Sketch::new(buckets), Sketch::new(buckets));
        for part in &parts {
            let mut sketch = Sketch::new(buckets);
            for &value in part {
                sketch.record(value).unwrap();
                all.record(value).unwrap();
            }
            merged.merge(&sketch).unwrap();
        }
        prop_assert_eq!(&merged, &all);
        prop_assert_eq!(merged.count(), parts.iter().map(Vec::len).sum::<usize>() as u64);
    }

    #[test]
    fn a_summary_a_native_histogram_and_a_sketch_agree(values in values()) {
        let desk = Desk::new();
        let buckets = NativeBuckets::new(5, 1e-6, 1e6).unwrap().with_negatives().unwrap();
        let quantiles = Quantiles::new([0.0, 0.25, 0.5, 1.0]).unwrap().in_buckets(buckets);
        let summary = desk.summary("s", Unit::None, "S.", quantiles).unwrap();
        let native = desk.native_histogram("n", Unit::None, "N.", buckets).unwrap();
        let mut sketch = Sketch::new(buckets);
        for &value in &values {
            summary.record(value);
            native.record(value);
            sketch.record(value).unwrap();
        }
        prop_assert_eq!(&summary.sketch(), &sketch);
        prop_assert_eq!(&native.sketch(), &sketch);
        for (q, value) in summary.snapshot().quantiles {
            prop_assert_eq!(sketch.quantile(q), Some(value));
        }
        prop_assert_eq!(native.snapshot().count(), values.len() as u64);
    }
}
