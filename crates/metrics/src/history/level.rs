//! Summaries of runs of equal length.

use std::collections::VecDeque;
use std::ops::Range;

use super::summary::Summary;

/// Summaries of runs of `SIZE` samples that follow one another: of those which are full and wholly there. Run `r` holds the
/// samples with the numbers from `SIZE r`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level<const SIZE: usize> {
    runs: VecDeque<Summary>,
    /// Number of the oldest run.
    first: usize,
}

impl<const SIZE: usize> Level<SIZE> {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Takes the run that ends before the sample of this number; it follows the one taken before.
    pub(crate) fn push(&mut self, end: usize, run: Summary) {
        if self.runs.is_empty() {
            self.first = end / SIZE - 1;
        }
        self.runs.push_back(run);
    }

    /// The oldest sample now has this number, one more than before.
    pub(crate) fn begin_at(&mut self, number: usize) {
        if self.first * SIZE < number && self.runs.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// The youngest sample now has the number before this one.
    pub(crate) fn end_at(&mut self, number: usize) {
        self.runs.truncate((number / SIZE).saturating_sub(self.first));
    }

    /// The runs of these samples, the first of a run to the last of another, all of which are there.
    pub(crate) fn between(&self, numbers: Range<usize>) -> [&[Summary]; 2] {
        let place = |number: usize| (number / SIZE).saturating_sub(self.first);
        let (from, to) = (place(numbers.start), place(numbers.end));
        let (front, back) = self.runs.as_slices();
        let in_front = |place: usize| place.min(front.len());
        let in_back = |place: usize| place.saturating_sub(front.len());
        [
            front.get(in_front(from)..in_front(to)).unwrap_or_default(),
            back.get(in_back(from)..in_back(to)).unwrap_or_default(),
        ]
    }
}
