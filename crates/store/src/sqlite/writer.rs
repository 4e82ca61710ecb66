//! The one task that writes: it owns its connection and groups what waits into commits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::SharedClock;
use parking_lot::Mutex;
use sqlx::SqliteConnection;
use tokio::sync::{Notify, oneshot};

use super::connection::{WriterOptions, close, tidy};
use super::fault::{classify, is_of_the_row};
use super::feed::Feed;
use super::file::FileIdentity;
use super::request::{Request, RequestQueue};
use crate::StoreError;
use crate::own_metrics::Figures;

/// Most requests of one commit.
const MAX_GROUP: usize = 256;

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[BEGIN, COMMIT];

/// What the writer shares with those who ask it; it outlives a restart of the task.
pub(super) struct Desk {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) busy_timeout: Duration,
    pub(super) options: WriterOptions,
    pub(super) clock: SharedClock,
    pub(super) figures: Arc<Figures>,
    pub(super) queue: Arc<RequestQueue>,
    pub(super) wake: Arc<Notify>,
    /// Which file was opened at first.
    pub(super) identity: Mutex<Option<FileIdentity>>,
    /// What went wrong last, until something goes well.
    pub(super) trouble: Mutex<Option<StoreError>>,
}

impl Desk {
    /// Whether the path still leads to the file that was opened.
    pub(super) fn same_file(&self) -> Result<(), StoreError> {
        let opened = *self.identity.lock();
        let Some(opened) = opened else { return Ok(()) };
        let reason = match FileIdentity::at(&self.path) {
            Some(now) if now == opened => return Ok(()),
            Some(_) => "another file has taken its place while it was open",
            None => "the file was removed while it was open",
        };
        Err(StoreError::Corrupt { database: self.name.clone(), reason: reason.to_owned() })
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        classify(&self.name, self.busy_timeout, error)
    }

    fn measure_files(&self) {
        let bytes = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.figures.file_bytes.set(bytes(&self.path));
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        self.figures.wal_bytes.set(bytes(log.as_ref()));
    }
}

/// Where a transaction failed.
enum Failed {
    /// Before anything was begun.
    Begin(StoreError),
    /// In a request: which, and why.
    Request(usize, StoreError),
    /// In what the feed added.
    Feed(StoreError),
    /// At its end: nobody knows whether it holds.
    Commit(StoreError),
}

/// The one task that writes.
pub(super) struct Writer {
    desk: Arc<Desk>,
    feed: Option<Box<dyn Feed>>,
    connection: Option<SqliteConnection>,
}

impl Writer {
    pub(super) fn new(desk: Arc<Desk>, feed: Option<Box<dyn Feed>>) -> Self {
        Self { desk, feed, connection: None }
    }

    /// Opens the database, tells how that went, and serves until the queue is closed. Ends at once if it cannot be opened.
    pub(super) async fn open_and_serve(mut self, opened: oneshot::Sender<Result<(), StoreError>>) {
        let first = self.open_first().await;
        let works = first.is_ok();
        // Whoever opened it may have gone; then the queue is closed soon.
        let told = opened.send(first);
        if works && told.is_ok() {
            self.serve().await;
        } else if let Some(connection) = self.connection.take() {
            close(connection).await;
        }
    }

    /// Serves until the queue is closed, after a failure of the task.
    pub(super) async fn serve_again(mut self) {
        self.desk.figures.reopened.increment();
        self.serve().await;
    }

    async fn open_first(&mut self) -> Result<(), StoreError> {
        let now = self.desk.clock.now().timestamp_micros();
        let connection = self.desk.options.open_first(now).await?;
        *self.desk.identity.lock() = FileIdentity::at(&self.desk.path);
        self.load(connection).await
    }

    async fn reopen(&mut self) -> Result<(), StoreError> {
        self.desk.same_file()?;
        let connection = self.desk.options.open_again().await?;
        self.load(connection).await
    }

    /// Lets the feed read what is there; then the connection is ready.
    async fn load(&mut self, mut connection: SqliteConnection) -> Result<(), StoreError> {
        let Some(feed) = &mut self.feed else {
            self.connection = Some(connection);
            return Ok(());
        };
        let load = async {
            sqlx::query(BEGIN).execute(&mut connection).await?;
            feed.load(&mut connection).await?;
            sqlx::query(COMMIT).execute(&mut connection).await
        };
        let loaded = load.await;
        match loaded {
            Ok(_) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                close(connection).await;
                Err(self.desk.fault(&error))
            }
        }
    }

    async fn serve(&mut self) {
        loop {
            let closing = self.desk.queue.is_closed();
            let group = self.desk.queue.take(MAX_GROUP);
            let due = self.feed.as_ref().is_some_and(|feed| feed.is_due(self.desk.clock.monotonic()));
            let idle = group.is_empty() && !due;
            if !idle {
                self.commit(group, due).await;
            }
            if self.feed.as_ref().is_some_and(|feed| feed.has_slice()) {
                self.slice().await;
            } else if idle && closing {
                break;
            } else if idle {
                self.wait().await;
            }
        }
        if let Some(mut connection) = self.connection.take() {
            if let Err(error) = tidy(&mut connection).await {
                tracing::warn!(database = self.desk.name, %error, "the log could not be merged into the file");
            }
            close(connection).await;
        }
    }

    async fn wait(&mut self) {
        let wake = self.desk.wake.notified();
        match self.feed.as_ref().and_then(|feed| feed.next()) {
            Some(at) => {
                tokio::select! {
                    () = wake => {}
                    () = self.desk.clock.sleep_until(at) => {}
                }
            }
            None => wake.await,
        }
    }

    /// Makes the changes of a group and of the feed in as few transactions as it can, and answers everybody.
    async fn commit(&mut self, mut group: Vec<Box<dyn Request>>, mut with_feed: bool) {
        loop {
            match self.attempt(&mut group, with_feed).await {
                Ok(()) => {
                    if let Some(feed) = self.feed.as_mut().filter(|_| with_feed) {
                        feed.appended();
                    }
                    for request in group {
                        request.answer(Ok(()));
                    }
                    return;
                }
                // One bad row must not fail its neighbours.
                Err(Failed::Request(at, error)) if is_of_the_row(&error) && at < group.len() => {
                    group.remove(at).answer(Err(error));
                }
                // Samples are shed before anything else: when the disk is nearly full an alert may still fit.
                Err(Failed::Feed(error)) => {
                    self.feed_failed(&error);
                    with_feed = false;
                }
                Err(Failed::Begin(error) | Failed::Request(_, error) | Failed::Commit(error)) => {
                    if with_feed {
                        self.feed_failed(&error);
                    }
                    for request in group {
                        request.answer(Err(error.clone()));
                    }
                    return;
                }
            }
            if group.is_empty() && !with_feed {
                return;
            }
        }
    }

    fn feed_failed(&mut self, error: &StoreError) {
        let now = self.desk.clock.monotonic();
        if let Some(feed) = &mut self.feed {
            feed.failed(error, now);
        }
    }

    /// One transaction. After an error in it the connection is given up: what it would do next is not to be trusted.
    async fn attempt(&mut self, group: &mut [Box<dyn Request>], with_feed: bool) -> Result<(), Failed> {
        let started = self.desk.clock.monotonic();
        let done = self.transaction(group, with_feed).await;
        match &done {
            Ok(()) => {
                let took = self.desk.clock.monotonic().saturating_since(started);
                self.desk.figures.committed(took.as_secs_f64());
                *self.desk.trouble.lock() = None;
            }
            Err(failed) => {
                let (Failed::Begin(error)
                | Failed::Request(_, error)
                | Failed::Feed(error)
                | Failed::Commit(error)) = failed;
                self.in_trouble(error);
                if !matches!(failed, Failed::Begin(StoreError::Busy { .. })) {
                    self.give_up().await;
                }
            }
        }
        self.desk.measure_files();
        done
    }

    async fn transaction(&mut self, group: &mut [Box<dyn Request>], with_feed: bool) -> Result<(), Failed> {
        if self.connection.is_none() {
            self.reopen().await.map_err(Failed::Begin)?;
        }
        self.desk.same_file().map_err(Failed::Begin)?;
        let desk = Arc::clone(&self.desk);
        let fault = |error: sqlx::Error| desk.fault(&error);
        let Some(connection) = &mut self.connection else { return Ok(()) };
        sqlx::query(BEGIN).execute(&mut *connection).await.map_err(fault).map_err(Failed::Begin)?;
        for (at, request) in group.iter_mut().enumerate() {
            request.write(connection).await.map_err(fault).map_err(|error| Failed::Request(at, error))?;
        }
        if let Some(feed) = self.feed.as_mut().filter(|_| with_feed) {
            feed.append(connection).await.map_err(fault).map_err(Failed::Feed)?;
        }
        sqlx::query(COMMIT).execute(&mut *connection).await.map_err(fault).map_err(Failed::Commit)?;
        Ok(())
    }

    async fn slice(&mut self) {
        let done = match (&mut self.connection, &mut self.feed) {
            (Some(connection), Some(feed)) => {
                let work = async {
                    sqlx::query(BEGIN).execute(&mut *connection).await?;
                    feed.slice(connection).await?;
                    sqlx::query(COMMIT).execute(&mut *connection).await
                };
                let done = work.await.map(drop);
                match &done {
                    Ok(()) => feed.sliced(),
                    Err(_) => feed.slice_failed(),
                }
                done
            }
            (None, Some(feed)) => {
                feed.slice_failed();
                return;
            }
            (_, None) => return,
        };
        match done {
            Ok(()) => self.desk.figures.commits.increment(),
            Err(error) => {
                let error = self.desk.fault(&error);
                self.in_trouble(&error);
                self.give_up().await;
            }
        }
        self.desk.measure_files();
    }

    fn in_trouble(&self, error: &StoreError) {
        self.desk.figures.failed.increment();
        let mut trouble = self.desk.trouble.lock();
        if trouble.as_ref() != Some(error) {
            tracing::warn!(database = self.desk.name, %error, "a transaction failed");
        }
        *trouble = Some(error.clone());
    }

    async fn give_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.desk.figures.reopened.increment();
            close(connection).await;
        }
    }
}
