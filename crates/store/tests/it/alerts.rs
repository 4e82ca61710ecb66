//! Alerts in a store.

use bellwether_alerts::{
    Alert, AlertChange, AlertHistory, AlertQuery, MemoryAlertHistory, MemoryNotificationLog, MemoryOutbox,
    NotificationLog, NotificationQuery, NotificationRecord, Outbox, Receipt,
};
use bellwether_core::{PageRequest, Severity};
use bellwether_store::AlertConfig;
use proptest::prelude::*;

use crate::contract;
use crate::fixture::{Desk, alert, channel, delivery, limit, message, time};

#[tokio::test]
async fn a_stored_outbox_keeps_the_contract() {
    let desk = Desk::open().await;
    contract::keeps_the_outbox_contract(&desk.store.alerts()).await;
}

#[tokio::test]
async fn a_stored_outbox_passes_the_kits() {
    let desks = std::sync::Mutex::new(Vec::new());
    let make = || async {
        let desk = Desk::open().await;
        let outbox = desk.store.alerts();
        desks.lock().unwrap().push(desk);
        outbox
    };
    bellwether_alerts::testing::outbox_conformance(make).await;
    bellwether_alerts::testing::superseding_conformance(make).await;
}

#[tokio::test]
async fn an_outbox_in_memory_keeps_the_same_contract() {
    contract::keeps_the_outbox_contract(&MemoryOutbox::default()).await;
}

#[tokio::test]
async fn a_stored_notification_log_keeps_the_contract() {
    let desk = Desk::open().await;
    contract::keeps_the_notification_log_contract(&desk.store.alerts()).await;
}

#[tokio::test]
async fn a_notification_log_in_memory_keeps_the_same_contract() {
    contract::keeps_the_notification_log_contract(&MemoryNotificationLog::default()).await;
}

#[tokio::test]
async fn a_stored_alert_history_keeps_the_contract() {
    let desk = Desk::open().await;
    contract::keeps_the_alert_history_contract(&desk.store.alerts()).await;
}

#[tokio::test]
async fn an_alert_history_in_memory_keeps_the_same_contract() {
    contract::keeps_the_alert_history_contract(&MemoryAlertHistory::default()).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stored_outbox_does_what_one_in_memory_does(operations in contract::operations(), capacity in 2u32..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut bounds = AlertConfig::default();
            bounds.open_deliveries = capacity;
            let desk = Desk::open_with(|config| config.with_alerts(bounds)).await;
            contract::behaves_like(&desk.store.alerts(), &MemoryOutbox::new(capacity as usize), operations).await;
        });
    }
}

#[tokio::test]
async fn two_couriers_never_hold_the_same_delivery() {
    let desk = Desk::open().await;
    let outbox = desk.store.alerts();
    let put: Vec<_> = (0..100).map(|i| delivery("pager", &format!("G{i}"), 1, Severity::Info)).collect();
    outbox.put(&put, time(0)).await.unwrap();
    let (pager, lease) = (channel("pager"), std::time::Duration::from_secs(30));
    let claims = (0..8).map(|_| outbox.claim(&pager, time(0), 25, lease));
    let claims: Vec<_> =
        futures_util::future::join_all(claims).await.into_iter().flat_map(Result::unwrap).collect();
    let keys: std::collections::HashSet<_> = claims.iter().map(|claim| claim.notification().key()).collect();
    assert_eq!((claims.len(), keys.len()), (100, 100));
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_is_put_aside_and_blocks_nobody() {
    let desk = Desk::open().await;
    let outbox = desk.store.alerts();
    let put = [delivery("pager", "A", 1, Severity::Critical), delivery("pager", "A", 2, Severity::Info)];
    outbox.put(&put, time(0)).await.unwrap();
    let mut stranger = crate::fixture::stranger(&desk.path()).await;
    sqlx::query("UPDATE outbox SET payload = '{' WHERE id = 1").execute(&mut stranger).await.unwrap();
    let lease = std::time::Duration::from_secs(30);
    assert_eq!(outbox.claim(&channel("pager"), time(0), 5, lease).await, Ok(vec![]));
    let claims = outbox.claim(&channel("pager"), time(0), 5, lease).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].notification().sequence(), 2);
    let (kept,): (Vec<u8>,) = sqlx::query_as("SELECT data FROM damaged WHERE source = 'outbox'")
        .fetch_one(&mut stranger)
        .await
        .unwrap();
    assert_eq!(kept, b"{");
    assert!(!desk.store.check().await.is_healthy());
}

#[tokio::test]
async fn a_damaged_delivery_that_cannot_be_put_aside_takes_no_good_claim_with_it() {
    let desk = Desk::open().await;
    let outbox = desk.store.alerts();
    let put = [delivery("pager", "A", 1, Severity::Critical), delivery("pager", "B", 1, Severity::Info)];
    outbox.put(&put, time(0)).await.unwrap();
    let mut stranger = crate::fixture::stranger(&desk.path()).await;
    sqlx::query("UPDATE outbox SET payload = '{' WHERE id = 1").execute(&mut stranger).await.unwrap();
    let no = "CREATE TRIGGER no BEFORE INSERT ON damaged BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::query(no).execute(&mut stranger).await.unwrap();
    let lease = std::time::Duration::from_secs(30);
    let claims = outbox.claim(&channel("pager"), time(0), 5, lease).await.unwrap();
    assert_eq!(claims.iter().map(bellwether_alerts::Claim::delivery).collect::<Vec<_>>(), [&put[1]]);
    outbox.delivered(&claims[0], &Receipt::delivered(), time(1)).await.unwrap();
    sqlx::query("DROP TRIGGER no").execute(&mut stranger).await.unwrap();
    assert_eq!(outbox.claim(&channel("pager"), time(30), 5, lease).await, Ok(vec![]), "put aside at last");
    assert_eq!(outbox.pending(&channel("pager")).await, Ok(0));
}

#[tokio::test]
async fn a_record_that_is_appended_again_takes_no_room_from_others() {
    let mut bounds = AlertConfig::default();
    bounds.notification_log = 3;
    let desk = Desk::open_with(|config| config.with_alerts(bounds)).await;
    let alerts = desk.store.alerts();
    let record = |group: &str| NotificationRecord {
        at: time(1),
        channel: channel("pager"),
        notification: message(group, 1, Severity::Info),
        attempts: 1,
        outcome: bellwether_alerts::DeliveryOutcome::Delivered { receipt: Receipt::delivered() },
    };
    NotificationLog::append(&alerts, &[record("A"), record("B")]).await.unwrap();
    for _ in 0..10 {
        NotificationLog::append(&alerts, &[record("B")]).await.unwrap();
    }
    NotificationLog::append(&alerts, &[record("C")]).await.unwrap();
    let log =
        NotificationLog::read(&alerts, &NotificationQuery::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(log.items.len(), 3);
}

#[tokio::test]
async fn settled_keys_and_dead_letters_are_bounded() {
    let mut bounds = AlertConfig::default();
    (bounds.settled_keys, bounds.dead_letters) = (10, 5);
    let desk = Desk::open_with(|config| config.with_alerts(bounds)).await;
    let outbox = desk.store.alerts();
    let put: Vec<_> = (0..20).map(|i| delivery("pager", &format!("G{i}"), 1, Severity::Info)).collect();
    outbox.put(&put, time(0)).await.unwrap();
    for claim in
        outbox.claim(&channel("pager"), time(0), 20, std::time::Duration::from_secs(9)).await.unwrap()
    {
        outbox.dead(&claim, time(1), "no").await.unwrap();
    }
    let letters = outbox.dead_letters(&PageRequest::first(limit(100))).await.unwrap().items;
    assert_eq!(letters.len(), 5);
    assert_eq!(outbox.put(&put, time(2)).await, Ok(10), "only the last ten keys are remembered");
}

fn change(name: &str, at: i64, is_over: Option<i64>) -> AlertChange {
    let firing = alert(name, Severity::Error, at);
    match is_over {
        None => AlertChange::new(time(at), firing),
        Some(end) => AlertChange::new(time(end), firing.resolved(time(end)).unwrap()),
    }
}

#[tokio::test]
async fn the_beginning_of_an_alert_that_still_fires_is_not_deleted() {
    let desk = Desk::open().await;
    let alerts = desk.store.alerts();
    let changes = [
        change("Over", 0, None),
        change("Over", 0, Some(10)),
        change("StillFiring", 5, None),
        change("Later", 90, None),
    ];
    AlertHistory::append(&alerts, &changes).await.unwrap();
    let old = NotificationRecord {
        at: time(1),
        channel: channel("pager"),
        notification: message("A", 1, Severity::Info),
        attempts: 1,
        outcome: bellwether_alerts::DeliveryOutcome::Delivered { receipt: Receipt::delivered() },
    };
    NotificationLog::append(&alerts, &[old]).await.unwrap();
    assert_eq!(alerts.retain(time(50)).await, Ok(3));
    let page = AlertHistory::read(&alerts, &AlertQuery::default(), &PageRequest::default()).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|change| change.alert.name()).collect();
    assert_eq!(names, ["Later", "StillFiring"]);
    let log =
        NotificationLog::read(&alerts, &NotificationQuery::default(), &PageRequest::default()).await.unwrap();
    assert!(log.items.is_empty());
}

#[tokio::test]
async fn the_history_is_bounded_by_count() {
    let mut bounds = AlertConfig::default();
    bounds.alert_history = 10;
    let desk = Desk::open_with(|config| config.with_alerts(bounds)).await;
    let alerts = desk.store.alerts();
    AlertHistory::append(&alerts, &[change("StillFiring", 0, None)]).await.unwrap();
    for i in 0..30 {
        AlertHistory::append(&alerts, &[change("Flapping", i, None), change("Flapping", i, Some(i))])
            .await
            .unwrap();
    }
    let page =
        AlertHistory::read(&alerts, &AlertQuery::default(), &PageRequest::first(limit(100))).await.unwrap();
    assert_eq!(page.items.len(), 11);
    assert_eq!(page.items.last().unwrap().alert.name(), "StillFiring");
}

#[tokio::test]
async fn instants_are_kept_in_whole_microseconds() {
    let desk = Desk::open().await;
    let alerts = desk.store.alerts();
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
    let fired = Alert::builder("A", at).build().unwrap();
    AlertHistory::append(&alerts, &[AlertChange::new(at, fired.clone())]).await.unwrap();
    let page = AlertHistory::read(&alerts, &AlertQuery::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.items[0].at.timestamp_subsec_nanos(), 123_456_000);
    assert_eq!(page.items[0].alert, fired, "the alert itself is kept as it was");
}
