//! Samples in a store.

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Aggregate, Descriptor, HistoryQuery, Labels, PageRequest, SampleBatch, SampleHistory, SeriesKey,
    TimeRange, Timestamp, Unit,
};
use bellwether_store::{SampleConfig, StoreError};
use proptest::prelude::*;

use crate::contract::{self, Written};
use crate::fixture::{Desk, all_samples, batch, counter, limit, metric, range, series, stamp, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn stored_samples_keep_the_contract_also_after_a_restart(
        written in contract::written(),
        flushes in prop::collection::vec(any::<bool>(), 6),
        restart in 0usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(write_and_read(written, flushes, restart));
    }
}

async fn write_and_read(written: Written, flushes: Vec<bool>, restart: usize) {
    let mut desk = Desk::open().await;
    for (place, (run, flush)) in written.batches().into_iter().zip(flushes).enumerate() {
        for batch in run {
            desk.store.samples().push(batch);
        }
        if flush {
            desk.store.samples().flush().await.unwrap();
        }
        if place == restart {
            desk = desk.reopen().await;
        }
    }
    desk.store.samples().flush().await.unwrap();
    contract::keeps_the_sample_history_contract(&desk.store.samples(), &written).await;
    let desk = desk.reopen().await;
    contract::keeps_the_sample_history_contract(&desk.store.samples(), &written).await;
    assert!(desk.store.check().await.is_healthy());
}

#[tokio::test]
async fn what_is_written_again_changes_nothing() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "ESZ6"));
    for _ in 0..3 {
        for i in 0..600 {
            samples.push(batch(i, &[(&price, i as f64)]));
        }
        samples.flush().await.unwrap();
    }
    let expected: Vec<_> = (0..600).map(|i| (i, i as f64)).collect();
    assert_eq!(values(&samples, "price").await, expected);
    assert!(desk.figure("bellwether_store_chunks_sealed_total", &[]).unwrap() >= 1.0);
}

#[tokio::test]
async fn pages_joined_are_the_whole_while_samples_arrive_and_are_sealed() {
    let desk = Desk::open().await;
    let samples = desk.store.samples();
    let (a, b) = (series("price", "A"), series("price", "B"));
    for i in 0..400 {
        samples.push(batch(i, &[(&a, i as f64), (&b, -i as f64)]));
    }
    samples.flush().await.unwrap();
    let query = HistoryQuery::new(metric("price").into(), range(-1, 399));
    let mut page = PageRequest::first(limit(37));
    let (mut joined, mut next_tick) = (Vec::new(), 400);
    loop {
        let read = samples.read(&query, &page).await.unwrap();
        joined.extend(read.items);
        for i in next_tick..next_tick + 50 {
            samples.push(batch(i, &[(&a, 0.0), (&b, 0.0)]));
        }
        samples.flush().await.unwrap();
        next_tick += 50;
        let Some(next) = read.next else { break };
        page = PageRequest::after(limit(37), next);
    }
    assert!(desk.figure("bellwether_store_chunks_sealed_total", &[]).unwrap() >= 2.0);
    assert_eq!(joined, all_samples(&samples, &query, 10_000).await);
    assert_eq!(joined.len(), 800);
}

#[tokio::test]
async fn a_step_over_whole_chunks_is_answered_by_their_columns() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "ESZ6"));
    for i in 0..5_000 {
        samples.push(batch(i, &[(&price, 0.25 * i as f64)]));
    }
    samples.flush().await.unwrap();
    samples.flush().await.unwrap();
    let everything = TimeRange::new(stamp(-1), stamp(4_999)).unwrap();
    let whole = Duration::from_secs(100_000);
    let sum = HistoryQuery::new(metric("price").into(), everything).every(whole, Aggregate::Sum);
    assert_eq!(all_samples(&samples, &sum, 10).await[0].sample.value, 0.25 * (4_999.0 * 5_000.0 / 2.0));
    // The columns alone: damaged samples are not even looked at.
    let mut stranger = crate::fixture::stranger(&desk.path()).await;
    sqlx::query("UPDATE chunks SET data = x'00', crc32 = 0").execute(&mut stranger).await.unwrap();
    assert_eq!(all_samples(&samples, &sum, 10).await[0].sample.value, 0.25 * (4_999.0 * 5_000.0 / 2.0));
}

#[tokio::test]
async fn what_may_fall_gains_the_last_less_the_first_and_only_a_counter_starts_again() {
    let desk = Desk::open().await;
    let (samples, gauge, total) =
        (desk.store.samples(), series("pnl_sum", "A"), counter("turnover_total", "A"));
    // The first 512 are sealed in a chunk, the others are not.
    for i in 0..600i64 {
        let value = [10.0, 4.0, -7.0][(i % 3) as usize];
        samples.push(batch(i, &[(&gauge, value), (&total, value.abs())]));
    }
    samples.flush().await.unwrap();
    let query = |name: &str, aggregate| {
        HistoryQuery::new(metric(name).into(), range(-1, 599)).every(Duration::from_mins(10), aggregate)
    };
    let value = async |name: &str, aggregate| {
        let points = all_samples(&desk.store.samples(), &query(name, aggregate), 10).await;
        points[0].sample.value
    };
    assert_eq!(value("pnl_sum", Aggregate::Increase).await, -17.0);
    assert_eq!(value("pnl_sum", Aggregate::Rate).await, -17.0 / 599.0);
    // 10, 4 (again from zero), 7 and so on: 4 + 3 within each three, 3 from one to the next.
    assert_eq!(value("turnover_total", Aggregate::Increase).await, 200.0 * 7.0 + 199.0 * 3.0);
}

#[tokio::test]
async fn a_series_that_becomes_a_gauge_may_fall_from_then_on() {
    let desk = Desk::open().await;
    let (samples, before, after) = (desk.store.samples(), counter("pnl_sum", "A"), series("pnl_sum", "A"));
    samples.write(batch(0, &[(&before, 5.0)])).await.unwrap();
    samples.write(batch(1, &[(&after, 3.0)])).await.unwrap();
    let query = HistoryQuery::new(metric("pnl_sum").into(), range(-1, 1))
        .every(Duration::from_secs(2), Aggregate::Increase);
    assert_eq!(all_samples(&samples, &query, 10).await[0].sample.value, -2.0);
    let desk = desk.reopen().await;
    assert_eq!(all_samples(&desk.store.samples(), &query, 10).await[0].sample.value, -2.0);
}

#[tokio::test]
async fn values_that_are_no_numbers_are_not_kept_and_counted() {
    let desk = Desk::open().await;
    let (samples, price, other) = (desk.store.samples(), series("price", "A"), series("other", "B"));
    for (i, odd) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().enumerate() {
        samples.push(batch(i as i64, &[(&price, odd), (&other, 1.0)]));
    }
    samples.push(batch(9, &[(&price, f64::NAN)]));
    samples.flush().await.unwrap();
    assert_eq!(values(&samples, "price").await, []);
    assert_eq!(values(&samples, "other").await.len(), 3);
    assert_eq!(desk.figure("bellwether_store_samples_dropped_total", &[("reason", "not_finite")]), Some(4.0));
    assert_eq!(desk.figure("bellwether_store_samples_written_total", &[]), Some(3.0));
}

#[tokio::test]
async fn a_sum_beyond_a_double_is_no_answer_but_the_mean_is() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..600 {
        samples.push(batch(i, &[(&price, f64::MAX)]));
    }
    samples.flush().await.unwrap();
    samples.flush().await.unwrap();
    let of = |aggregate| {
        HistoryQuery::new(metric("price").into(), range(-1, 599)).every(Duration::from_secs(9_999), aggregate)
    };
    assert_eq!(all_samples(&samples, &of(Aggregate::Sum), 10).await, []);
    assert_eq!(all_samples(&samples, &of(Aggregate::Mean), 10).await[0].sample.value, f64::MAX);
    assert_eq!(all_samples(&samples, &of(Aggregate::Max), 10).await[0].sample.value, f64::MAX);
}

#[tokio::test]
async fn series_beyond_the_bound_are_not_kept_and_counted() {
    let few = SampleConfig::default().with_max_series(3);
    let desk = Desk::open_with(|config| config.with_samples(few)).await;
    let samples = desk.store.samples();
    let all: Vec<_> = (0..5).map(|i| series("price", &format!("S{i}"))).collect();
    for second in 0..2 {
        let values: Vec<_> = all.iter().map(|key| (key, 1.0)).collect();
        samples.push(batch(second, &values));
    }
    samples.flush().await.unwrap();
    assert_eq!(values(&samples, "price").await.len(), 6);
    assert_eq!(
        desk.figure("bellwether_store_samples_dropped_total", &[("reason", "too_many_series")]),
        Some(4.0)
    );
    assert_eq!(desk.figure("bellwether_store_series", &[]), Some(3.0));
}

#[tokio::test]
async fn beyond_the_bound_of_what_waits_the_oldest_go_and_are_counted() {
    let short = SampleConfig::default().with_queue(10).with_flush_batches(1_000);
    let desk = Desk::open_with(|config| config.with_samples(short)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..25 {
        samples.push(batch(i, &[(&price, i as f64)]));
    }
    assert_eq!(desk.figure("bellwether_store_waiting_samples", &[]), Some(10.0));
    assert!(matches!(samples.write(batch(99, &[(&price, 0.0)])).await, Err(StoreError::Busy { .. })));
    samples.flush().await.unwrap();
    assert_eq!(values(&samples, "price").await, (15..25).map(|i| (i, i as f64)).collect::<Vec<_>>());
    assert_eq!(
        desk.figure("bellwether_store_samples_dropped_total", &[("reason", "queue_full")]),
        Some(15.0)
    );
}

#[tokio::test]
async fn who_waits_for_a_batch_that_is_dropped_at_the_bound_hears_of_it() {
    let short = SampleConfig::default().with_queue(10).with_flush_batches(1_000);
    let desk = Desk::open_with(|config| config.with_samples(short)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    samples.push(batch(0, &[(&price, 0.0)]));
    let mut flushed = Box::pin(samples.flush());
    let mut written = Box::pin(samples.write(batch(1, &[(&price, 1.0)])));
    let mut later = Box::pin(samples.write(batch(2, &[(&price, 2.0)])));
    assert!(futures_util::poll!(&mut flushed).is_pending());
    assert!(futures_util::poll!(&mut written).is_pending());
    assert!(futures_util::poll!(&mut later).is_pending());
    for i in 3..12 {
        samples.push(batch(i, &[(&price, i as f64)]));
    }
    let dropped =
        StoreError::SamplesDropped { database: desk.path().display().to_string(), samples: 1, most: 10 };
    assert_eq!(written.await, Err(dropped.clone()));
    assert_eq!(flushed.await, Err(dropped));
    assert_eq!(later.await, Ok(()), "its own batch is durable");
    assert_eq!(samples.flush().await, Ok(()), "what went before is no matter of this one");
    assert_eq!(values(&samples, "price").await, (2..12).map(|i| (i, i as f64)).collect::<Vec<_>>());
    assert_eq!(desk.figure("bellwether_store_samples_dropped_total", &[("reason", "queue_full")]), Some(2.0));
}

#[tokio::test]
async fn a_batch_that_can_never_fit_goes_alone() {
    let short = SampleConfig::default().with_queue(3).with_flush_batches(1_000);
    let desk = Desk::open_with(|config| config.with_samples(short)).await;
    let samples = desk.store.samples();
    let all: Vec<_> = (0..4).map(|i| series("price", &format!("S{i}"))).collect();
    let big: Vec<_> = all.iter().map(|key| (key, 1.0)).collect();
    samples.push(batch(0, &[(&all[0], 1.0)]));
    samples.push(batch(1, &big));
    let refused = samples.write(batch(2, &big)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Rejected { .. }) && !refused.is_transient(), "{refused}");
    assert_eq!(samples.flush().await, Ok(()));
    assert_eq!(values(&samples, "price").await, [(0, 1.0)]);
    assert_eq!(desk.figure("bellwether_store_samples_dropped_total", &[("reason", "queue_full")]), Some(4.0));
}

#[tokio::test]
async fn a_write_of_samples_that_are_refused_says_how_many_and_why() {
    let few = SampleConfig::default().with_max_series(1).with_max_age(Duration::from_hours(1));
    let desk = Desk::open_with(|config| config.with_samples(few)).await;
    let samples = desk.store.samples();
    let (price, other) = (series("price", "A"), series("price", "B"));
    let refused = |kept, not_finite, too_old, too_many_series| {
        let database = desk.path().display().to_string();
        Err(StoreError::SamplesRefused { database, kept, not_finite, too_old, too_many_series })
    };
    assert_eq!(samples.write(batch(-9_999, &[(&price, 1.0)])).await, refused(0, 0, 1, 0));
    assert_eq!(samples.write(batch(0, &[(&price, f64::NAN)])).await, refused(0, 1, 0, 0));
    assert_eq!(samples.write(batch(1, &[(&price, 1.0), (&other, 2.0)])).await, refused(1, 0, 0, 1));
    let (bad, good) = tokio::join!(
        samples.write(batch(2, &[(&price, f64::INFINITY)])),
        samples.write(batch(3, &[(&price, 3.0)]))
    );
    assert_eq!((bad, good), (refused(0, 1, 0, 0), Ok(())), "each hears of its own");
    assert_eq!(values(&samples, "price").await, [(1, 1.0), (3, 3.0)]);
    let dropped = |reason| desk.figure("bellwether_store_samples_dropped_total", &[("reason", reason)]);
    assert_eq!(["not_finite", "too_old", "too_many_series"].map(dropped), [Some(2.0), Some(1.0), Some(1.0)]);
}

#[tokio::test]
async fn of_two_samples_of_a_series_in_one_batch_the_later_stays() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    samples.write(batch(0, &[(&price, 1.0), (&price, 2.0)])).await.unwrap();
    assert_eq!(values(&samples, "price").await, [(0, 2.0)]);
}

#[tokio::test]
async fn many_batches_go_into_one_commit() {
    let many = SampleConfig::default().with_flush_batches(100);
    let desk = Desk::open_with(|config| config.with_samples(many)).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..100 {
        samples.push(batch(i, &[(&price, i as f64)]));
    }
    samples.flush().await.unwrap();
    assert_eq!(desk.figure("bellwether_store_commits_total", &[]), Some(1.0));
    assert_eq!(desk.figure("bellwether_store_batches_written_total", &[]), Some(100.0));
}

#[tokio::test]
async fn hostile_names_come_back_as_they_were() {
    let desk = Desk::open().await;
    let hostile = [
        "'; DROP TABLE series; --",
        "\"quoted\"",
        "a\u{0}b",
        "\u{202e}\u{1F4A3}",
        "\n\t\\",
        "{\"a\":1}",
        "?1 :x $y",
    ];
    let keys: Vec<_> = hostile.iter().map(|symbol| series("price", symbol)).collect();
    let all: Vec<_> = keys.iter().map(|key| (key, 1.5)).collect();
    desk.store.samples().write(batch(0, &all)).await.unwrap();
    let desk = desk.reopen().await;
    let query = HistoryQuery::new(metric("price").into(), TimeRange::until(Timestamp::MAX));
    let mut found: Vec<_> = all_samples(&desk.store.samples(), &query, 2)
        .await
        .iter()
        .map(|point| point.labels.get("symbol").unwrap().to_owned())
        .collect();
    let mut expected = hostile.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn labels_too_long_for_a_cursor_are_paged_by_the_number_of_their_series() {
    let desk = Desk::open().await;
    let samples = desk.store.samples();
    let long: Vec<_> = ["a", "b"].iter().map(|first| series("price", &first.repeat(3_000))).collect();
    for i in 0..10 {
        samples.push(batch(i, &[(&long[0], i as f64), (&long[1], i as f64)]));
    }
    samples.flush().await.unwrap();
    let query = HistoryQuery::new(metric("price").into(), TimeRange::until(Timestamp::MAX));
    assert_eq!(all_samples(&samples, &query, 3).await, all_samples(&samples, &query, 1_000).await);
}

#[tokio::test]
async fn a_metric_that_changes_its_help_keeps_its_series() {
    let desk = Desk::open().await;
    let samples = desk.store.samples();
    let key = |help: &'static str| {
        let descriptor = Descriptor::gauge(metric("price"), Unit::Other("ticks".into()), help);
        Arc::new(SeriesKey { descriptor: Arc::new(descriptor), labels: Labels::empty() })
    };
    for (i, help) in ["before", "after", "after"].into_iter().enumerate() {
        let at = stamp(i as i64);
        samples.write(SampleBatch { at, values: vec![(key(help), 1.0)] }).await.unwrap();
    }
    assert_eq!(values(&samples, "price").await.len(), 3);
    let mut stranger = crate::fixture::stranger(&desk.path()).await;
    let row: (i64, String, String) =
        sqlx::query_as("SELECT count(*), help, unit FROM series").fetch_one(&mut stranger).await.unwrap();
    assert_eq!(row, (1, "after".to_owned(), "ticks".to_owned()));
}
