//! Asking a task to end.
use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch;

/// Where the request to stop comes from. The supervisor holds one for each task; a test may hold its own.
///
/// Clones are one source. Once all of them are gone the tokens read as stopped: nobody is left to ask.
#[derive(Debug, Clone)]
pub struct StopSource {
    sender: watch::Sender<bool>,
}

impl StopSource {
    /// A source that has not asked yet.
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(false) }
    }

    /// Asks every holder of a token to stop. Asking again changes nothing.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it has asked.
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// A token that hears of it.
    pub fn token(&self) -> Stop {
        Stop { receiver: self.sender.subscribe() }
    }
}

impl Default for StopSource {
    fn default() -> Self {
        Self::new()
    }
}

/// A token that tells a task when to end: finish what is in hand, keep nothing back, return.
///
/// ```
/// use bellwether_core::{SharedClock, Stop};
/// use std::time::Duration;
///
/// async fn beat(clock: SharedClock, stop: Stop) {
///     while stop.or(clock.sleep(Duration::from_secs(1))).await.is_some() {
///         // one round of work
///     }
/// }
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # let source = bellwether_core::StopSource::new();
/// # source.stop();
/// # runtime.block_on(beat(bellwether_core::SystemClock::shared(), source.token()));
/// ```
#[derive(Debug, Clone)]
pub struct Stop {
    receiver: watch::Receiver<bool>,
}

impl Stop {
    /// Whether the task should end.
    pub fn is_requested(&self) -> bool {
        *self.receiver.borrow() || self.receiver.has_changed().is_err()
    }

    /// Completes when the task should end; at once if it should already. Cancel-safe.
    pub async fn requested(&self) {
        // An error means that every source is gone, which is a request as well.
        let _ = self.receiver.clone().wait_for(|stop| *stop).await;
    }

    /// The future's output, or `None` if the request to stop comes first. The future is then dropped where it
    /// stands.
    pub async fn or<F: Future>(&self, future: F) -> Option<F::Output> {
        let (mut future, mut requested) = (pin!(future), pin!(self.requested()));
        std::future::poll_fn(|cx| match requested.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => future.as_mut().poll(cx).map(Some),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_heard_by_every_token_and_stays() {
        let source = StopSource::new();
        let (one, other) = (source.token(), source.token());
        assert!(!one.is_requested());
        source.stop();
        one.requested().await;
        other.requested().await;
        assert!(source.token().is_requested());
        assert_eq!(one.or(std::future::ready(1)).await, None);
    }

    #[tokio::test]
    async fn without_a_request_the_future_goes_its_way() {
        let source = StopSource::new();
        assert_eq!(source.token().or(std::future::ready(1)).await, Some(1));
    }

    #[tokio::test]
    async fn a_token_whose_source_is_gone_reads_as_stopped() {
        let token = StopSource::new().token();
        assert!(token.is_requested());
        token.requested().await;
    }
}
