//! Samples of a store: taken in as they come, read back as a history.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bellwether_core::{HumanDuration, SampleBatch, SharedClock, TimeRange, Timestamp};
use parking_lot::RwLock;

use crate::own_metrics::Figures;
use crate::sqlite::Engine;
use crate::sqlite::retention::{KeepFrom, Last, Prune};
use crate::{SampleConfig, StoreError};

mod age;
mod bits;
mod chunk_codec;
mod directory;
mod head;
mod head_codec;
mod history;
mod intake;
mod steps;
mod summary;

pub(crate) use age::{Age, Kept as KeptAge};
pub(crate) use chunk_codec::{decode as decode_chunk, encode as encode_chunk};
pub(crate) use directory::Directory;
pub(crate) use head::Head;
pub(crate) use head_codec::{Tick, decode as decode_head, encode as encode_head};
pub(crate) use intake::{BatchId, Intake, Sifted};
pub(crate) use summary::Columns;

/// What the handle, the readers and the writer share about samples.
pub(crate) struct Samples {
    pub(crate) intake: Intake,
    pub(crate) directory: RwLock<Directory>,
    pub(crate) head: RwLock<Head>,
    pub(crate) clock: SharedClock,
    pub(crate) figures: Arc<Figures>,
    pub(crate) max_series: usize,
    pub(crate) age: Age,
    database: String,
    /// Samples from before are gone, or as good as gone, because somebody said so.
    from: AtomicI64,
}

impl Samples {
    pub(crate) fn new(
        config: &SampleConfig,
        intake: Intake,
        clock: SharedClock,
        figures: Arc<Figures>,
        database: &str,
    ) -> Self {
        Self {
            intake,
            directory: RwLock::default(),
            head: RwLock::default(),
            clock,
            figures,
            max_series: config.max_series,
            age: Age::new(config.max_age.map(HumanDuration::get)),
            database: database.to_owned(),
            from: AtomicI64::new(i64::MIN),
        }
    }

    /// What the database holds, as it was read when it was opened.
    pub(crate) fn loaded(&self, directory: Directory, head: Head, from: i64) {
        self.figures.series.set(directory.len() as u64);
        self.figures.open.set(head.len() as u64);
        self.keep_from(from);
        *self.directory.write() = directory;
        *self.head.write() = head;
    }

    /// The first instant whose samples are taken in and read, in microseconds.
    pub(crate) fn read_from(&self) -> i64 {
        self.from().max(self.age.read_from(self.clock.timestamp()))
    }

    /// The first instant whose samples must not be deleted.
    pub(crate) fn kept_from(&self) -> i64 {
        let aged = self.age.kept_from(self.clock.timestamp(), self.clock.monotonic());
        self.from().max(aged)
    }

    /// Samples from before are gone because somebody said so. Nobody can say so of what the clock has not reached: if it lies there, the
    /// clock was wrong then, and it is not in force.
    fn from(&self) -> i64 {
        let from = self.from.load(Ordering::Acquire);
        if from > self.clock.timestamp().as_micros() { i64::MIN } else { from }
    }

    /// As the database holds it. Only the writer tells.
    pub(crate) fn keep_from(&self, from: i64) {
        self.from.store(from, Ordering::Release);
    }

    /// Before which instant chunks are to be pruned for their age now.
    pub(crate) fn prunes_before(&self) -> Option<i64> {
        self.age.deletes_before(self.clock.timestamp(), self.clock.monotonic())
    }

    /// What can be read of a range.
    pub(crate) fn visible(&self, range: TimeRange) -> (i64, i64) {
        (range.start().as_micros().max(self.read_from().saturating_sub(1)), range.end().as_micros())
    }

    pub(crate) fn damaged(&self, table: &'static str, row: i64, reason: &str) {
        self.figures.damaged.increment();
        tracing::error!(database = self.database, table, row, reason, "a row cannot be read");
    }
}

/// The samples of a store. Implements [`SampleHistory`](bellwether_core::SampleHistory). Cloned freely.
///
/// What is [pushed](Self::push) waits in memory and is written by the store's writer, many batches in one commit; it can be read
/// from then on. Of two samples of one series and instant the later one stays, so sending a batch again changes nothing.
///
/// Values that are not finite, samples that are too old, and series beyond the bound are not kept, and counted by reason. Age
/// is told by the clock when samples come and when they are read; for it they are deleted only once the store was open for so long
/// since they came and nothing older than they has come in that time, in all its openings together, by the monotonic clock. So a clock that
/// jumps deletes nothing.
///
/// What a series gained is told as its last [kind](bellwether_core::Kind) says: a counter that falls has started again from zero, anything
/// else has fallen. A restart that shows in no fall, as that of a histogram whose sum has outgrown what it was while its count fell, is known
/// to the history that the registry itself keeps, not here, where each series stands alone.
#[derive(Clone)]
pub struct StoredSamples {
    engine: Arc<Engine>,
    samples: Arc<Samples>,
}

impl StoredSamples {
    pub(crate) fn new(engine: Arc<Engine>, samples: Arc<Samples>) -> Self {
        Self { engine, samples }
    }

    /// Hands a batch over. Never waits and never fails the caller: when too many samples wait, the oldest batch that is not being
    /// written is dropped and counted; one that alone is more than may wait is dropped itself. What cannot be written is kept and
    /// tried again.
    pub fn push(&self, batch: SampleBatch) {
        self.samples.intake.push(batch);
    }

    /// Waits until everything that waits is durable.
    ///
    /// [`StoreError::SamplesDropped`] if some of it was dropped meanwhile because too much waited; the rest is durable. Another
    /// error tells that an attempt has failed; the samples are kept and tried again all the same. What is refused by itself, as a
    /// NaN, is no error here.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.samples.intake.flush().await
    }

    /// Keeps a batch and waits until all of it is durable.
    ///
    /// [`StoreError::SamplesRefused`] if some samples of it, or all, are not acceptable: the others are durable.
    /// [`StoreError::Busy`] if too many samples wait already, [`StoreError::Rejected`] if it alone is too many,
    /// [`StoreError::SamplesDropped`] if it was dropped because too many were pushed after it: nothing of it is kept. After
    /// another error it is kept and tried again all the same.
    pub async fn write(&self, batch: SampleBatch) -> Result<(), StoreError> {
        self.samples.intake.write(batch).await
    }

    /// Deletes samples from before an instant, in steps that leave room for others. Once it has returned nothing older is read,
    /// and nothing older is taken in, also after a restart. Tells how many chunks went.
    ///
    /// [`StoreError::InFuture`] if the clock has not reached the instant: then nothing is changed. A clock that is wrong when this is called
    /// deletes what it says; but an instant that lies ahead when the clock is right again is not in force until it is reached, and the
    /// next call replaces it. So the store takes in what comes.
    pub async fn retain(&self, older_than: Timestamp) -> Result<u64, StoreError> {
        let now = self.samples.clock.timestamp();
        if older_than > now {
            let database = self.engine.name().to_owned();
            return Err(StoreError::InFuture { database, older_than, now });
        }
        let before = older_than.as_micros();
        let samples = Arc::clone(&self.samples);
        self.engine.write(KeepFrom { samples, from: before, now: now.as_micros() }).await?;
        let mut all = 0;
        loop {
            let prune = Prune { samples: Arc::clone(&self.samples), before, pruned: None };
            let (pruned, last) = self.engine.write(prune).await?;
            all += pruned;
            if last == Last::Yes {
                return Ok(all);
            }
        }
    }
}

impl fmt::Debug for StoredSamples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSamples")
            .field("database", &self.engine.name())
            .field("series", &self.samples.directory.read().len())
            .finish()
    }
}
