//! What goes wrong with a store.

use std::path::PathBuf;
use std::time::Duration;

use bellwether_core::config::Problems;
use bellwether_core::{CursorError, Timestamp};

use crate::DatabaseUrlError;

/// Why a store did not do what was asked. `database` is the file or the masked URL; no message holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The configuration is wrong; nothing was opened.
    #[error("store configuration: {0}")]
    Config(Problems),
    /// The source of the URL gave none.
    #[error(transparent)]
    Url(#[from] DatabaseUrlError),
    /// The file holds something else than a SQLite database; it was not touched.
    #[error(
        "{database} is not a SQLite database: found {found}, expected a file that begins with \"SQLite format 3\""
    )]
    NotADatabase {
        /// The file.
        database: String,
        /// What it is or begins with.
        found: String,
    },
    /// The database belongs to another program; it was not touched.
    #[error(
        "{database} is a database of another program: found {found}, expected the application id 0x42575448"
    )]
    Foreign {
        /// The file.
        database: String,
        /// What tells it.
        found: String,
    },
    /// The database was written by a newer version of Bellwether; it was not touched.
    #[error(
        "{database} has a newer schema: found version {found}, expected at most {known}; open it with the version that wrote it"
    )]
    Newer {
        /// The file.
        database: String,
        /// Version of its schema.
        found: i64,
        /// Newest version that is known here.
        known: i64,
    },
    /// The schema is not what this version expects.
    #[error("the schema of {database} is not as expected: {reason}")]
    Schema {
        /// The file.
        database: String,
        /// What is wrong.
        reason: String,
    },
    /// The folder of the database cannot be written to.
    #[error(
        "{database} cannot be opened for writing: its folder {folder:?} gave {reason:?}, expected a folder that can be written to"
    )]
    Folder {
        /// The file.
        database: String,
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another store writes to the database.
    #[error("{database} is in use: another process, or another store of this one, holds {lock:?}")]
    InUse {
        /// The file.
        database: String,
        /// The file that says so.
        lock: PathBuf,
    },
    /// The database cannot be reached, or the disk failed.
    #[error("{database} is unavailable: {reason}")]
    Unavailable {
        /// The file.
        database: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("{database} did not answer within {limit:?}")]
    Timeout {
        /// The file.
        database: String,
        /// How long it was given.
        limit: Duration,
    },
    /// Too many want something at the same time, or another program holds the database's lock.
    #[error("{database} is busy: {reason}")]
    Busy {
        /// The file.
        database: String,
        /// With what.
        reason: String,
    },
    /// A row with this key exists.
    #[error("{database} has such a row already: {reason}")]
    Conflict {
        /// The file.
        database: String,
        /// Which.
        reason: String,
    },
    /// The disk is full, or the file has reached its bound.
    #[error("{database} is full: free disk space, raise max_bytes, or delete what is old")]
    Full {
        /// The file.
        database: String,
    },
    /// The file or its disk cannot be written to.
    #[error("{database} is read-only")]
    ReadOnly {
        /// The file.
        database: String,
    },
    /// The file is damaged, or is no longer the one that was opened.
    #[error("{database} is damaged: {reason}")]
    Corrupt {
        /// The file.
        database: String,
        /// What is wrong.
        reason: String,
    },
    /// What was to be stored is not acceptable.
    #[error("not stored: {reason}")]
    Rejected {
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// Samples went before they were written, because more came than may wait. The others are durable.
    #[error("{database} dropped {samples} samples unwritten: more than samples.queue = {most} waited")]
    SamplesDropped {
        /// The file.
        database: String,
        /// How many of those that were waited for.
        samples: u64,
        /// Most samples that wait.
        most: usize,
    },
    /// Samples of a batch are not acceptable. The others are durable, and sending the batch again changes nothing.
    #[error(
        "{database} kept {kept} samples of the batch and refused {}: {not_finite} are no finite number, {too_old} too old, {too_many_series} of series beyond samples.max_series",
        not_finite + too_old + too_many_series
    )]
    SamplesRefused {
        /// The file.
        database: String,
        /// Samples that are durable.
        kept: u64,
        /// Samples that are NaN or infinite.
        not_finite: u64,
        /// Samples from before what `samples.max_age` and `retain` keep.
        too_old: u64,
        /// Samples of series beyond the bound.
        too_many_series: u64,
    },
    /// What was to be deleted reaches into the future; nothing was.
    #[error("{database} deletes nothing from before {older_than}: expected an instant up to now, {now}")]
    InFuture {
        /// The file.
        database: String,
        /// What was asked.
        older_than: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },
    /// The store is closed. What was asked for while it closed may or may not have been done.
    #[error("{database} is closed")]
    Closed {
        /// The file.
        database: String,
    },
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's help with the call itself: a lock that goes, a disk that
    /// gets space, a service that comes back.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. }
                | Self::Timeout { .. }
                | Self::Busy { .. }
                | Self::Full { .. }
                | Self::InUse { .. }
        )
    }
}

#[cfg(feature = "alerts")]
impl StoreError {
    /// As the traits of the alerts tell it.
    pub(crate) fn of(self, repository: &'static str) -> bellwether_alerts::RepositoryError {
        use bellwether_alerts::RepositoryError;
        match self {
            Self::Cursor(error) => RepositoryError::Cursor(error),
            error @ (Self::Corrupt { .. } | Self::Schema { .. }) => {
                RepositoryError::corrupt(repository, error)
            }
            error => RepositoryError::unavailable(repository, error),
        }
    }
}

#[cfg(feature = "samples")]
impl From<StoreError> for bellwether_core::HistoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cursor(error) => Self::Cursor(error),
            error => Self::Unavailable { reason: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_transient_and_what_needs_a_person_is_not() {
        let database = || "desk.db".to_owned();
        assert!(StoreError::Full { database: database() }.is_transient());
        assert!(StoreError::Busy { database: database(), reason: "locked".into() }.is_transient());
        assert!(!StoreError::ReadOnly { database: database() }.is_transient());
        assert!(!StoreError::Newer { database: database(), found: 9, known: 1 }.is_transient());
        assert!(!StoreError::Rejected { reason: "no".into() }.is_transient());
    }
}
