//! A file that is only looked at.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bellwether_store::{Store, StoreConfig, StoreError};

use crate::fixture::{Desk, stranger};

/// The bytes of every file of a folder.
fn files(folder: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// What is said of a file, which leaves it and its folder as they were.
async fn examined(path: &Path) -> Result<(), StoreError> {
    let before = files(path.parent().unwrap());
    let said = Store::examine(&StoreConfig::file(path)).await;
    assert!(files(path.parent().unwrap()) == before, "{said:?}");
    said
}

#[tokio::test]
async fn a_look_tells_what_opening_would_and_leaves_no_trace() {
    let desk = Desk::open().await;
    let path = desk.path();
    desk.store.close(Duration::from_secs(10)).await.into_result().unwrap();
    assert_eq!(examined(&path).await, Ok(()));

    let mut connection = stranger(&path).await;
    let newer =
        "INSERT INTO _bellwether_migrations (version, name, checksum, applied_at) VALUES (9, 'later', 0, 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    assert!(matches!(examined(&path).await, Err(StoreError::Newer { found: 9, .. })));

    let mut connection = stranger(&path).await;
    sqlx::query("DROP TABLE _bellwether_migrations").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    assert!(matches!(examined(&path).await, Err(StoreError::Schema { .. })));
}

#[tokio::test]
async fn a_look_at_what_is_missing_empty_foreign_or_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    assert_eq!(examined(&path).await, Ok(()));
    std::fs::write(&path, "").unwrap();
    assert_eq!(examined(&path).await, Ok(()));
    let mut other = stranger(&path).await;
    sqlx::query("CREATE TABLE trades (id INTEGER)").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    assert!(matches!(examined(&path).await, Err(StoreError::Foreign { .. })));
    std::fs::write(&path, "date,close\n").unwrap();
    assert!(matches!(examined(&path).await, Err(StoreError::NotADatabase { .. })));
}
