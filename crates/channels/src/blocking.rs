//! Values that are only touched where blocking is allowed.
use std::fmt;
use std::sync::Arc;

use bellwether_alerts::SendError;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// A value whose use may block, such as a file or a terminal: used on the runtime's pool of blocking threads, one job at a time.
///
/// A job that is stuck keeps the value, not the caller: whoever comes next waits without a thread, and can be dropped. A job
/// whose caller was dropped is still done to its end.
pub(crate) struct Blocking<T>(Arc<Mutex<T>>);

impl<T: Send + 'static> Blocking<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Does a job on the value, after those that came before.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, SendError> {
        let runtime = Handle::try_current().map_err(SendError::permanent)?;
        let mut value = Arc::clone(&self.0).lock_owned().await;
        runtime.spawn_blocking(move || job(&mut value)).await.map_err(|error| {
            if error.is_panic() {
                SendError::unknown("the writer panicked")
            } else {
                SendError::retry("the runtime is shutting down")
            }
        })
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
