//! The past a page at a time.

use std::ops::Bound;
use std::time::Duration;

use bellwether_core::{
    Cursor, CursorError, HistoryError, HistoryQuery, Labels, Page, PageRequest, Sample, SampleHistory,
    SeriesKey, SeriesSample, Timestamp, async_trait,
};

use super::steps::Steps;
use super::summary::needs_no_samples;
use super::{Samples, StoredSamples};
use crate::sqlite::chunk_rows::{ChunkRow, Content, Window, merge, read};
use crate::sqlite::readers::Reader;

/// Chunks that one statement reads.
const CHUNKS_AT_ONCE: usize = 32;

#[async_trait]
impl SampleHistory for StoredSamples {
    async fn read(
        &self,
        query: &HistoryQuery,
        page: &PageRequest,
    ) -> Result<Page<SeriesSample>, HistoryError> {
        if let Some((step, _)) = query.step
            && step < Duration::from_micros(1)
        {
            return Err(HistoryError::Step(step));
        }
        let check = query.check();
        let limit = page.limit.get();
        let mut reading = Reading {
            samples: &self.samples,
            reader: self.engine.read().await?,
            query,
            most: limit + 1,
            points: Vec::new(),
        };
        let place = page.after.as_ref().map(|cursor| Place::of(cursor, check, &self.samples)).transpose()?;
        reading.fill(place).await?;
        let Reading { reader, points, .. } = reading;
        reader.done();
        let more = points.len() > limit;
        let next = points.get(limit - 1).filter(|_| more).map(|last| last.cursor(check));
        let items = points.into_iter().take(limit).map(|point| point.sample).collect();
        Ok(Page { items, next })
    }
}

/// A page while it is filled.
struct Reading<'a> {
    samples: &'a Samples,
    reader: Reader<'a>,
    query: &'a HistoryQuery,
    /// One more than the page holds.
    most: usize,
    points: Vec<Point>,
}

/// A point and its series.
struct Point {
    series: i64,
    sample: SeriesSample,
}

/// Where one series is read from and to, with what the head holds of it.
struct Stretch {
    series: i64,
    from: i64,
    to: i64,
    /// Taken before the first chunk is read: what is sealed meanwhile is seen twice rather than not at all.
    open: Vec<(i64, f64)>,
}

impl Reading<'_> {
    async fn fill(&mut self, place: Option<Place>) -> Result<(), HistoryError> {
        let (start, end) = self.samples.visible(self.query.range);
        let selector = &self.query.selector;
        let first = match &place {
            None => Bound::Unbounded,
            Some(place) => Bound::Included(&place.labels),
        };
        let mut next = self.samples.directory.read().next(selector, first);
        while let Some((key, series)) = next {
            let from = match &place {
                Some(place) if place.labels == key.labels => place.at.max(start),
                _ => start,
            };
            if from < end {
                self.series(&key, series, (from, end)).await?;
            }
            if self.points.len() >= self.most {
                break;
            }
            next = self.samples.directory.read().next(selector, Bound::Excluded(&key.labels));
        }
        Ok(())
    }

    async fn series(
        &mut self,
        key: &SeriesKey,
        series: i64,
        (from, to): (i64, i64),
    ) -> Result<(), HistoryError> {
        let open = self.samples.head.read().samples(series, from, to);
        let stretch = Stretch { series, from, to, open };
        let room = self.most - self.points.len();
        let points = match self.query.step {
            None => self.plain(stretch, room).await?,
            Some((step, aggregate)) => {
                let mut steps = Steps::new(self.query.range, step, aggregate, key.descriptor.kind);
                let columns = if needs_no_samples(aggregate) { steps.length() } else { 0 };
                self.stepped(stretch, room, columns, &mut steps).await?;
                steps.points().to_vec()
            }
        };
        for (at, value) in points.into_iter().take(room) {
            let at = Timestamp::from_micros(at)
                .map_err(|error| HistoryError::Unavailable { reason: error.to_string() })?;
            let sample = SeriesSample { labels: key.labels.clone(), sample: Sample::new(at, value) };
            self.points.push(Point { series, sample });
        }
        Ok(())
    }

    /// Samples as they are.
    async fn plain(&mut self, mut stretch: Stretch, room: usize) -> Result<Vec<(i64, f64)>, HistoryError> {
        let mut found = Vec::new();
        loop {
            let limit = (room - found.len()).div_ceil(256).clamp(1, CHUNKS_AT_ONCE);
            let chunks = self.chunks(&stretch, 0, limit).await?;
            let last = chunks.len() < limit;
            for chunk in chunks {
                let open = stretch.take_open(chunk.t_max);
                let samples = match chunk.content {
                    Content::Samples(samples) => samples,
                    Content::Columns(_) | Content::Damaged(_) => Vec::new(),
                };
                found.extend(merge(stretch.within(&samples), &open));
                stretch.from = chunk.t_max;
            }
            if last {
                found.append(&mut stretch.open);
            }
            if last || found.len() >= room {
                return Ok(found);
            }
        }
    }

    /// One point per step. `columns` is the length of a step if whole chunks may be answered by their columns, else zero.
    async fn stepped(
        &mut self,
        mut stretch: Stretch,
        room: usize,
        mut columns: i64,
        steps: &mut Steps,
    ) -> Result<(), HistoryError> {
        'read: loop {
            let chunks = self.chunks(&stretch, columns, CHUNKS_AT_ONCE).await?;
            let last = chunks.len() < CHUNKS_AT_ONCE;
            for chunk in chunks {
                if let Content::Columns(whole) = &chunk.content {
                    if stretch.open.iter().any(|sample| (chunk.t_min..=chunk.t_max).contains(&sample.0)) {
                        // Samples came late into it: its columns are not the truth any more.
                        columns = 0;
                        continue 'read;
                    }
                    stretch.take_open(chunk.t_min).into_iter().try_for_each(|sample| steps.add(sample))?;
                    steps.add_columns(whole, chunk.t_min, chunk.t_max);
                } else {
                    let open = stretch.take_open(chunk.t_max);
                    let samples = match chunk.content {
                        Content::Samples(samples) => samples,
                        Content::Columns(_) | Content::Damaged(_) => Vec::new(),
                    };
                    let samples = merge(stretch.within(&samples), &open);
                    samples.into_iter().try_for_each(|sample| steps.add(sample))?;
                }
                stretch.from = chunk.t_max;
            }
            if last {
                stretch.open.drain(..).try_for_each(|sample| steps.add(sample))?;
                steps.finish();
            }
            if last || steps.points().len() >= room {
                return Ok(());
            }
        }
    }

    /// The next chunks; those that cannot be read are told.
    async fn chunks(
        &mut self,
        stretch: &Stretch,
        step: i64,
        limit: usize,
    ) -> Result<Vec<ChunkRow>, HistoryError> {
        self.reader.in_time()?;
        let window = Window {
            series: stretch.series,
            from: stretch.from,
            to: stretch.to,
            step,
            origin: self.query.range.start().as_micros(),
        };
        let found = read(self.reader.connection()?, window, limit).await;
        let found: Vec<ChunkRow> = found.map_err(|error| self.reader.fault(error))?;
        for chunk in &found {
            if let Content::Damaged(reason) = &chunk.content {
                self.samples.damaged("chunks", chunk.id, reason);
            }
        }
        Ok(found)
    }
}

impl Stretch {
    /// Takes out what the head holds up to an instant.
    fn take_open(&mut self, upto: i64) -> Vec<(i64, f64)> {
        let end = self.open.partition_point(|sample| sample.0 <= upto);
        self.open.drain(..end).collect()
    }

    /// The part of a chunk that is asked for.
    fn within<'a>(&self, samples: &'a [(i64, f64)]) -> &'a [(i64, f64)] {
        let first = samples.partition_point(|sample| sample.0 <= self.from);
        let end = samples.partition_point(|sample| sample.0 <= self.to);
        samples.get(first..end).unwrap_or_default()
    }
}

/// Longest labels that a cursor holds, in bytes.
const MAX_LABELS_LEN: usize = 900;

/// The last point of a page: its series and its stamp.
struct Place {
    labels: Labels,
    at: i64,
}

impl Point {
    /// Stamp, number of the series, and its labels unless they are too long for a cursor.
    fn cursor(&self, check: u64) -> Cursor {
        let mut key = format!("{} {}", self.sample.sample.at.as_micros(), self.series);
        if let Ok(labels) = serde_json::to_string(&self.sample.labels)
            && labels.len() <= MAX_LABELS_LEN
        {
            key.push(' ');
            key.push_str(&labels);
        }
        Cursor::new(check, &key)
    }
}

impl Place {
    fn of(cursor: &Cursor, check: u64, samples: &Samples) -> Result<Self, CursorError> {
        let key = cursor.key(check)?;
        let malformed = || CursorError::Malformed { text: key.chars().take(40).collect() };
        let mut parts = key.splitn(3, ' ');
        let at = parts.next().and_then(|at| at.parse().ok()).ok_or_else(malformed)?;
        let number: i64 = parts.next().and_then(|number| number.parse().ok()).ok_or_else(malformed)?;
        let labels = if let Some(text) = parts.next() {
            serde_json::from_str(text).map_err(|_| malformed())?
        } else {
            let directory = samples.directory.read();
            // The order of a series among the others is not known once it has gone.
            directory.key(number).map(|key| key.labels.clone()).ok_or(CursorError::OtherQuery)?
        };
        Ok(Self { labels, at })
    }
}
