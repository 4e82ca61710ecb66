//! A metric with labels.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Descriptor, Labels};

use crate::error::SeriesError;
use crate::instrument::Instrument;
use crate::metric::{LabelNames, Metric};
use crate::wanted::ByPlace;
use crate::{Counter, FloatCounter, Gauge, Histogram, LabelSet, NativeHistogram, Summary};

mod calls;
mod dynamic;
mod of_set;

pub use self::dynamic::{DynamicFamily, LabelPairs};
pub use self::of_set::FamilyOf;

/// Counters that differ in `N` labels.
pub type CounterFamily<const N: usize = 1> = Family<Counter, N>;
/// Counters of amounts that differ in `N` labels.
pub type FloatCounterFamily<const N: usize = 1> = Family<FloatCounter, N>;
/// Gauges that differ in `N` labels.
pub type GaugeFamily<const N: usize = 1> = Family<Gauge, N>;
/// Histograms that differ in `N` labels.
pub type HistogramFamily<const N: usize = 1> = Family<Histogram, N>;
/// Native histograms that differ in `N` labels.
pub type NativeHistogramFamily<const N: usize = 1> = Family<NativeHistogram, N>;
/// Summaries that differ in `N` labels.
pub type SummaryFamily<const N: usize = 1> = Family<Summary, N>;

/// A metric with `N` labels: gives out one instrument per combination of their values.
///
/// Values stand in the order in which the label names were given; how many there must be, the compiler checks. A
/// look-up of a combination that is known borrows the values, takes no lock and allocates nothing; keep the handle where even
/// that is too much. To record once, [`increment`](Family::increment) and the like do it in one step. An empty value is the
/// same as no label.
///
/// The combinations are bounded. What is beyond the bound, or has a value longer than 4096 bytes, shares the one series
/// `overflow="true"`, so that totals stay right, and is counted in `bellwether_metrics_overflowed_total` (or
/// `bellwether_metrics_refused_total`). That costs a look-up and no more: it allocates nothing and waits for no one, so
/// that a flood of label sets does not stall whoever records.
///
/// **Series go** when they are [removed](Family::remove), and when they are idle for longer than
/// [`idle_expiry`](Family::set_idle_expiry) says. Their places are free again.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let rejected = metrics.counter_family("orders_rejected_total", Unit::None, "Orders rejected.", ["reason"])?;
/// rejected.with("price_band").increment();
/// let orders = metrics.counter_family("orders_total", Unit::None, "Orders sent.", ["venue", "side"])?;
/// orders.add(["XNYS", "buy"], 2);
/// let here = orders.with(["XNAS", "sell"]); // a handle, for the hot path
/// here.increment();
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
        self.on(values, I::clone)
    }

    /// The same, with a typed error instead of the overflow series; nothing is counted then.
    pub fn try_with<'a>(&self, values: impl LabelValues<'a, N>) -> Result<I, SeriesError> {
        self.metric.series(&ByPlace { values: &values.values(), order: &self.order })
    }

    /// Takes the series of a combination of values out; whether there was one.
    ///
    /// It is in no exposition from now on, its past stays in the history, and its place in the bounds is free. Handles of it
    /// go on counting for themselves; the next look-up of the values makes a new series, which begins at zero.
    pub fn remove<'a>(&self, values: impl LabelValues<'a, N>) -> bool {
        self.metric.remove(&ByPlace { values: &values.values(), order: &self.order })
    }

    #[inline]
    fn on<'a, R>(&self, values: impl LabelValues<'a, N>, call: impl FnOnce(&I) -> R) -> R {
        self.metric.on(&ByPlace { values: &values.values(), order: &self.order }, call)
    }
}

/// What families have in common whatever their labels are.
macro_rules! of_any_labels {
    ($([$($generics:tt)*] $family:ty;)+) => { $(
        impl<I: Instrument, $($generics)*> $family {
            /// Takes all series out but those whose labels are to be kept; how many there were. The overflow series stays.
            ///
            /// `keep` may use the family itself: no lock is held while it runs. What is made meanwhile stays.
            pub fn retain(&self, keep: impl FnMut(&Labels) -> bool) -> usize {
                self.metric.retain(keep)
            }

            /// Sets how long a series of this metric may be idle before it goes; `None` for ever. Without this call the
            /// `idle_expiry` of the [registry](crate::RegistryConfig) holds.
            ///
            /// A series is **idle** while no one looks it up and no one holds a handle of it, whatever its value does. So a
            /// gauge that is set to the same value again is in use, and so is a counter whose handle waits for the next
            /// event. Who scrapes or samples finds the idle ones: a series goes when the time is over since a look last found
            /// it in use, and not before a look that found it idle, so that all it ever counted has been told; without looks
            /// none goes. It leaves exposition and bounds as one that is [removed](Family::remove)
            /// does, and is counted in `bellwether_metrics_expired_series_total`. Recorded to again it begins at zero, which
            /// readers of counters know as a restart. One that is recorded to just while it goes, stays, and nothing is lost.
            ///
            /// The overflow series and metrics without labels stay.
            pub fn set_idle_expiry(&self, after: Option<Duration>) {
                self.metric.set_idle_expiry(after);
            }

            /// The series that takes what is beyond the bound.
            pub fn overflow(&self) -> I {
                self.metric.overflow().clone()
            }

            /// Name, kind, unit and help.
            pub fn descriptor(&self) -> &Descriptor {
                &self.metric.declared().descriptor
            }
        }
    )+ };
}

of_any_labels! {
    [const N: usize] Family<I, N>;
    [L: LabelSet] FamilyOf<I, L>;
    [] DynamicFamily<I>;
}

fn describe<I: Instrument>(metric: &Metric<I>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Descriptor { name, kind, .. } = &*metric.declared().descriptor;
    match metric.labels() {
        LabelNames::Fixed(names) => write!(f, "Family({kind} {name}, labels {names:?})"),
        LabelNames::Any => write!(f, "Family({kind} {name}, any labels)"),
    }
}

impl<I: Instrument, const N: usize> Clone for Family<I, N> {
    fn clone(&self) -> Self {
        Self { metric: Arc::clone(&self.metric), order: self.order }
    }
}

impl<I: Instrument, const N: usize> fmt::Debug for Family<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(&self.metric, f)
    }
}
