//! Waits and deadlines on a clock.
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// A wait on a [`Clock`](crate::Clock): a future that completes when the clock gets there.
///
/// It is `Send`, `Unpin` and owns what it needs, so it can be kept in a struct and polled in place.
/// Cancel-safe: dropping it forgets the wait.
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Sleep(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Sleep {
    /// A wait made of any future; for clocks that bring their own waits.
    pub fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}

/// A deadline passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not done within {limit:?}")]
#[non_exhaustive]
pub struct Elapsed {
    /// How long the work was given.
    pub limit: Duration,
}

/// A wait of `length` on tokio's timer. The timer is made when the wait is first polled: making the wait
/// needs no runtime.
#[allow(clippy::disallowed_methods, reason = "the waits of the clock itself")]
pub(super) fn on_tokio(length: Duration) -> Sleep {
    // `sleep` counts from the call, so the deadline is fixed here and not at the first poll.
    let due = tokio::time::Instant::now().checked_add(length);
    Sleep::new(async move {
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    })
}

/// Polls `future` against `deadline`, the future first.
pub(super) async fn within<F: Future>(
    mut deadline: Sleep,
    limit: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => Pin::new(&mut deadline).poll(cx).map(|()| Err(Elapsed { limit })),
    })
    .await
}
