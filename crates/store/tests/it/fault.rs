//! Faults: each is told for what it is, nothing acknowledged is lost, nothing is there twice, and it heals by itself.

use std::time::Duration;

use bellwether_alerts::Outbox;
use bellwether_core::Severity;
use bellwether_store::{Snapshot, StoreError};

use crate::fixture::{Desk, batch, channel, delivery, series, stamp, stranger, time, values};

fn snapshot(i: i64, bytes: usize) -> Snapshot {
    let body = format!("\"{}\"", "x".repeat(bytes));
    Snapshot { scope: "desk".into(), period: format!("{i}"), at: time(i), schema_version: 1, body }
}

#[tokio::test]
async fn a_foreign_lock_is_busy_and_passes() {
    let desk = Desk::open_with(|config| config.with_busy_timeout(Duration::from_millis(20))).await;
    let (store, price) = (&desk.store, series("price", "A"));
    let mut other = stranger(&desk.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = store.snapshots().put(&snapshot(0, 10)).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }) && error.is_transient(), "{error}");
    let error = store.samples().write(batch(0, &[(&price, 1.0)])).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(!store.check().await.is_healthy());
    assert_eq!(values(&store.samples(), "price").await, [], "reads go on");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.snapshots().put(&snapshot(0, 10)).await.unwrap();
    store.samples().flush().await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(0, 1.0)]);
    assert!(store.check().await.is_healthy());
}

#[tokio::test]
async fn samples_that_could_not_be_written_are_tried_again_by_themselves() {
    let desk = Desk::open_with(|config| config.with_busy_timeout(Duration::from_millis(5))).await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    let mut other = stranger(&desk.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    for i in 0..3 {
        samples.push(batch(i, &[(&price, i as f64)]));
        assert!(samples.flush().await.is_err());
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    while desk.figure("bellwether_store_batches_written_total", &[]) != Some(3.0) {
        desk.clock.advance(Duration::from_mins(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(values(&samples, "price").await, [(0, 0.0), (1, 1.0), (2, 2.0)]);
    assert!(desk.figure("bellwether_store_flush_retries_total", &[]).unwrap() >= 3.0);
}

#[tokio::test]
async fn a_full_disk_is_told_keeps_what_was_acknowledged_and_heals_when_there_is_room() {
    let desk = Desk::open_with(|config| config.with_max_bytes(1 << 20)).await;
    let (store, price) = (&desk.store, series("price", "A"));
    store.samples().write(batch(0, &[(&price, 0.0)])).await.unwrap();
    let mut acknowledged = 0;
    let error = loop {
        match store.snapshots().put(&snapshot(acknowledged, 20_000)).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full { .. }) && error.is_transient(), "{error}");
    assert!(acknowledged > 10);
    assert!(matches!(store.check().await.problem, Some(StoreError::Full { .. })));
    for i in 1..200 {
        let many: Vec<_> = (0..40).map(|s| series("price", &format!("S{s}"))).collect();
        let many: Vec<_> = many.iter().map(|key| (key, i as f64 + 0.1)).collect();
        store.samples().push(batch(i, &many));
    }
    let flushed = store.samples().flush().await;
    assert!(matches!(flushed, Err(StoreError::Full { .. })), "{flushed:?}");
    let latest = store.snapshots().latest("desk").await.unwrap().unwrap();
    assert_eq!(latest, snapshot(acknowledged - 1, 20_000), "reads go on");

    assert_eq!(store.snapshots().retain(time(acknowledged - 5)).await, Ok(acknowledged.unsigned_abs() - 5));
    store.samples().flush().await.unwrap();
    assert_eq!(values(&store.samples(), "price").await.len(), 1 + 199 * 40);
    store.snapshots().put(&snapshot(acknowledged, 20_000)).await.unwrap();
    store.alerts().put(&[delivery("pager", "A", 1, Severity::Critical)], time(0)).await.unwrap();
    assert!(store.check().await.is_healthy());
    let desk = desk.reopen().await;
    assert_eq!(values(&desk.store.samples(), "price").await.len(), 1 + 199 * 40);
    assert_eq!(desk.store.alerts().pending(&channel("pager")).await, Ok(1));
}

#[tokio::test]
async fn when_the_disk_is_nearly_full_samples_are_shed_and_an_alert_still_fits() {
    let desk = Desk::open_with(|config| config.with_max_bytes(1 << 20)).await;
    let (store, price) = (&desk.store, series("price", "A"));
    let mut at = 0;
    while store.snapshots().put(&snapshot(at, 20_000)).await.is_ok() {
        at += 1;
    }
    store.snapshots().retain(time(2)).await.unwrap();
    let noise: Vec<_> =
        (0..9_000).map(|i| batch(i, &[(&price, (i * 7_919 % 104_729) as f64 * 0.123_456_789)])).collect();
    for batch in noise {
        store.samples().push(batch);
    }
    let samples = store.samples();
    let alert = [delivery("pager", "A", 1, Severity::Critical)];
    let alerts = store.alerts();
    let (flushed, put) = tokio::join!(samples.flush(), alerts.put(&alert, time(0)));
    assert!(matches!(flushed, Err(StoreError::Full { .. })), "{flushed:?}");
    assert_eq!(put, Ok(1));
}

#[tokio::test]
async fn what_does_not_fit_does_not_fail_an_alert_of_the_same_commit() {
    let desk = Desk::open_with(|config| config.with_max_bytes(1 << 20)).await;
    let store = &desk.store;
    let mut at = 0;
    while store.snapshots().put(&snapshot(at, 20_000)).await.is_ok() {
        at += 1;
    }
    store.snapshots().retain(time(2)).await.unwrap();
    let (snapshots, alerts) = (store.snapshots(), store.alerts());
    let (too_big, critical) = (snapshot(999, 200_000), [delivery("pager", "A", 1, Severity::Critical)]);
    let (kept, put) = tokio::join!(snapshots.put(&too_big), alerts.put(&critical, time(0)));
    assert!(matches!(kept, Err(StoreError::Full { .. })), "{kept:?}");
    assert_eq!(put, Ok(1));
    assert_eq!(desk.reopen().await.store.alerts().pending(&channel("pager")).await, Ok(1));
}

#[tokio::test]
async fn the_check_says_that_samples_do_not_fit_also_while_alerts_do() {
    let desk = Desk::open_with(|config| config.with_max_bytes(1 << 20)).await;
    let (store, price) = (&desk.store, series("price", "A"));
    let mut at = 0;
    while store.snapshots().put(&snapshot(at, 20_000)).await.is_ok() {
        at += 1;
    }
    store.snapshots().retain(time(2)).await.unwrap();
    for i in 0..9_000 {
        store.samples().push(batch(i, &[(&price, (i * 7_919 % 104_729) as f64 * 0.123_456_789)]));
    }
    assert!(matches!(store.samples().flush().await, Err(StoreError::Full { .. })));
    store.alerts().put(&[delivery("pager", "A", 1, Severity::Critical)], time(0)).await.unwrap();
    let check = store.check().await;
    assert!(matches!(check.problem, Some(StoreError::Full { .. })), "{check:?}");
    store.snapshots().retain(time(at - 5)).await.unwrap();
    store.samples().flush().await.unwrap();
    assert!(store.check().await.is_healthy());
}

#[tokio::test]
async fn a_log_that_was_removed_is_noticed_and_what_it_held_is_not_lost() {
    let desk = Desk::open().await;
    let alerts = desk.store.alerts();
    alerts.put(&[delivery("pager", "A", 1, Severity::Critical)], time(0)).await.unwrap();
    std::fs::remove_file(desk.folder.path().join("desk.db-wal")).unwrap();
    let refused = alerts.put(&[delivery("pager", "B", 1, Severity::Critical)], time(0)).await;
    assert!(refused.is_err(), "nothing is acknowledged into a log that is gone");
    let check = desk.store.check().await;
    assert!(
        matches!(&check.problem, Some(StoreError::Corrupt { reason, .. }) if reason.contains("log")),
        "{check:?}"
    );
    desk.store.close(Duration::from_secs(10)).await;
    let Desk { config, clock, folder, .. } = desk;
    let store = bellwether_store::Store::open(&config, &clock.shared()).await.unwrap();
    assert_eq!(store.alerts().pending(&channel("pager")).await, Ok(1));
    drop(folder);
}

#[tokio::test]
async fn a_file_that_must_not_be_written_is_told() {
    let desk = Desk::open().await;
    let Desk { store, clock, config, folder } = desk;
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let path = folder.path().join("desk.db");
    let mut mode = std::fs::metadata(&path).unwrap().permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(&path, mode).unwrap();
    // Whom the system lets write all the same, the store writes for.
    let allowed = std::fs::OpenOptions::new().write(true).open(&path).is_ok();
    match bellwether_store::Store::open(&config, &clock.shared()).await {
        Ok(_) => assert!(allowed),
        Err(error) => assert!(!allowed && matches!(error, StoreError::ReadOnly { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_file_that_was_removed_or_replaced_is_noticed() {
    let desk = Desk::open().await;
    desk.store.snapshots().put(&snapshot(0, 10)).await.unwrap();
    let aside = desk.folder.path().join("aside.db");
    std::fs::rename(desk.path(), &aside).unwrap();
    let check = desk.store.check().await;
    assert!(
        matches!(&check.problem, Some(StoreError::Corrupt { reason, .. }) if reason.contains("removed")),
        "{check:?}"
    );
    let refused = desk.store.snapshots().put(&snapshot(1, 10)).await;
    assert!(
        matches!(refused, Err(StoreError::Corrupt { .. })),
        "nothing is acknowledged into a file that is gone"
    );
    std::fs::copy(&aside, desk.path()).unwrap();
    let check = desk.store.check().await;
    assert!(
        matches!(&check.problem, Some(StoreError::Corrupt { reason, .. }) if reason.contains("place")),
        "{check:?}"
    );
    std::fs::rename(&aside, desk.path()).unwrap();
    desk.store.snapshots().put(&snapshot(1, 10)).await.unwrap();
    assert!(desk.store.check().await.is_healthy());
}

#[tokio::test]
async fn a_damaged_chunk_is_passed_over_and_told() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for round in 0..3 {
        for i in round * 600..(round + 1) * 600 {
            samples.push(batch(i, &[(&price, i as f64)]));
        }
        samples.flush().await.unwrap();
    }
    samples.write(batch(1_800, &[(&price, 1_800.0)])).await.unwrap();
    let mut other = stranger(&desk.path()).await;
    let chunks: Vec<(i64, i64, i64)> =
        sqlx::query_as("SELECT id, t_min, n FROM chunks ORDER BY t_min").fetch_all(&mut other).await.unwrap();
    assert!(chunks.len() >= 3, "{chunks:?}");
    let flip = "UPDATE chunks SET data = CAST(substr(data, 1, 20) || x'a5' || substr(data, 22) AS BLOB) WHERE id = ?1";
    sqlx::query(flip).bind(chunks[1].0).execute(&mut other).await.unwrap();
    let found = values(&samples, "price").await;
    assert_eq!(found.len() as i64, 1_801 - chunks[1].2);
    let check = desk.store.check().await;
    assert!(check.damaged_rows >= 1 && !check.is_healthy());
    // A late sample falls into it: it is kept aside, not overwritten.
    let into = (chunks[1].1 - stamp(0).as_micros()) / 1_000_000 + 1;
    for i in 0..600 {
        samples.push(batch(into, &[(&price, -1.0)]));
        samples.push(batch(2_000 + i, &[(&price, 0.0)]));
    }
    samples.flush().await.unwrap();
    samples.flush().await.unwrap();
    samples.write(batch(9_000, &[(&price, 0.0)])).await.unwrap();
    let (kept,): (i64,) = sqlx::query_as("SELECT count(*) FROM damaged WHERE source LIKE 'chunks%'")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    assert!(values(&samples, "price").await.contains(&(into, -1.0)));
}
