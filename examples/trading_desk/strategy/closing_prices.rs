//! What a strategy may know of an instrument: its last closing prices.

use std::collections::VecDeque;

/// The last [`CAPACITY`](ClosingPrices::CAPACITY) closes of one instrument, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClosingPrices {
    closes: VecDeque<f64>,
}

impl ClosingPrices {
    /// Twelve months of returns need one close more than they have days.
    const CAPACITY: usize = Self::YEAR + 1;

    /// Trading days in twelve months.
    pub(crate) const YEAR: usize = 252;

    /// Adds the close of the day; the oldest one goes when all places are taken.
    pub(crate) fn push(&mut self, close: f64) {
        if self.closes.len() == Self::CAPACITY {
            self.closes.pop_front();
        }
        self.closes.push_back(close);
    }

    /// The simple return over the last `days`; `None` if there are not that many.
    pub(crate) fn change(&self, days: usize) -> Option<f64> {
        let first = self.closes.len().checked_sub(days + 1)?;
        Some(self.closes.back()? / self.closes.get(first)? - 1.0)
    }

    /// The last `days` daily simple returns, oldest first; `None` if there are not that many.
    pub(crate) fn returns(&self, days: usize) -> Option<impl DoubleEndedIterator<Item = f64> + Clone> {
        let first = self.closes.len().checked_sub(days + 1)?;
        let (earlier, later) = (self.closes.range(first..), self.closes.range(first + 1..));
        // The earlier closes are one more than the later ones: cut, so that both can be walked from the end.
        Some(earlier.take(days).zip(later).map(|(earlier, later)| later / earlier - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(values: impl IntoIterator<Item = f64>) -> ClosingPrices {
        let mut prices = ClosingPrices::default();
        values.into_iter().for_each(|close| prices.push(close));
        prices
    }

    #[test]
    fn returns_come_oldest_first_and_reverse_to_newest_first() {
        let prices = closes([1.0, 2.0, 3.0, 1.5]);
        assert_eq!(prices.returns(2).unwrap().collect::<Vec<_>>(), [0.5, -0.5]);
        assert_eq!(prices.returns(2).unwrap().rev().collect::<Vec<_>>(), [-0.5, 0.5]);
        assert_eq!(prices.change(3), Some(0.5));
    }

    #[test]
    fn a_short_history_has_no_answer() {
        let prices = closes([1.0, 2.0]);
        assert!(prices.returns(2).is_none());
        assert_eq!((prices.change(1), prices.change(2), closes([]).change(0)), (Some(1.0), None, None));
    }

    #[test]
    fn only_the_last_year_is_kept() {
        let prices = closes((1..=1000).map(f64::from));
        assert_eq!(prices.closes.len(), 253);
        assert_eq!(prices.change(ClosingPrices::YEAR), Some(1000.0 / 748.0 - 1.0));
        assert_eq!(prices.change(ClosingPrices::YEAR + 1), None);
    }
}
