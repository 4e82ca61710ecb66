//! A metric whose labels are a type of the host.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::LabelSet;
use crate::error::SeriesError;
use crate::instrument::Instrument;
use crate::metric::Metric;
use crate::wanted::ByPlace;

/// A metric whose labels are a type of the host, made by [`label_set!`](crate::label_set): it cannot be asked for a series
/// with a label too many or too few.
///
/// As a [`Family`](crate::Family) otherwise: bounded in the same way, and a look-up of a set that is known allocates nothing.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Buckets, Registry, RegistryConfig, Unit, label_set};
///
/// label_set! { pub struct Ack<'a> { venue: &'a str } }
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let acks = metrics.histogram_family_of::<Ack>("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency())?;
/// let venue = String::from("XNYS");
/// acks.record(&Ack { venue: &venue }, 0.002);
/// assert_eq!(acks.with(&Ack { venue: "XNYS" }).snapshot().count(), 1);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
pub struct FamilyOf<I: Instrument, L> {
    pub(super) metric: Arc<Metric<I>>,
    /// Which of the values belongs to each label name, those being sorted.
    order: Arc<[usize]>,
    /// What borrows for long also does for short.
    set: PhantomData<fn() -> L>,
}

impl<I: Instrument, L: LabelSet> FamilyOf<I, L> {
    pub(crate) fn new(metric: Arc<Metric<I>>, order: Arc<[usize]>) -> Self {
        Self { metric, order, set: PhantomData }
    }

    /// The instrument of a label set; the overflow series if there can be none. O(bytes of the values).
    #[inline]
    pub fn with(&self, labels: &L) -> I {
        self.on(labels, I::clone)
    }

    /// The same, with a typed error instead of the overflow series; nothing is counted then.
    pub fn try_with(&self, labels: &L) -> Result<I, SeriesError> {
        labels.with_values(|values| self.metric.series(&ByPlace { values, order: &self.order }))
    }

    /// Takes the series of a label set out; whether there was one. See [`Family::remove`](crate::Family::remove).
    pub fn remove(&self, labels: &L) -> bool {
        labels.with_values(|values| self.metric.remove(&ByPlace { values, order: &self.order }))
    }

    #[inline]
    pub(super) fn on<R>(&self, labels: &L, call: impl FnOnce(&I) -> R) -> R {
        labels.with_values(|values| self.metric.on(&ByPlace { values, order: &self.order }, call))
    }
}

impl<I: Instrument, L> Clone for FamilyOf<I, L> {
    fn clone(&self) -> Self {
        Self { metric: Arc::clone(&self.metric), order: Arc::clone(&self.order), set: PhantomData }
    }
}

impl<I: Instrument, L> fmt::Debug for FamilyOf<I, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::describe(&self.metric, f)
    }
}
