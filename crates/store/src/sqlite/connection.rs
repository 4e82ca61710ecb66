//! How connections are opened.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::fault::classify;
use super::migration::{self, Found};
use super::request::Durability;
use crate::StoreError;

/// Bytes of a page: SQLite's default, which every file of ours has.
pub(super) const PAGE_BYTES: u64 = 4096;

/// Pages from which on a log is merged into the file.
const LONG_LOG: i64 = 1_000;

/// Bytes that a log of so many pages has at least.
pub(super) const LONG_LOG_BYTES: u64 = LONG_LOG.unsigned_abs() * PAGE_BYTES;

const AUTO_VACUUM: &str = "PRAGMA auto_vacuum = INCREMENTAL";
const WAL: &str = "PRAGMA journal_mode = WAL";
const OPTIMIZE: &str = "PRAGMA optimize";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// Waits for nobody.
const CHECKPOINT_WHAT_CAN_BE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// Does nothing, and tells how long the log is.
const LOG_PAGES: &str = "PRAGMA wal_checkpoint(NOOP)";
/// Changes nothing, and fails where nothing may be changed; to begin a transaction does not.
const MAY_WRITE: &str = "UPDATE meta SET value = value WHERE key = ''";
const BEGIN: &str = "BEGIN IMMEDIATE";
const ROLLBACK: &str = "ROLLBACK";
const SYNCHRONISED: &str = "PRAGMA synchronous = FULL";
const COMMITTED: &str = "PRAGMA synchronous = NORMAL";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    AUTO_VACUUM,
    WAL,
    OPTIMIZE,
    CHECKPOINT,
    CHECKPOINT_WHAT_CAN_BE,
    LOG_PAGES,
    MAY_WRITE,
    BEGIN,
    ROLLBACK,
    SYNCHRONISED,
    COMMITTED,
];

/// Pragmas that change nothing in the file. `mmap_size = 0`: with memory maps a failing disk kills the process.
fn base(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy_timeout)
        .foreign_keys(true)
        .pragma("cache_size", "-16000")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        .pragma("mmap_size", "0")
        .disable_statement_logging()
}

/// Options of connections that read.
pub(super) fn reading(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    base(path, busy_timeout)
        .read_only(true)
        .pragma("query_only", "ON")
        .thread_name(|id| format!("store-reader-{id}"))
}

/// How the writer's connection is opened.
#[derive(Debug, Clone)]
pub(super) struct WriterOptions {
    options: SqliteConnectOptions,
    name: String,
    busy_timeout: Duration,
}

impl WriterOptions {
    pub(super) fn new(path: &Path, name: &str, busy_timeout: Duration, max_bytes: Option<u64>) -> Self {
        let mut options = base(path, busy_timeout)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", "67108864")
            // SQLite's own keeps to itself that the disk failed in it: the writer merges the log.
            .pragma("wal_autocheckpoint", "0")
            .thread_name(|id| format!("store-writer-{id}"));
        if let Some(bytes) = max_bytes {
            options = options.pragma("max_page_count", (bytes / PAGE_BYTES).max(1).to_string());
        }
        Self { options, name: name.to_owned(), busy_timeout }
    }

    /// Opens the file for the first time: makes it if there is none, refuses it untouched if it is not ours, and brings
    /// its schema up to date.
    pub(super) async fn open_first(&self, now: i64) -> Result<SqliteConnection, StoreError> {
        let mut connection = self.connect(self.options.clone().create_if_missing(true)).await?;
        let prepared = self.prepare(&mut connection, now).await;
        match prepared {
            Ok(()) => Ok(connection),
            Err(error) => {
                close(connection).await;
                Err(error)
            }
        }
    }

    /// Opens the file again.
    pub(super) async fn open_again(&self) -> Result<SqliteConnection, StoreError> {
        self.connect(self.options.clone()).await
    }

    async fn connect(&self, options: SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
        options.connect().await.map_err(|error| self.fault(&error))
    }

    async fn prepare(&self, connection: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
        let database = self.name.clone();
        let fault = |error: sqlx::Error| self.fault(&error);
        match migration::look(connection).await.map_err(fault)? {
            Found::Empty => {
                // Only before the first page is written.
                sqlx::query(AUTO_VACUUM).execute(&mut *connection).await.map_err(fault)?;
            }
            Found::Ours => {}
            Found::Foreign(found) => return Err(StoreError::Foreign { database, found }),
            Found::Newer { found, known } => return Err(StoreError::Newer { database, found, known }),
            Found::Changed(reason) => return Err(StoreError::Schema { database, reason }),
        }
        let (mode,): (String,) = sqlx::query_as(WAL).fetch_one(&mut *connection).await.map_err(fault)?;
        if mode != "wal" {
            let reason = format!("its file system allows only journal mode {mode:?}, expected \"wal\"");
            return Err(StoreError::Unavailable { database, reason });
        }
        migration::migrate(connection, now).await.map_err(fault)?;
        sqlx::query(MAY_WRITE).execute(&mut *connection).await.map_err(fault)?;
        Ok(())
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        classify(&self.name, self.busy_timeout, error)
    }
}

/// Ends a connection and waits until it is gone. Whatever it had begun is rolled back.
pub(super) async fn close(connection: SqliteConnection) {
    use sqlx::Connection as _;
    // It is given up either way.
    let _ = connection.close().await;
}

/// The writer's connection, and what its commits outlive.
pub(super) struct Connection {
    pub(super) inner: SqliteConnection,
    durability: Durability,
    #[cfg(test)]
    disk: FailingDisk,
}

/// How many merges of the log still fail, and how.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(super) struct FailingDisk(std::sync::Arc<parking_lot::Mutex<Option<Failing>>>);

#[cfg(test)]
type Failing = (usize, fn() -> sqlx::Error);

#[cfg(test)]
impl FailingDisk {
    pub(super) fn fail(&self, merges: usize, error: fn() -> sqlx::Error) {
        *self.0.lock() = Some((merges, error));
    }

    fn synchronise(&self) -> sqlx::Result<()> {
        match &mut *self.0.lock() {
            Some((left, error)) if *left > 0 => {
                *left -= 1;
                Err(error())
            }
            _ => Ok(()),
        }
    }
}

impl Connection {
    /// A connection as [`WriterOptions`] opens them.
    pub(super) fn new(inner: SqliteConnection, #[cfg(test)] disk: FailingDisk) -> Self {
        Self {
            inner,
            durability: Durability::Synchronised,
            #[cfg(test)]
            disk,
        }
    }

    /// Begins a transaction whose commit outlives at least what is asked.
    pub(super) async fn begin(&mut self, durability: Durability) -> sqlx::Result<()> {
        if durability != self.durability {
            let sql = match durability {
                Durability::Synchronised => SYNCHRONISED,
                Durability::Committed => COMMITTED,
            };
            sqlx::query(sql).execute(&mut self.inner).await?;
            self.durability = durability;
        }
        sqlx::query(BEGIN).execute(&mut self.inner).await?;
        Ok(())
    }

    /// Undoes what was begun, if anything was.
    pub(super) async fn roll_back(&mut self) {
        // It fails where nothing was begun, or where it was undone with the statement that failed.
        let _ = sqlx::query(ROLLBACK).execute(&mut self.inner).await;
    }

    /// Merges the log into the file, both synchronised. Tells whether that was possible beside those who read.
    pub(super) async fn merge_log(&mut self) -> sqlx::Result<Merged> {
        #[cfg(test)]
        self.disk.synchronise()?;
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as(CHECKPOINT).fetch_one(&mut self.inner).await?;
        Ok(if busy == 0 { Merged::All } else { Merged::Part })
    }

    /// Merges of a log that has grown long what can be merged without waiting for those who read. After an error nobody knows how much of
    /// the log is on the disk.
    pub(super) async fn merge_long_log(&mut self) -> sqlx::Result<()> {
        let (_, pages, _): (i64, i64, i64) = sqlx::query_as(LOG_PAGES).fetch_one(&mut self.inner).await?;
        if pages >= LONG_LOG {
            #[cfg(test)]
            self.disk.synchronise()?;
            sqlx::query(CHECKPOINT_WHAT_CAN_BE).execute(&mut self.inner).await?;
        }
        Ok(())
    }

    /// Leaves the file in one piece: statistics, and the log merged into it.
    pub(super) async fn tidy(&mut self) -> sqlx::Result<Merged> {
        // Without new statistics reads are slower; the log is to be merged all the same.
        let _ = sqlx::query(OPTIMIZE).execute(&mut self.inner).await;
        self.merge_log().await
    }
}

/// How much of the log was merged into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merged {
    All,
    /// Somebody reads what the rest replaces.
    Part,
}
