//! One observation kept as an example of its bucket.

use std::sync::OnceLock;

use bellwether_core::{Labels, Timestamp};
use parking_lot::Mutex;

use crate::own_metrics::Figures;

/// One observation kept as an example: the order, trace or session that a slow bucket is about.
///
/// The newest one of each bucket is kept; of a native histogram the newest of each of eight equal parts of its buckets.
/// Its labels have at most 128 characters, names and values together, as OpenMetrics wants it: one with more is refused and
/// counted in `bellwether_metrics_refused_total`, while what it was an example of is recorded all the same. While a reader
/// is just looking at the place of an exemplar, a new one is passed over: who records never waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// What the observation was of, such as `order_id`.
    pub labels: Labels,
    /// What was observed; finite.
    pub value: f64,
    /// When.
    pub at: Timestamp,
}

/// Why something cannot be the labels of an exemplar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("labels of an exemplar have {got} characters, more than {}", Exemplar::MAX_CHARACTERS)]
pub struct ExemplarError {
    /// Characters of the names and values together.
    pub got: usize,
}

impl Exemplar {
    /// Most characters that its labels have, names and values together.
    pub const MAX_CHARACTERS: usize = 128;

    /// Whether an exemplar can have these labels.
    pub fn check_labels(labels: &Labels) -> Result<(), ExemplarError> {
        let got = labels.iter().map(|(name, value)| name.len() + value.chars().count()).sum();
        if got > Self::MAX_CHARACTERS { Err(ExemplarError { got }) } else { Ok(()) }
    }
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

/// The exemplars of a series, which has no room for any until the first one comes.
#[derive(Debug, Default)]
pub(crate) struct KeptExemplars(OnceLock<Box<Exemplars>>);

impl KeptExemplars {
    /// Keeps a value that was recorded just now as an exemplar, at one of so many places.
    pub(crate) fn keep(
        &self,
        (place, places): (usize, usize),
        labels: &Labels,
        value: f64,
        figures: &Figures,
    ) {
        if Exemplar::check_labels(labels).is_err() {
            figures.refused.exemplar.increment();
            return;
        }
        let exemplar = Exemplar { labels: labels.clone(), value, at: figures.now() };
        self.0.get_or_init(|| Box::new(Exemplars::new(places))).keep(place, exemplar);
    }

    /// All of them, if there ever was one.
    pub(crate) fn get(&self) -> Option<&Exemplars> {
        self.0.get().map(|exemplars| &**exemplars)
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

    #[test]
    fn whoever_records_passes_a_place_over_that_is_being_read() {
        let exemplars = Exemplars::new(1);
        let reader = exemplars.0[0].lock();
        exemplars.keep(0, Exemplar { labels: Labels::empty(), value: 1.0, at: Timestamp::MIN });
        drop(reader);
        assert_eq!(exemplars.get(0), None);
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let labels = |n| Labels::new([("order_id", "ü".repeat(n))]).unwrap();
        assert_eq!(Exemplar::check_labels(&labels(120)), Ok(()));
        let error = Exemplar::check_labels(&labels(121)).unwrap_err();
        assert_eq!(error.to_string(), "labels of an exemplar have 129 characters, more than 128");
    }
}
