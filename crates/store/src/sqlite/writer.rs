//! The one task that writes: it owns its connection and groups what waits into commits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};
use parking_lot::Mutex;
use sqlx::SqliteConnection;
use tokio::sync::{Notify, oneshot};

use super::connection::{Connection, LONG_LOG_BYTES, Merged, WriterOptions, close};
use super::fault::{classify, is_of_the_row};
use super::feed::Feed;
use super::file::FileIdentity;
use super::request::{Company, Durability, Rank, Request, RequestQueue};
use crate::StoreError;
use crate::own_metrics::Figures;

/// Most requests of one commit.
const MAX_GROUP: usize = 256;

/// How long writes go on before a log that an earlier process left, and that could not be merged, is tried again.
const MERGE_AGAIN: Duration = Duration::from_mins(1);

const COMMIT: &str = "COMMIT";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[COMMIT];

/// What the writer shares with those who ask it; it outlives a restart of the task.
pub(super) struct Desk {
    pub(super) path: PathBuf,
    /// Beside the file, wherever that is.
    pub(super) log: PathBuf,
    pub(super) name: String,
    pub(super) busy_timeout: Duration,
    pub(super) options: WriterOptions,
    pub(super) clock: SharedClock,
    pub(super) figures: Arc<Figures>,
    pub(super) queue: Arc<RequestQueue>,
    pub(super) wake: Arc<Notify>,
    /// Which file was opened at first, and which log belongs to the connection that is open.
    pub(super) identity: Mutex<Identity>,
    /// What went wrong last, until something goes well.
    pub(super) trouble: Mutex<Option<StoreError>>,
    #[cfg(test)]
    pub(super) disk: super::connection::FailingDisk,
    #[cfg(feature = "alerts")]
    pub(super) earlier_claims: Arc<super::earlier_claims::EarlierClaims>,
}

/// Which file was opened, and its log. Nothing while none is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Identity {
    file: Option<FileIdentity>,
    log: Option<FileIdentity>,
}

impl Desk {
    /// Whether the paths still lead to the file that was opened, and to its log.
    pub(super) fn same_file(&self) -> Result<(), StoreError> {
        let Identity { file, log } = *self.identity.lock();
        let reason = match FileIdentity::at(&self.path) {
            now if file.is_none() || now == file => match FileIdentity::at(&self.log) {
                now if log.is_none() || now == log => return Ok(()),
                _ => {
                    "its log was removed or replaced while it was open: what it held is merged into the file when the store is closed"
                }
            },
            Some(_) => "another file has taken its place while it was open",
            None => "the file was removed while it was open",
        };
        Err(StoreError::Corrupt { database: self.name.clone(), reason: reason.to_owned() })
    }

    fn has_its_log(&self) -> bool {
        let log = self.identity.lock().log;
        log.is_none() || FileIdentity::at(&self.log) == log
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        classify(&self.name, self.busy_timeout, error)
    }

    /// Remembers what an earlier opening had claimed.
    #[cfg(feature = "alerts")]
    async fn look(&self, mut connection: SqliteConnection) -> Result<SqliteConnection, StoreError> {
        match self.earlier_claims.look(&mut connection).await {
            Ok(()) => Ok(connection),
            Err(error) => {
                close(connection).await;
                Err(self.fault(&error))
            }
        }
    }

    fn measure_files(&self) {
        let bytes = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        self.figures.file_bytes.set(bytes(&self.path));
        self.figures.wal_bytes.set(bytes(&self.log));
    }
}

/// Where a transaction failed.
enum Failed {
    /// Before anything was begun: the file or its log is not the one that was opened.
    Elsewhere(StoreError),
    /// Before anything was begun: how much of the log is on the disk is not known, and it cannot be merged now.
    Doubt(StoreError),
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
    connection: Option<Connection>,
    /// What the feed adds could not be written; it has not been since.
    sheds: bool,
    doubt: Doubt,
}

/// Whether the log may lack pages on the disk. What is written after them would be lost with them in a power cut, so the log is merged
/// into the file before anything is acknowledged that must outlive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It lacks none.
    None,
    /// An earlier process ended without merging it, as one does that is killed, or one whose disk failed. That is no sign of a failure:
    /// when there is no room to merge it, or somebody reads what it is to be merged into, writes go on, and it is tried again.
    Left {
        /// When merging it was tried last.
        tried: Option<Monotonic>,
    },
    /// A commit has failed, or merging it.
    Failed,
}

impl Doubt {
    /// Whether the log is to be merged before the next write that must outlive a power cut.
    fn is_due(self, now: Monotonic) -> bool {
        match self {
            Self::None => false,
            Self::Left { tried } => tried.is_none_or(|tried| now.saturating_since(tried) >= MERGE_AGAIN),
            Self::Failed => true,
        }
    }

    /// Whether it was told as trouble, which holds as long as the doubt does.
    fn is_told(self) -> bool {
        matches!(self, Self::Left { tried: Some(_) } | Self::Failed)
    }
}

impl Writer {
    pub(super) fn new(desk: Arc<Desk>, feed: Option<Box<dyn Feed>>) -> Self {
        Self { desk, feed, connection: None, sheds: false, doubt: Doubt::None }
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
            close(connection.inner).await;
        }
    }

    /// Serves until the queue is closed, after a failure of the task.
    pub(super) async fn serve_again(mut self) {
        self.doubt = Doubt::Failed;
        self.desk.identity.lock().log = None;
        self.desk.figures.reopened.increment();
        self.serve().await;
    }

    async fn open_first(&mut self) -> Result<(), StoreError> {
        // Opening merges nothing, nor does it write anything else.
        if std::fs::metadata(&self.desk.log).is_ok_and(|log| log.len() > 0) {
            self.doubt = Doubt::Left { tried: None };
        }
        let now = self.desk.clock.now().timestamp_micros();
        let connection = self.desk.options.open_first(now).await?;
        #[cfg(feature = "alerts")]
        let connection = self.desk.look(connection).await?;
        self.desk.identity.lock().file = FileIdentity::at(&self.desk.path);
        self.load(connection).await
    }

    async fn reopen(&mut self) -> Result<(), StoreError> {
        let connection = self.desk.options.open_again().await?;
        self.load(connection).await
    }

    /// Lets the feed read what is there; then the connection is ready.
    async fn load(&mut self, connection: SqliteConnection) -> Result<(), StoreError> {
        let mut connection = Connection::new(
            connection,
            #[cfg(test)]
            self.desk.disk.clone(),
        );
        let load = async {
            connection.begin(Durability::Synchronised).await?;
            if let Some(feed) = &mut self.feed {
                feed.load(&mut connection.inner).await?;
            }
            sqlx::query(COMMIT).execute(&mut connection.inner).await
        };
        match load.await {
            Ok(_) => {
                self.desk.identity.lock().log = FileIdentity::at(&self.desk.log);
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                close(connection.inner).await;
                Err(self.desk.fault(&error))
            }
        }
    }

    async fn serve(&mut self) {
        loop {
            let closing = self.desk.queue.is_closed();
            let group = self.desk.queue.take(MAX_GROUP);
            let alone = group.iter().any(|request| request.company() == Company::NoFeed);
            let feed = self.feed.as_ref().filter(|_| !alone);
            let due = feed.is_some_and(|feed| feed.is_due(self.desk.clock.monotonic()));
            let idle = group.is_empty() && !due;
            if !idle {
                self.commit(group, due).await;
            }
            let has_slice = self.feed.as_ref().is_some_and(|feed| feed.has_slice());
            if has_slice {
                self.slice().await;
            }
            if has_slice || !idle {
                self.merge_long_log().await;
            } else if closing {
                break;
            } else {
                self.wait().await;
            }
        }
        if let Some(mut connection) = self.connection.take() {
            let database = &self.desk.name;
            match connection.tidy().await {
                Ok(Merged::All) => {}
                Ok(Merged::Part) if !self.desk.has_its_log() => {
                    tracing::error!(
                        database,
                        "the log was removed, and somebody still reads what it was to be merged into"
                    );
                }
                Ok(Merged::Part) => {
                    tracing::warn!(database, "the log stays beside the file, for somebody still reads");
                }
                Err(error) => {
                    tracing::warn!(database, %error, "the log could not be merged into the file");
                }
            }
            close(connection.inner).await;
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
                // A commit that found no room for a page certainly does not hold: it can be made again without what gives way.
                Err(Failed::Commit(error @ StoreError::Full { .. })) if with_feed => {
                    self.feed_failed(&error);
                    with_feed = false;
                }
                Err(Failed::Commit(error @ StoreError::Full { .. })) => {
                    let last = group.len().saturating_sub(1);
                    give_way(&mut group, last, &error);
                }
                Err(Failed::Request(at, error @ StoreError::Full { .. })) => {
                    give_way(&mut group, at, &error);
                }
                Err(
                    Failed::Elsewhere(error)
                    | Failed::Doubt(error)
                    | Failed::Begin(error)
                    | Failed::Request(_, error)
                    | Failed::Commit(error),
                ) => {
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
        self.sheds = true;
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
                self.sheds &= !with_feed;
                // That alerts fit does not mean that samples do, nor what need not outlive a power cut that anything else does.
                if !self.sheds && !self.doubt.is_told() {
                    *self.desk.trouble.lock() = None;
                }
            }
            Err(failed) => {
                let (Failed::Elsewhere(error)
                | Failed::Doubt(error)
                | Failed::Begin(error)
                | Failed::Request(_, error)
                | Failed::Feed(error)
                | Failed::Commit(error)) = failed;
                self.in_trouble(error);
                if matches!(failed, Failed::Commit(error) if leaves_doubt(error)) {
                    self.doubt = Doubt::Failed;
                }
                let as_before = matches!(
                    failed,
                    Failed::Elsewhere(_) | Failed::Doubt(_) | Failed::Begin(StoreError::Busy { .. })
                );
                if !as_before {
                    self.give_up().await;
                }
            }
        }
        self.desk.measure_files();
        done
    }

    async fn transaction(&mut self, group: &mut [Box<dyn Request>], with_feed: bool) -> Result<(), Failed> {
        self.desk.same_file().map_err(Failed::Elsewhere)?;
        if self.connection.is_none() {
            self.reopen().await.map_err(Failed::Begin)?;
        }
        let asked = group.iter().map(|request| request.durability()).max();
        let durability = if with_feed { Some(Durability::Synchronised) } else { asked };
        let durability = durability.unwrap_or(Durability::Synchronised);
        let desk = Arc::clone(&self.desk);
        let fault = |error: sqlx::Error| desk.fault(&error);
        if durability == Durability::Synchronised {
            self.settle_doubt().await?;
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.begin(durability).await.map_err(fault).map_err(Failed::Begin)?;
        let connection = &mut connection.inner;
        for (at, request) in group.iter_mut().enumerate() {
            request.write(connection).await.map_err(fault).map_err(|error| Failed::Request(at, error))?;
        }
        if let Some(feed) = self.feed.as_mut().filter(|_| with_feed) {
            feed.append(connection).await.map_err(fault).map_err(Failed::Feed)?;
        }
        sqlx::query(COMMIT).execute(&mut *connection).await.map_err(fault).map_err(Failed::Commit)?;
        if durability == Durability::Synchronised {
            self.desk.figures.synchronised.increment();
        }
        // Only now is it certain that it went into the file that others find.
        self.desk.same_file().map_err(Failed::Commit)
    }

    /// Merges a log that may lack pages on the disk.
    async fn settle_doubt(&mut self) -> Result<(), Failed> {
        let is_due = self.doubt.is_due(self.desk.clock.monotonic());
        let Some(connection) = self.connection.as_mut().filter(|_| is_due) else { return Ok(()) };
        let was_left = matches!(self.doubt, Doubt::Left { .. });
        let failed = match connection.merge_log().await {
            Ok(Merged::All) => {
                self.doubt = Doubt::None;
                return Ok(());
            }
            Ok(Merged::Part) => {
                let why = if was_left {
                    "whether the log that an earlier process left is on the disk is not known"
                } else {
                    "a write to its log has failed"
                };
                let reason = format!("{why}, and somebody reads what the log is to be merged into");
                Failed::Doubt(StoreError::Unavailable { database: self.desk.name.clone(), reason })
            }
            Err(error) => Failed::Begin(self.desk.fault(&error)),
        };
        match &failed {
            Failed::Doubt(error)
            | Failed::Begin(error @ (StoreError::Full { .. } | StoreError::Busy { .. }))
                if was_left =>
            {
                self.in_trouble(error);
                self.doubt = Doubt::Left { tried: Some(self.desk.clock.monotonic()) };
                Ok(())
            }
            _ => {
                self.doubt = Doubt::Failed;
                Err(failed)
            }
        }
    }

    async fn slice(&mut self) {
        let done = match (&mut self.connection, &mut self.feed) {
            (Some(connection), Some(feed)) => {
                let work = async {
                    // It only moves or deletes what is durable: undone, it is done again.
                    connection.begin(Durability::Committed).await?;
                    feed.slice(&mut connection.inner).await?;
                    sqlx::query(COMMIT).execute(&mut connection.inner).await
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
                if leaves_doubt(&error) {
                    self.doubt = Doubt::Failed;
                }
                self.in_trouble(&error);
                self.give_up().await;
            }
        }
        self.desk.measure_files();
    }

    /// Merges a log that has grown long. What cannot be synchronised in that leaves doubt, as in a commit.
    async fn merge_long_log(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if self.desk.figures.wal_bytes.get() < LONG_LOG_BYTES {
            return;
        }
        if let Err(error) = connection.merge_long_log().await {
            let error = self.desk.fault(&error);
            self.in_trouble(&error);
            if leaves_doubt(&error) {
                self.doubt = Doubt::Failed;
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

    /// Closes the connection, to open it anew with the next transaction; but not while only it can reach a log that was removed: it is
    /// kept, refuses what it is asked for, and merges the log when the store is closed.
    async fn give_up(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.desk.has_its_log() {
            self.desk.identity.lock().log = None;
        } else {
            let database = &self.desk.name;
            connection.roll_back().await;
            let merged = connection.merge_log().await;
            if !matches!(merged, Ok(Merged::All)) {
                tracing::error!(database, ?merged, "a log that was removed could not be merged yet");
                self.connection = Some(connection);
                return;
            }
        }
        self.desk.figures.reopened.increment();
        close(connection.inner).await;
    }
}

/// Whether pages of the log may be lost after a commit, or a merge, that failed so. Not when there was no room for them: then none was
/// acknowledged, or the log was synchronised before, and merging it would take the room that is left.
fn leaves_doubt(error: &StoreError) -> bool {
    !matches!(error, StoreError::Full { .. })
}

/// Answers those who give way when it is full; if there are none, the one `at` a place.
fn give_way(group: &mut Vec<Box<dyn Request>>, at: usize, error: &StoreError) {
    let mut giving: Vec<_> = group.extract_if(.., |request| request.rank() == Rank::GivesWay).collect();
    if giving.is_empty() && at < group.len() {
        giving.push(group.remove(at));
    }
    for request in giving {
        request.answer(Err(error.clone()));
    }
}
