//! What was acknowledged is there after a restart.

use std::time::Duration;

use bellwether_alerts::{AlertChange, AlertHistory, AlertQuery, Claim, Outbox, Receipt, RepositoryError};
use bellwether_core::{PageRequest, Severity};
use bellwether_store::{AlertConfig, Snapshot, Store, StoreError};

use crate::fixture::{Desk, alert, batch, channel, delivery, series, stranger, time, values};

#[tokio::test]
async fn a_store_that_is_opened_again_has_everything() {
    let desk = Desk::open().await;
    let (store, price) = (desk.store.clone(), series("price", "A"));
    for i in 0..700 {
        store.samples().push(batch(i, &[(&price, i as f64)]));
    }
    store.alerts().put(&[delivery("pager", "A", 1, Severity::Error)], time(0)).await.unwrap();
    let lease = Duration::from_secs(30);
    let claim = store.alerts().claim(&channel("pager"), time(0), 1, lease).await.unwrap().remove(0);
    let change = AlertChange::new(time(1), alert("A", Severity::Error, 1));
    AlertHistory::append(&store.alerts(), std::slice::from_ref(&change)).await.unwrap();
    let body = "{\"sharpe\":1.5}".to_owned();
    let snapshot =
        Snapshot { scope: "desk".into(), period: "daily".into(), at: time(2), schema_version: 1, body };
    store.snapshots().put(&snapshot).await.unwrap();

    let desk = desk.reopen().await;
    let store = &desk.store;
    assert_eq!(values(&store.samples(), "price").await, (0..700).map(|i| (i, i as f64)).collect::<Vec<_>>());
    assert_eq!(store.alerts().pending(&channel("pager")).await, Ok(1));
    let again = store.alerts().claim(&channel("pager"), time(1), 1, lease).await.unwrap().remove(0);
    assert!(again.fence() > claim.fence() && again.attempt() == 2);
    let page =
        AlertHistory::read(&store.alerts(), &AlertQuery::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.items, [change]);
    assert_eq!(store.snapshots().latest("desk").await, Ok(Some(snapshot)));
}

const LEASE: Duration = Duration::from_mins(1);

/// Drops the store as a crash does, without closing it, and opens it again.
async fn crash(desk: Desk) -> Desk {
    let Desk { store, clock, config, folder } = desk;
    drop(store);
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    Desk { store, clock, config, folder }
}

#[tokio::test]
async fn what_an_earlier_opening_had_claimed_is_claimed_again_at_once() {
    let desk = Desk::open().await;
    let pager = channel("pager");
    let put = ["A", "B"].map(|group| delivery("pager", group, 1, Severity::Critical));
    desk.store.alerts().put(&put, time(0)).await.unwrap();
    let old = desk.store.alerts().claim(&pager, time(5), 1, LEASE).await.unwrap().remove(0);
    let elsewhere = delivery("mail", "A", 1, Severity::Error);
    desk.store.alerts().put(std::slice::from_ref(&elsewhere), time(0)).await.unwrap();
    let held = desk.store.alerts().claim(&channel("mail"), time(5), 1, LEASE).await.unwrap().remove(0);

    let desk = crash(desk).await;
    let outbox = desk.store.alerts();
    for name in ["pager", "mail"] {
        let due = outbox.next_due(&channel(name)).await.unwrap().unwrap();
        assert!(due <= time(5), "{name} is due now, not at {due}");
    }
    let new = outbox.claim(&pager, time(5), 9, LEASE).await.unwrap();
    let what = |claim: &Claim| (claim.delivery().clone(), claim.attempt(), claim.leased_until());
    assert_eq!(
        new.iter().map(what).collect::<Vec<_>>(),
        [(put[0].clone(), 2, time(65)), (put[1].clone(), 1, time(65))],
        "the attempt that was begun counts"
    );
    assert!(new.iter().all(|claim| claim.fence() > old.fence() && claim.fence() > held.fence()));
    for old in [&old, &held] {
        let fenced = Err(RepositoryError::Fenced { channel: old.channel().to_string(), fence: old.fence() });
        assert_eq!(outbox.delivered(old, &Receipt::delivered(), time(6)).await, fenced);
        assert_eq!(outbox.release(old, time(6)).await, fenced);
    }
    assert!(
        outbox.next_due(&channel("mail")).await.unwrap().unwrap() <= time(5),
        "still, for another channel"
    );
    assert_eq!(outbox.claim(&channel("mail"), time(5), 9, LEASE).await.unwrap()[0].attempt(), 2);

    assert_eq!(outbox.next_due(&pager).await, Ok(Some(time(65))));
    assert_eq!(outbox.claim(&pager, time(64), 9, LEASE).await, Ok(vec![]), "its own claims keep their lease");
    outbox.delivered(&new[0], &Receipt::delivered(), time(64)).await.unwrap();
    assert_eq!(outbox.claim(&pager, time(65), 9, LEASE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_an_earlier_opening_had_claimed_is_claimed_again_once() {
    let desk = Desk::open().await;
    let pager = channel("pager");
    let put: Vec<_> = (0..20).map(|i| delivery("pager", &format!("G{i}"), 1, Severity::Critical)).collect();
    desk.store.alerts().put(&put, time(0)).await.unwrap();
    assert_eq!(desk.store.alerts().claim(&pager, time(0), 20, LEASE).await.unwrap().len(), 20);

    let desk = crash(desk).await;
    let outbox = desk.store.alerts();
    let first = (0..3).map(|_| outbox.claim(&pager, time(1), 5, LEASE));
    let mut claims: Vec<Claim> =
        futures_util::future::join_all(first).await.into_iter().flat_map(Result::unwrap).collect();
    claims.extend(outbox.claim(&pager, time(1), 20, LEASE).await.unwrap());
    let keys: std::collections::HashSet<_> = claims.iter().map(|claim| claim.notification().key()).collect();
    assert_eq!((claims.len(), keys.len()), (20, 20), "also when several first claims are one commit");
}

#[tokio::test]
async fn a_retry_that_waits_goes_on_waiting_after_a_restart() {
    let desk = Desk::open().await;
    let pager = channel("pager");
    let put = ["A", "B"].map(|group| delivery("pager", group, 1, Severity::Critical));
    desk.store.alerts().put(&put, time(0)).await.unwrap();
    let claims = desk.store.alerts().claim(&pager, time(0), 2, LEASE).await.unwrap();
    desk.store.alerts().retry_at(&claims[0], time(40), "reset").await.unwrap();

    let desk = crash(desk).await;
    let again = desk.store.alerts().claim(&pager, time(1), 9, LEASE).await.unwrap();
    assert_eq!(again.iter().map(Claim::delivery).collect::<Vec<_>>(), [&put[1]]);
    assert_eq!(desk.store.alerts().next_due(&pager).await, Ok(Some(time(40))));
}

#[tokio::test]
async fn what_an_earlier_opening_had_claimed_gives_way_when_the_outbox_is_full() {
    let mut bounds = AlertConfig::default();
    bounds.open_deliveries = 1;
    let desk = Desk::open_with(|config| config.with_alerts(bounds)).await;
    let pager = channel("pager");
    let mild = delivery("pager", "A", 1, Severity::Info);
    desk.store.alerts().put(std::slice::from_ref(&mild), time(0)).await.unwrap();
    let old = desk.store.alerts().claim(&pager, time(0), 1, LEASE).await.unwrap().remove(0);
    let worst = delivery("pager", "B", 1, Severity::Critical);

    let desk = crash(desk).await;
    let outbox = desk.store.alerts();
    outbox.put(std::slice::from_ref(&worst), time(1)).await.unwrap();
    let claims = outbox.claim(&pager, time(1), 9, LEASE).await.unwrap();
    assert_eq!(claims.iter().map(Claim::delivery).collect::<Vec<_>>(), [&worst]);
    assert!(outbox.delivered(&old, &Receipt::delivered(), time(1)).await.is_err());
    let later = delivery("pager", "C", 1, Severity::Critical);
    outbox.put(std::slice::from_ref(&later), time(2)).await.unwrap();
    let letters = outbox.dead_letters(&PageRequest::default()).await.unwrap().items;
    let letters: Vec<_> = letters.iter().map(|letter| &letter.delivery).collect();
    assert_eq!(letters, [&later, &mild], "what this opening has claimed does not give way");
}

#[tokio::test]
async fn a_closed_file_stands_alone_and_a_closed_store_refuses() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    samples.push(batch(0, &[(&price, 1.0)]));
    desk.store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut left: Vec<_> =
        std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["desk.db"]);

    samples.push(batch(1, &[(&price, 1.0)]));
    assert!(matches!(samples.write(batch(2, &[(&price, 1.0)])).await, Err(StoreError::Closed { .. })));
    assert!(matches!(desk.store.snapshots().latest("desk").await, Err(StoreError::Closed { .. })));
    assert!(desk.store.alerts().put(&[delivery("pager", "A", 1, Severity::Info)], time(0)).await.is_err());
    assert!(desk.store.close(Duration::from_secs(1)).await.is_clean(), "closing again changes nothing");
    assert!(!desk.store.check().await.is_healthy());
    assert_eq!(desk.figure("bellwether_store_samples_dropped_total", &[("reason", "closed")]), Some(1.0));

    let copied = desk.folder.path().join("moved.db");
    std::fs::rename(desk.path(), &copied).unwrap();
    let config = bellwether_store::StoreConfig::file(&copied);
    let store = Store::open(&config, &desk.clock.shared()).await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(0, 1.0)]);
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_the_file() {
    let desk = Desk::open().await;
    let price = series("price", "A");
    desk.store.samples().write(batch(0, &[(&price, 1.0)])).await.unwrap();
    let Desk { store, clock, config, folder } = desk;
    drop(store);
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(0, 1.0)]);
    drop(folder);
}

#[tokio::test]
async fn damaged_rows_of_the_head_are_put_aside_and_the_others_are_there() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..3 {
        samples.write(batch(i, &[(&price, i as f64)])).await.unwrap();
    }
    let path = desk.path();
    let Desk { store, clock, config, folder } = desk;
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&path).await;
    sqlx::query("UPDATE head SET data = zeroblob(length(data)) WHERE seq = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(0, 0.0), (2, 2.0)]);
    let check = store.check().await;
    assert_eq!((check.damaged_rows, check.is_healthy()), (1, false));
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&path).await;
    let (kept,): (i64,) = sqlx::query_as("SELECT count(*) FROM damaged WHERE source = 'head'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    drop(folder);
}

#[tokio::test]
async fn samples_of_the_head_whose_series_is_gone_are_put_aside_and_the_others_are_there() {
    let desk = Desk::open().await;
    let (samples, gone, price) = (desk.store.samples(), series("gone", "A"), series("price", "A"));
    for i in 0..3 {
        samples.write(batch(i, &[(&gone, -1.0), (&price, i as f64)])).await.unwrap();
    }
    samples.write(batch(3, &[(&gone, -1.0)])).await.unwrap();
    let path = desk.path();
    let Desk { store, clock, config, folder } = desk;
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&path).await;
    sqlx::query("DELETE FROM series WHERE name = 'gone'").execute(&mut connection).await.unwrap();
    drop(connection);
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(0, 0.0), (1, 1.0), (2, 2.0)]);
    assert_eq!(store.check().await.damaged_rows, 4);
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&path).await;
    let (kept, reason): (i64, String) =
        sqlx::query_as("SELECT count(*), min(reason) FROM damaged").fetch_one(&mut connection).await.unwrap();
    assert_eq!((kept, reason.as_str()), (4, "1 samples of series that are not known"));
    drop(connection);
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    assert_eq!(store.check().await.damaged_rows, 0, "once");
    assert_eq!(values(&store.samples(), "price").await, [(0, 0.0), (1, 1.0), (2, 2.0)]);
    drop(folder);
}

#[tokio::test]
async fn a_damaged_row_that_cannot_be_put_aside_does_not_keep_the_store_closed() {
    let desk = Desk::open().await;
    let (samples, price) = (desk.store.samples(), series("price", "A"));
    for i in 0..2 {
        samples.write(batch(i, &[(&price, i as f64)])).await.unwrap();
    }
    let path = desk.path();
    let Desk { store, clock, config, folder } = desk;
    store.close(Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&path).await;
    sqlx::query("UPDATE head SET crc32 = 0 WHERE seq = 1").execute(&mut connection).await.unwrap();
    let no = "CREATE TRIGGER no BEFORE INSERT ON damaged BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::query(no).execute(&mut connection).await.unwrap();
    let store = Store::open(&config, &clock.shared()).await.unwrap();
    store.alerts().put(&[delivery("pager", "A", 1, Severity::Critical)], time(0)).await.unwrap();
    store.samples().write(batch(2, &[(&price, 2.0)])).await.unwrap();
    assert_eq!(values(&store.samples(), "price").await, [(1, 1.0), (2, 2.0)]);
    assert_eq!(store.check().await.damaged_rows, 1, "counted once, however often it is tried");
    drop(folder);
}
