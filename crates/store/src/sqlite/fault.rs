//! What an error of the driver means. By code, never by text.

use std::time::Duration;

use crate::StoreError;

/// Result codes of SQLite (<https://www.sqlite.org/rescode.html>); the lowest byte of an extended code is its primary one.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const SCHEMA: i32 = 17;
    pub(super) const TOO_BIG: i32 = 18;
    pub(super) const CONSTRAINT: i32 = 19;
    pub(super) const MISMATCH: i32 = 20;
    pub(super) const NOT_A_DATABASE: i32 = 26;
    pub(super) const ERROR: i32 = 1;
    pub(super) const CONSTRAINT_PRIMARY_KEY: i32 = 1555;
    pub(super) const CONSTRAINT_UNIQUE: i32 = 2067;
}

/// The meaning of an error.
pub(crate) fn classify(database: &str, limit: Duration, error: &sqlx::Error) -> StoreError {
    let database = database.to_owned();
    let reason = error.to_string();
    match error {
        sqlx::Error::Database(inner) => {
            let extended = inner.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
            let reason = inner.message().to_owned();
            match (extended, extended & 0xff) {
                (code::CONSTRAINT_PRIMARY_KEY | code::CONSTRAINT_UNIQUE, _) => {
                    StoreError::Conflict { database, reason }
                }
                (_, code::BUSY | code::LOCKED) => StoreError::Busy {
                    database,
                    reason: "another program holds the lock of the file".to_owned(),
                },
                (_, code::READONLY) => StoreError::ReadOnly { database },
                (_, code::INTERRUPT) => StoreError::Timeout { database, limit },
                (_, code::CORRUPT | code::NOT_A_DATABASE) => StoreError::Corrupt { database, reason },
                (_, code::FULL) => StoreError::Full { database },
                (_, code::SCHEMA | code::ERROR) => StoreError::Schema { database, reason },
                (_, code::TOO_BIG | code::CONSTRAINT | code::MISMATCH) => StoreError::Rejected { reason },
                _ => StoreError::Unavailable { database, reason },
            }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => StoreError::Corrupt { database, reason },
        sqlx::Error::Encode(_) => StoreError::Rejected { reason },
        _ => StoreError::Unavailable { database, reason },
    }
}

/// Whether the fault lies with what was to be written, so that its neighbours need not suffer.
pub(crate) fn is_of_the_row(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict { .. } | StoreError::Rejected { .. })
}
