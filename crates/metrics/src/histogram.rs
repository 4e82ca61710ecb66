//! How observed values spread over buckets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bellwether_core::{Labels, SeriesKey, SpreadSnapshot};

use crate::Buckets;
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::line::Line;
use crate::own_metrics::Figures;
use crate::values::Values;

/// Counts observed values in buckets and keeps their sum: a handle that is cheap to clone, and that any thread may
/// use.
///
/// The count of all values is the sum of the buckets, so that the two never disagree. A value that is not finite, or
/// that would make the sum so, is refused and counted in `bellwether_metrics_refused_total`. Recording takes no lock,
/// allocates nothing and cannot fail.
///
/// **Negative values** are counted as any others, and lower the sum: it is then no counter. The registry's own history
/// takes no fall of `<name>_sum` for a restart: that a histogram started again, as one that a collector tells may, it sees
/// by a bucket that has less than at the sample before, or by other bounds. So
/// [`Aggregate::Increase`](bellwether_core::Aggregate::Increase) and
/// [`Aggregate::Rate`](bellwether_core::Aggregate::Rate) there are what the sum really gained, and may be negative; only
/// a restart after which every bucket has filled to what it had before the next sample goes unseen. A store knows the
/// samples alone: with a bound below zero `<name>_sum` is a gauge in them, otherwise a counter, whose every fall is a
/// restart to it. The text format has a `_sum` in either case; Prometheus takes each fall for a restart, so `rate()` of it
/// means nothing there.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use std::time::Duration;
/// use bellwether_metrics::{Buckets, Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let acked = metrics.histogram("order_ack_seconds", Unit::Seconds, "Order to acknowledgement.", Buckets::latency())?;
/// acked.record(Duration::from_micros(150));
/// acked.record(0.5);
/// let seen = acked.snapshot();
/// assert_eq!((seen.count(), seen.sum), (2, 0.500_15));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Histogram(Arc<HistogramSeries>);

struct HistogramSeries {
    /// Bits of the sum.
    sum: Line<AtomicU64>,
    buckets: Buckets,
    counts: Box<[AtomicU64]>,
    figures: Arc<Figures>,
    key: Arc<SeriesKey>,
}

/// Something that a [`Histogram`] can take.
pub trait Observation {
    /// The value in the unit of the histogram.
    fn value(self) -> f64;
}

impl Observation for f64 {
    #[inline]
    fn value(self) -> f64 {
        self
    }
}

impl Observation for Duration {
    /// In seconds.
    #[inline]
    fn value(self) -> f64 {
        self.as_secs_f64()
    }
}

/// Up to this many bounds all are compared, without a branch; with more the bucket is found by halving.
const FEW: usize = 24;

/// The first bucket whose bound is not below `value`.
#[inline]
fn bucket(bounds: &[f64], value: f64) -> usize {
    if bounds.len() <= FEW {
        bounds.iter().map(|&bound| usize::from(value > bound)).sum()
    } else {
        bounds.partition_point(|&bound| bound < value)
    }
}

impl Histogram {
    /// Counts a value: a number in the unit of the histogram, or a `Duration` as seconds.
    #[inline]
    pub fn record(&self, value: impl Observation) {
        let value = value.value();
        let series = &*self.0;
        let Some(count) = series.counts.get(bucket(series.buckets.bounds(), value)) else { return };
        if series.add(value) {
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            series.figures.refused.not_finite.increment();
        }
    }

    /// The buckets as they stand now.
    pub fn snapshot(&self) -> SpreadSnapshot {
        SpreadSnapshot {
            bounds: self.0.buckets.bounds().into(),
            counts: self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.0.sum(),
        }
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.0.key.labels
    }
}

impl HistogramSeries {
    fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }

    /// Adds to the sum, unless that would make it something else than a number.
    #[inline]
    fn add(&self, value: f64) -> bool {
        let mut bits = self.sum.load(Ordering::Relaxed);
        loop {
            let new = f64::from_bits(bits) + value;
            if !new.is_finite() {
                return false;
            }
            match self.sum.compare_exchange_weak(bits, new.to_bits(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => bits = now,
            }
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.0.key;
        write!(f, "Histogram({}{} = {} values)", key.descriptor.name, key.labels, self.snapshot().count())
    }
}

impl Instrument for Histogram {}

impl Measure for Histogram {
    type Shape = Buckets;

    fn create(buckets: &Buckets, key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        Self(Arc::new(HistogramSeries {
            sum: Line::new(AtomicU64::new(0f64.to_bits()), values),
            buckets: buckets.clone(),
            counts: (0..=buckets.bounds().len()).map(|_| AtomicU64::new(0)).collect(),
            figures: Arc::clone(figures),
            key,
        }))
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.0.key
    }

    #[inline]
    fn values(&self) -> &Values {
        self.0.sum.values()
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn buckets(buckets: &Buckets) -> Option<&Buckets> {
        Some(buckets)
    }

    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>> {
        scratch.counts.clear();
        scratch.counts.extend(self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)));
        Some(Reading::Histogram { buckets: &self.0.buckets, counts: &scratch.counts, sum: self.0.sum() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_agree_on_every_bound_and_between() {
        let many: Vec<f64> = (0..100).map(f64::from).collect();
        let few = &many[..FEW];
        for step in -2..210 {
            let value = f64::from(step) / 2.0;
            let expected = many.iter().filter(|&&bound| value > bound).count();
            assert_eq!(bucket(&many, value), expected);
            assert_eq!(bucket(few, value), expected.min(FEW));
        }
    }
}
