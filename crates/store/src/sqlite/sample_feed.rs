//! The writer's own work: samples into the head log, the head log into chunks, old chunks away.

use std::sync::Arc;

use async_trait::async_trait;
use bellwether_core::{Monotonic, SeriesKey};
use hashbrown::HashMap;
use sqlx::SqliteConnection;

use super::feed::Feed;
use super::retention::{self, Pruned};
use super::{chunk_rows, head_rows, series_rows};
use crate::StoreError;
use crate::samples::{BatchId, Directory, Head, Samples, Tick, decode_head};

/// Series that one transaction seals.
const SEALED_AT_ONCE: usize = 50;

/// The samples' part of the writer.
pub(crate) struct SampleFeed {
    samples: Arc<Samples>,
    boot: i64,
    appended: Option<Appended>,
    slice: Option<Slice>,
    /// A slice has failed; nothing has succeeded since.
    rests: bool,
}

/// What the commit that is being made adds.
#[derive(Default)]
struct Appended {
    row: Option<(i64, usize)>,
    ticks: Vec<Tick>,
    series: HashMap<Arc<SeriesKey>, i64>,
    kept: u64,
    refused: Refused,
}

#[derive(Default)]
struct Refused {
    not_finite: u64,
    too_old: u64,
    series: u64,
}

/// What the slice that is being made does.
enum Slice {
    Sealed { series: Vec<i64>, needed: i64, chunks: u64, damaged: u64 },
    Pruned { before: i64, pruned: Pruned },
}

impl SampleFeed {
    pub(crate) fn new(samples: Arc<Samples>) -> Self {
        Self { samples, boot: 0, appended: None, slice: None, rests: false }
    }

    /// The numbers of the batches' series, given to new ones; without what is not kept.
    async fn ticks(
        &self,
        connection: &mut SqliteConnection,
        appended: &mut Appended,
    ) -> sqlx::Result<BatchId> {
        let (id, batches) = self.samples.intake.take(self.boot);
        let from = self.samples.kept_from();
        for batch in &batches {
            let at = batch.at.as_micros();
            if at < from {
                appended.refused.too_old += batch.len() as u64;
                continue;
            }
            let mut values = Vec::with_capacity(batch.len());
            for (key, value) in &batch.values {
                if !value.is_finite() {
                    appended.refused.not_finite += 1;
                } else if let Some(number) = self.number(connection, key, appended).await? {
                    values.push((number, *value));
                } else {
                    appended.refused.series += 1;
                }
            }
            if !values.is_sorted_by_key(|(number, _)| *number) {
                values.sort_by_key(|(number, _)| *number);
            }
            values.dedup_by_key(|(number, _)| *number);
            if !values.is_empty() {
                appended.kept += values.len() as u64;
                appended.ticks.push(Tick { at, values });
            }
        }
        Ok(id)
    }

    async fn number(
        &self,
        connection: &mut SqliteConnection,
        key: &Arc<SeriesKey>,
        appended: &mut Appended,
    ) -> sqlx::Result<Option<i64>> {
        let known = {
            let directory = self.samples.directory.read();
            let number = directory.number(key);
            let told = number.and_then(|number| directory.key(number));
            match told {
                Some(told) if Arc::ptr_eq(told, key) || told.descriptor == key.descriptor => {
                    return Ok(number);
                }
                Some(_) => true,
                None => directory.len() + appended.series.len() < self.samples.max_series,
            }
        };
        if let Some(number) = appended.series.get(key) {
            return Ok(Some(*number));
        }
        if !known {
            return Ok(None);
        }
        let number = series_rows::put(connection, key).await?;
        appended.series.insert(Arc::clone(key), number);
        Ok(Some(number))
    }

    async fn seal(&self, connection: &mut SqliteConnection, now: i64) -> sqlx::Result<Option<Slice>> {
        let (ripe, last) = {
            let head = self.samples.head.read();
            (head.ripe(SEALED_AT_ONCE), head.last_row())
        };
        let Some(last) = last.filter(|_| !ripe.is_empty()) else { return Ok(None) };
        let from = self.samples.kept_from();
        let (mut chunks, mut damaged) = (0, 0);
        for (series, samples) in &ripe {
            let kept = samples.partition_point(|sample| sample.0 < from);
            let samples = samples.get(kept..).unwrap_or_default();
            let sealed = chunk_rows::seal(connection, *series, samples, now).await?;
            series_rows::sealed(connection, *series, last).await?;
            chunks += sealed.chunks;
            damaged += sealed.damaged;
        }
        let series: Vec<i64> = ripe.iter().map(|(series, _)| *series).collect();
        let needed = self.samples.head.read().needed_without(&series);
        head_rows::remove_before(connection, needed).await?;
        Ok(Some(Slice::Sealed { series, needed, chunks, damaged }))
    }
}

#[async_trait]
impl Feed for SampleFeed {
    async fn load(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        self.boot = head_rows::next_boot(connection).await?;
        let from = retention::kept_from(connection).await?;
        let mut directory = Directory::default();
        let mut sealed = HashMap::new();
        for row in series_rows::all(connection).await? {
            match row.key {
                Ok(key) => {
                    sealed.insert(row.number, row.sealed_row);
                    directory.insert(row.number, Arc::new(key));
                }
                Err(reason) => self.samples.damaged("series", row.number, &reason),
            }
        }
        let now = self.samples.clock.now().timestamp_micros();
        let mut head = Head::default();
        for (row, crc, data) in head_rows::all(connection).await? {
            let intact = i64::from(crc32fast::hash(&data)) == crc;
            if let Some(ticks) = decode_head(&data).filter(|_| intact) {
                head.add_row(row, data.len());
                head.add(row, &ticks, |series| sealed.get(&series).is_some_and(|sealed| *sealed < row));
            } else {
                let reason = if intact { "not what was written" } else { "its checksum is wrong" };
                self.samples.damaged("head", row, reason);
                head_rows::put_aside(connection, row, now, reason).await?;
            }
        }
        self.samples.loaded(directory, head, from);
        Ok(())
    }

    fn is_due(&self, now: Monotonic) -> bool {
        self.samples.intake.is_due(now)
    }

    fn next(&self) -> Option<Monotonic> {
        self.samples.intake.next()
    }

    async fn append(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let mut appended = Appended::default();
        let id = self.ticks(connection, &mut appended).await?;
        if !appended.ticks.is_empty() {
            appended.row = head_rows::put(connection, id, &appended.ticks).await?;
        }
        self.appended = Some(appended);
        Ok(())
    }

    fn appended(&mut self) {
        let Some(Appended { row, ticks, series, kept, refused }) = self.appended.take() else { return };
        let samples = &self.samples;
        if !series.is_empty() {
            let mut directory = samples.directory.write();
            series.into_iter().for_each(|(key, number)| directory.insert(number, key));
            samples.figures.series.set(directory.len() as u64);
        }
        // Without a row the ticks were there already, and were read when the connection was opened anew.
        if let Some((row, bytes)) = row {
            let mut head = samples.head.write();
            head.add_row(row, bytes);
            head.add(row, &ticks, |_| true);
            samples.figures.open.set(head.len() as u64);
        }
        samples.figures.samples.add(kept);
        samples.figures.dropped.not_finite.add(refused.not_finite);
        samples.figures.dropped.too_old.add(refused.too_old);
        samples.figures.dropped.series.add(refused.series);
        samples.intake.written();
        self.rests = false;
    }

    fn failed(&mut self, error: &StoreError, now: Monotonic) {
        self.appended = None;
        self.samples.intake.failed(error, now);
    }

    fn has_slice(&self) -> bool {
        !self.rests && (self.samples.head.read().is_ripe() || self.samples.prunes_before().is_some())
    }

    async fn slice(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let now = self.samples.clock.now().timestamp_micros();
        self.slice = self.seal(connection, now).await?;
        if self.slice.is_none()
            && let Some(before) = self.samples.prunes_before()
        {
            retention::raise(connection, before).await?;
            let pruned = retention::step(connection, &self.samples, before).await?;
            self.slice = Some(Slice::Pruned { before, pruned });
        }
        Ok(())
    }

    fn sliced(&mut self) {
        match self.slice.take() {
            Some(Slice::Sealed { series, needed, chunks, damaged }) => {
                let mut head = self.samples.head.write();
                head.sealed(&series, needed);
                self.samples.figures.open.set(head.len() as u64);
                self.samples.figures.chunks.add(chunks);
                self.samples.figures.damaged.add(damaged);
            }
            Some(Slice::Pruned { before, pruned }) => {
                self.samples.keep_from(before);
                retention::committed(&self.samples, &pruned);
                if pruned.is_last() {
                    self.samples.pruned_before(before);
                }
            }
            None => self.rests = true,
        }
    }

    fn slice_failed(&mut self) {
        self.slice = None;
        self.rests = true;
    }
}
