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

pub(crate) use age::Age;
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
        self.from.load(Ordering::Acquire).max(self.age.read_from(self.clock.timestamp()))
    }

    /// The first instant whose samples must not be deleted.
    pub(crate) fn kept_from(&self) -> i64 {
        let aged = self.age.kept_from(self.clock.timestamp(), self.clock.monotonic());
        self.from.load(Ordering::Acquire).max(aged)
    }

    pub(crate) fn keep_from(&self, from: i64) {
        self.from.fetch_max(from, Ordering::AcqRel);
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
/// is told by the clock when samples come and when they are read; they are deleted only once they are old also beside the
/// newest sample that is stored, and by the time that has passed since the store was opened. So a clock that jumps deletes nothing.
///
/// What a series gained is told as its last [kind](bellwether_core::Kind) says: a counter that falls has started again from zero, anything
/// else has fallen.
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
    /// [`StoreError::InFuture`] if the clock has not reached the instant: then nothing is changed.
    pub async fn retain(&self, older_than: Timestamp) -> Result<u64, StoreError> {
        let now = self.samples.clock.timestamp();
        if older_than > now {
            let database = self.engine.name().to_owned();
            return Err(StoreError::InFuture { database, older_than, now });
        }
        let before = older_than.as_micros();
        self.engine.write(KeepFrom { samples: Arc::clone(&self.samples), from: before }).await?;
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
