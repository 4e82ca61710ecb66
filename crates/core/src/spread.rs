//! How observed values spread over buckets.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds do not make buckets.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// A bound is not a finite number.
    #[error("bucket bound {at} is {value}; expected a finite number (the last bucket is open by itself)")]
    NotFinite {
        /// Its place.
        at: usize,
        /// The bound.
        value: f64,
    },
    /// A bound is not above the one before.
    #[error("bucket bound {at} is {value}, not above the bound {before} before it")]
    NotIncreasing {
        /// Its place.
        at: usize,
        /// The bound.
        value: f64,
        /// The bound before.
        before: f64,
    },
    /// More than [`Spread::MAX_BOUNDS`].
    #[error("{got} bucket bounds are more than {}", Spread::MAX_BOUNDS)]
    TooMany {
        /// How many were given.
        got: usize,
    },
}

/// Observed values counted in buckets, with their sum: plain atomics, for the figures that a part keeps about
/// itself.
///
/// Bucket `i` counts values `<= bounds[i]` that are above the bound before; one more bucket is open above. The
/// count of all is the sum of the buckets, so that the two never disagree.
#[derive(Debug)]
pub struct Spread {
    bounds: Box<[f64]>,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    refused: AtomicU64,
}

impl Spread {
    /// Most bounds that are accepted.
    pub const MAX_BOUNDS: usize = 512;

    /// With increasing, finite upper bounds.
    pub fn new(bounds: impl Into<Box<[f64]>>) -> Result<Self, BoundsError> {
        let bounds = bounds.into();
        Self::check_bounds(&bounds)?;
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { bounds, counts, sum: AtomicU64::new(0f64.to_bits()), refused: AtomicU64::new(0) })
    }

    /// Whether these are upper bounds of buckets: increasing, finite, at most [`MAX_BOUNDS`](Self::MAX_BOUNDS). The last
    /// bucket is open by itself: an infinite bound is not to be named.
    pub fn check_bounds(bounds: &[f64]) -> Result<(), BoundsError> {
        if bounds.len() > Self::MAX_BOUNDS {
            return Err(BoundsError::TooMany { got: bounds.len() });
        }
        let mut before = f64::NEG_INFINITY;
        for (at, &value) in bounds.iter().enumerate() {
            if !value.is_finite() {
                return Err(BoundsError::NotFinite { at, value });
            }
            if value <= before {
                return Err(BoundsError::NotIncreasing { at, value, before });
            }
            before = value;
        }
        Ok(())
    }

    /// Counts a value. One that is not finite is refused and counted as such. O(log buckets).
    pub fn record(&self, value: f64) {
        let at = self.bounds.partition_point(|&bound| bound < value);
        let Some(count) = self.counts.get(at).filter(|_| value.is_finite()) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        count.fetch_add(1, Ordering::Relaxed);
        let add = |sum: u64| Some((f64::from_bits(sum) + value).clamp(f64::MIN, f64::MAX).to_bits());
        // The closure always answers, so the update cannot fail.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// How many values were not finite.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// The buckets as they stand now.
    pub fn snapshot(&self) -> SpreadSnapshot {
        SpreadSnapshot {
            bounds: self.bounds.clone(),
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: f64::from_bits(self.sum.load(Ordering::Relaxed)),
        }
    }
}

/// The buckets of a histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SpreadSnapshot {
    /// Upper bounds, increasing, all finite.
    pub bounds: Box<[f64]>,
    /// Counts per bucket, not added up: one per bound, and one more for values above the last bound.
    pub counts: Box<[u64]>,
    /// Sum of the values; stops at the largest `f64`.
    pub sum: f64,
}

impl SpreadSnapshot {
    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |all, &count| all.wrapping_add(count))
    }

    /// The value below which the fraction `q` lies, interpolated within its bucket; nothing when nothing was
    /// counted, when `q` is outside 0..=1, or when it lies in the open bucket above the last bound.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let all = self.count();
        if all == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = q * all as f64;
        let mut below = 0u64;
        let mut lower = self.bounds.first().copied().filter(|&first| first <= 0.0).unwrap_or(0.0);
        for (&bound, &count) in self.bounds.iter().zip(&self.counts) {
            let upto = below.wrapping_add(count);
            if count > 0 && rank <= upto as f64 {
                let part = ((rank - below as f64) / count as f64).clamp(0.0, 1.0);
                return Some(lower + (bound - lower) * part);
            }
            below = upto;
            lower = bound;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_belongs_to_its_bucket() {
        let spread = Spread::new([1.0, 2.0]).unwrap();
        for value in [0.5, 1.0, 1.5, 2.0, 2.5, f64::NAN, f64::INFINITY] {
            spread.record(value);
        }
        let seen = spread.snapshot();
        assert_eq!(*seen.counts, [2, 2, 1]);
        assert_eq!((seen.count(), seen.sum, spread.refused()), (5, 7.5, 2));
        assert_eq!(seen.quantile(0.2), Some(0.5));
        assert_eq!(seen.quantile(1.0), None, "the largest value lies in the open bucket");
    }

    #[test]
    fn bounds_must_increase() {
        assert!(matches!(Spread::new([1.0, 1.0]), Err(BoundsError::NotIncreasing { at: 1, .. })));
        assert!(matches!(Spread::new([f64::INFINITY]), Err(BoundsError::NotFinite { at: 0, .. })));
        assert!(matches!(Spread::new(vec![0.0; 513]), Err(BoundsError::TooMany { got: 513 })));
    }
}
