//! An instant of monotonic time.
use std::time::Duration;

/// An instant on a clock that never steps back: the time since that clock's origin.
///
/// Two instants compare only if the same [`Clock`](crate::Clock) gave them. Unlike `std::time::Instant` it
/// can be made from a number, so the pure machines (those of [`resilience`](crate::resilience)) run on any
/// time a caller likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// The clock's origin.
    pub const ORIGIN: Self = Self(Duration::ZERO);
    /// The last instant there is; no wait for it ever ends.
    pub const MAX: Self = Self(Duration::MAX);

    /// The instant that is `length` after the origin.
    pub const fn after_origin(length: Duration) -> Self {
        Self(length)
    }

    /// The time since the origin.
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// This instant moved on by `length`, or `None` beyond [`MAX`](Self::MAX).
    pub const fn checked_add(self, length: Duration) -> Option<Self> {
        match self.0.checked_add(length) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// This instant moved on by `length`, or [`MAX`](Self::MAX).
    #[must_use]
    pub const fn saturating_add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(length))
    }

    /// This instant moved back by `length`, or [`ORIGIN`](Self::ORIGIN).
    #[must_use]
    pub const fn saturating_sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(length))
    }

    /// The time from `earlier` to this instant, or `None` if `earlier` is the later one.
    pub const fn checked_since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0)
    }

    /// The time from `earlier` to this instant; zero if `earlier` is the later one.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let second = Duration::from_secs(1);
        assert_eq!(Monotonic::ORIGIN.saturating_sub(second), Monotonic::ORIGIN);
        assert_eq!(Monotonic::MAX.saturating_add(second), Monotonic::MAX);
        assert_eq!(Monotonic::MAX.checked_add(second), None);
        assert_eq!(Monotonic::ORIGIN.saturating_since(Monotonic::after_origin(second)), Duration::ZERO);
        assert_eq!(Monotonic::ORIGIN.checked_since(Monotonic::after_origin(second)), None);
    }

    #[test]
    fn since_undoes_add() {
        let start = Monotonic::after_origin(Duration::from_millis(1_500));
        let length = Duration::from_micros(7);
        assert_eq!(start.saturating_add(length).checked_since(start), Some(length));
    }
}
