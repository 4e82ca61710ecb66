//! What all instruments have in common: a key, a shape, and a way to be read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, MetricName, Monotonic, NameError, SeriesKey, Timestamp, Unit};

use crate::exemplar::Exemplars;
use crate::own_metrics::Figures;
use crate::values::Values;
use crate::{Buckets, Total};

/// A handle that a [`Family`](crate::Family) can give out: [`Counter`](crate::Counter),
/// [`FloatCounter`](crate::FloatCounter), [`Gauge`](crate::Gauge), [`Histogram`](crate::Histogram),
/// [`NativeHistogram`](crate::NativeHistogram) or [`Summary`](crate::Summary). Implemented here only.
pub trait Instrument: Clone + fmt::Debug + Send + Sync + 'static + Measure {}

/// The inside of [`Instrument`].
pub trait Measure {
    /// What every series of one metric shares beside its description.
    type Shape: Clone + PartialEq + fmt::Debug + Send + Sync;
    /// A new series at zero.
    fn create(shape: &Self::Shape, key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self;
    /// Which series it is.
    fn key(&self) -> &Arc<SeriesKey>;
    /// Its label values, for look-ups.
    fn values(&self) -> &Values;
    /// How many handles of the series there are.
    fn handles(&self) -> usize;
    /// The buckets that a definition is told by, if it has any.
    fn buckets(_shape: &Self::Shape) -> Option<&Buckets> {
        None
    }
    /// What a definition is told by beside bounds of buckets, if by anything.
    fn detail(_shape: &Self::Shape) -> Option<String> {
        None
    }
    /// The value now, if it has one.
    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>>;
    /// When it was made: the start of what it counts.
    fn created(&self) -> Option<Timestamp> {
        None
    }
    /// Its exemplars, if it has kept any.
    fn exemplars(&self) -> Option<&Exemplars> {
        None
    }
}

/// Room for what is read, used again from one series to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// When this is read.
    pub(crate) now: Monotonic,
    /// Which walk through all values this is.
    pub(crate) walk: u64,
    /// Counts per bucket.
    pub(crate) counts: Vec<u64>,
    /// Buckets of a native histogram above zero, and below.
    pub(crate) positive: Vec<(i32, u64)>,
    pub(crate) negative: Vec<(i32, u64)>,
    /// Quantiles of a summary, and their values.
    pub(crate) quantiles: Vec<(f64, f64)>,
}

impl Scratch {
    /// Begins a walk.
    pub(crate) fn begin(&mut self, now: Monotonic) {
        self.now = now;
        self.walk = self.walk.wrapping_add(1);
    }
}

/// A value as it is read for a scrape or a sample.
#[derive(Debug, Clone, Copy)]
pub enum Reading<'a> {
    /// Of a counter.
    Counter(Total),
    /// Of a gauge; finite.
    Gauge(f64),
    /// Of a histogram: counts per bucket, not added up, one more than there are bounds.
    Histogram {
        /// The bounds.
        buckets: &'a Buckets,
        /// The counts.
        counts: &'a [u64],
        /// Sum of the values; finite.
        sum: f64,
    },
    /// Of a native histogram; see [`NativeSnapshot`](crate::NativeSnapshot).
    Native {
        /// Resolution.
        schema: i8,
        /// Values of at most this size are in the zero bucket.
        zero_threshold: f64,
        /// How many those are.
        zero_count: u64,
        /// Index and count of buckets above zero, by increasing index; none is empty.
        positive: &'a [(i32, u64)],
        /// The same below zero.
        negative: &'a [(i32, u64)],
        /// Sum of the values; finite.
        sum: f64,
    },
    /// Of a summary.
    Summary {
        /// Quantiles and their values, by increasing quantile; finite.
        quantiles: &'a [(f64, f64)],
        /// How many values were observed.
        count: u64,
        /// Their sum; finite.
        sum: f64,
    },
}

impl Reading<'_> {
    /// How many values were observed; of a counter or gauge there are none.
    pub(crate) fn count(&self) -> u64 {
        match *self {
            Self::Counter(_) | Self::Gauge(_) => 0,
            Self::Histogram { counts, .. } => counts.iter().fold(0, |all, &count| all.wrapping_add(count)),
            Self::Native { zero_count, positive, negative, .. } => {
                let buckets = positive.iter().chain(negative);
                buckets.fold(zero_count, |all, &(_, count)| all.wrapping_add(count))
            }
            Self::Summary { count, .. } => count,
        }
    }
}

/// What every series of one metric shares: its description, and for a histogram or summary those of what its parts are
/// sampled as.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) descriptor: Arc<Descriptor>,
    pub(crate) derived: Option<Derived>,
}

/// What `<name>_count`, `<name>_sum` and the quantiles of a histogram or summary are in samples.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    pub(crate) count: Arc<Descriptor>,
    /// The sum of values that are not negative: a counter.
    pub(crate) sum: Arc<Descriptor>,
    /// The sum where buckets are for negative values too: it goes up and down.
    pub(crate) signed_sum: Arc<Descriptor>,
    /// The quantiles of a summary: gauges with a label `quantile`.
    pub(crate) quantile: Arc<Descriptor>,
}

impl Declared {
    pub(crate) fn new(descriptor: Arc<Descriptor>) -> Result<Self, NameError> {
        let derived = match descriptor.kind {
            Kind::Histogram | Kind::Summary => Some(Derived {
                count: derived(&descriptor, "_count", Descriptor::counter, Unit::None)?,
                sum: derived(&descriptor, "_sum", Descriptor::counter, descriptor.unit.clone())?,
                signed_sum: derived(&descriptor, "_sum", Descriptor::gauge, descriptor.unit.clone())?,
                quantile: derived(&descriptor, "", Descriptor::gauge, descriptor.unit.clone())?,
            }),
            _ => None,
        };
        Ok(Self { descriptor, derived })
    }
}

fn derived(
    of: &Descriptor,
    suffix: &str,
    kind: impl FnOnce(MetricName, Unit, Cow<'static, str>) -> Descriptor,
    unit: Unit,
) -> Result<Arc<Descriptor>, NameError> {
    let name = MetricName::new(format!("{}{suffix}", of.name))?;
    Ok(Arc::new(kind(name, unit, of.help.clone())))
}
