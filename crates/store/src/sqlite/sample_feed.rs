//! The writer's own work: samples into the head log, the head log into chunks, old chunks away.

use std::sync::Arc;

use async_trait::async_trait;
use bellwether_core::{Monotonic, SeriesKey};
use hashbrown::{HashMap, HashSet};
use sqlx::SqliteConnection;

use super::feed::Feed;
use super::retention::{self, Pruned};
use super::{age_rows, chunk_rows, head_rows, series_rows};
use crate::StoreError;
use crate::samples::{BatchId, Directory, Head, Samples, Sifted, Tick, decode_head};

/// Series that one transaction seals.
const SEALED_AT_ONCE: usize = 50;

/// The samples' part of the writer.
pub(crate) struct SampleFeed {
    samples: Arc<Samples>,
    /// The number of this start, from the first samples on: opening a file writes nothing, so that a full disk keeps none closed.
    boot: Option<i64>,
    appended: Option<Appended>,
    slice: Option<Slice>,
    /// What was found that cannot be read and is to be put aside, and the rows of the head that were told of.
    aside: Vec<Aside>,
    told: HashSet<i64>,
    /// A slice has failed; nothing has succeeded since.
    rests: bool,
    /// What is kept of the age of samples is of no use.
    forgets_age: bool,
}

/// What the commit that is being made adds.
#[derive(Default)]
struct Appended {
    boot: i64,
    row: Option<(i64, usize)>,
    ticks: Vec<Tick>,
    series: HashMap<Arc<SeriesKey>, i64>,
    /// What becomes of the samples of each batch.
    sifted: Vec<Sifted>,
    /// What was kept of the age of samples and is of no use is forgotten.
    forgot_age: bool,
}

/// What cannot be read of a row of the head.
struct Aside {
    row: i64,
    reason: String,
    what: Damage,
}

enum Damage {
    /// All of it.
    Row,
    /// These samples, which are of series that are not known; the others can.
    Strangers { part: Vec<Tick>, rest: Vec<Tick> },
}

/// What the slice that is being made does.
enum Slice {
    PutAside,
    Sealed { series: Vec<i64>, needed: i64, chunks: u64, damaged: u64 },
    Pruned { before: i64, pruned: Pruned },
}

impl SampleFeed {
    pub(crate) fn new(samples: Arc<Samples>) -> Self {
        Self {
            samples,
            boot: None,
            appended: None,
            slice: None,
            aside: Vec::new(),
            told: HashSet::new(),
            rests: false,
            forgets_age: false,
        }
    }

    /// The numbers of the batches' series, given to new ones; without what is not kept.
    async fn ticks(
        &self,
        connection: &mut SqliteConnection,
        appended: &mut Appended,
    ) -> sqlx::Result<BatchId> {
        let (id, batches) = self.samples.intake.take(appended.boot);
        let from = self.samples.read_from();
        for batch in &batches {
            let mut sifted = Sifted::default();
            let at = batch.at.as_micros();
            if at < from {
                sifted.too_old = batch.len() as u64;
                appended.sifted.push(sifted);
                continue;
            }
            let mut values = Vec::with_capacity(batch.len());
            for (key, value) in &batch.values {
                if !value.is_finite() {
                    sifted.not_finite += 1;
                } else if let Some(number) = self.number(connection, key, appended).await? {
                    values.push((number, *value));
                } else {
                    sifted.too_many_series += 1;
                }
            }
            if !values.is_sorted_by_key(|(number, _)| *number) {
                values.sort_by_key(|(number, _)| *number);
            }
            values.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1 = later.1;
                }
                same
            });
            sifted.kept = values.len() as u64;
            appended.sifted.push(sifted);
            if !values.is_empty() {
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

    /// Tells once of a row of the head that cannot be read, or not wholly, and notes that it is to be put aside.
    fn damaged(&mut self, row: i64, reason: String, what: Damage) {
        if self.told.insert(row) {
            self.samples.damaged("head", row, &reason);
            self.aside.push(Aside { row, reason, what });
        }
    }

    async fn put_aside(&self, connection: &mut SqliteConnection, now: i64) -> sqlx::Result<()> {
        for Aside { row, reason, what } in &self.aside {
            match what {
                Damage::Row => head_rows::put_aside(connection, *row, now, reason).await?,
                Damage::Strangers { part, rest } => {
                    head_rows::put_part_aside(connection, *row, (part, rest), now, reason).await?;
                }
            }
        }
        Ok(())
    }
}

/// The ticks with only the samples of series that are known, and those with only the others.
fn apart(ticks: Vec<Tick>, is_known: impl Fn(i64) -> bool) -> (Vec<Tick>, Vec<Tick>) {
    let (mut known, mut strange) = (Vec::with_capacity(ticks.len()), Vec::new());
    for Tick { at, values } in ticks {
        let (here, strangers): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|(series, _)| is_known(*series));
        for (values, into) in [(here, &mut known), (strangers, &mut strange)] {
            if !values.is_empty() {
                into.push(Tick { at, values });
            }
        }
    }
    (known, strange)
}

#[async_trait]
impl Feed for SampleFeed {
    async fn load(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
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
        let mut head = Head::default();
        for (row, crc, data) in head_rows::all(connection).await? {
            let intact = i64::from(crc32fast::hash(&data)) == crc;
            let Some(ticks) = decode_head(&data).filter(|_| intact) else {
                let reason = if intact { "not what was written" } else { "its checksum is wrong" };
                self.damaged(row, reason.to_owned(), Damage::Row);
                continue;
            };
            let (ticks, part) = apart(ticks, |series| sealed.contains_key(&series));
            head.add_row(row, data.len());
            head.add(row, &ticks, |series| sealed.get(&series).is_some_and(|sealed| *sealed < row));
            if !part.is_empty() {
                let samples: usize = part.iter().map(|tick| tick.values.len()).sum();
                let reason = format!("{samples} samples of series that are not known");
                self.damaged(row, reason, Damage::Strangers { part, rest: ticks });
            }
        }
        let kept = age_rows::read(connection).await?;
        self.forgets_age = self.samples.age.resume(&kept, self.samples.clock.monotonic());
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
        let boot = match self.boot {
            Some(boot) => boot,
            None => head_rows::next_boot(connection).await?,
        };
        let mut appended = Appended { boot, ..Appended::default() };
        let id = self.ticks(connection, &mut appended).await?;
        if let Some(lowest) = appended.ticks.iter().map(|tick| tick.at).min() {
            appended.row = head_rows::put(connection, id, &appended.ticks).await?;
            if self.forgets_age {
                age_rows::forget(connection).await?;
            }
            if let Some((new, gone)) = self.samples.age.came(lowest, self.samples.clock.monotonic()) {
                age_rows::put(connection, &new, &gone).await?;
            }
            appended.forgot_age = true;
        }
        self.appended = Some(appended);
        Ok(())
    }

    fn appended(&mut self) {
        let Some(Appended { boot, row, ticks, series, sifted, forgot_age }) = self.appended.take() else {
            return;
        };
        self.boot = Some(boot);
        self.forgets_age &= !forgot_age;
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
        for sifted in &sifted {
            samples.figures.samples.add(sifted.kept);
            samples.figures.dropped.not_finite.add(sifted.not_finite);
            samples.figures.dropped.too_old.add(sifted.too_old);
            samples.figures.dropped.series.add(sifted.too_many_series);
        }
        samples.intake.written(&sifted);
        self.rests = false;
    }

    fn failed(&mut self, error: &StoreError, now: Monotonic) {
        self.appended = None;
        self.samples.intake.failed(error, now);
    }

    fn has_slice(&self) -> bool {
        !self.rests
            && (!self.aside.is_empty()
                || self.samples.head.read().is_ripe()
                || self.samples.prunes_before().is_some())
    }

    async fn slice(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let now = self.samples.clock.now().timestamp_micros();
        if !self.aside.is_empty() {
            self.slice = Some(Slice::PutAside);
            return self.put_aside(connection, now).await;
        }
        self.slice = self.seal(connection, now).await?;
        if self.slice.is_none()
            && let Some(before) = self.samples.prunes_before()
        {
            let pruned = retention::step(connection, &self.samples, before).await?;
            self.slice = Some(Slice::Pruned { before, pruned });
        }
        Ok(())
    }

    fn sliced(&mut self) {
        match self.slice.take() {
            Some(Slice::PutAside) => self.aside.clear(),
            Some(Slice::Sealed { series, needed, chunks, damaged }) => {
                let mut head = self.samples.head.write();
                head.sealed(&series, needed);
                self.samples.figures.open.set(head.len() as u64);
                self.samples.figures.chunks.add(chunks);
                self.samples.figures.damaged.add(damaged);
            }
            Some(Slice::Pruned { before, pruned }) => {
                retention::committed(&self.samples, &pruned);
                if pruned.is_last() {
                    self.samples.age.deleted(before);
                }
            }
            None => self.rests = true,
        }
    }

    fn slice_failed(&mut self) {
        if let Some(Slice::PutAside) = self.slice.take() {
            // Tried once: what comes after it must not wait for it.
            self.aside.clear();
        }
        self.rests = true;
    }
}
