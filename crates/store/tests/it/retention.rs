//! Old samples go.

use std::time::Duration;

use bellwether_core::{Aggregate, HistoryQuery};
use bellwether_store::SampleConfig;

use crate::fixture::{Desk, all_samples, batch, metric, range, series, stamp, values};

async fn fill(desk: &Desk, upto: i64) {
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..upto {
        samples.push(batch(i, &[(&price, i as f64)]));
    }
    samples.flush().await.unwrap();
}

#[tokio::test]
async fn nothing_older_is_read_or_taken_in_after_retain_and_also_not_after_a_restart() {
    let desk = Desk::open().await;
    fill(&desk, 3_000).await;
    let samples = desk.store.samples();
    // In the middle of a chunk.
    let pruned = samples.retain(stamp(1_700)).await.unwrap();
    assert!(pruned >= 1, "{pruned}");
    let expected: Vec<_> = (1_700..3_000).map(|i| (i, i as f64)).collect();
    assert_eq!(values(&samples, "price").await, expected);
    let price = series("price", "A");
    samples.write(batch(5, &[(&price, 5.0)])).await.unwrap();
    assert_eq!(desk.figure("bellwether_store_samples_dropped_total", &[("reason", "too_old")]), Some(1.0));
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await, expected);
    let count = HistoryQuery::new(metric("price").into(), range(-1, 9_999))
        .every(Duration::from_secs(99_999), Aggregate::Count);
    assert_eq!(all_samples(&desk.store.samples(), &count, 5).await[0].sample.value, 1_300.0);
}

#[tokio::test]
async fn a_series_without_samples_goes_and_may_come_again() {
    let desk = Desk::open().await;
    let samples = desk.store.samples();
    let (old, new) = (series("price", "old"), series("price", "new"));
    for i in 0..600 {
        samples.push(batch(i, &[(&old, 1.0)]));
    }
    samples.push(batch(5_000, &[(&new, 2.0)]));
    samples.flush().await.unwrap();
    samples.flush().await.unwrap();
    samples.write(batch(5_001, &[(&new, 2.0)])).await.unwrap();
    samples.retain(stamp(4_000)).await.unwrap();
    assert_eq!(desk.figure("bellwether_store_series", &[]), Some(1.0));
    samples.write(batch(6_000, &[(&old, 3.0)])).await.unwrap();
    assert_eq!(values(&samples, "price").await, [(5_000, 2.0), (5_001, 2.0), (6_000, 3.0)]);
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await.len(), 3);
}

#[tokio::test]
async fn a_greatest_age_is_kept_by_the_clock_and_pruned_on_the_way() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(hour)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..10_000 {
        desk.clock.advance_to(crate::fixture::time(i));
        samples.push(batch(i, &[(&price, i as f64)]));
        if i % 100 == 99 {
            samples.flush().await.unwrap();
        }
    }
    samples.flush().await.unwrap();
    let kept = values(&samples, "price").await;
    assert_eq!(kept, (6_399..10_000).map(|i| (i, i as f64)).collect::<Vec<_>>());
    assert!(desk.figure("bellwether_store_pruned_rows_total", &[]).unwrap() >= 5.0);
    desk.clock.advance(Duration::from_secs(1_000));
    assert_eq!(values(&samples, "price").await.len(), 2_601);
}

#[tokio::test]
async fn pages_that_were_freed_go_back_to_the_system() {
    let desk = Desk::open().await;
    let samples = desk.store.samples();
    let all: Vec<_> = (0..40).map(|i| series("price", &format!("S{i}"))).collect();
    let mut noise = 1u64;
    for i in 0..3_000 {
        let values: Vec<_> = all
            .iter()
            .map(|key| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (key, (noise >> 11) as f64 / 1e9)
            })
            .collect();
        samples.push(batch(i, &values));
        if i % 500 == 499 {
            samples.flush().await.unwrap();
        }
    }
    samples.flush().await.unwrap();
    let desk = desk.reopen().await;
    let before = std::fs::metadata(desk.path()).unwrap().len();
    desk.store.samples().retain(stamp(2_900)).await.unwrap();
    let desk = desk.reopen().await;
    let after = std::fs::metadata(desk.path()).unwrap().len();
    assert!(after < before, "{before} -> {after}");
}
