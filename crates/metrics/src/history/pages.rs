//! The past a page at a time.

use std::fmt::Write as _;
use std::time::Duration;

use bellwether_core::{
    Aggregate, Cursor, CursorError, Fingerprint, HistoryError, HistoryQuery, Labels, Page, PageRequest,
    Sample, SampleHistory, SeriesSample, TimeRange, Timestamp, async_trait,
};

use super::{History, Track};

#[async_trait]
impl SampleHistory for History {
    async fn read(
        &self,
        query: &HistoryQuery,
        page: &PageRequest,
    ) -> Result<Page<SeriesSample>, HistoryError> {
        self.page(query, page)
    }
}

impl History {
    /// One page, without waiting.
    ///
    /// With a step the range is divided from its start: the `k`-th step is `(start + k step, start + (k + 1) step]`, the
    /// last one ends with the range. A step without samples, or without a value, gives no point.
    pub(crate) fn page(
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
        let after = page.after.as_ref().map(|cursor| Place::of(cursor, check)).transpose()?;
        let Some(tracks) = self.index.metric(query.selector.metric_name()) else {
            return Ok(Page::last(Vec::new()));
        };
        let visible = self.visible(query.range);
        let (first, mut from) = match &after {
            None => (0, visible.start()),
            Some(place) => place.resume(&tracks, visible.start())?,
        };
        let limit = page.limit.get();
        let mut points = Points { items: Vec::new(), most: limit + 1 };
        for track in tracks.iter().skip(first) {
            if query.selector.matches(track.labels())
                && let Ok(range) = TimeRange::new(from, visible.end())
            {
                points.read(track, range, query);
            }
            if points.are_enough() {
                break;
            }
            from = visible.start();
        }
        let mut items = points.items;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Place::at(last).cursor(check));
        Ok(Page { items, next })
    }
}

/// The points of a page while it is filled.
struct Points {
    items: Vec<SeriesSample>,
    most: usize,
}

impl Points {
    fn are_enough(&self) -> bool {
        self.items.len() >= self.most
    }

    fn read(&mut self, track: &Track, range: TimeRange, query: &HistoryQuery) {
        match query.step {
            None => {
                let room = self.most - self.items.len();
                let labels = track.labels();
                let point = |sample| SeriesSample { labels: labels.clone(), sample };
                self.items.extend(track.series().samples(range).take(room).map(point));
            }
            Some((step, aggregate)) => self.read_steps(track, range, query.range, step, aggregate),
        }
    }

    /// One point per step that has samples; steps without are passed over.
    fn read_steps(
        &mut self,
        track: &Track,
        range: TimeRange,
        whole: TimeRange,
        step: Duration,
        aggregate: Aggregate,
    ) {
        let mut scratch = Vec::new();
        let mut rest = range;
        while !self.are_enough() {
            let Some(next) = track.series().samples(rest).next() else { break };
            let end = step_end(whole, step, next.at);
            let Ok(samples) = TimeRange::new(rest.start(), end) else { break };
            if let Some((value, _)) = track.aggregate(samples, aggregate, &mut scratch) {
                self.items
                    .push(SeriesSample { labels: track.labels().clone(), sample: Sample::new(end, value) });
            }
            let Ok(after) = TimeRange::new(end, range.end()) else { break };
            rest = after;
        }
    }
}

/// Where the step ends that an instant of the range lies in.
fn step_end(whole: TimeRange, step: Duration, at: Timestamp) -> Timestamp {
    let since = at.saturating_since(whole.start()).as_micros();
    let steps = since.div_ceil(step.as_micros());
    let length = u64::try_from(steps * step.as_micros()).map_or(Duration::MAX, Duration::from_micros);
    whole.start().saturating_add(length).min(whole.end())
}

/// The last point of a page: its series and its stamp.
struct Place {
    series: Fingerprint,
    at: Timestamp,
    /// The labels, unless they are too long for a cursor.
    labels: Option<Labels>,
}

/// Longest labels that a cursor holds, in bytes of its key.
const MAX_LABELS_LEN: usize = 900;

impl Place {
    fn at(point: &SeriesSample) -> Self {
        Self {
            series: point.labels.fingerprint(),
            at: point.sample.at,
            labels: Some(point.labels.clone()).filter(|labels| labels_key(labels).len() <= MAX_LABELS_LEN),
        }
    }

    /// `stamp fingerprint`, then `length:text` for each name and value.
    fn cursor(&self, check: u64) -> Cursor {
        let mut key = format!("{} {}", self.at.as_micros(), self.series);
        if let Some(labels) = &self.labels {
            key.push(' ');
            key.push_str(&labels_key(labels));
        }
        Cursor::new(check, &key)
    }

    fn of(cursor: &Cursor, check: u64) -> Result<Self, CursorError> {
        let key = cursor.key(check)?;
        let malformed = || CursorError::Malformed { text: key.chars().take(40).collect() };
        let mut parts = key.splitn(3, ' ');
        let at = parts.next().and_then(|at| at.parse().ok()).ok_or_else(malformed)?;
        let series = parts.next().and_then(|series| series.parse().ok()).ok_or_else(malformed)?;
        let labels = match parts.next() {
            Some(text) => Some(read_labels(text).ok_or_else(malformed)?),
            None => None,
        };
        Ok(Self { series, at: Timestamp::from_micros(at).map_err(|_| malformed())?, labels })
    }

    /// Which series of `tracks` comes next, and from when.
    fn resume(
        &self,
        tracks: &[std::sync::Arc<Track>],
        start: Timestamp,
    ) -> Result<(usize, Timestamp), CursorError> {
        let from = start.max(self.at);
        if let Some(labels) = &self.labels {
            return Ok(match tracks.binary_search_by(|track| track.labels().cmp(labels)) {
                Ok(at) => (at, from),
                // The series has gone since; the next one takes its place.
                Err(at) => (at, start),
            });
        }
        let at = tracks.iter().position(|track| track.labels().fingerprint() == self.series);
        // Its order among the others is not known once it has gone.
        at.map(|at| (at, from)).ok_or(CursorError::OtherQuery)
    }
}

fn labels_key(labels: &Labels) -> String {
    let mut key = String::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        // Writing to a `String` cannot fail.
        let _ = write!(key, "{}:{text}", text.len());
    }
    key
}

fn read_labels(mut key: &str) -> Option<Labels> {
    let mut texts = Vec::new();
    while !key.is_empty() {
        let (length, rest) = key.split_once(':')?;
        let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
        texts.push(text);
        key = rest;
    }
    let (pairs, []) = texts.as_chunks::<2>() else { return None };
    Labels::new(pairs.iter().map(|&[name, value]| (name, value))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_the_way_through_a_cursor() {
        let labels = Labels::new([("a", "1:2 3"), ("b", "ä\n"), ("c", "")]).unwrap();
        assert_eq!(read_labels(&labels_key(&labels)), Some(labels));
        assert_eq!(read_labels(""), Some(Labels::empty()));
        for damaged in ["1:a", "9:a1:b", "x", "1:a1:b1:c", "1:é1:b"] {
            assert_eq!(read_labels(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_step_ends_after_its_last_instant_and_never_after_the_range() {
        let second = |s| Timestamp::from_seconds(s).unwrap();
        let whole = TimeRange::new(second(0), second(25)).unwrap();
        let step = Duration::from_secs(10);
        assert_eq!(step_end(whole, step, second(1)), second(10));
        assert_eq!(step_end(whole, step, second(10)), second(10));
        assert_eq!(step_end(whole, step, second(11)), second(20));
        assert_eq!(step_end(whole, step, second(21)), second(25));
        assert_eq!(step_end(TimeRange::until(second(25)), Duration::MAX, second(21)), second(25));
    }
}
