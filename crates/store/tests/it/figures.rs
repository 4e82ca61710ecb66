//! What a store tells about itself.

use std::time::Duration;

use bellwether_core::Collect;

use crate::fixture::{Desk, batch, series, told};

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
