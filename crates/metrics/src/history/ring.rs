//! A ring of samples with a summary per block.

use std::collections::VecDeque;
use std::ops::Range;

use super::summary::Summary;

/// Samples per summary.
const BLOCK: usize = 64;

/// The youngest samples of a series, at most `capacity`: stamps and values apart, 16 bytes a sample, and one
/// [`Summary`] per 64 samples. Grows from empty as samples come.
///
/// Samples are numbered from the first that ever came; block `b` holds the numbers from `64 b`. A block has a summary
/// while it is full and wholly in the ring.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    times: VecDeque<i64>,
    values: VecDeque<f64>,
    /// Number of the oldest sample.
    first: usize,
    summaries: VecDeque<Summary>,
    /// Block of the oldest summary.
    first_block: usize,
    capacity: usize,
}

impl Ring {
    /// For at most `capacity` samples, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            times: VecDeque::new(),
            values: VecDeque::new(),
            first: 0,
            summaries: VecDeque::new(),
            first_block: 0,
            capacity: capacity.max(1),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn oldest(&self) -> Option<(i64, f64)> {
        Some((*self.times.front()?, *self.values.front()?))
    }

    pub(crate) fn newest(&self) -> Option<(i64, f64)> {
        Some((*self.times.back()?, *self.values.back()?))
    }

    /// Adds a sample that is younger than all others; the oldest goes when the ring is full, which the answer says.
    /// Amortized O(1).
    pub(crate) fn push(&mut self, time: i64, value: f64) -> bool {
        let full = self.len() >= self.capacity;
        if full {
            self.pop_oldest();
        } else if self.len() == self.times.capacity() {
            // Doubles, but never beyond the bound.
            let more = self.len().max(BLOCK).min(self.capacity - self.len());
            self.times.reserve_exact(more);
            self.values.reserve_exact(more);
        }
        self.times.push_back(time);
        self.values.push_back(value);
        let next = self.first + self.len();
        if next.is_multiple_of(BLOCK) && next - BLOCK >= self.first {
            self.summarize(next / BLOCK - 1);
        }
        full
    }

    fn summarize(&mut self, block: usize) {
        let start = block * BLOCK - self.first;
        if let Some(summary) = Summary::of(self.samples(start..start + BLOCK)) {
            if self.summaries.is_empty() {
                self.first_block = block;
            }
            self.summaries.push_back(summary);
        }
    }

    /// Takes the oldest sample out.
    pub(crate) fn pop_oldest(&mut self) {
        if self.times.pop_front().is_some() {
            self.values.pop_front();
            self.first += 1;
            if self.first_block * BLOCK < self.first && self.summaries.pop_front().is_some() {
                self.first_block += 1;
            }
        }
    }

    /// Takes the youngest sample out.
    pub(crate) fn pop_newest(&mut self) {
        if self.times.pop_back().is_some() {
            self.values.pop_back();
            let whole = (self.first + self.len()) / BLOCK;
            self.summaries.truncate(whole.saturating_sub(self.first_block));
        }
    }

    /// Gives memory back that an empty ring does not need.
    pub(crate) fn shrink(&mut self) {
        if self.times.is_empty() {
            *self = Self { first: self.first, ..Self::new(self.capacity) };
        }
    }

    /// Places of the samples after `start`, up to and including `end`. O(log n).
    pub(crate) fn between(&self, start: i64, end: i64) -> Range<usize> {
        let from = self.times.partition_point(|&time| time <= start);
        from..self.times.partition_point(|&time| time <= end).max(from)
    }

    /// The samples at these places.
    pub(crate) fn samples(&self, places: Range<usize>) -> impl Iterator<Item = (i64, f64)> + Clone {
        self.times.range(places.clone()).copied().zip(self.values.range(places).copied())
    }

    /// The sample at a place.
    pub(crate) fn get(&self, place: usize) -> Option<(i64, f64)> {
        Some((*self.times.get(place)?, *self.values.get(place)?))
    }

    /// The moments of the samples at these places; nothing of none. O(64 + places / 64).
    pub(crate) fn summary(&self, places: Range<usize>) -> Option<Summary> {
        let numbers = places.start + self.first..places.end + self.first;
        let blocks = numbers.start.div_ceil(BLOCK)..numbers.end / BLOCK;
        if blocks.is_empty() {
            return Summary::of(self.samples(places));
        }
        // Blocks that lie wholly between the places are full and wholly in the ring: all have a summary.
        let middle = self.summaries.range(blocks.start - self.first_block..blocks.end - self.first_block);
        let head = Summary::of(self.samples(places.start..blocks.start * BLOCK - self.first));
        let tail = Summary::of(self.samples(blocks.end * BLOCK - self.first..places.end));
        Summary::merged(head.iter().chain(middle).chain(&tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_samples_and_stops_at_the_bound() {
        let mut ring = Ring::new(100);
        assert_eq!(ring.times.capacity(), 0);
        for i in 0..1_000 {
            assert_eq!(ring.push(i, 0.0), i >= 100);
            assert!(ring.times.capacity() <= 100 && ring.values.capacity() <= 100);
            assert!(ring.summaries.len() <= 100 / BLOCK + 1);
        }
        assert_eq!((ring.len(), ring.oldest()), (100, Some((900, 0.0))));
        while ring.len() > 0 {
            ring.pop_oldest();
        }
        ring.shrink();
        assert_eq!(ring.times.capacity(), 0);
        assert!(ring.summary(0..0).is_none());
    }

    #[test]
    fn summaries_follow_both_ends() {
        let mut ring = Ring::new(1_000);
        for i in 0..300 {
            ring.push(i, i as f64);
        }
        assert_eq!(ring.summaries.len(), 4);
        ring.pop_oldest();
        assert_eq!((ring.summaries.len(), ring.first_block), (3, 1));
        for _ in 0..45 {
            ring.pop_newest();
        }
        assert_eq!((ring.len(), ring.summaries.len()), (254, 2));
        ring.push(255, 255.0);
        assert_eq!(ring.summaries.len(), 3);
        let all = ring.summary(0..ring.len()).unwrap();
        assert_eq!((all.sum(), all.mean()), ((1..=255).sum::<i32>().into(), 128.0));
    }
}
