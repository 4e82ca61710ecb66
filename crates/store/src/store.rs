//! A store: one database that is open.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::{Collect, CollectError, Descriptor, SampleSink, SharedClock, TaskStatus};
use tokio::sync::Notify;

use crate::own_metrics::Figures;
use crate::sqlite::{Engine, MakeFeed, Opening};
use crate::{StoreConfig, StoreError};

/// One database that is open. Cloned freely; all clones are the same store.
///
/// It has one writer, a task of its own that nothing can cancel: callers hand it what they want written and wait. Whatever waits
/// at the same time goes into one transaction. Reads have connections of their own and see what is committed.
///
/// [`close`](Self::close) it at the end, after those who use it have ended. A store whose last clone is dropped without that ends
/// at once: what was acknowledged is safe, what waited is not.
///
/// Tells its figures as a [`Collect`].
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    figures: Arc<Figures>,
    clock: SharedClock,
    #[cfg(feature = "alerts")]
    alerts: Arc<crate::AlertConfig>,
    #[cfg(feature = "samples")]
    samples: Arc<crate::samples::Samples>,
    #[cfg(feature = "snapshots")]
    snapshots: Arc<crate::SnapshotConfig>,
}

impl Store {
    /// Opens a database, and makes it if there is none.
    ///
    /// The configuration is checked whole before anything is touched. A file that is no database, belongs to another program
    /// or was written by a newer version is refused as it is. An older schema is brought up to date, all or nothing. Cancel-safe.
    pub async fn open(config: &StoreConfig, clock: &SharedClock) -> Result<Self, StoreError> {
        config.check().map_err(StoreError::Config)?;
        let path = config.url.resolve()?;
        let (figures, wake) = (Arc::new(Figures::new()), Arc::new(Notify::new()));
        let name = path.display().to_string();
        let opening = Opening {
            name: name.clone(),
            clock: Arc::clone(clock),
            figures: Arc::clone(&figures),
            wake: Arc::clone(&wake),
        };
        #[cfg(feature = "samples")]
        let (samples, make_feed) = {
            use crate::samples::{Intake, Samples};
            use crate::sqlite::sample_feed::SampleFeed;
            let intake = Intake::new(&config.samples, wake, Arc::clone(&figures), &name);
            let samples =
                Samples::new(&config.samples, intake, Arc::clone(clock), Arc::clone(&figures), &name);
            let samples = Arc::new(samples);
            let fed = Arc::clone(&samples);
            let make: MakeFeed = Box::new(move || Some(Box::new(SampleFeed::new(Arc::clone(&fed)))));
            (samples, make)
        };
        #[cfg(not(feature = "samples"))]
        let make_feed: MakeFeed = Box::new(|| None);
        let engine = Arc::new(Engine::open(&path, config, opening, make_feed).await?);
        tracing::info!(database = name, "store opened");
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                figures,
                clock: Arc::clone(clock),
                #[cfg(feature = "alerts")]
                alerts: Arc::new(config.alerts.clone()),
                #[cfg(feature = "samples")]
                samples,
                #[cfg(feature = "snapshots")]
                snapshots: Arc::new(config.snapshots.clone()),
            }),
        })
    }

    /// Says why [`open`](Self::open) would refuse the file, if it would, and leaves it and its folder as they are: for a file that is about
    /// to be replaced. What a process that has it open has not yet merged into the file is not seen.
    pub async fn examine(config: &StoreConfig) -> Result<(), StoreError> {
        config.check().map_err(StoreError::Config)?;
        let path = config.url.resolve()?;
        crate::sqlite::examine(&path, &path.display().to_string(), config.busy_timeout.get()).await
    }

    /// Outbox, notification log and alert history.
    #[cfg(feature = "alerts")]
    pub fn alerts(&self) -> crate::StoredAlerts {
        let Inner { engine, alerts, figures, .. } = &*self.inner;
        crate::StoredAlerts::new(Arc::clone(engine), Arc::clone(alerts), Arc::clone(figures))
    }

    /// Samples.
    #[cfg(feature = "samples")]
    pub fn samples(&self) -> crate::StoredSamples {
        crate::StoredSamples::new(Arc::clone(&self.inner.engine), Arc::clone(&self.inner.samples))
    }

    /// Snapshots.
    #[cfg(feature = "snapshots")]
    pub fn snapshots(&self) -> crate::StoredSnapshots {
        let Inner { engine, snapshots, figures, .. } = &*self.inner;
        crate::StoredSnapshots::new(Arc::clone(engine), Arc::clone(snapshots), Arc::clone(figures))
    }

    /// How many connections there are, and who waits for one.
    pub fn connections(&self) -> ConnectionStats {
        let figures = &self.inner.figures;
        let (size, in_use) = (figures.readers.get(), figures.readers_in_use.get());
        ConnectionStats {
            readers: size,
            in_use,
            idle: size.saturating_sub(in_use),
            waiting: figures.reads_waiting.get(),
            timeouts: figures.read_timeouts.get(),
            queued_writes: figures.queued.get(),
        }
    }

    /// Whether the store works: is the file still the one that was opened, does it answer, did the last write succeed, is
    /// everything in it readable.
    pub async fn check(&self) -> StoreCheck {
        let Inner { engine, figures, clock, .. } = &*self.inner;
        let began = clock.monotonic();
        let file = engine.same_file();
        let answer = match &file {
            Ok(()) => engine.probe().await,
            Err(_) => Ok(()),
        };
        StoreCheck {
            took: clock.monotonic().saturating_since(began),
            problem: file.err().or(answer.err()).or_else(|| engine.trouble()),
            writer: engine.tasks().statuses().into_iter().next(),
            queued_writes: figures.queued.get(),
            waiting_samples: figures.samples_waiting.get(),
            damaged_rows: figures.damaged.get(),
            file_bytes: figures.file_bytes.get(),
            wal_bytes: figures.wal_bytes.get(),
        }
    }

    /// Takes nothing more in, writes what waits, merges the log into the file and lets go of it; then the file stands alone.
    ///
    /// Ends after `deadline` whether that is done or not, and tells what could not be written. Closing again changes nothing.
    pub async fn close(&self, deadline: Duration) -> CloseReport {
        let Inner { engine, .. } = &*self.inner;
        #[cfg(feature = "samples")]
        self.inner.samples.intake.close();
        let report = engine.close(deadline).await;
        #[cfg(feature = "samples")]
        let lost_samples = self.inner.samples.intake.abandon();
        #[cfg(not(feature = "samples"))]
        let lost_samples = 0;
        let unfinished = !report.unfinished.is_empty();
        tracing::info!(database = engine.name(), lost_samples, unfinished, "store closed");
        CloseReport {
            database: engine.name().to_owned(),
            took: report.took,
            deadline,
            lost_samples,
            is_finished: !unfinished,
            error: engine.trouble(),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("database", &self.inner.engine.name()).finish_non_exhaustive()
    }
}

impl Collect for Store {
    fn descriptors(&self) -> &[Descriptor] {
        self.inner.figures.descriptors()
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        self.inner.figures.collect(out)
    }
}

/// How many connections there are, and who waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// Connections for reading.
    pub readers: u64,
    /// Of these, lent out.
    pub in_use: u64,
    /// Of these, free.
    pub idle: u64,
    /// Reads that wait for a connection.
    pub waiting: u64,
    /// Reads that got no connection, or no answer, in time.
    pub timeouts: u64,
    /// Requests that wait for the writer.
    pub queued_writes: u64,
}

/// Whether a store works, at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreCheck {
    /// How long the check took.
    pub took: Duration,
    /// What is wrong: the file has gone, it does not answer, the last write failed, or a log that an earlier process left could not be
    /// merged yet, though writes go on.
    pub problem: Option<StoreError>,
    /// The writer's task.
    pub writer: Option<TaskStatus>,
    /// Requests that wait for the writer.
    pub queued_writes: u64,
    /// Samples that wait to be written.
    pub waiting_samples: u64,
    /// Rows that could not be read since the store was opened.
    pub damaged_rows: u64,
    /// Size of the file in bytes after the last commit.
    pub file_bytes: u64,
    /// Size of its log in bytes after the last commit.
    pub wal_bytes: u64,
}

impl StoreCheck {
    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.problem.is_none() && self.damaged_rows == 0
    }
}

/// How closing a store ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Which database.
    pub database: String,
    /// How long it took.
    pub took: Duration,
    /// How long it was given.
    pub deadline: Duration,
    /// Samples that could not be written.
    pub lost_samples: u64,
    /// Whether the writer ended in time.
    pub is_finished: bool,
    /// What went wrong with the last write, if it did.
    pub error: Option<StoreError>,
}

impl CloseReport {
    /// Whether everything was written in time.
    pub fn is_clean(&self) -> bool {
        self.lost_samples == 0 && self.is_finished && self.error.is_none()
    }

    /// Nothing, or this report as an error.
    pub fn into_result(self) -> Result<(), CloseError> {
        if self.is_clean() { Ok(()) } else { Err(CloseError { report: Box::new(self) }) }
    }
}

/// A store could not write everything before it closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} was closed with {} samples unwritten, {}{}", report.database, report.lost_samples, in_time(report), why(report))]
pub struct CloseError {
    /// All about it.
    pub report: Box<CloseReport>,
}

fn in_time(report: &CloseReport) -> String {
    if report.is_finished { "in time".to_owned() } else { format!("not within {:?}", report.deadline) }
}

fn why(report: &CloseReport) -> String {
    report.error.as_ref().map_or_else(String::new, |error| format!(": {error}"))
}
