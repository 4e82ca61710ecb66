//! A metric whose series have label names of their own.

use std::fmt;
use std::sync::Arc;

use bellwether_core::Labels;

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
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone;
}

impl<N: AsRef<str>, V: AsRef<str>> LabelPairs for [(N, V)] {
    #[inline]
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const K: usize> LabelPairs for [(N, V); K] {
    #[inline]
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self[..].pairs()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> LabelPairs for Vec<(N, V)> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self[..].pairs()
    }
}

impl LabelPairs for Labels {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.iter()
    }
}

impl<I: Instrument> DynamicFamily<I> {
    pub(crate) fn new(metric: Arc<Metric<I>>) -> Self {
        Self { metric }
    }

    /// The instrument of a label set; the overflow series if there can be none. O(bytes of the labels), where they always
    /// come in the same order.
    #[inline]
    pub fn with(&self, labels: &(impl LabelPairs + ?Sized)) -> I {
        self.on(labels, I::clone)
    }

    /// The same, with a typed error instead of the overflow series; nothing is counted then.
    pub fn try_with(&self, labels: &(impl LabelPairs + ?Sized)) -> Result<I, SeriesError> {
        self.metric.series(&ByName(labels))
    }

    /// Takes the series of a label set out; whether there was one. See [`Family::remove`](crate::Family::remove).
    pub fn remove(&self, labels: &(impl LabelPairs + ?Sized)) -> bool {
        self.metric.remove(&ByName(labels))
    }

    #[inline]
    pub(super) fn on<R>(&self, labels: &(impl LabelPairs + ?Sized), call: impl FnOnce(&I) -> R) -> R {
        self.metric.on(&ByName(labels), call)
    }
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
