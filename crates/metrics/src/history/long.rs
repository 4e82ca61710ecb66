//! What is known of the samples that are not kept one by one any more.

use std::collections::VecDeque;
use std::time::Duration;

use bellwether_core::TimeRange;

use super::summary::Summary;

/// The second tier of a series: one [`Summary`] per span of time on a grid, of the samples that left the ring; the newest
/// is filled while they leave. 152 bytes a span.
///
/// A span is the instants `(k r, (k + 1) r]` of a resolution `r` since the epoch. It belongs to the range that its newest
/// sample lies in, as a whole: ranges that follow one another share no sample and lose none.
#[derive(Debug, Clone)]
pub(crate) struct Long {
    /// In microseconds.
    resolution: i64,
    max_age: i64,
    max_spans: usize,
    spans: VecDeque<Summary>,
    /// Where the buckets of a histogram told a restart, and what was there before: at most two a span.
    restarts: VecDeque<(i64, f64)>,
}

/// What was dropped for a clock that was set back.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Truncated {
    pub(crate) samples: usize,
    /// Whether a restart was among them.
    pub(crate) restart: bool,
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Long {
    pub(crate) fn new(resolution: Duration, max_spans: usize, max_age: Duration) -> Self {
        Self {
            resolution: micros(resolution).max(1),
            max_age: micros(max_age),
            max_spans: max_spans.max(1),
            spans: VecDeque::new(),
            restarts: VecDeque::new(),
        }
    }

    /// Number of the span that an instant lies in.
    fn span_of(&self, time: i64) -> i64 {
        time.saturating_sub(1).div_euclid(self.resolution)
    }

    /// Takes a sample that is younger than all others here, with what was there before if it came first after a restart.
    /// Says how many samples went to make room. O(1).
    pub(crate) fn take(&mut self, time: i64, value: f64, restart: Option<f64>) -> usize {
        let Some(sample) = Summary::of(&[time], &[value]) else { return 0 };
        let newest = self.spans.back().map(|span| self.span_of(span.oldest().0));
        let mut dropped = 0;
        if newest == Some(self.span_of(time)) {
            if let Some(span) = self.spans.back_mut() {
                *span = Summary::merged(&[&[*span], &[sample]]).unwrap_or(sample);
            }
        } else {
            if self.spans.len() >= self.max_spans {
                dropped = self.pop_oldest();
            } else if self.spans.len() == self.spans.capacity() {
                // Doubles, but never beyond the bound.
                let more = self.spans.len().max(16).min(self.max_spans - self.spans.len());
                self.spans.reserve_exact(more);
            }
            self.spans.push_back(sample);
        }
        if let Some(before) = restart {
            self.restart(time, before);
        }
        dropped
    }

    /// The first sample of a span may come after a restart; of those that follow it, all restarts are one.
    fn restart(&mut self, time: i64, before: f64) {
        let first = self.spans.back().map_or(time, |span| span.oldest().0);
        match self.restarts.back_mut() {
            Some(last) if last.0 > first => *last = (time, last.1 + before),
            _ => self.restarts.push_back((time, before)),
        }
    }

    fn pop_oldest(&mut self) -> usize {
        let Some(span) = self.spans.pop_front() else { return 0 };
        while self.restarts.front().is_some_and(|restart| restart.0 <= span.newest().0) {
            self.restarts.pop_front();
        }
        span.count()
    }

    /// Drops spans whose newest sample is older than the bound of age at `now`, and says how many samples went.
    pub(crate) fn expire(&mut self, now: i64) -> usize {
        let before = now.saturating_sub(self.max_age);
        let mut dropped = 0;
        while self.spans.front().is_some_and(|span| span.newest().0 < before) {
            dropped += self.pop_oldest();
        }
        if self.spans.is_empty() {
            self.spans = VecDeque::new();
            self.restarts = VecDeque::new();
        }
        dropped
    }

    /// Drops spans with a sample that is younger than `at`.
    pub(crate) fn truncate(&mut self, at: i64) -> Truncated {
        let mut gone = Truncated::default();
        while let Some(span) = self.spans.pop_back_if(|span| span.newest().0 > at) {
            gone.samples += span.count();
            while self.restarts.pop_back_if(|restart| restart.0 >= span.oldest().0).is_some() {
                gone.restart = true;
            }
        }
        gone
    }

    /// The oldest sample.
    pub(crate) fn oldest(&self) -> Option<(i64, f64)> {
        self.spans.front().map(Summary::oldest)
    }

    /// The newest sample.
    pub(crate) fn newest(&self) -> Option<(i64, f64)> {
        self.spans.back().map(Summary::newest)
    }

    /// How many samples are known of. O(spans).
    pub(crate) fn samples(&self) -> usize {
        self.spans.iter().map(Summary::count).sum()
    }

    /// The spans whose newest sample lies in a range. O(log spans).
    pub(crate) fn between(&self, range: TimeRange) -> [&[Summary]; 2] {
        let place = |at: i64| self.spans.partition_point(|span| span.newest().0 <= at);
        let (from, to) = (place(range.start().as_micros()), place(range.end().as_micros()));
        let (front, back) = self.spans.as_slices();
        let in_front = |place: usize| place.min(front.len());
        let in_back = |place: usize| place.saturating_sub(front.len());
        [
            front.get(in_front(from)..in_front(to)).unwrap_or_default(),
            back.get(in_back(from)..in_back(to)).unwrap_or_default(),
        ]
    }

    /// What was there before the restarts after the sample `oldest`, up to and including `newest`, added up.
    pub(crate) fn before(&self, oldest: i64, newest: i64) -> f64 {
        let between = self.restarts.iter().filter(|&&(time, _)| oldest < time && time <= newest);
        between.map(|&(_, before)| before).sum()
    }
}
