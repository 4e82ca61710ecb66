//! How long a repository may take to answer.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::SharedClock;

use crate::RepositoryError;

/// How long a repository may take to answer.
const LONGEST: Duration = Duration::from_secs(5);

/// How long it may take after it did not answer in time: what waits behind it should not wait that long each time.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks a repository, and goes on without its answer if that takes too long.
#[derive(Debug)]
pub(crate) struct Patience {
    clock: SharedClock,
    lost: AtomicBool,
}

impl Patience {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, lost: AtomicBool::new(false) }
    }

    /// The answer, or that there was none in time; what was asked may then have been done or not.
    pub(crate) async fn ask<T>(
        &self,
        repository: &'static str,
        answer: impl Future<Output = Result<T, RepositoryError>>,
    ) -> Result<T, RepositoryError> {
        let limit = if self.lost.load(Ordering::Relaxed) { AGAIN } else { LONGEST };
        let answered = self.clock.timeout(limit, answer).await;
        self.lost.store(answered.is_err(), Ordering::Relaxed);
        answered.unwrap_or_else(|_| {
            Err(RepositoryError::unavailable(repository, format_args!("no answer within {limit:?}")))
        })
    }
}
