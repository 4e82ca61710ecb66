//! Work that the writer does of its own accord, beside what it is asked for.

use async_trait::async_trait;
use bellwether_core::Monotonic;
use sqlx::SqliteConnection;

use crate::StoreError;

/// Work that the writer does of its own accord: what waits is added to the next commit, and what is long or can wait is done in
/// slices between commits.
#[async_trait]
pub(crate) trait Feed: Send {
    /// Reads what the database holds, in a transaction: after each opening of the connection.
    async fn load(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()>;

    /// Whether something is to be added to the next commit, now.
    fn is_due(&self, now: Monotonic) -> bool;

    /// When something will be due that is not yet, if that is known.
    fn next(&self) -> Option<Monotonic>;

    /// Adds what is due, in an open transaction.
    async fn append(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()>;

    /// What was added is durable.
    fn appended(&mut self);

    /// What was added is not durable, or nobody knows.
    fn failed(&mut self, error: &StoreError, now: Monotonic);

    /// Whether there is a slice to do.
    fn has_slice(&self) -> bool;

    /// Does one slice of at most some milliseconds, in an open transaction.
    async fn slice(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()>;

    /// The slice is durable.
    fn sliced(&mut self);

    /// The slice failed: not to be tried before something else has succeeded.
    fn slice_failed(&mut self);
}
