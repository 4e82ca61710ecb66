//! Which quantiles a summary tells, and of which time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::native_buckets::NativeBuckets;

/// Which quantiles a [`Summary`](crate::Summary) tells, how exactly, and of how long a window.
///
/// The window is parted into slices: a value counts for as long as the window is, less at most one slice. By default the
/// window is a minute in 6 slices, and the buckets are those for latencies: no quantile is off by more than 1.1 %.
///
/// ```
/// use std::time::Duration;
/// use bellwether_metrics::{NativeBuckets, Quantiles};
/// let of_sizes = Quantiles::new([0.5, 0.99])?
///     .in_buckets(NativeBuckets::with_relative_error(0.05, 1.0, 1e9)?)
///     .over(Duration::from_mins(5), 10)?;
/// assert_eq!(of_sizes.quantiles(), [0.5, 0.99]);
/// assert!(Quantiles::new([0.99, 0.5]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Quantiles {
    told: Arc<[f64]>,
    buckets: NativeBuckets,
    window: Duration,
    slices: u32,
}

/// Why a summary cannot have such quantiles or such a window.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantilesError {
    /// A quantile is outside of 0..=1, or not above the one before it.
    #[error("quantile {got} at place {at} is outside 0..=1, or not above the one before it")]
    Quantile {
        /// Which one, from 0.
        at: usize,
        /// The quantile.
        got: f64,
    },
    /// More than there may be.
    #[error("{got} quantiles are more than {}", Quantiles::MAX)]
    TooMany {
        /// How many were given.
        got: usize,
    },
    /// The window is too short or too long, or has no slices or too many.
    #[error("a window of {window:?} in {slices} slices: it must be 1s..=1day, in 1..=60 slices")]
    Window {
        /// The window.
        window: Duration,
        /// The slices.
        slices: u32,
    },
}

impl Quantiles {
    /// Most quantiles.
    pub const MAX: usize = 32;

    /// Increasing quantiles between 0 and 1, such as 0.99.
    pub fn new(quantiles: impl Into<Arc<[f64]>>) -> Result<Self, QuantilesError> {
        let quantiles = quantiles.into();
        if quantiles.len() > Self::MAX {
            return Err(QuantilesError::TooMany { got: quantiles.len() });
        }
        let mut before = None;
        for (at, &got) in quantiles.iter().enumerate() {
            if !(0.0..=1.0).contains(&got) || before.is_some_and(|before| got <= before) {
                return Err(QuantilesError::Quantile { at, got });
            }
            before = Some(got);
        }
        Ok(Self::checked(quantiles))
    }

    fn checked(quantiles: Arc<[f64]>) -> Self {
        Self { told: quantiles, buckets: NativeBuckets::latency(), window: Duration::from_mins(1), slices: 6 }
    }

    /// The median, and the 90th, 99th and 99.9th of a hundred, of latencies in seconds within a minute.
    pub fn latency() -> Self {
        Self::checked([0.5, 0.9, 0.99, 0.999].into())
    }

    /// The buckets that values are counted in: they say how exact the quantiles are.
    #[must_use]
    pub fn in_buckets(self, buckets: NativeBuckets) -> Self {
        Self { buckets, ..self }
    }

    /// The window, from a second to a day, and into how many slices it is parted, up to 60.
    pub fn over(self, window: Duration, slices: u32) -> Result<Self, QuantilesError> {
        let good = (Duration::from_secs(1)..=Duration::from_hours(24)).contains(&window);
        if !good || !(1..=60).contains(&slices) {
            return Err(QuantilesError::Window { window, slices });
        }
        Ok(Self { window, slices, ..self })
    }

    /// The quantiles, increasing.
    pub fn quantiles(&self) -> &[f64] {
        &self.told
    }

    /// The buckets.
    pub fn buckets(&self) -> &NativeBuckets {
        &self.buckets
    }

    /// The window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How long a slice of the window is.
    pub fn slice(&self) -> Duration {
        self.window / self.slices
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { told, buckets, window, slices } = self;
        write!(f, "quantiles {told:?} of {window:?} in {slices} slices, {buckets}")
    }
}

impl fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantiles({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_increase_between_zero_and_one() {
        for (wrong, at) in [(&[0.5, 0.5][..], 1), (&[-0.1], 0), (&[0.0, 1.1], 1), (&[f64::NAN], 0)] {
            let error = Quantiles::new(wrong).unwrap_err();
            assert!(matches!(error, QuantilesError::Quantile { at: told, .. } if told == at), "{error}");
        }
        assert_eq!(Quantiles::new([0.1; 33]), Err(QuantilesError::TooMany { got: 33 }));
        assert_eq!(Quantiles::new(&*Quantiles::latency().told), Ok(Quantiles::latency()));
        assert!(Quantiles::new([0.0, 1.0]).is_ok() && Quantiles::new([]).is_ok());
    }

    #[test]
    fn a_window_is_bounded() {
        for (window, slices) in [(0, 1), (86_401, 6), (60, 0), (60, 61)] {
            let error = Quantiles::latency().over(Duration::from_secs(window), slices);
            assert!(matches!(error, Err(QuantilesError::Window { .. })), "{window} {slices}");
        }
        assert_eq!(Quantiles::latency().slice(), Duration::from_secs(10));
    }
}
