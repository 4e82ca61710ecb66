//! How long a repository may take to answer.
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};
use parking_lot::Mutex;

use super::guarded;
use crate::RepositoryError;

/// How long a repository may take to answer.
const LONGEST: Duration = Duration::from_secs(5);

/// How long it may take after it did not answer in time: what waits behind it should not wait that long each time.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks a repository, and goes on without its answer if that takes too long or panics.
#[derive(Debug)]
pub(crate) struct Patience {
    clock: SharedClock,
    /// When it last failed to answer in time, unless it has answered since.
    lost: Mutex<Option<Monotonic>>,
}

impl Patience {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, lost: Mutex::new(None) }
    }

    /// Whether it did not answer a moment ago, so that what can do without it should.
    pub(crate) fn is_lost(&self) -> bool {
        let lost = *self.lost.lock();
        lost.is_some_and(|lost| self.clock.monotonic().saturating_since(lost) < LONGEST)
    }

    /// The answer, or that there was none in time; what was asked may then have been done or not.
    pub(crate) async fn ask<T>(
        &self,
        repository: &'static str,
        answer: impl Future<Output = Result<T, RepositoryError>>,
    ) -> Result<T, RepositoryError> {
        let limit = if self.lost.lock().is_some() { AGAIN } else { LONGEST };
        let answered = self.clock.timeout(limit, guarded(answer)).await;
        *self.lost.lock() = answered.is_err().then(|| self.clock.monotonic());
        match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => {
                Err(RepositoryError::unavailable(repository, format_args!("it panicked: {panic}")))
            }
            Err(_) => {
                Err(RepositoryError::unavailable(repository, format_args!("no answer within {limit:?}")))
            }
        }
    }
}
