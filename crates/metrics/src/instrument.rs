//! What all instruments have in common: a key, a shape, and a way to be read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, MetricName, NameError, SeriesKey, Unit};

use crate::own_metrics::Figures;
use crate::values::Values;
use crate::{Buckets, Total};

/// A handle that a [`Family`](crate::Family) can give out: [`Counter`](crate::Counter), [`Gauge`](crate::Gauge) or
/// [`Histogram`](crate::Histogram). Implemented here only.
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
    /// The value now, if it has one. `scratch` is room for bucket counts.
    fn read<'a>(&'a self, scratch: &'a mut Vec<u64>) -> Option<Reading<'a>>;
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
}

/// What every series of one metric shares: its description, and for a histogram those of what its count and its sum
/// are sampled as.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) descriptor: Arc<Descriptor>,
    pub(crate) derived: Option<Derived>,
}

/// What `<name>_count` and `<name>_sum` of a histogram are in samples.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    pub(crate) count: Arc<Descriptor>,
    /// The sum of values that are not negative: a counter.
    pub(crate) sum: Arc<Descriptor>,
    /// The sum where buckets are for negative values too: it goes up and down.
    pub(crate) signed_sum: Arc<Descriptor>,
}

impl Declared {
    pub(crate) fn new(descriptor: Arc<Descriptor>) -> Result<Self, NameError> {
        let derived = match descriptor.kind {
            Kind::Histogram => Some(Derived {
                count: derived(&descriptor, "_count", Descriptor::counter, Unit::None)?,
                sum: derived(&descriptor, "_sum", Descriptor::counter, descriptor.unit.clone())?,
                signed_sum: derived(&descriptor, "_sum", Descriptor::gauge, descriptor.unit.clone())?,
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
