//! Snapshots in a store.

use bellwether_core::PageRequest;
use bellwether_store::{Snapshot, SnapshotQuery, StoreError, StoredSnapshots};

use crate::fixture::{Desk, limit, range, time};

fn snapshot(scope: &str, period: &str, at: i64, body: &str) -> Snapshot {
    Snapshot {
        scope: scope.to_owned(),
        period: period.to_owned(),
        at: time(at),
        schema_version: 3,
        body: body.to_owned(),
    }
}

async fn joined(snapshots: &StoredSnapshots, query: &SnapshotQuery, per_page: u32) -> Vec<Snapshot> {
    let mut page = PageRequest::first(limit(per_page));
    let mut all = Vec::new();
    loop {
        let read = snapshots.page(query, &page).await.unwrap();
        all.extend(read.items);
        let Some(next) = read.next else { return all };
        page = PageRequest::after(limit(per_page), next);
    }
}

#[tokio::test]
async fn putting_twice_is_putting_once_and_the_last_document_stays() {
    let desk = Desk::open().await;
    let snapshots = desk.store.snapshots();
    snapshots.put(&snapshot("momentum", "daily", 1, "{\"sharpe\":1.0}")).await.unwrap();
    snapshots.put(&snapshot("momentum", "daily", 1, "{\"sharpe\":1.1}")).await.unwrap();
    let all = joined(&snapshots, &SnapshotQuery::scope("momentum"), 10).await;
    assert_eq!(all, [snapshot("momentum", "daily", 1, "{\"sharpe\":1.1}")]);
}

#[tokio::test]
async fn the_latest_is_the_newest_of_its_scope() {
    let desk = Desk::open().await;
    let snapshots = desk.store.snapshots();
    assert_eq!(snapshots.latest("momentum").await, Ok(None));
    for (scope, at) in [("momentum", 5), ("momentum", 9), ("momentum", 2), ("trend", 99)] {
        snapshots.put(&snapshot(scope, "daily", at, "{}")).await.unwrap();
    }
    assert_eq!(snapshots.latest("momentum").await.unwrap().unwrap().at, time(9));
}

#[tokio::test]
async fn pages_joined_are_the_whole_the_newest_first() {
    let desk = Desk::open().await;
    let snapshots = desk.store.snapshots();
    let hostile = "'; DROP TABLE snapshots; --\u{0}\u{1F4A3}";
    let mut put = Vec::new();
    for i in 0..40 {
        let one = snapshot(hostile, if i % 3 == 0 { "daily" } else { "weekly" }, i, &format!("[{i}]"));
        snapshots.put(&one).await.unwrap();
        put.insert(0, one);
    }
    for query in [
        SnapshotQuery::scope(hostile),
        SnapshotQuery::scope(hostile).period("daily"),
        SnapshotQuery::scope(hostile).within(range(5, 20)),
        SnapshotQuery::scope(hostile).period("weekly").within(range(0, 39)),
        SnapshotQuery::scope("nobody"),
    ] {
        let expected: Vec<Snapshot> = put
            .iter()
            .filter(|one| one.scope == query.scope)
            .filter(|one| query.period.as_ref().is_none_or(|period| *period == one.period))
            .filter(|one| query.range.is_none_or(|range| range.contains(one.at.try_into().unwrap())))
            .cloned()
            .collect();
        for per_page in [1, 7, 100] {
            assert_eq!(joined(&snapshots, &query, per_page).await, expected, "{query:?}");
        }
    }
    let first = snapshots.page(&SnapshotQuery::scope(hostile), &PageRequest::first(limit(1))).await.unwrap();
    let foreign = PageRequest::after(limit(1), first.next.unwrap());
    let refused = snapshots.page(&SnapshotQuery::scope("nobody"), &foreign).await;
    assert!(matches!(refused, Err(StoreError::Cursor(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_snapshot_is_refused_with_the_reason() {
    let desk = Desk::open().await;
    let snapshots = desk.store.snapshots();
    for (bad, reason) in [
        (snapshot("", "daily", 0, "{}"), "scope of a snapshot has 0 bytes, expected 1 to 255"),
        (snapshot("a", &"x".repeat(256), 0, "{}"), "period of a snapshot has 256 bytes, expected 1 to 255"),
        (
            snapshot("a", "daily", 0, "{"),
            "body of a snapshot is not JSON: EOF while parsing an object at line 1 column 1",
        ),
    ] {
        let refused = snapshots.put(&bad).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("not stored: {reason}"));
        assert!(!refused.is_transient());
    }
    let long = snapshot("a", "daily", 0, &format!("\"{}\"", "x".repeat(Snapshot::MAX_BODY_LEN)));
    assert!(matches!(snapshots.put(&long).await, Err(StoreError::Rejected { .. })));
}

#[tokio::test]
async fn old_snapshots_and_those_beyond_the_bound_go() {
    let mut bounds = bellwether_store::SnapshotConfig::default();
    bounds.snapshots = 10;
    let desk = Desk::open_with(|config| config.with_snapshots(bounds)).await;
    let snapshots = desk.store.snapshots();
    for i in 0..15 {
        snapshots.put(&snapshot("momentum", "daily", i, "{}")).await.unwrap();
    }
    let query = SnapshotQuery::scope("momentum");
    assert_eq!(joined(&snapshots, &query, 100).await.len(), 10);
    assert_eq!(snapshots.retain(time(12)).await, Ok(7));
    let left: Vec<_> = joined(&snapshots, &query, 100).await.iter().map(|one| one.at).collect();
    assert_eq!(left, [time(14), time(13), time(12)]);
}

#[tokio::test]
async fn a_snapshot_that_is_put_again_takes_no_room_from_others() {
    let mut bounds = bellwether_store::SnapshotConfig::default();
    bounds.snapshots = 3;
    let desk = Desk::open_with(|config| config.with_snapshots(bounds)).await;
    let snapshots = desk.store.snapshots();
    snapshots.put(&snapshot("momentum", "daily", 0, "{}")).await.unwrap();
    for i in 0..10 {
        snapshots.put(&snapshot("momentum", "daily", 1, &format!("[{i}]"))).await.unwrap();
    }
    snapshots.put(&snapshot("momentum", "daily", 2, "{}")).await.unwrap();
    let found = joined(&snapshots, &SnapshotQuery::scope("momentum"), 100).await;
    let bodies: Vec<&str> = found.iter().map(|one| one.body.as_str()).collect();
    assert_eq!(bodies, ["{}", "[9]", "{}"]);
}
