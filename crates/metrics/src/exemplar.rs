//! One observation kept as an example of its bucket.

use bellwether_core::{Labels, Timestamp};
use parking_lot::Mutex;

/// One observation kept as an example: the order, trace or session that a slow bucket is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// What the observation was of, such as `order_id`.
    pub labels: Labels,
    /// What was observed; finite.
    pub value: f64,
    /// When.
    pub at: Timestamp,
}

/// The newest exemplar of each bucket of a histogram, or the one of a counter.
#[derive(Debug)]
pub struct Exemplars(Box<[Mutex<Option<Exemplar>>]>);

impl Exemplars {
    /// Places that a native histogram has.
    pub(crate) const OF_NATIVE: usize = 8;

    /// Without any, for so many places.
    pub(crate) fn new(places: usize) -> Self {
        Self((0..places).map(|_| Mutex::new(None)).collect())
    }

    /// Keeps an exemplar, unless a reader is just there: whoever records never waits.
    pub(crate) fn keep(&self, place: usize, exemplar: Exemplar) {
        if let Some(mut kept) = self.0.get(place).and_then(Mutex::try_lock) {
            *kept = Some(exemplar);
        }
    }

    /// The exemplar of a place.
    pub(crate) fn get(&self, place: usize) -> Option<Exemplar> {
        self.0.get(place).and_then(|kept| kept.lock().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_exemplar_of_a_place_stays() {
        let exemplars = Exemplars::new(2);
        let exemplar = |value| Exemplar { labels: Labels::empty(), value, at: Timestamp::MIN };
        exemplars.keep(1, exemplar(1.0));
        exemplars.keep(1, exemplar(2.0));
        exemplars.keep(2, exemplar(3.0));
        assert_eq!((exemplars.get(0), exemplars.get(1)), (None, Some(exemplar(2.0))));
    }
}
