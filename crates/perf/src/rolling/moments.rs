//! Mean and deviation of each window by merging blocks, without subtraction.

use crate::moments::is_flat;
use crate::undefined::{Undefined, at_least, defined};

/// Count, mean, sum of squares about it, and largest magnitude. Only ever grows: by a value, or by merging.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    count: f64,
    mean: f64,
    m2: f64,
    magnitude: f64,
}

impl Window {
    const EMPTY: Self = Self { count: 0.0, mean: 0.0, m2: 0.0, magnitude: 0.0 };

    /// With one more value (Welford 1962). `share` is `1 / (count + 1)`.
    #[inline]
    fn with(self, x: f64, share: f64) -> Self {
        let d = x - self.mean;
        let mean = self.mean + d * share;
        Self {
            count: self.count + 1.0,
            mean,
            m2: self.m2 + d * (x - mean),
            magnitude: if x.abs() > self.magnitude { x.abs() } else { self.magnitude },
        }
    }

    /// Both, one behind the other (Chan 1979). `share` is `1 / (self.count + other.count)`.
    #[inline]
    fn merged(self, other: Self, share: f64) -> Self {
        let d = other.mean - self.mean;
        let part = other.count * share;
        Self {
            count: self.count + other.count,
            mean: self.mean + d * part,
            m2: self.m2 + other.m2 + d * d * (self.count * part),
            magnitude: if other.magnitude > self.magnitude { other.magnitude } else { self.magnitude },
        }
    }

    #[inline]
    pub(super) fn mean(self) -> f64 {
        self.mean
    }

    #[inline]
    pub(super) fn stdev(self) -> Result<f64, Undefined> {
        at_least(2, self.count as usize)?;
        defined((self.m2 / (self.count - 1.0)).sqrt())
    }

    /// The deviation as a divisor: undefined when it is no more than the rounding of the values, which are
    /// rounded by at least the given size.
    #[inline]
    pub(super) fn varying_stdev(self, rounding_size: f64) -> Result<f64, Undefined> {
        let stdev = self.stdev()?;
        if is_flat(stdev, self.magnitude.max(rounding_size)) {
            Err(Undefined::ZeroVariance)
        } else {
            Ok(stdev)
        }
    }
}

/// Gives each window of the values to `take`, in order. The window that starts inside of a block of its own
/// length is the end of that block and the beginning of the next, merged: O(n) in all, O(window) memory.
pub(super) fn each_window(values: &[f64], window: usize, mut take: impl FnMut(Window)) {
    let shares: Vec<f64> = (0..=window).map(|count| 1.0 / count.max(1) as f64).collect();
    let mut ends = vec![Window::EMPTY; window];
    let mut block = 0;
    while block + window <= values.len() {
        // ends[j]: the values from j to the end of the block.
        let mut end = Window::EMPTY;
        for j in (0..window).rev() {
            end = end.with(values[block + j], shares[window - j]);
            ends[j] = end;
        }
        take(ends[0]);
        let next = block + window;
        let mut beginning = Window::EMPTY;
        for j in 1..window {
            let Some(&x) = values.get(next + j - 1) else { return };
            beginning = beginning.with(x, shares[j]);
            take(ends[j].merged(beginning, shares[window]));
        }
        block = next;
    }
}
