//! Upper bounds of a histogram's buckets.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{BoundsError, Spread};

use crate::exposition::Numbers;

/// Upper bounds of a histogram's buckets: increasing, finite, at most [`Buckets::MAX`].
///
/// Bucket `i` counts values `<= bounds[i]` that are above the bound before; one more bucket is open above. Cloning
/// copies a pointer.
///
/// ```
/// use bellwether_metrics::Buckets;
/// assert_eq!(Buckets::exponential(0.001, 10.0, 3)?.bounds(), [0.001, 0.01, 0.1]);
/// assert!(Buckets::new([1.0, 1.0]).is_err());
/// # Ok::<(), bellwether_metrics::BoundsError>(())
/// ```
#[derive(Clone)]
pub struct Buckets(Arc<Inner>);

struct Inner {
    bounds: Box<[f64]>,
    /// For each bucket how its line in the text format goes on after `le="`: the bound, and what closes the labels.
    line_ends: Box<[Box<str>]>,
}

/// Up to this many bounds all are compared, without a branch; with more the bucket is found by halving.
const FEW: usize = 24;

/// Seconds: from ten microseconds, within one machine, to ten seconds, a venue that hangs.
const LATENCY: [f64; 19] = [
    0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
    0.5, 1.0, 2.0, 5.0, 10.0,
];

impl Buckets {
    /// Most bounds that are accepted.
    pub const MAX: usize = Spread::MAX_BOUNDS;

    /// Checks the bounds. The last bucket is open by itself: `+Inf` is not to be named.
    pub fn new(bounds: impl Into<Box<[f64]>>) -> Result<Self, BoundsError> {
        let bounds = bounds.into();
        Spread::check_bounds(&bounds)?;
        Ok(Self::checked(bounds))
    }

    fn checked(bounds: Box<[f64]>) -> Self {
        let mut numbers = Numbers::new();
        let finite = bounds.iter().map(|&bound| {
            let mut line_end = String::new();
            numbers.canonical(bound, &mut line_end);
            line_end.push_str("\"} ");
            line_end.into_boxed_str()
        });
        let line_ends = finite.chain(["+Inf\"} ".into()]).collect();
        Self(Arc::new(Inner { bounds, line_ends }))
    }

    /// Latencies in seconds: 19 bounds from 10 us to 10 s, in steps of 1, 2, 5.
    pub fn latency() -> Self {
        Self::checked(LATENCY.into())
    }

    /// `count` bounds: `start`, and each next one `width` higher.
    pub fn linear(start: f64, width: f64, count: usize) -> Result<Self, BoundsError> {
        Self::new(Self::series(count, |i| start + width * i as f64)?)
    }

    /// `count` bounds: `start`, and each next one `factor` times as high.
    pub fn exponential(start: f64, factor: f64, count: usize) -> Result<Self, BoundsError> {
        let mut bound = start;
        Self::new(Self::series(count, |i| {
            if i > 0 {
                bound *= factor;
            }
            bound
        })?)
    }

    fn series(count: usize, bound: impl FnMut(usize) -> f64) -> Result<Box<[f64]>, BoundsError> {
        if count > Self::MAX {
            return Err(BoundsError::TooMany { got: count });
        }
        Ok((0..count).map(bound).collect())
    }

    /// The bounds, increasing.
    pub fn bounds(&self) -> &[f64] {
        &self.0.bounds
    }

    /// The number of the bucket that a value is in: the first whose bound is not below it. O(1) for up to 24 bounds,
    /// O(log bounds) for more.
    #[inline]
    pub(crate) fn of(&self, value: f64) -> usize {
        let bounds = &*self.0.bounds;
        if bounds.len() <= FEW {
            bounds.iter().map(|&bound| usize::from(value > bound)).sum()
        } else {
            bounds.partition_point(|&bound| bound < value)
        }
    }

    /// Whether there are bounds below zero: negative values are expected, and their sum may fall.
    pub(crate) fn are_for_negatives(&self) -> bool {
        self.bounds().first().is_some_and(|&first| first < 0.0)
    }

    /// For each bucket, the open one included, how its line in the text format goes on after `le="`.
    pub(crate) fn line_ends(&self) -> &[Box<str>] {
        &self.0.line_ends
    }
}

impl Default for Buckets {
    /// [`Buckets::latency`].
    fn default() -> Self {
        Self::latency()
    }
}

impl PartialEq for Buckets {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.bounds == other.0.bounds
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Buckets").field(&self.0.bounds).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_must_be_finite_and_increase() {
        assert!(matches!(Buckets::new([0.0, f64::INFINITY]), Err(BoundsError::NotFinite { at: 1, .. })));
        assert!(matches!(Buckets::linear(0.0, -1.0, 2), Err(BoundsError::NotIncreasing { at: 1, .. })));
        assert!(matches!(Buckets::exponential(1.0, 2.0, 513), Err(BoundsError::TooMany { got: 513 })));
        assert!(matches!(Buckets::exponential(1.0, 1e300, 3), Err(BoundsError::NotFinite { at: 2, .. })));
    }

    #[test]
    fn both_searches_agree_on_every_bound_and_between() {
        let many: Vec<f64> = (0..100).map(f64::from).collect();
        for count in [0, 1, 3, 4, 5, FEW - 1, FEW, FEW + 1, 100] {
            let buckets = Buckets::new(&many[..count]).unwrap();
            for step in -2..210 {
                let value = f64::from(step) / 2.0;
                let expected = buckets.bounds().iter().filter(|&&bound| value > bound).count();
                assert_eq!(buckets.of(value), expected, "{value} in {count} bounds");
            }
            assert_eq!((buckets.of(f64::INFINITY), buckets.of(f64::NEG_INFINITY)), (count, 0));
        }
    }

    #[test]
    fn the_latency_bounds_pass_their_own_check() {
        assert_eq!(Buckets::new(LATENCY).unwrap(), Buckets::latency());
    }

    #[test]
    fn no_bound_at_all_leaves_one_open_bucket() {
        assert!(Buckets::new([]).unwrap().bounds().is_empty());
    }

    #[test]
    fn bounds_are_written_so_that_they_read_as_floats() {
        let buckets = Buckets::new([-0.5, 0.25, 1.0, 1e21]).unwrap();
        let ends: String = buckets.line_ends().iter().map(|end| &**end).collect();
        assert_eq!(ends, "-0.5\"} 0.25\"} 1.0\"} 1e+21\"} +Inf\"} ");
    }
}
