//! The last marks of instruments that are not traded yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::book::{Freshness, Valuation};
use super::quantity::Price;
use crate::UnixMicros;

/// The last mark of each instrument that was neither traded nor defined, kept for its first fill: that may be older
/// than the mark. Bounded; the instrument of which no mark came for the longest is dropped and counted.
#[derive(Debug, Clone)]
pub(crate) struct UntradedMarks {
    marks: HashMap<Arc<str>, (Valuation, u64)>,
    /// Instruments in the order of their last marks.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
    limit: usize,
}

impl UntradedMarks {
    pub(crate) fn new(limit: usize) -> Self {
        Self { marks: HashMap::new(), order: BTreeMap::new(), next: 0, limit }
    }

    /// Keeps the mark unless a younger one is kept. Returns how many instruments were dropped for it.
    pub(crate) fn keep(
        &mut self,
        instrument: &Arc<str>,
        price: Price,
        at: UnixMicros,
        now: Option<UnixMicros>,
    ) -> u64 {
        let before = self.marks.remove(instrument).map(|(valuation, turn)| {
            self.order.remove(&turn);
            valuation
        });
        let mut last = before.unwrap_or(Valuation { price, at });
        last.update(price, at, Freshness::Mark { now });
        self.marks.insert(Arc::clone(instrument), (last, self.next));
        self.order.insert(self.next, Arc::clone(instrument));
        self.next += 1;
        let mut dropped = 0;
        while self.marks.len() > self.limit
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.marks.remove(&oldest);
            dropped += 1;
        }
        dropped
    }

    /// Gives away the mark of an instrument that is traded now.
    pub(crate) fn take(&mut self, instrument: &str) -> Option<Valuation> {
        let (valuation, turn) = self.marks.remove(instrument)?;
        self.order.remove(&turn);
        Some(valuation)
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn the_instrument_without_a_mark_for_the_longest_is_dropped() {
        let mut marks = UntradedMarks::new(2);
        let price = Price::new(Decimal::ONE).unwrap();
        let mut keep = |instrument: &str, at: i64| marks.keep(&instrument.into(), price, at.into(), None);
        assert_eq!([keep("A", 1), keep("B", 2), keep("A", 3), keep("C", 4)], [0, 0, 0, 1]);
        assert_eq!(marks.take("B"), None);
        assert_eq!(marks.take("A").map(|mark| mark.at), Some(3.into()));
        assert_eq!(marks.take("A"), None);
        assert_eq!((marks.marks.len(), marks.order.len()), (1, 1));
        let mut none = UntradedMarks::new(0);
        assert_eq!(none.keep(&"A".into(), price, 1.into(), None), 1);
        assert!(none.order.is_empty());
    }
}
