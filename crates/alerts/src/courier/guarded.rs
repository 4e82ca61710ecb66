//! Work of others, whose panics end nothing but itself.
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A host's future: its panics are errors, whether it is polled or dropped.
pub(crate) struct Guarded<F> {
    future: Option<Pin<Box<F>>>,
}

/// The future's output, or the text of its panic.
pub(crate) fn guarded<F: Future>(future: F) -> Guarded<F> {
    Guarded { future: Some(Box::pin(future)) }
}

/// A host's answer, or the text of its panic.
pub(crate) fn answered<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| text(&*panic))
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        match answered(|| future.as_mut().poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        let future = self.future.take();
        // What a future does when it is dropped is told by nobody; that it panicked is no news to those who gave it up.
        let _ = answered(|| drop(future));
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a value that is not text".to_owned(),
    }
}
