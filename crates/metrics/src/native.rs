//! The buckets of a native histogram at one moment.

/// The buckets of a native (exponential) histogram at one moment.
///
/// Bucket `i` of the positive side counts values in `(2^((i-1) / 2^schema), 2^(i / 2^schema)]`, as in Prometheus; the
/// negative side mirrors it. Only buckets that have counted something are named.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NativeSnapshot {
    /// Resolution: each power of two is parted into `2^schema` buckets.
    pub schema: i8,
    /// Values of at most this size are in the zero bucket.
    pub zero_threshold: f64,
    /// How many those are.
    pub zero_count: u64,
    /// Index and count of the buckets above zero, by increasing index.
    pub positive: Box<[(i32, u64)]>,
    /// The same below zero.
    pub negative: Box<[(i32, u64)]>,
    /// Sum of the values; finite.
    pub sum: f64,
}

impl NativeSnapshot {
    /// How many values were counted.
    pub fn count(&self) -> u64 {
        let buckets = self.positive.iter().chain(&*self.negative);
        buckets.fold(self.zero_count, |all, &(_, count)| all.wrapping_add(count))
    }
}
