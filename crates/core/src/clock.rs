//! Time as a value that is handed in: wall time, monotonic time and waits come from one [`Clock`].
//!
//! Nothing in Bellwether reads the time by itself. A host passes [`SystemClock`]; a test or a replay passes
//! [`ManualClock`] and decides when time moves. Instants that people read are `DateTime<Utc>`; lengths,
//! deadlines and ages are measured with [`Monotonic`], which a step of the wall clock does not touch.
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "runtime")]
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Timestamp;

mod manual;
mod monotonic;
#[cfg(feature = "runtime")]
mod sleep;
mod system;

pub use manual::ManualClock;
pub use monotonic::Monotonic;
#[cfg(feature = "runtime")]
pub use sleep::{Elapsed, Sleep};
pub use system::SystemClock;

/// A clock that several owners read: what every constructor of Bellwether takes.
pub type SharedClock = Arc<dyn Clock>;

/// A source of time.
///
/// Two methods are required whatever the features are. `sleep_until`, which the feature `runtime` adds, has a
/// default: turning the feature on somewhere in a build therefore never breaks a clock that knows nothing of
/// waits.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall time, UTC. It may step back or forth when the machine's clock is set.
    fn now(&self) -> DateTime<Utc>;

    /// The time since this clock's origin. It never steps back, and says nothing about any other clock.
    fn monotonic(&self) -> Monotonic;

    /// A wait that completes once [`monotonic`](Self::monotonic) has reached `at`; at once if it already has.
    ///
    /// The default waits for the rest of the time on tokio's timer, which is right for any clock that goes at
    /// the pace of real time. A clock with a time of its own, as [`ManualClock`], must bring its own waits.
    ///
    /// Dropping the wait cancels it and leaves nothing behind.
    #[cfg(feature = "runtime")]
    fn sleep_until(&self, at: Monotonic) -> Sleep {
        sleep::on_tokio(at.saturating_since(self.monotonic()))
    }
}

impl dyn Clock {
    /// The wall time as a [`Timestamp`], in whole microseconds. A wall clock set outside the range of a
    /// [`Timestamp`] reads as its nearest end.
    pub fn timestamp(&self) -> Timestamp {
        let now = self.now();
        let nearest = if now < DateTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_micros(now.timestamp_micros()).unwrap_or(nearest)
    }

    /// A wait of the given length from now.
    #[cfg(feature = "runtime")]
    pub fn sleep(&self, length: Duration) -> Sleep {
        self.sleep_until(self.monotonic().saturating_add(length))
    }

    /// The future's output, or [`Elapsed`] if it takes longer than `limit` on this clock.
    ///
    /// A future that is ready when the limit strikes wins. On [`Elapsed`] the future has been dropped.
    #[cfg(feature = "runtime")]
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
        sleep::within(self.sleep(limit), limit, future).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A clock written without any knowledge of waits: it must compile whatever the features are.
    #[derive(Debug)]
    struct Frozen;

    impl Clock for Frozen {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic::ORIGIN
        }
    }

    #[test]
    fn a_clock_needs_only_wall_and_monotonic_time() {
        let clock: SharedClock = Arc::new(Frozen);
        assert_eq!(clock.timestamp(), Timestamp::EPOCH);
        assert_eq!(
            clock.monotonic().saturating_add(Duration::from_secs(1)).since_origin(),
            Duration::from_secs(1)
        );
    }
}
