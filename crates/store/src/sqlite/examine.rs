//! A look at a database that nobody has open.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;

use super::connection::{close, reading};
use super::fault::classify;
use super::file::inspect;
use super::migration::{self, Found};
use crate::StoreError;

/// Says why a file would be refused, and leaves no trace: nothing is locked, merged, migrated or made.
pub(crate) async fn examine(path: &Path, name: &str, busy_timeout: Duration) -> Result<(), StoreError> {
    inspect(path, name)?;
    // Nothing there, or an empty file: both become a database when they are opened.
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        return Ok(());
    }
    let database = name.to_owned();
    let fault = |error: sqlx::Error| classify(name, busy_timeout, &error);
    let mut connection = reading(path, busy_timeout).immutable(true).connect().await.map_err(fault)?;
    let found = migration::look(&mut connection).await;
    close(connection).await;
    match found.map_err(fault)? {
        Found::Empty | Found::Ours => Ok(()),
        Found::Foreign(found) => Err(StoreError::Foreign { database, found }),
        Found::Newer { found, known } => Err(StoreError::Newer { database, found, known }),
        Found::Changed(reason) => Err(StoreError::Schema { database, reason }),
    }
}
