//! A ring of samples with a summary per block.

use std::collections::VecDeque;
use std::ops::Range;

use super::level::Level;
use super::summary::Summary;

/// Samples of a block.
const BLOCK: usize = Summary::MOST;

/// Samples of a bale: 16 blocks.
const BALE: usize = 16 * BLOCK;

/// The youngest samples of a series, at most `capacity`: stamps and values apart, 16 bytes a sample, and one
/// [`Summary`] per 64 samples, and per 1,024. Grows from empty as samples come.
///
/// Samples are numbered from the first that ever came; block `b` holds the numbers from `64 b`. A block or bale has a
/// summary while it is full and wholly in the ring.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    times: VecDeque<i64>,
    values: VecDeque<f64>,
    /// Number of the oldest sample.
    first: usize,
    blocks: Level<BLOCK>,
    bales: Level<BALE>,
    capacity: usize,
}

impl Ring {
    /// For at most `capacity` samples, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            times: VecDeque::new(),
            values: VecDeque::new(),
            first: 0,
            blocks: Level::default(),
            bales: Level::default(),
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

    /// Adds a sample that is younger than all others; the oldest goes when the ring is full. Amortized O(1).
    pub(crate) fn push(&mut self, time: i64, value: f64) -> Option<(i64, f64)> {
        let full = self.len() >= self.capacity;
        let gone = if full { self.pop_oldest() } else { None };
        if self.len() == self.times.capacity() {
            // Doubles, but never beyond the bound.
            let more = self.len().max(BLOCK).min(self.capacity - self.len());
            self.times.reserve_exact(more);
            self.values.reserve_exact(more);
        }
        self.times.push_back(time);
        self.values.push_back(value);
        self.summarize();
        gone
    }

    /// Sums up what is full now.
    fn summarize(&mut self) {
        let end = self.first + self.len();
        if !end.is_multiple_of(BLOCK) || end - self.first < BLOCK {
            return;
        }
        if let Some(block) = self.run(self.len() - BLOCK..self.len()) {
            self.blocks.push(end, block);
        }
        if end.is_multiple_of(BALE)
            && end - self.first >= BALE
            && let Some(bale) = Summary::merged(&self.blocks.between(end - BALE..end))
        {
            self.bales.push(end, bale);
        }
    }

    /// Takes the oldest sample out.
    pub(crate) fn pop_oldest(&mut self) -> Option<(i64, f64)> {
        let oldest = self.times.pop_front().zip(self.values.pop_front())?;
        self.first += 1;
        self.blocks.begin_at(self.first);
        self.bales.begin_at(self.first);
        Some(oldest)
    }

    /// Takes the youngest sample out.
    pub(crate) fn pop_newest(&mut self) -> Option<(i64, f64)> {
        let newest = self.times.pop_back().zip(self.values.pop_back())?;
        let end = self.first + self.len();
        self.blocks.end_at(end);
        self.bales.end_at(end);
        Some(newest)
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

    /// The values at these places, in two pieces where the ring is broken among them.
    pub(crate) fn values(&self, places: Range<usize>) -> [&[f64]; 2] {
        let (front, back) = self.values.as_slices();
        let in_front = |place: usize| place.min(front.len());
        let in_back = |place: usize| place.saturating_sub(front.len());
        [
            front.get(in_front(places.start)..in_front(places.end)).unwrap_or_default(),
            back.get(in_back(places.start)..in_back(places.end)).unwrap_or_default(),
        ]
    }

    /// The sample at a place.
    pub(crate) fn get(&self, place: usize) -> Option<(i64, f64)> {
        Some((*self.times.get(place)?, *self.values.get(place)?))
    }

    /// The moments of some runs, one list after the other, and of the samples at these places, which follow them; nothing
    /// of none. O(64 + runs + places / 1024).
    pub(crate) fn summary(&self, [older, old]: [&[Summary]; 2], places: Range<usize>) -> Option<Summary> {
        let numbers = places.start + self.first..places.end + self.first;
        let blocks = numbers.start.next_multiple_of(BLOCK)..numbers.end / BLOCK * BLOCK;
        if blocks.is_empty() {
            // Less than a block on either side of where one begins.
            let cut = blocks.start.min(numbers.end) - self.first;
            let (head, tail) = (self.run(places.start..cut), self.run(cut..places.end));
            return Summary::merged(&[older, old, head.as_slice(), tail.as_slice()]);
        }
        // What lies wholly between the places is full and wholly in the ring, and so has a summary.
        let head = self.run(places.start..blocks.start - self.first);
        let tail = self.run(blocks.end - self.first..places.end);
        let (head, tail) = (head.as_slice(), tail.as_slice());
        let bales = blocks.start.next_multiple_of(BALE)..blocks.end / BALE * BALE;
        if bales.is_empty() {
            let [front, back] = self.blocks.between(blocks);
            return Summary::merged(&[older, old, head, front, back, tail]);
        }
        let [before_front, before_back] = self.blocks.between(blocks.start..bales.start);
        let [after_front, after_back] = self.blocks.between(bales.end..blocks.end);
        let [front, back] = self.bales.between(bales);
        Summary::merged(&[
            older,
            old,
            head,
            before_front,
            before_back,
            front,
            back,
            after_front,
            after_back,
            tail,
        ])
    }

    /// The moments of at most [`BLOCK`] samples.
    fn run(&self, places: Range<usize>) -> Option<Summary> {
        if places.is_empty() {
            return None;
        }
        let (whole_times, whole_values);
        let times = if let Some(times) = in_one_piece(&self.times, &places) {
            times
        } else {
            whole_times = pieced_together(&self.times, &places)?;
            whole_times.get(..places.len())?
        };
        let values = if let Some(values) = in_one_piece(&self.values, &places) {
            values
        } else {
            whole_values = pieced_together(&self.values, &places)?;
            whole_values.get(..places.len())?
        };
        Summary::of(times, values)
    }
}

/// The entries at these places, unless the ring is broken among them.
fn in_one_piece<'a, T>(ring: &'a VecDeque<T>, places: &Range<usize>) -> Option<&'a [T]> {
    let (front, back) = ring.as_slices();
    match places.start.checked_sub(front.len()) {
        Some(start) => back.get(start..places.end - front.len()),
        None => front.get(places.clone()),
    }
}

/// The entries at these places, where the ring is broken among them.
fn pieced_together<T: Copy + Default>(ring: &VecDeque<T>, places: &Range<usize>) -> Option<[T; BLOCK]> {
    let (front, back) = ring.as_slices();
    let (front, back) = (front.get(places.start..)?, back.get(..places.end.checked_sub(front.len())?)?);
    let mut whole = [T::default(); BLOCK];
    let (head, rest) = whole.split_at_mut_checked(front.len())?;
    head.copy_from_slice(front);
    rest.get_mut(..back.len())?.copy_from_slice(back);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [&[Summary]; 2] = [&[], &[]];

    #[test]
    fn memory_grows_with_samples_and_stops_at_the_bound() {
        let mut ring = Ring::new(100);
        assert_eq!(ring.times.capacity(), 0);
        for i in 0..1_000 {
            assert_eq!(ring.push(i, 0.0), (i >= 100).then_some((i - 100, 0.0)));
            assert!(ring.times.capacity() <= 100 && ring.values.capacity() <= 100);
            assert!(ring.blocks.len() <= 100 / BLOCK + 1);
        }
        assert_eq!((ring.len(), ring.oldest()), (100, Some((900, 0.0))));
        while ring.len() > 0 {
            ring.pop_oldest();
        }
        ring.shrink();
        assert_eq!(ring.times.capacity(), 0);
        assert!(ring.summary(NONE, 0..0).is_none());
    }

    #[test]
    fn summaries_follow_both_ends() {
        let mut ring = Ring::new(3_000);
        for i in 0..2_400 {
            ring.push(i, i as f64);
        }
        let summaries = |ring: &Ring| (ring.blocks.len(), ring.bales.len());
        assert_eq!(summaries(&ring), (37, 2));
        ring.pop_oldest();
        assert_eq!(summaries(&ring), (36, 1));
        for _ in 0..400 {
            ring.pop_newest();
        }
        assert_eq!((ring.len(), summaries(&ring)), (1_999, (30, 0)));
        for i in 2_000..2_100 {
            ring.push(i, i as f64);
        }
        assert_eq!(summaries(&ring), (31, 1));
        let all = ring.summary(NONE, 0..ring.len()).unwrap();
        assert_eq!((all.sum(), all.mean()), ((1..2_100).sum::<i32>().into(), 1_050.0));
    }

    #[test]
    fn every_run_of_places_gives_what_its_samples_give_wherever_the_ring_is_broken() {
        let mut ring = Ring::new(2_300);
        for i in 0..9_001i64 {
            ring.push(i * i, ((i * 7_919) % 1_009) as f64);
            if i % 641 != 0 {
                continue;
            }
            for (from, to) in [(0, ring.len()), (1, 70), (63, 64), (130, 1_700), (1_000, 2_299), (5, 5)] {
                let places = from.min(ring.len())..to.min(ring.len()).max(from.min(ring.len()));
                let samples = || ring.samples(places.clone());
                let Some(got) = ring.summary(NONE, places.clone()) else {
                    assert_eq!(samples().count(), 0);
                    continue;
                };
                let (first, last) = (samples().next().unwrap(), samples().last().unwrap());
                let line = got.line();
                assert_eq!(got.sum(), samples().map(|sample| sample.1).sum::<f64>(), "{places:?}");
                assert_eq!(got.min(), samples().map(|sample| sample.1).fold(f64::MAX, f64::min));
                assert_eq!(line.is_some(), places.len() > 1);
                assert!(line.is_none_or(|line| (line.first, line.last) == (first.0, last.0)));
            }
        }
    }
}
