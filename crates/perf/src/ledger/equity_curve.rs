//! What an account was worth over time.

use std::collections::VecDeque;

use rust_decimal::Decimal;

use super::nearest::nearest_f64;
use super::total::Total;
use crate::{Returns, UnixMicros};

/// What an account was worth at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EquityPoint {
    /// When.
    pub at: UnixMicros,
    /// How much.
    pub equity: Decimal,
}

/// Equity over time: strictly in order, bounded, exact. From two points on it has returns.
///
/// ```
/// use bellwether_perf::EquityCurve;
/// let mut curve = EquityCurve::with_limit(1000);
/// for (day, equity) in [(0, 100), (1, 110), (2, 99)] {
///     curve.push(day * 86_400_000_000, equity)?;
/// }
/// assert_eq!(curve.returns()?.as_slice(), &[0.1, -0.1]);
/// # Ok::<(), bellwether_perf::EquityError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EquityCurve {
    points: VecDeque<EquityPoint>,
    limit: usize,
    dropped: u64,
}

/// Why a point or a return was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EquityError {
    /// The time is not after that of the last point.
    #[error("equity at {at} is not after the last point at {last}")]
    NotLater {
        /// The time of the refused point.
        at: UnixMicros,
        /// The time of the last point.
        last: UnixMicros,
    },
    /// A period that begins with nothing or less has no return.
    #[error("equity {equity} at {at} is not over 0: the period that begins there has no return")]
    NotPositive {
        /// When the period begins.
        at: UnixMicros,
        /// What the account was worth.
        equity: Decimal,
    },
    /// A difference is beyond the range of a decimal.
    #[error("the difference of {before} and {after} is beyond the 28 digits of a decimal")]
    Overflow {
        /// Equity at the beginning.
        before: Decimal,
        /// Equity at the end.
        after: Decimal,
    },
}

impl EquityCurve {
    /// Keeps at most so many points (at least two); the oldest is dropped and counted.
    pub fn with_limit(limit: usize) -> Self {
        Self { points: VecDeque::new(), limit: limit.max(2), dropped: 0 }
    }

    /// Appends a point after the last one.
    pub fn push(&mut self, at: impl Into<UnixMicros>, equity: impl Into<Decimal>) -> Result<(), EquityError> {
        let (at, equity) = (at.into(), equity.into());
        if let Some(last) = self.points.back()
            && at <= last.at
        {
            return Err(EquityError::NotLater { at, last: last.at });
        }
        self.points.push_back(EquityPoint { at, equity });
        if self.points.len() > self.limit {
            self.points.pop_front();
            self.dropped += 1;
        }
        Ok(())
    }

    /// The points in order of time.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = &EquityPoint> + ExactSizeIterator + Clone {
        self.points.iter()
    }

    /// The last point.
    pub fn last(&self) -> Option<&EquityPoint> {
        self.points.back()
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many points were dropped at the bound.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The return of each period between points. Under -1 where the account ended under nothing.
    pub fn returns(&self) -> Result<Returns<'static>, EquityError> {
        let mut values = Vec::with_capacity(self.points.len().saturating_sub(1));
        for (from, to) in self.points.iter().zip(self.points.iter().skip(1)) {
            values.push(period_return(from, to)?);
        }
        // A ratio of two decimals is finite: at most 10^29 over at least 10^-28.
        Ok(Returns::of_finite(values))
    }
}

/// `(to - from) / from`, the difference exact and each amount the nearest float.
pub(crate) fn period_return(from: &EquityPoint, to: &EquityPoint) -> Result<f64, EquityError> {
    if from.equity <= Decimal::ZERO {
        return Err(EquityError::NotPositive { at: from.at, equity: from.equity });
    }
    let gain = Total::from(to.equity)
        .sub(from.equity.into())
        .map_err(|_| EquityError::Overflow { before: from.equity, after: to.equity })?;
    Ok(nearest_f64(gain.nearest()) / nearest_f64(from.equity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_out_of_order_are_refused() {
        let mut curve = EquityCurve::with_limit(10);
        curve.push(5, 100).unwrap();
        let wrong = curve.push(5, 101).unwrap_err();
        assert_eq!(wrong, EquityError::NotLater { at: 5.into(), last: 5.into() });
        assert_eq!(curve.len(), 1);
    }

    #[test]
    fn the_oldest_point_is_dropped_at_the_bound_and_counted() {
        let mut curve = EquityCurve::with_limit(2);
        for at in 0..5 {
            curve.push(at, 100 + at).unwrap();
        }
        assert_eq!((curve.len(), curve.dropped()), (2, 3));
        assert_eq!(curve.last().unwrap().equity, Decimal::from(104));
    }

    #[test]
    fn amounts_of_unlike_size_have_a_return() {
        let mut curve = EquityCurve::with_limit(2);
        curve.push(0, Decimal::from_str_exact("20000000000000000000000000").unwrap()).unwrap();
        curve.push(1, Decimal::from_str_exact("0.0000000001").unwrap()).unwrap();
        assert_eq!(curve.returns().unwrap().as_slice(), &[-1.0]);
    }

    #[test]
    fn a_period_that_begins_with_nothing_has_no_return_and_one_that_ends_there_has() {
        let mut curve = EquityCurve::with_limit(10);
        curve.push(0, 100).unwrap();
        curve.push(1, -50).unwrap();
        assert_eq!(curve.returns().unwrap().as_slice(), &[-1.5]);
        curve.push(2, 10).unwrap();
        let wrong = EquityError::NotPositive { at: 1.into(), equity: Decimal::from(-50) };
        assert_eq!(curve.returns().unwrap_err(), wrong);
    }
}
