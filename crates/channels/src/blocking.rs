//! Values that are only touched where blocking is allowed.
use std::fmt;
use std::sync::Arc;
use std::thread;

use bellwether_alerts::SendError;
use tokio::sync::{Mutex, oneshot};

/// A value whose use may block, such as a file or a terminal: used on a thread of its own, one job at a time.
///
/// A job that is stuck keeps the value and its thread, not the caller: whoever comes next waits without a thread, and can be
/// dropped. A job whose caller was dropped is still done to its end, unless the process ends before it.
///
/// There is a thread while there is a job, hence never more than one. It is not of the runtime's pool: a runtime that ends waits
/// for the jobs of its pool, however long they are stuck, and nothing can interrupt a thread that is stuck in the system.
pub(crate) struct Blocking<T> {
    /// What the thread is called, for who looks at the threads of the process; Linux shows 15 bytes.
    thread: &'static str,
    value: Arc<Mutex<T>>,
}

impl<T: Send + 'static> Blocking<T> {
    pub(crate) fn new(thread: &'static str, value: T) -> Self {
        Self { thread, value: Arc::new(Mutex::new(value)) }
    }

    /// Does a job on the value, after those that came before.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, SendError> {
        let mut value = Arc::clone(&self.value).lock_owned().await;
        let (done, result) = oneshot::channel();
        let job = move || {
            let result = job(&mut value);
            // First of all the value is free again.
            drop(value);
            // The caller may have gone; that is its right.
            let _ = done.send(result);
        };
        #[allow(
            clippy::disallowed_methods,
            reason = "ends with its one job, whose result is awaited right below"
        )]
        thread::Builder::new()
            .name(self.thread.to_owned())
            .spawn(job)
            .map_err(|error| SendError::retry(format_args!("no thread can be started: {error}")))?;
        result.await.map_err(|_| SendError::unknown("the writer panicked"))
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("thread", &self.thread).finish_non_exhaustive()
    }
}
