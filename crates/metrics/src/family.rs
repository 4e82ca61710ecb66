//! A metric with labels.

use std::fmt;
use std::sync::Arc;

use bellwether_core::Descriptor;

use crate::error::SeriesError;
use crate::instrument::Instrument;
use crate::metric::Metric;
use crate::{Counter, FloatCounter, Gauge, Histogram};

/// Counters that differ in `N` labels.
pub type CounterFamily<const N: usize = 1> = Family<Counter, N>;
/// Counters of amounts that differ in `N` labels.
pub type FloatCounterFamily<const N: usize = 1> = Family<FloatCounter, N>;
/// Gauges that differ in `N` labels.
pub type GaugeFamily<const N: usize = 1> = Family<Gauge, N>;
/// Histograms that differ in `N` labels.
pub type HistogramFamily<const N: usize = 1> = Family<Histogram, N>;

/// A metric with `N` labels: gives out one instrument per combination of their values.
///
/// Values stand in the order in which the label names were given; how many there must be, the compiler checks. A
/// look-up of a combination that is known borrows the values and allocates nothing; keep the handle where even that is
/// too much. An empty value is the same as no label.
///
/// The combinations are bounded. What is beyond the bound, or has a value longer than 4096 bytes, shares the one series
/// `overflow="true"`, so that totals stay right, and is counted in `bellwether_metrics_overflowed_total` (or
/// `bellwether_metrics_refused_total`). That costs a look-up and no more: it allocates nothing and waits for no one, so
/// that a flood of label sets does not stall whoever records.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let rejected = metrics.counter_family("orders_rejected_total", Unit::None, "Orders rejected.", ["reason"])?;
/// rejected.with("price_band").increment();
/// let orders = metrics.counter_family("orders_total", Unit::None, "Orders sent.", ["venue", "side"])?;
/// orders.with(["XNYS", "buy"]).add(2);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
pub struct Family<I: Instrument, const N: usize> {
    metric: Arc<Metric<I>>,
    /// Which of the values belongs to each label name, those being sorted.
    order: [usize; N],
}

/// The values of `N` labels: a text for one, an array of texts for several.
pub trait LabelValues<'a, const N: usize> {
    /// The values, in the order in which the label names were given.
    fn values(self) -> [&'a str; N];
}

impl<'a, T: AsRef<str> + ?Sized> LabelValues<'a, 1> for &'a T {
    #[inline]
    fn values(self) -> [&'a str; 1] {
        [self.as_ref()]
    }
}

impl<'a, T: AsRef<str> + ?Sized, const N: usize> LabelValues<'a, N> for [&'a T; N] {
    #[inline]
    fn values(self) -> [&'a str; N] {
        self.map(AsRef::as_ref)
    }
}

impl<I: Instrument, const N: usize> Family<I, N> {
    pub(crate) fn new(metric: Arc<Metric<I>>, order: [usize; N]) -> Self {
        Self { metric, order }
    }

    /// The instrument of a combination of values; the overflow series if there can be none. O(bytes of the labels).
    #[inline]
    pub fn with<'a>(&self, values: impl LabelValues<'a, N>) -> I {
        self.metric.series_or_overflow(&self.sorted(values.values()))
    }

    /// The same, with a typed error instead of the overflow series; nothing is counted then.
    pub fn try_with<'a>(&self, values: impl LabelValues<'a, N>) -> Result<I, SeriesError> {
        self.metric.series(&self.sorted(values.values()))
    }

    /// The series that takes what is beyond the bound.
    pub fn overflow(&self) -> I {
        self.metric.overflow()
    }

    /// Name, kind, unit and help.
    pub fn descriptor(&self) -> &Descriptor {
        &self.metric.declared().descriptor
    }

    /// The values in the order of the sorted names.
    #[inline]
    fn sorted<'a>(&self, values: [&'a str; N]) -> [&'a str; N] {
        // Each place is below `N`.
        self.order.map(|at| values.get(at).copied().unwrap_or(""))
    }
}

impl<I: Instrument, const N: usize> Clone for Family<I, N> {
    fn clone(&self) -> Self {
        Self { metric: Arc::clone(&self.metric), order: self.order }
    }
}

impl<I: Instrument, const N: usize> fmt::Debug for Family<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptor = self.descriptor();
        write!(f, "Family({} {}, labels {:?})", descriptor.kind, descriptor.name, self.metric.labels())
    }
}
