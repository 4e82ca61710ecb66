//! What is SQLite's own: connections, statements, files.
//!
//! Every statement is a constant with bound values; nothing here builds SQL.

mod connection;
mod engine;
mod examine;
mod fault;
mod feed;
mod file;
mod lock;
mod migration;
pub(crate) mod readers;
pub(crate) mod request;
mod writer;

#[cfg(feature = "samples")]
mod age_rows;
#[cfg(feature = "alerts")]
pub(crate) mod alert_history;
#[cfg(feature = "samples")]
pub(crate) mod chunk_rows;
#[cfg(feature = "alerts")]
pub(crate) mod earlier_claims;
#[cfg(feature = "samples")]
mod head_rows;
#[cfg(any(feature = "alerts", feature = "snapshots"))]
pub(crate) mod keyset;
#[cfg(feature = "alerts")]
pub(crate) mod notification_log;
#[cfg(feature = "alerts")]
pub(crate) mod outbox;
#[cfg(feature = "samples")]
pub(crate) mod retention;
#[cfg(feature = "samples")]
pub(crate) mod sample_feed;
#[cfg(feature = "samples")]
mod series_rows;
#[cfg(feature = "snapshots")]
pub(crate) mod snapshot_rows;

pub(crate) use engine::{Engine, MakeFeed, Opening};
pub(crate) use examine::examine;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::{Executor as _, SqlStr};

    use super::connection::WriterOptions;

    fn statements() -> Vec<&'static str> {
        let parts: &[&[&str]] = &[
            super::connection::STATEMENTS,
            super::engine::STATEMENTS,
            super::migration::STATEMENTS,
            super::writer::STATEMENTS,
            #[cfg(feature = "alerts")]
            super::alert_history::STATEMENTS,
            #[cfg(feature = "alerts")]
            super::earlier_claims::STATEMENTS,
            #[cfg(feature = "alerts")]
            super::notification_log::STATEMENTS,
            #[cfg(feature = "alerts")]
            super::outbox::STATEMENTS,
            #[cfg(feature = "samples")]
            super::age_rows::STATEMENTS,
            #[cfg(feature = "samples")]
            super::chunk_rows::STATEMENTS,
            #[cfg(feature = "samples")]
            super::head_rows::STATEMENTS,
            #[cfg(feature = "samples")]
            super::retention::STATEMENTS,
            #[cfg(feature = "samples")]
            super::series_rows::STATEMENTS,
            #[cfg(feature = "snapshots")]
            super::snapshot_rows::STATEMENTS,
        ];
        parts.concat()
    }

    #[tokio::test]
    async fn sqlite_prepares_every_statement() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let options = WriterOptions::new(&path, "desk.db", Duration::from_secs(1), None);
        let mut connection = options.open_first(0).await.unwrap();
        for sql in statements() {
            let prepared = (&mut connection).prepare(SqlStr::from_static(sql)).await;
            assert!(prepared.is_ok(), "{sql}: {prepared:?}");
        }
    }

    #[tokio::test]
    async fn the_writer_synchronises_if_it_is_told_nothing_else_and_the_file_can_shrink() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let options = WriterOptions::new(&path, "desk.db", Duration::from_secs(1), Some(1 << 20));
        let mut connection = options.open_first(0).await.unwrap();
        let pragmas = [
            ("PRAGMA synchronous", 2),
            ("PRAGMA auto_vacuum", 2),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA trusted_schema", 0),
            ("PRAGMA mmap_size", 0),
            ("PRAGMA max_page_count", 256),
            ("PRAGMA page_size", super::connection::PAGE_BYTES as i64),
            ("PRAGMA application_id", i64::from(super::file::APPLICATION_ID)),
        ];
        for (sql, expected) in pragmas {
            let (value,): (i64,) = sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap();
            assert_eq!(value, expected, "{sql}");
        }
        let mut again = options.open_again().await.unwrap();
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut again).await.unwrap();
        assert_eq!(mode, "wal");
    }
}
