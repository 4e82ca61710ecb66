//! Values that are only touched where blocking is allowed.
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{Mutex, oneshot};

/// A value whose use may block, such as a file, a terminal or the system's look-up of names: used on a thread of its own, one
/// job at a time.
///
/// A job that is stuck keeps the value and its thread, not the caller: whoever comes next waits without a thread, and can be
/// dropped. A job whose caller was dropped is still done to its end, unless the process ends before it.
///
/// There is a thread while there is a job, hence never more than one. It is not of the runtime's pool: a runtime that ends waits
/// for the jobs of its pool, however long they are stuck, and nothing can interrupt a thread that is stuck in the system.
///
/// ```
/// use bellwether_core::Blocking;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let log = Blocking::new("desk-log", Vec::<u8>::new());
/// let len = log.run(|log| { log.extend_from_slice(b"filled"); log.len() }).await?;
/// assert_eq!(len, 6);
/// # Ok::<(), bellwether_core::BlockingError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Blocking<T> {
    /// What the thread is called, for who looks at the threads of the process; Linux shows 15 bytes.
    thread: &'static str,
    value: Arc<Mutex<T>>,
}

/// Why there is no result of a job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockingError {
    /// The job was not begun.
    #[error("no thread can be started: {error}")]
    Thread {
        /// Why.
        error: io::Error,
    },
    /// The job panicked: it may be half done. The value remains.
    #[error("the job of thread {thread} panicked")]
    Panicked {
        /// What its thread is called.
        thread: &'static str,
    },
}

impl<T: Send + 'static> Blocking<T> {
    /// A value, and what the thread is called that uses it.
    pub fn new(thread: &'static str, value: T) -> Self {
        Self { thread, value: Arc::new(Mutex::new(value)) }
    }

    /// Does a job on the value, after those that came before. Cancel-safe: a job that was not begun is then not done.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Result<R, BlockingError> {
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
            .map_err(|error| BlockingError::Thread { error })?;
        result.await.map_err(|_| BlockingError::Panicked { thread: self.thread })
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("thread", &self.thread).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn jobs_take_their_turns_and_a_panic_leaves_the_value() {
        let numbers = Blocking::new("numbers", Vec::new());
        numbers.run(|numbers| numbers.push(1)).await.unwrap();
        let error = numbers.run(|numbers| -> usize { panic!("{}", numbers.len()) }).await.unwrap_err();
        assert_eq!(error.to_string(), "the job of thread numbers panicked");
        assert_eq!(numbers.run(|numbers| numbers.clone()).await.unwrap(), [1]);
    }
}
