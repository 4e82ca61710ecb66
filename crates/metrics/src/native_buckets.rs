//! Which buckets a native histogram has.

use std::fmt;

use crate::log_buckets::{COARSEST, FINEST, bucket, upper};

/// Which buckets a [`NativeHistogram`](crate::NativeHistogram), a [`Summary`](crate::Summary) or a
/// [`Sketch`](crate::Sketch) has: as wide as in Prometheus' native histograms, over a range that is chosen.
///
/// With a schema `s` from -4 to 8 bucket `i` counts values above `2^((i-1) / 2^s)` up to and with `2^(i / 2^s)`, so that each
/// is `2^(2^-s)` times as wide as the one below. A value is put into its bucket exactly, by its bits. Values of at most `min`
/// are in the zero bucket; those above the bucket of `max` are in the next one above it.
///
/// | schema | a bucket is wider by | error of a quantile | buckets from 1 µs to 1,000 s |
/// | --- | --- | --- | --- |
/// | 8 | 0.27 % | 0.14 % | too many |
/// | 7 | 0.54 % | 0.27 % | 3830 |
/// | 5 | 2.2 % | 1.1 % | 959 |
/// | 3 | 9.1 % | 4.3 % | 242 |
/// | 0 | 100 % | 33 % | 32 |
///
/// A series has room for all of them in the lane of each thread that records, 8 bytes each, and never needs more.
///
/// ```
/// use bellwether_metrics::NativeBuckets;
/// let buckets = NativeBuckets::with_relative_error(0.05, 1e-6, 100.0)?;
/// assert_eq!(buckets.schema(), 3);
/// assert_eq!(buckets.len(), 216);
/// assert!(NativeBuckets::new(9, 1e-6, 100.0).is_err());
/// # Ok::<(), bellwether_metrics::NativeBucketsError>(())
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct NativeBuckets {
    schema: i8,
    min: f64,
    max: f64,
    /// Number of the first bucket above zero.
    first: i32,
    /// How many there are.
    above: u32,
    /// Whether there are as many below zero.
    negative: bool,
}

/// Why a native histogram cannot have such buckets.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NativeBucketsError {
    /// The schema is none.
    #[error("schema {got} of native buckets is outside {COARSEST}..={FINEST}")]
    Schema {
        /// The schema.
        got: i8,
    },
    /// No schema is that fine.
    #[error("relative error {got} of native buckets is none, or less than 0.00136")]
    RelativeError {
        /// The error that was asked for.
        got: f64,
    },
    /// The range is none.
    #[error("native buckets from {min} to {max}: both must be finite, and 0 < min < max")]
    Range {
        /// The least value.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// There would be too many.
    #[error(
        "{got} native buckets are more than {}: choose a coarser schema or a smaller range",
        NativeBuckets::MAX
    )]
    TooMany {
        /// How many there would be, the zero bucket included.
        got: u64,
    },
}

impl NativeBuckets {
    /// Most buckets, the zero bucket included.
    pub const MAX: usize = 4_095;

    /// Buckets of a schema, from -4 to 8, for values between `min` and `max`.
    pub fn new(schema: i8, min: f64, max: f64) -> Result<Self, NativeBucketsError> {
        if !(COARSEST..=FINEST).contains(&schema) {
            return Err(NativeBucketsError::Schema { got: schema });
        }
        if !(0.0 < min && min < max && max.is_finite()) {
            return Err(NativeBucketsError::Range { min, max });
        }
        let first = bucket(min.next_up(), schema);
        // One above that of the greatest value.
        let above = (bucket(max, schema) + 1 - first + 1).unsigned_abs();
        Self { schema, min, max, first, above, negative: false }.checked()
    }

    /// The widest buckets with which no quantile is off by more than a fraction of its value: 0.01 is 1 %.
    pub fn with_relative_error(error: f64, min: f64, max: f64) -> Result<Self, NativeBucketsError> {
        let schema = (COARSEST..=FINEST).find(|&schema| relative_error(schema) <= error && error < 1.0);
        Self::new(schema.ok_or(NativeBucketsError::RelativeError { got: error })?, min, max)
    }

    /// The same for negative values, in as many buckets more. Without it they are refused.
    pub fn with_negatives(self) -> Result<Self, NativeBucketsError> {
        Self { negative: true, ..self }.checked()
    }

    /// Seconds, from a microsecond to 1,000: no quantile is off by more than 1.1 %.
    pub fn latency() -> Self {
        // From just above 2^-20 to 2^10, and one above.
        Self { schema: 5, min: 1.0 / 1_048_576.0, max: 1_024.0, first: -639, above: 961, negative: false }
    }

    fn checked(self) -> Result<Self, NativeBucketsError> {
        let got = u64::from(self.above) * if self.negative { 2 } else { 1 } + 1;
        if got > Self::MAX as u64 { Err(NativeBucketsError::TooMany { got }) } else { Ok(self) }
    }

    /// Resolution: each power of two is parted into `2^schema` buckets.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Values of at most this size are in the zero bucket.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// Values above the bucket of this size are all in the one above it.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Whether there are buckets for negative values.
    pub fn has_negatives(&self) -> bool {
        self.negative
    }

    /// How many buckets there are, the zero bucket included.
    #[allow(clippy::len_without_is_empty, reason = "there is always the zero bucket")]
    pub fn len(&self) -> usize {
        self.above as usize * if self.negative { 2 } else { 1 } + 1
    }

    /// How far a quantile may be off, as a fraction of its value: `(g - 1) / (g + 1)` with buckets `g` times as wide as the
    /// one below (Masson, Rim, Lee 2019, section 2.1). It holds for values whose size is above `min` and at most `max`.
    pub fn relative_error(&self) -> f64 {
        relative_error(self.schema)
    }

    /// The place of a value's bucket: the zero bucket first, then those above zero, then those below. Nothing for a value
    /// that is refused.
    #[inline]
    pub(crate) fn place(&self, value: f64) -> Option<usize> {
        let size = value.abs();
        if value < 0.0 && !self.negative {
            return None;
        }
        if size <= self.min {
            return Some(0);
        }
        let above =
            bucket(size, self.schema).wrapping_sub(self.first).unsigned_abs().min(self.above - 1) as usize;
        let side = if value < 0.0 { self.above as usize } else { 0 };
        Some(1 + side + above)
    }

    /// The number of a bucket above zero, and its count, of each that has counted something.
    pub(crate) fn above<'a>(&self, counts: &'a [u64]) -> impl Iterator<Item = (i32, u64)> + use<'a> {
        self.side(counts.get(1..).unwrap_or_default())
    }

    /// The same below zero.
    pub(crate) fn below<'a>(&self, counts: &'a [u64]) -> impl Iterator<Item = (i32, u64)> + use<'a> {
        self.side(counts.get(1 + self.above as usize..).unwrap_or_default())
    }

    fn side<'a>(&self, counts: &'a [u64]) -> impl Iterator<Item = (i32, u64)> + use<'a> {
        let counts = (self.first..).zip(counts.iter().take(self.above as usize).copied());
        counts.filter(|&(_, count)| count > 0)
    }

    /// What stands for the values of a bucket above zero: no value in it is off by more than the relative error.
    fn middle(&self, number: i32) -> f64 {
        if number - self.first + 1 >= self.above.cast_signed() {
            // All that is known is that they are beyond the range.
            return self.max;
        }
        // 2 l u / (l + u), with l = u / g.
        upper(number, self.schema) * (1.0 - self.relative_error())
    }

    /// The values at quantiles, which increase, of counts in the order of [`place`](Self::place). None when there are no
    /// counts. O(buckets + quantiles).
    pub(crate) fn quantiles(
        &self,
        counts: &[u64],
        of: impl IntoIterator<Item = f64>,
        out: &mut Vec<(f64, f64)>,
    ) {
        let all = counts.iter().fold(0u64, |all, &count| all.saturating_add(count));
        if all == 0 {
            return;
        }
        let zero = counts.first().copied().unwrap_or(0);
        let negative = counts.get(1 + self.above as usize..).unwrap_or_default();
        let negative = negative.iter().enumerate().rev().map(|(at, &count)| (-self.middle_at(at), count));
        let positive = counts.iter().skip(1).take(self.above as usize).enumerate();
        let positive = positive.map(|(at, &count)| (self.middle_at(at), count));
        let mut buckets = negative.chain([(0.0, zero)]).chain(positive).filter(|&(_, count)| count > 0);
        let mut upto = 0u64;
        let mut value = 0.0;
        for q in of {
            // The value that has so many of the others below it.
            let rank = (q * (all - 1) as f64).floor() as u64;
            while upto <= rank {
                let Some((next, count)) = buckets.next() else { break };
                value = next;
                upto = upto.saturating_add(count);
            }
            out.push((q, value));
        }
    }

    fn middle_at(&self, at: usize) -> f64 {
        self.middle(self.first + at as i32)
    }
}

/// `(g - 1) / (g + 1)` for `g = 2^(2^-schema)`.
fn relative_error(schema: i8) -> f64 {
    let mut growth = 2f64;
    for _ in 0..schema {
        growth = growth.sqrt();
    }
    for _ in schema..0 {
        growth *= growth;
    }
    (growth - 1.0) / (growth + 1.0)
}

impl fmt::Display for NativeBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, min, max, negative, .. } = self;
        write!(f, "native buckets of schema {schema} from {min:?} to {max:?}")?;
        f.write_str(if *negative { ", also below zero" } else { "" })
    }
}

impl fmt::Debug for NativeBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeBuckets({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_buckets_for_latencies_pass_their_own_check() {
        let latency = NativeBuckets::latency();
        assert_eq!(NativeBuckets::new(5, latency.min, latency.max), Ok(latency));
        assert!(latency.min < 1e-6 && latency.max > 1e3 && latency.relative_error() < 0.011);
    }

    #[test]
    fn the_table_of_the_documentation_is_right() {
        for (schema, len, error) in [(7, 3_830, 0.002_7), (5, 959, 0.011), (3, 242, 0.043), (0, 32, 0.333_4)]
        {
            let buckets = NativeBuckets::new(schema, 1e-6, 1e3).unwrap();
            assert_eq!(buckets.len(), len, "schema {schema}");
            assert!(buckets.relative_error() <= error * 1.01, "{}", buckets.relative_error());
        }
        assert!(matches!(NativeBuckets::new(8, 1e-6, 1e3), Err(NativeBucketsError::TooMany { .. })));
    }

    #[test]
    fn what_cannot_be_is_told() {
        assert_eq!(
            NativeBuckets::new(9, 1.0, 2.0).unwrap_err().to_string(),
            "schema 9 of native buckets is outside -4..=8"
        );
        for (min, max) in
            [(0.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, f64::INFINITY), (f64::NAN, 1.0), (1.0, f64::NAN)]
        {
            assert!(
                matches!(NativeBuckets::new(0, min, max), Err(NativeBucketsError::Range { .. })),
                "{min} {max}"
            );
        }
        for error in [0.0, -1.0, 0.001, 1.0, 2.0, f64::NAN] {
            let refused = NativeBuckets::with_relative_error(error, 1.0, 2.0);
            assert!(matches!(refused, Err(NativeBucketsError::RelativeError { .. })), "{error}");
        }
        let wide = NativeBuckets::new(7, 1e-6, 1e3).unwrap();
        assert!(matches!(wide.with_negatives(), Err(NativeBucketsError::TooMany { .. })));
    }

    #[test]
    fn the_whole_range_of_numbers_can_be_had() {
        let all = NativeBuckets::new(0, f64::from_bits(1), f64::MAX).unwrap();
        assert_eq!(all.place(f64::MAX), Some(all.len() - 2));
        assert_eq!(all.place(f64::from_bits(1)), Some(0));
        assert_eq!(all.place(f64::from_bits(2)), Some(1));
    }

    #[test]
    fn values_outside_of_the_range_are_in_the_buckets_at_its_ends() {
        let buckets = NativeBuckets::new(0, 1.0, 8.0).unwrap().with_negatives().unwrap();
        // 0; (1, 2], (2, 4], (4, 8], above; the same below.
        assert_eq!(buckets.len(), 9);
        for (value, place) in [
            (0.0, 0),
            (-0.0, 0),
            (1.0, 0),
            (1.5, 1),
            (8.0, 3),
            (8.1, 4),
            (1e300, 4),
            (-1.0, 0),
            (-2.0, 5),
            (-9.0, 8),
        ] {
            assert_eq!(buckets.place(value), Some(place), "{value}");
        }
        let without = NativeBuckets::new(0, 1.0, 8.0).unwrap();
        assert_eq!((without.place(-0.5), without.place(-0.0)), (None, Some(0)));
    }

    proptest! {
        #[test]
        fn every_number_has_a_place(bits in any::<u64>(), schema in -4i8..=3, negative in any::<bool>()) {
            let mut buckets = NativeBuckets::new(schema, 1e-9, 1e9).unwrap();
            if negative {
                buckets = buckets.with_negatives().unwrap();
            }
            let place = buckets.place(f64::from_bits(bits));
            prop_assert!(place.is_none_or(|place| place < buckets.len()));
        }
    }
}
