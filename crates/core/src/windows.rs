//! Aggregates over the recent past, at once: what rules ask.

use crate::{Labels, Selector, TimeRange, Timestamp};

/// What to make of the samples in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Aggregate {
    /// The newest value.
    Last,
    /// The oldest value.
    First,
    /// How many samples.
    Count,
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// Their arithmetic mean.
    Mean,
    /// Their sample standard deviation (n - 1); nothing for fewer than two samples.
    StdDev,
    /// The quantile in 0..=1, linear between order statistics (Hyndman and Fan 1996, type 7).
    Quantile(f64),
    /// What a counter gained, resets taken into account; nothing for fewer than two samples.
    Increase,
    /// [`Aggregate::Increase`] per second between the first and the last sample.
    Rate,
    /// Slope of the least-squares line, per second; nothing when all samples share one instant.
    Slope,
}

/// One series' answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesValue {
    /// Labels of the series.
    pub labels: Labels,
    /// The aggregate; always finite.
    pub value: f64,
    /// The newest sample that went into it.
    pub newest: Timestamp,
}

/// Aggregates over the recent past. Never blocks and never waits: rules ask it at every evaluation.
pub trait SampleWindows: Send + Sync {
    /// Adds an answer to `out` for every series that is meant and has samples in the range; in the order of
    /// their labels. A series without samples there, or whose aggregate has no value, gives none.
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    );
}

impl<T: SampleWindows + ?Sized> SampleWindows for std::sync::Arc<T> {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        (**self).aggregate(selector, range, aggregate, out);
    }
}
