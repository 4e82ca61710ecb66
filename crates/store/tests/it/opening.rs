//! What is opened, and what is refused untouched.

use std::path::Path;

use bellwether_alerts::Outbox;
use bellwether_core::{ManualClock, SharedClock};
use bellwether_store::{DatabaseUrl, Store, StoreConfig, StoreError};

use crate::fixture::{Desk, stranger, time};

fn clock() -> SharedClock {
    ManualClock::starting_at(time(0)).shared()
}

async fn refused(path: &Path) -> StoreError {
    match Store::open(&StoreConfig::file(path), &clock()).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n') && text.contains(path.to_str().unwrap()), "{text}");
            error
        }
    }
}

/// Refused, and the bytes are what they were.
async fn refused_untouched(path: &Path) -> StoreError {
    let before = std::fs::read(path).unwrap();
    let error = refused(path).await;
    assert_eq!(std::fs::read(path).unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    error
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    std::fs::write(&path, "date,close\n1999-01-04,100.0\n").unwrap();
    let error = refused_untouched(&path).await;
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not a SQLite database: found a file that begins with \"date,close\\n1999-\", expected a file that begins with \"SQLite format 3\"",
            path.display()
        )
    );
    std::fs::write(&path, b"SQLite format 3\0cut").unwrap();
    assert!(matches!(refused_untouched(&path).await, StoreError::NotADatabase { .. }));
    let mut garbage = b"SQLite format 3\0".to_vec();
    garbage.resize(8_192, 0xa5);
    garbage[68..72].fill(0);
    std::fs::write(&path, garbage).unwrap();
    assert!(matches!(refused(&path).await, StoreError::Corrupt { .. }));
    let inner = folder.path().join("folder");
    std::fs::create_dir(&inner).unwrap();
    assert!(matches!(refused(&inner).await, StoreError::NotADatabase { .. }));
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    std::fs::write(&path, "").unwrap();
    assert!(Store::open(&StoreConfig::file(&path), &clock()).await.is_ok());
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    std::fs::write(&path, "").unwrap();
    let mut other = stranger(&path).await;
    sqlx::query("CREATE TABLE trades (id INTEGER)").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let error = refused_untouched(&path).await;
    assert!(error.to_string().contains("found 1 tables and no application id"), "{error}");
    let mut other = stranger(&path).await;
    sqlx::query("PRAGMA application_id = 252006673").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let error = refused_untouched(&path).await;
    assert!(matches!(&error, StoreError::Foreign { found, .. } if found.contains("0x0f055111")), "{error}");
}

#[tokio::test]
async fn a_newer_or_changed_schema_is_refused() {
    let desk = Desk::open().await;
    desk.store.close(std::time::Duration::from_secs(10)).await.into_result().unwrap();
    let mut connection = stranger(&desk.path()).await;
    let newer =
        "INSERT INTO _bellwether_migrations (version, name, checksum, applied_at) VALUES (9, 'later', 0, 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let error = refused(&desk.path()).await;
    let known = 1;
    assert_eq!(error, StoreError::Newer { database: desk.path().display().to_string(), found: 9, known });
    assert!(error.to_string().contains("found version 9, expected at most 1"), "{error}");
    sqlx::query("DELETE FROM _bellwether_migrations WHERE version = 9")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("UPDATE _bellwether_migrations SET checksum = 0").execute(&mut connection).await.unwrap();
    assert!(matches!(refused(&desk.path()).await, StoreError::Schema { .. }));
    sqlx::query("DROP TABLE _bellwether_migrations").execute(&mut connection).await.unwrap();
    assert!(matches!(refused(&desk.path()).await, StoreError::Schema { .. }));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("desk.db");
    let error = refused(&below).await;
    assert!(matches!(error, StoreError::Folder { .. } | StoreError::Unavailable { .. }), "{error}");
    let missing = folder.path().join("missing").join("desk.db");
    assert!(matches!(refused(&missing).await, StoreError::Folder { .. }));
}

#[tokio::test]
async fn a_second_store_of_the_same_file_is_refused_until_the_first_is_closed() {
    let desk = Desk::open().await;
    let error = refused(&desk.path()).await;
    assert!(matches!(error, StoreError::InUse { .. }) && error.is_transient(), "{error}");
    let desk = desk.reopen().await;
    assert!(desk.store.check().await.is_healthy());
}

#[tokio::test]
async fn the_configuration_is_checked_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::file(folder.path().join("desk.db")).with_readers(0).with_queue(0);
    let error = Store::open(&config, &clock()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Config(problems) if problems.len() == 2), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let elsewhere = StoreConfig::new(DatabaseUrl::file(":memory:"));
    assert!(matches!(Store::open(&elsewhere, &clock()).await, Err(StoreError::Config(_))));
}

#[tokio::test]
async fn an_opening_that_is_given_up_leaves_a_file_that_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::file(folder.path().join("desk.db"));
    let clock = clock();
    for polls in 1..4 {
        let mut opening = Box::pin(Store::open(&config, &clock));
        for _ in 0..polls {
            if futures_util::poll!(&mut opening).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let store = Store::open(&config, &clock).await.unwrap();
    assert!(store.check().await.is_healthy());
}

#[tokio::test]
async fn opening_writes_nothing_so_that_a_full_disk_keeps_no_store_closed() {
    let desk = Desk::open().await;
    let boots = async |desk: &Desk| {
        let mut connection = stranger(&desk.path()).await;
        let row: (i64,) = sqlx::query_as("SELECT value FROM meta WHERE key = 'boots'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row.0
    };
    let desk = desk.reopen().await.reopen().await;
    assert_eq!(boots(&desk).await, 0);
    let price = crate::fixture::series("price", "A");
    for second in 0..3 {
        desk.store.samples().write(crate::fixture::batch(second, &[(&price, 1.0)])).await.unwrap();
    }
    assert_eq!(boots(&desk).await, 1, "with the first samples");
    let desk = desk.reopen().await;
    assert_eq!(boots(&desk).await, 1);
    desk.store.samples().write(crate::fixture::batch(3, &[(&price, 1.0)])).await.unwrap();
    assert_eq!(boots(&desk).await, 2);
    assert_eq!(crate::fixture::values(&desk.store.samples(), "price").await.len(), 4);
}

#[tokio::test]
async fn opening_changes_nothing_of_what_was_claimed_before() {
    let desk = Desk::open().await;
    let pager = crate::fixture::channel("pager");
    let put = [crate::fixture::delivery("pager", "A", 1, bellwether_core::Severity::Error)];
    desk.store.alerts().put(&put, time(0)).await.unwrap();
    let lease = std::time::Duration::from_mins(1);
    assert_eq!(desk.store.alerts().claim(&pager, time(0), 1, lease).await.unwrap().len(), 1);
    let row = async |desk: &Desk| {
        let mut connection = stranger(&desk.path()).await;
        let row: (Option<i64>, i64, i64) = sqlx::query_as("SELECT fence, due_at, attempts FROM outbox")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row
    };
    let before = row(&desk).await;
    let desk = desk.reopen().await;
    assert!(desk.store.alerts().next_due(&pager).await.unwrap().unwrap() <= time(0));
    assert_eq!(row(&desk).await, before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_behind_a_link_is_locked_and_its_log_watched_where_they_are() {
    for is_there in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("disk").join("desk.db"), folder.path().join("link.db"));
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        if is_there {
            let store = Store::open(&StoreConfig::file(&file), &clock()).await.unwrap();
            store.close(std::time::Duration::from_secs(10)).await.into_result().unwrap();
        }
        std::os::unix::fs::symlink("disk/desk.db", &link).unwrap();
        let store = Store::open(&StoreConfig::file(&link), &clock()).await.unwrap();
        let put = [crate::fixture::delivery("pager", "A", 1, bellwether_core::Severity::Error)];
        store.alerts().put(&put, time(0)).await.unwrap();
        assert!(store.check().await.wal_bytes > 0);
        let second = Store::open(&StoreConfig::file(&file), &clock()).await.err();
        assert!(matches!(second, Some(StoreError::InUse { .. })), "{second:?}");
        std::fs::remove_file(folder.path().join("disk").join("desk.db-wal")).unwrap();
        let problem = store.check().await.problem;
        assert!(matches!(problem, Some(StoreError::Corrupt { .. })), "{problem:?}");
    }
}
