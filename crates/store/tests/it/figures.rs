//! What a store tells about itself.

use std::time::Duration;

use bellwether_alerts::{
    AlertChange, AlertHistory, DeliveryOutcome, NotificationLog, NotificationRecord, Outbox, Receipt,
};
use bellwether_core::{Collect, Severity};

use crate::fixture::{Desk, alert, batch, channel, delivery, message, series, time, told};

#[tokio::test]
async fn every_figure_is_told_and_every_told_figure_is_described() {
    let desk = Desk::open().await;
    let price = series("price", "A");
    desk.store.samples().write(batch(0, &[(&price, 1.0)])).await.unwrap();
    let described: std::collections::BTreeSet<String> =
        desk.store.descriptors().iter().map(|descriptor| descriptor.name.to_string()).collect();
    let told: std::collections::BTreeSet<String> =
        told(&desk.store).into_iter().map(|figure| figure.0).collect();
    assert_eq!(told, described);
    assert!(described.iter().all(|name| name.starts_with("bellwether_store_")));
}

#[tokio::test]
async fn the_figures_say_what_happened() {
    let desk = Desk::open().await;
    let price = series("price", "A");
    for i in 0..3 {
        desk.store.samples().write(batch(i, &[(&price, 1.0)])).await.unwrap();
    }
    let figure = |name: &str| desk.figure(name, &[]).unwrap();
    assert_eq!(figure("bellwether_store_commits_total"), 3.0);
    assert_eq!(figure("bellwether_store_commit_seconds"), 3.0);
    assert_eq!(figure("bellwether_store_samples_written_total"), 3.0);
    assert_eq!(figure("bellwether_store_open_samples"), 3.0);
    assert_eq!(figure("bellwether_store_failed_commits_total"), 0.0);
    assert!(figure("bellwether_store_file_bytes") > 0.0 && figure("bellwether_store_wal_bytes") > 0.0);
    assert_eq!(desk.figure("bellwether_store_readers", &[("state", "idle")]), Some(2.0));
    let connections = desk.store.connections();
    assert_eq!((connections.readers, connections.in_use, connections.queued_writes), (2, 0, 0));
}

#[tokio::test]
async fn in_the_life_of_a_notification_only_its_put_waits_for_the_disk() {
    let desk = Desk::open().await;
    let alerts = desk.store.alerts();
    let synchronised = || desk.figure("bellwether_store_synchronised_commits_total", &[]).unwrap();
    assert_eq!(alerts.put(&[delivery("pager", "A", 1, Severity::Error)], time(0)).await, Ok(1));
    assert_eq!(synchronised(), 1.0);
    let lease = Duration::from_secs(30);
    let claim = alerts.claim(&channel("pager"), time(0), 1, lease).await.unwrap().remove(0);
    alerts.retry_at(&claim, time(1), "reset by peer").await.unwrap();
    let claim = alerts.claim(&channel("pager"), time(1), 1, lease).await.unwrap().remove(0);
    let record = |outcome| NotificationRecord {
        at: time(1),
        channel: channel("pager"),
        notification: message("A", 1, Severity::Error),
        attempts: 2,
        outcome,
    };
    let delivered = DeliveryOutcome::Delivered { receipt: Receipt::delivered() };
    NotificationLog::append(&alerts, &[record(delivered)]).await.unwrap();
    alerts.delivered(&claim, &Receipt::delivered(), time(1)).await.unwrap();
    assert_eq!(synchronised(), 1.0);
    // Of a message that no outbox holds the log is all there is, and so is the history of an alert.
    NotificationLog::append(&alerts, &[record(DeliveryOutcome::Skipped)]).await.unwrap();
    assert_eq!(synchronised(), 2.0);
    let given_up = [record(DeliveryOutcome::Dead { reason: "refused".into() })];
    NotificationLog::append(&alerts, &given_up).await.unwrap();
    assert_eq!(synchronised(), 3.0, "what was given up is told once, after it was settled");
    AlertHistory::append(&alerts, &[AlertChange::new(time(1), alert("A", Severity::Error, 1))])
        .await
        .unwrap();
    assert_eq!(synchronised(), 4.0);
    assert_eq!(desk.figure("bellwether_store_commits_total", &[]), Some(9.0));
}

#[tokio::test]
async fn the_numbers_of_connections_say_who_reads_who_waits_and_who_gave_up() {
    let desk = Desk::open_with(|config| config.with_readers(1)).await;
    let alerts = desk.store.alerts();
    let numbers = || {
        let told = desk.store.connections();
        (told.readers, told.in_use, told.idle, told.waiting, told.timeouts)
    };
    assert_eq!(numbers(), (1, 0, 1, 0, 0));
    let pager = channel("pager");
    let mut first = Box::pin(alerts.pending(&pager));
    assert!(futures_util::poll!(&mut first).is_pending());
    assert_eq!(numbers(), (1, 1, 0, 0, 0));
    let mut second = Box::pin(alerts.pending(&pager));
    assert!(futures_util::poll!(&mut second).is_pending());
    assert_eq!(numbers(), (1, 1, 0, 1, 0));
    desk.clock.advance(desk.config.acquire_timeout.get());
    assert!(second.await.is_err());
    assert_eq!(numbers(), (1, 1, 0, 0, 1));
    assert_eq!(first.await, Ok(0));
    assert_eq!(numbers(), (1, 0, 1, 0, 1));
    let delivery = [delivery("pager", "A", 1, Severity::Error)];
    let mut put = Box::pin(alerts.put(&delivery, time(0)));
    assert!(futures_util::poll!(&mut put).is_pending());
    assert_eq!(desk.store.connections().queued_writes, 1);
    put.await.unwrap();
    assert_eq!(desk.store.connections().queued_writes, 0);
}

#[tokio::test]
async fn a_check_says_what_the_writer_does() {
    let desk = Desk::open().await;
    let check = desk.store.check().await;
    assert!(check.is_healthy(), "{check:?}");
    let writer = check.writer.unwrap();
    assert_eq!((&*writer.name, writer.restarts), ("store-writer", 0));
    let report = desk.store.close(Duration::from_secs(10)).await;
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn nothing_public_prints_more_than_the_file() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let desk = Desk::open().await;
        let store = &desk.store;
        let all = format!("{store:?} {:?} {:?} {:?}", store.alerts(), store.samples(), store.snapshots());
        assert_eq!(all.matches("desk.db").count(), 4, "{all}");
    });
}
