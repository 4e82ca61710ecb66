//! Old samples go.

use std::time::Duration;

use bellwether_core::{Aggregate, HistoryQuery};
use bellwether_store::{SampleConfig, StoreError};
use chrono::TimeDelta;

use crate::fixture::{Desk, all_samples, batch, metric, range, series, stamp, stranger, time, values};

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
    desk.clock.advance_to(time(3_000));
    // In the middle of a chunk.
    let pruned = samples.retain(stamp(1_700)).await.unwrap();
    assert!(pruned >= 1, "{pruned}");
    let expected: Vec<_> = (1_700..3_000).map(|i| (i, i as f64)).collect();
    assert_eq!(values(&samples, "price").await, expected);
    let price = series("price", "A");
    let late = samples.write(batch(5, &[(&price, 5.0)])).await;
    assert!(matches!(late, Err(StoreError::SamplesRefused { kept: 0, too_old: 1, .. })), "{late:?}");
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
    desk.clock.advance_to(time(5_001));
    samples.retain(stamp(4_000)).await.unwrap();
    assert_eq!(desk.figure("bellwether_store_series", &[]), Some(1.0));
    samples.write(batch(6_000, &[(&old, 3.0)])).await.unwrap();
    assert_eq!(values(&samples, "price").await, [(5_000, 2.0), (5_001, 2.0), (6_000, 3.0)]);
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await.len(), 3);
}

#[tokio::test]
async fn samples_that_come_while_their_idle_series_is_pruned_are_kept() {
    let seldom = SampleConfig::default().with_flush_batches(1_000);
    let desk = Desk::open_with(|config| config.with_samples(seldom)).await;
    let (samples, idle) = (desk.store.samples(), series("price", "idle"));
    fill(&desk, 600).await;
    for i in 0..600 {
        samples.push(batch(i, &[(&idle, 1.0)]));
    }
    samples.flush().await.unwrap();
    desk.clock.advance_to(time(6_000));
    let commits = || desk.figure("bellwether_store_commits_total", &[]).unwrap();
    let before = commits();
    let mut retained = Box::pin(samples.retain(stamp(4_000)));
    // Until the new limit is durable and the first step of pruning waits for the writer.
    loop {
        assert!(futures_util::poll!(&mut retained).is_pending());
        if commits() > before && desk.store.connections().queued_writes == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let (retained, written) = tokio::join!(retained, samples.write(batch(6_000, &[(&idle, 3.0)])));
    assert!(retained.unwrap() >= 1);
    written.unwrap();
    assert_eq!(values(&samples, "price").await, [(6_000, 3.0)]);
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await, [(6_000, 3.0)]);
    assert!(desk.store.check().await.is_healthy());
}

async fn chunks(desk: &Desk) -> i64 {
    let mut connection = stranger(&desk.path()).await;
    let (chunks,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM chunks").fetch_one(&mut connection).await.unwrap();
    chunks
}

#[tokio::test]
async fn a_jump_of_the_clock_neither_deletes_nor_closes_the_store_for_good() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(hour)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    fill(&desk, 1_000).await;
    for i in 1_000..1_300 {
        samples.push(batch(i, &[(&price, i as f64)]));
    }
    samples.flush().await.unwrap();
    let years = TimeDelta::days(20_000);
    desk.clock.step_wall(years);
    // What is stamped by the wrong clock is taken in, and fills a chunk with what the head still holds.
    for i in 0..300 {
        desk.clock.advance(Duration::from_secs(1));
        samples.push(batch(years.num_seconds() + i, &[(&price, 9.0)]));
    }
    samples.flush().await.unwrap();
    samples.write(batch(years.num_seconds() + 300, &[(&price, 9.0)])).await.unwrap();
    assert_eq!(desk.figure("bellwether_store_open_samples", &[]), Some(1.0));
    desk.clock.step_wall(-years);
    samples.write(batch(1_300, &[(&price, 1_300.0)])).await.unwrap();
    let desk = desk.reopen().await;
    let found = values(&desk.store.samples(), "price").await;
    assert_eq!(found[..1_301], (0..1_301).map(|i| (i, i as f64)).collect::<Vec<_>>());
    desk.store.samples().write(batch(1_301, &[(&price, 1_301.0)])).await.unwrap();
}

#[tokio::test]
async fn what_is_old_only_by_the_clock_is_not_read_but_not_deleted_either() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(hour)).await;
    fill(&desk, 2_000).await;
    let desk = desk.reopen().await;
    let before = chunks(&desk).await;
    assert!(before > 0);
    desk.clock.step_wall(TimeDelta::days(3_650));
    let other = series("other", "B");
    let now = TimeDelta::days(3_650).num_seconds();
    for i in 0..3 {
        desk.store.samples().write(batch(now + i, &[(&other, 1.0)])).await.unwrap();
    }
    assert_eq!(values(&desk.store.samples(), "price").await, []);
    assert_eq!(chunks(&desk).await, before);
    desk.clock.step_wall(TimeDelta::days(-3_650));
    assert_eq!(values(&desk.store.samples(), "price").await.len(), 2_000);
}

#[tokio::test]
async fn a_clock_that_was_wrong_while_the_store_was_opened_deletes_nothing() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(hour)).await;
    fill(&desk, 2_000).await;
    let before = chunks(&desk).await;
    let (price, years) = (series("price", "A"), TimeDelta::days(3_650));
    desk.clock.step_wall(years);
    desk.store.samples().write(batch(years.num_seconds(), &[(&price, 9.0)])).await.unwrap();
    let desk = desk.reopen().await;
    desk.store.samples().write(batch(years.num_seconds() + 1, &[(&price, 9.0)])).await.unwrap();
    desk.clock.step_wall(-years);
    let desk = desk.reopen().await;
    desk.store.samples().write(batch(2_000, &[(&price, 2_000.0)])).await.unwrap();
    assert!(chunks(&desk).await >= before);
    let found = values(&desk.store.samples(), "price").await;
    assert_eq!(found[..2_001], (0..2_001).map(|i| (i, i as f64)).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_greatest_age_is_counted_on_from_one_opening_to_the_next() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let mut desk = Desk::open_with(|config| config.with_samples(hour)).await;
    let price = series("price", "A");
    for i in 0..8 {
        for second in i * 1_000..(i + 1) * 1_000 {
            desk.clock.advance_to(time(second));
            desk.store.samples().push(batch(second, &[(&price, 1.0)]));
        }
        desk.store.samples().flush().await.unwrap();
        desk.clock.advance_to(time((i + 1) * 1_000));
        desk = desk.reopen().await;
    }
    desk.store.samples().write(batch(8_000, &[(&price, 1.0)])).await.unwrap();
    let mut other = stranger(&desk.path()).await;
    let (first,): (i64,) =
        sqlx::query_as("SELECT min(t_min) FROM chunks").fetch_one(&mut other).await.unwrap();
    let first = (first - stamp(0).as_micros()) / 1_000_000;
    assert!((2_000..4_400).contains(&first), "{first}");
    let (rows,): (i64,) = sqlx::query_as("SELECT count(*) FROM meta").fetch_one(&mut other).await.unwrap();
    assert!(rows < 60, "{rows}");
}

#[tokio::test]
async fn a_limit_that_was_set_by_a_wrong_clock_closes_the_store_not_for_good() {
    let desk = Desk::open().await;
    let price = series("price", "A");
    desk.clock.step_wall(TimeDelta::days(3_650));
    desk.store.samples().retain(stamp(TimeDelta::days(3_600).num_seconds())).await.unwrap();
    desk.clock.step_wall(TimeDelta::days(-3_650));
    desk.clock.advance(Duration::from_secs(100));
    desk.store.samples().write(batch(50, &[(&price, 1.0)])).await.unwrap();
    let desk = desk.reopen().await;
    desk.store.samples().write(batch(60, &[(&price, 2.0)])).await.unwrap();
    assert_eq!(values(&desk.store.samples(), "price").await, [(50, 1.0), (60, 2.0)]);
    desk.store.samples().retain(stamp(55)).await.unwrap();
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await, [(60, 2.0)]);
}

#[tokio::test]
async fn an_instant_in_the_future_deletes_nothing() {
    let desk = Desk::open().await;
    fill(&desk, 1_000).await;
    let refused = desk.store.samples().retain(stamp(1)).await.unwrap_err();
    let database = desk.path().display().to_string();
    assert_eq!(refused, StoreError::InFuture { database, older_than: stamp(1), now: stamp(0) });
    assert!(!refused.is_transient());
    assert_eq!(values(&desk.store.samples(), "price").await.len(), 1_000);
    assert_eq!(desk.store.samples().retain(stamp(0)).await, Ok(0), "up to now it may reach");
}

#[tokio::test]
async fn a_greatest_age_is_kept_by_the_clock_and_pruned_on_the_way() {
    let hour = SampleConfig::default().with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(hour)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..10_000 {
        desk.clock.advance_to(time(i));
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
    desk.clock.advance_to(time(3_000));
    desk.store.samples().retain(stamp(2_900)).await.unwrap();
    let desk = desk.reopen().await;
    let after = std::fs::metadata(desk.path()).unwrap().len();
    assert!(after < before, "{before} -> {after}");
}
