//! A metric whose series have label names of their own.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, LabelsError, MAX_LABELS};

use crate::error::SeriesError;
use crate::instrument::Instrument;
use crate::metric::Metric;
use crate::wanted::ByName;

/// A metric whose series have label names of their own: for what is known only when it happens, such as the labels of
/// another library. Where the names are known beforehand, a [`Family`](crate::Family) is quicker and cannot be asked wrong.
///
/// Labels may be given in any order; the same pairs are the same series, and an empty value is the same as no label. They
/// are bounded as those of a family are: what is beyond the bound, or is no label set, shares the series `overflow="true"`
/// and is counted. A look-up of a set that is known allocates nothing.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let events = metrics.dynamic_counter_family("events_total", Unit::None, "Events.")?;
/// events.increment(&[("venue", "XNYS"), ("kind", "trade")]);
/// events.increment(&[("kind", "trade"), ("venue", "XNYS")]);
/// events.increment(&[("kind", "heartbeat")]);
/// assert_eq!(events.with(&[("kind", "trade"), ("venue", "XNYS")]).get(), 2);
/// assert!(events.try_with(&[("no label", "x")]).is_err());
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
pub struct DynamicFamily<I: Instrument> {
    pub(super) metric: Arc<Metric<I>>,
}

/// Names and values of labels, in any order: slices and arrays of pairs, and [`Labels`].
pub trait LabelPairs {
    /// Each name with its value.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)>;
}

impl<N: AsRef<str>, V: AsRef<str>> LabelPairs for [(N, V)] {
    #[inline]
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const K: usize> LabelPairs for [(N, V); K] {
    #[inline]
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self[..].pairs()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> LabelPairs for Vec<(N, V)> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self[..].pairs()
    }
}

impl LabelPairs for Labels {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
    }
}

/// Most labels that are sorted in a small place.
const FEW: usize = 8;

impl<I: Instrument> DynamicFamily<I> {
    pub(crate) fn new(metric: Arc<Metric<I>>) -> Self {
        Self { metric }
    }

    /// The instrument of a label set; the overflow series if there can be none. O(n² + bytes) for n labels.
    #[inline]
    pub fn with(&self, labels: &(impl LabelPairs + ?Sized)) -> I {
        self.on(labels, I::clone)
    }

    /// The same, with a typed error instead of the overflow series; nothing is counted then.
    pub fn try_with(&self, labels: &(impl LabelPairs + ?Sized)) -> Result<I, SeriesError> {
        let wrong =
            |source| SeriesError::Label { metric: self.metric.declared().descriptor.name.clone(), source };
        sorted(labels, |sorted| match sorted {
            Some(sorted) => self.metric.series(&sorted),
            // Says what is wrong with them.
            None => match Labels::new(labels.pairs()) {
                Err(source) => Err(wrong(source)),
                Ok(labels) => Err(wrong(LabelsError::TooMany { got: labels.len() })),
            },
        })
    }

    /// Takes the series of a label set out; whether there was one. See [`Family::remove`](crate::Family::remove).
    pub fn remove(&self, labels: &(impl LabelPairs + ?Sized)) -> bool {
        sorted(labels, |sorted| sorted.is_some_and(|sorted| self.metric.remove(&sorted)))
    }

    #[inline]
    pub(super) fn on<R>(&self, labels: &(impl LabelPairs + ?Sized), call: impl FnOnce(&I) -> R) -> R {
        sorted(labels, |sorted| match sorted {
            Some(sorted) => self.metric.on(&sorted, call),
            None => self.metric.on_hopeless(call),
        })
    }
}

/// Calls with the labels sorted by name and without empty ones; with nothing if they are too many or a name stands twice.
#[inline]
fn sorted<R>(labels: &(impl LabelPairs + ?Sized), call: impl FnOnce(Option<ByName<'_>>) -> R) -> R {
    let mut few = [("", ""); FEW];
    match sort(labels.pairs(), &mut few) {
        Sorted::All(sorted) => call(Some(ByName(sorted))),
        Sorted::Twice => call(None),
        Sorted::TooMany => {
            let mut many = [("", ""); MAX_LABELS];
            match sort(labels.pairs(), &mut many) {
                Sorted::All(sorted) => call(Some(ByName(sorted))),
                Sorted::Twice | Sorted::TooMany => call(None),
            }
        }
    }
}

enum Sorted<'s, 'a> {
    All(&'s [(&'a str, &'a str)]),
    Twice,
    TooMany,
}

/// By insertion: labels are few, and mostly in order.
#[inline]
fn sort<'s, 'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    room: &'s mut [(&'a str, &'a str)],
) -> Sorted<'s, 'a> {
    let mut n = 0;
    for pair in pairs {
        let Some(place) = room.get_mut(n) else { return Sorted::TooMany };
        *place = pair;
        let mut at = n;
        while let Some([before, after]) = at.checked_sub(1).and_then(|at| room.get_mut(at..at + 2)) {
            match before.0.cmp(after.0) {
                std::cmp::Ordering::Less => break,
                std::cmp::Ordering::Equal => return Sorted::Twice,
                std::cmp::Ordering::Greater => std::mem::swap(before, after),
            }
            at -= 1;
        }
        n += 1;
    }
    let mut kept = 0;
    for at in 0..n {
        if room.get(at).is_some_and(|pair| !pair.1.is_empty()) {
            room.swap(kept, at);
            kept += 1;
        }
    }
    Sorted::All(room.get(..kept).unwrap_or_default())
}

impl<I: Instrument> Clone for DynamicFamily<I> {
    fn clone(&self) -> Self {
        Self { metric: Arc::clone(&self.metric) }
    }
}

impl<I: Instrument> fmt::Debug for DynamicFamily<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::describe(&self.metric, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted_as_told(labels: &[(&str, &str)]) -> Option<String> {
        sorted(labels, |sorted| Some(format!("{:?}", sorted?.0)))
    }

    #[test]
    fn labels_are_sorted_whatever_their_number_and_empty_ones_left_out() {
        let told = |labels: &[(&str, &str)]| Some(format!("{labels:?}"));
        assert_eq!(sorted_as_told(&[]), told(&[]));
        assert_eq!(sorted_as_told(&[("b", "1"), ("c", ""), ("a", "2")]), told(&[("a", "2"), ("b", "1")]));
        let names: Vec<String> = (0..=MAX_LABELS).map(|n| format!("l{n:02}")).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        for n in [FEW, FEW + 1, MAX_LABELS] {
            let backwards: Vec<_> = all[..n].iter().rev().copied().collect();
            assert_eq!(sorted_as_told(&backwards), told(&all[..n]));
        }
        assert_eq!(sorted_as_told(&all), None);
    }

    #[test]
    fn a_name_that_stands_twice_is_no_label_set() {
        assert_eq!(sorted_as_told(&[("a", "1"), ("b", ""), ("a", "1")]), None);
        assert_eq!(sorted_as_told(&[("b", ""), ("a", "1"), ("b", "1")]), None);
    }
}
