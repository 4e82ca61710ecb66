//! Quantiles of many values in little room.

use std::fmt;

use crate::histogram::Observation;
use crate::native_buckets::NativeBuckets;

/// Quantiles of many values in little room: how many there were in each of the [`NativeBuckets`].
///
/// **Error.** A quantile is off by at most [`NativeBuckets::relative_error`] of its value, 1.1 % with
/// [`NativeBuckets::latency`], for values whose size lies above `min` and up to `max`. A value of at most `min` is told as
/// zero, and one above the bucket of `max` as `max`. The value at quantile `q` of `n` values is the one with `floor(q (n - 1))`
/// below it: an observed value, and nothing between two of them. This is the sketch of Masson, Rim and Lee, "DDSketch: A Fast
/// and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees" (VLDB 2019), with buckets at powers of two and a fixed
/// range in place of collapsing ones: 8 bytes per bucket, whatever comes.
///
/// **Merging** two sketches of the same buckets gives exactly what recording all values into one would have given.
///
/// ```
/// use bellwether_metrics::{NativeBuckets, Sketch};
/// let (mut a, mut b) = (Sketch::new(NativeBuckets::latency()), Sketch::new(NativeBuckets::latency()));
/// (1..=50).try_for_each(|ms| a.record(f64::from(ms) / 1e3))?;
/// (51..=101).try_for_each(|ms| b.record(f64::from(ms) / 1e3))?;
/// a.merge(&b)?;
/// let median = a.quantile(0.5).unwrap();
/// assert!((median - 0.051).abs() <= 0.051 * a.buckets().relative_error());
/// # Ok::<(), bellwether_metrics::SketchError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Sketch {
    buckets: NativeBuckets,
    counts: Box<[u64]>,
}

/// Why a sketch does not take something.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SketchError {
    /// NaN or infinite.
    #[error("value {got} is not finite")]
    NotFinite {
        /// The value.
        got: f64,
    },
    /// Below zero, where there are no such buckets.
    #[error("value {got} is negative, and the sketch has no buckets below zero")]
    Negative {
        /// The value.
        got: f64,
    },
    /// The other sketch has other buckets.
    #[error("a sketch with {theirs} cannot be merged into one with {ours}")]
    Buckets {
        /// Those of the sketch that would take it in.
        ours: NativeBuckets,
        /// Those of the other.
        theirs: NativeBuckets,
    },
}

impl Sketch {
    /// Of no values.
    pub fn new(buckets: NativeBuckets) -> Self {
        Self { buckets, counts: vec![0; buckets.len()].into() }
    }

    /// Of what was counted in these buckets.
    pub(crate) fn of(buckets: NativeBuckets, counts: &[u64]) -> Self {
        Self { buckets, counts: counts.into() }
    }

    /// Takes a value. O(1).
    pub fn record(&mut self, value: impl Observation) -> Result<(), SketchError> {
        let got = value.value();
        if !got.is_finite() {
            return Err(SketchError::NotFinite { got });
        }
        let place = self.buckets.place(got).ok_or(SketchError::Negative { got })?;
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Takes all values of another sketch. O(buckets).
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if self.buckets != other.buckets {
            return Err(SketchError::Buckets { ours: self.buckets, theirs: other.buckets });
        }
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*other);
        }
        Ok(())
    }

    /// The value at a quantile; nothing when there is no value, or `q` is outside 0..=1. O(buckets).
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let mut out = Vec::new();
        if (0.0..=1.0).contains(&q) {
            self.buckets.quantiles(&self.counts, [q], &mut out);
        }
        out.first().map(|&(_, value)| value)
    }

    /// How many values there are. O(buckets).
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |all, &count| all.saturating_add(count))
    }

    /// Its buckets.
    pub fn buckets(&self) -> &NativeBuckets {
        &self.buckets
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sketch({} values in {})", self.count(), self.buckets)
    }
}
