//! Connections for reading: few, bounded, each with a deadline.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};
use parking_lot::Mutex;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use super::connection::{close, reading};
use super::fault::classify;
use crate::StoreError;
use crate::own_metrics::Figures;

/// Steps of SQLite's machine between two looks at the deadline: some tens of microseconds.
const STEPS: i32 = 1_000;

/// Connections for reading. A read that is dropped half-way is interrupted and its connection closed, not given to the next.
pub(crate) struct Readers {
    idle: Mutex<Vec<Connected>>,
    permits: Semaphore,
    size: usize,
    options: SqliteConnectOptions,
    name: String,
    clock: SharedClock,
    figures: Arc<Figures>,
    acquire_timeout: Duration,
    read_timeout: Duration,
}

struct Connected {
    connection: SqliteConnection,
    /// In microseconds of the clock's monotonic time.
    deadline: Arc<AtomicU64>,
}

impl Readers {
    pub(super) fn new(
        path: &Path,
        name: &str,
        config: &crate::StoreConfig,
        clock: &SharedClock,
        figures: &Arc<Figures>,
    ) -> Self {
        figures.readers.set(config.readers as u64);
        Self {
            idle: Mutex::default(),
            permits: Semaphore::new(config.readers),
            size: config.readers,
            options: reading(path, config.busy_timeout.get()),
            name: name.to_owned(),
            clock: Arc::clone(clock),
            figures: Arc::clone(figures),
            acquire_timeout: config.acquire_timeout.get(),
            read_timeout: config.read_timeout.get(),
        }
    }

    /// A connection, waiting for one at most as long as was configured. Its deadline begins now.
    pub(crate) async fn acquire(&self) -> Result<Reader<'_>, StoreError> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(self.closed()),
            Err(TryAcquireError::NoPermits) => self.wait().await?,
        };
        self.figures.readers_in_use.raise();
        let mut reader =
            Reader { readers: self, connected: None, began: self.clock.monotonic(), _permit: permit };
        let idle = self.idle.lock().pop();
        let connected = match idle {
            Some(connected) => connected,
            None => self.connect().await?,
        };
        let deadline = reader.began.saturating_add(self.read_timeout);
        connected.deadline.store(micros(deadline), Ordering::Relaxed);
        reader.connected = Some(connected);
        Ok(reader)
    }

    async fn wait(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let _waits = Waits::begin(&self.figures);
        match self.clock.timeout(self.acquire_timeout, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(self.closed()),
            Err(_) => {
                self.figures.read_timeouts.increment();
                let reason = format!(
                    "all {} connections for reading were in use for {:?}",
                    self.size, self.acquire_timeout
                );
                Err(StoreError::Busy { database: self.name.clone(), reason })
            }
        }
    }

    async fn connect(&self) -> Result<Connected, StoreError> {
        let fault = |error: sqlx::Error| classify(&self.name, self.read_timeout, &error);
        let mut connection = self.options.connect().await.map_err(fault)?;
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let (clock, watched) = (Arc::clone(&self.clock), Arc::clone(&deadline));
        connection
            .lock_handle()
            .await
            .map_err(fault)?
            .set_progress_handler(STEPS, move || micros(clock.monotonic()) < watched.load(Ordering::Relaxed));
        Ok(Connected { connection, deadline })
    }

    /// Closes what is idle and gives out no more.
    pub(super) async fn close(&self) {
        let idle = {
            let mut idle = self.idle.lock();
            self.permits.close();
            std::mem::take(&mut *idle)
        };
        for connected in idle {
            close(connected.connection).await;
        }
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { database: self.name.clone() }
    }
}

fn micros(at: Monotonic) -> u64 {
    u64::try_from(at.since_origin().as_micros()).unwrap_or(u64::MAX)
}

/// Counted as waiting while it lives.
struct Waits<'a>(&'a Figures);

impl<'a> Waits<'a> {
    fn begin(figures: &'a Figures) -> Self {
        figures.reads_waiting.raise();
        Self(figures)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.reads_waiting.lower();
    }
}

/// A connection that is lent out. Give it back with [`done`](Self::done); dropped otherwise, it is interrupted and closed.
pub(crate) struct Reader<'a> {
    readers: &'a Readers,
    connected: Option<Connected>,
    began: Monotonic,
    _permit: SemaphorePermit<'a>,
}

impl Reader<'_> {
    /// The connection.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match &mut self.connected {
            Some(connected) => Ok(&mut connected.connection),
            None => Err(self.readers.closed()),
        }
    }

    /// What an error means.
    #[allow(clippy::needless_pass_by_value, reason = "stands in `map_err`")]
    pub(crate) fn fault(&self, error: sqlx::Error) -> StoreError {
        let error = classify(&self.readers.name, self.readers.read_timeout, &error);
        if matches!(error, StoreError::Timeout { .. }) {
            self.readers.figures.read_timeouts.increment();
        }
        error
    }

    /// Whether the deadline has passed; for work between statements.
    #[cfg(feature = "samples")]
    pub(crate) fn in_time(&self) -> Result<(), StoreError> {
        let limit = self.readers.read_timeout;
        if self.readers.clock.monotonic().saturating_since(self.began) < limit {
            return Ok(());
        }
        self.readers.figures.read_timeouts.increment();
        Err(StoreError::Timeout { database: self.readers.name.clone(), limit })
    }

    /// Gives the connection back.
    pub(crate) fn done(mut self) {
        let mut idle = self.readers.idle.lock();
        // Looked at under the lock: what is given back after closing would hold the file open.
        if let Some(connected) = self.connected.take().filter(|_| !self.readers.permits.is_closed()) {
            connected.deadline.store(u64::MAX, Ordering::Relaxed);
            idle.push(connected);
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connected) = self.connected.take() {
            connected.deadline.store(0, Ordering::Relaxed);
        }
        self.readers.figures.readers_in_use.lower();
    }
}
