//! A limit on how many may go out in any stretch of time.
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::Monotonic;

/// The most permits a limiter may have: its memory is 16 bytes for each.
pub const MAX_PERMITS: u32 = 65_536;

/// Why a limiter cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimitError {
    /// A window without length limits nothing.
    #[error("the window is zero; expected a length above zero")]
    ZeroWindow,
    /// More permits than the limiter is willing to remember.
    #[error("{permits} permits are more than the {MAX_PERMITS} that a limiter keeps; use a shorter window")]
    TooManyPermits {
        /// What was asked for.
        permits: u32,
    },
}

/// The answer of a [`RateLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a grant that is not used is spent all the same"]
pub enum Acquire {
    /// Go: the permit is taken.
    Granted,
    /// Not now. Nothing was taken; asking again before this instant is in vain.
    WaitUntil(Monotonic),
}

/// At most N grants in any window of a given length, wherever the window begins.
///
/// A token bucket of N allows nearly 2 N in one window: a full bucket, then what flows in. Services that
/// count over a sliding window refuse that. This limiter keeps the instants of its last N grants and is
/// exact: each half-open window
/// `[t, t + per)` holds N grants or fewer. It holds even if the instants handed in are out of order, as those of several threads may be.
///
/// Memory is bounded by N; every call is constant time.
///
/// ```
/// use std::{num::NonZeroU32, time::Duration};
/// use bellwether_core::{Monotonic, resilience::{Acquire, RateLimiter}};
///
/// let mut one_a_second = RateLimiter::new(NonZeroU32::MIN, Duration::from_secs(1))?;
/// let now = Monotonic::ORIGIN;
/// assert_eq!(one_a_second.try_acquire(now), Acquire::Granted);
/// let then = now.saturating_add(Duration::from_secs(1));
/// assert_eq!(one_a_second.try_acquire(now), Acquire::WaitUntil(then));
/// assert_eq!(one_a_second.try_acquire(then), Acquire::Granted);
/// # Ok::<(), bellwether_core::resilience::RateLimitError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RateLimiter {
    permits: usize,
    per: Duration,
    /// The last grants, oldest first, `permits` at most. Never decreasing.
    grants: VecDeque<Monotonic>,
    /// No grant before this.
    held_until: Monotonic,
}

impl RateLimiter {
    /// A limiter of `permits` grants in any window of length `per`.
    ///
    /// Neither permits nor window can be forgotten or confused: this does not compile.
    ///
    /// ```compile_fail
    /// bellwether_core::resilience::RateLimiter::new(60, 1);
    /// ```
    pub fn new(permits: NonZeroU32, per: Duration) -> Result<Self, RateLimitError> {
        let permits = permits.get();
        if per.is_zero() {
            return Err(RateLimitError::ZeroWindow);
        }
        if permits > MAX_PERMITS {
            return Err(RateLimitError::TooManyPermits { permits });
        }
        Ok(Self { permits: permits as usize, per, grants: VecDeque::new(), held_until: Monotonic::ORIGIN })
    }

    /// Takes one permit, or says when to ask again.
    pub fn try_acquire(&mut self, now: Monotonic) -> Acquire {
        self.try_acquire_leaving(0, now)
    }

    /// Takes one permit only if `reserve` more stay free for others in this window: what is less urgent asks
    /// like this, so that a flood of it never uses up the share of what is critical.
    ///
    /// A reserve of all permits or more is never granted, and waits until [`Monotonic::MAX`].
    pub fn try_acquire_leaving(&mut self, reserve: u32, now: Monotonic) -> Acquire {
        let open_to_caller = self.permits.saturating_sub(reserve as usize);
        if open_to_caller == 0 {
            return Acquire::WaitUntil(Monotonic::MAX);
        }
        // The grant that must have left the window: the open_to_caller-th before this one. Compared with the
        // caller's own
        // `now`, not with the latest seen: then the bound holds for instants in any order.
        let blocking = self.grants.len().checked_sub(open_to_caller).and_then(|index| self.grants.get(index));
        let free_at =
            blocking.map_or(Monotonic::ORIGIN, |grant| grant.saturating_add(self.per)).max(self.held_until);
        if now < free_at || free_at == Monotonic::MAX {
            return Acquire::WaitUntil(free_at);
        }
        if self.grants.len() == self.permits {
            self.grants.pop_front();
        }
        let latest = self.grants.back().copied().unwrap_or(now);
        self.grants.push_back(latest.max(now));
        Acquire::Granted
    }

    /// Grants nothing before `at`: for a service that answered "too many, come back then". An earlier hold
    /// that lasts longer stays.
    pub fn hold_until(&mut self, at: Monotonic) {
        self.held_until = self.held_until.max(at);
    }

    /// How many permits are free at `now`, a hold apart. Logarithmic in the number of permits.
    pub fn available(&self, now: Monotonic) -> u32 {
        let gone = self.grants.partition_point(|grant| grant.saturating_add(self.per) <= now);
        (self.permits - (self.grants.len() - gone)) as u32
    }

    /// How many permits there are in a window.
    pub fn permits(&self) -> u32 {
        self.permits as u32
    }

    /// The length of the window.
    pub fn per(&self) -> Duration {
        self.per
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: u64) -> Monotonic {
        Monotonic::after_origin(Duration::from_micros(micros))
    }

    fn limiter(permits: u32, per_micros: u64) -> RateLimiter {
        RateLimiter::new(NonZeroU32::new(permits).unwrap(), Duration::from_micros(per_micros)).unwrap()
    }

    /// The fullest half-open window of the given length: it may be taken to begin at one of the grants.
    fn fullest_window(grants: &[u64], per: u64) -> usize {
        let in_window =
            |&begin: &u64| grants.iter().filter(|&&grant| grant >= begin && grant - begin < per).count();
        grants.iter().map(in_window).max().unwrap_or(0)
    }

    #[test]
    fn a_window_without_length_is_refused() {
        assert_eq!(
            RateLimiter::new(NonZeroU32::MIN, Duration::ZERO).unwrap_err(),
            RateLimitError::ZeroWindow
        );
    }

    #[test]
    fn more_permits_than_can_be_kept_are_refused_by_number() {
        let error = RateLimiter::new(NonZeroU32::new(70_000).unwrap(), Duration::from_secs(1)).unwrap_err();
        assert_eq!(error, RateLimitError::TooManyPermits { permits: 70_000 });
        assert!(error.to_string().contains("70000"));
    }

    #[test]
    fn a_full_window_waits_for_its_oldest_grant_to_leave() {
        let mut limiter = limiter(2, 100);
        assert_eq!(limiter.try_acquire(at(0)), Acquire::Granted);
        assert_eq!(limiter.try_acquire(at(30)), Acquire::Granted);
        assert_eq!(limiter.try_acquire(at(99)), Acquire::WaitUntil(at(100)));
        assert_eq!(limiter.try_acquire(at(100)), Acquire::Granted);
        assert_eq!(limiter.try_acquire(at(100)), Acquire::WaitUntil(at(130)));
    }

    #[test]
    fn the_reserve_stays_free_for_critical_callers() {
        let mut limiter = limiter(3, 100);
        assert_eq!(limiter.try_acquire_leaving(1, at(0)), Acquire::Granted);
        assert_eq!(limiter.try_acquire_leaving(1, at(10)), Acquire::Granted);
        assert_eq!(limiter.try_acquire_leaving(1, at(20)), Acquire::WaitUntil(at(100)));
        assert_eq!(limiter.try_acquire(at(20)), Acquire::Granted);
        assert_eq!(limiter.try_acquire(at(20)), Acquire::WaitUntil(at(100)));
        assert_eq!(limiter.try_acquire_leaving(3, at(900)), Acquire::WaitUntil(Monotonic::MAX));
    }

    #[test]
    fn a_hold_delays_every_grant_and_is_never_shortened() {
        let mut limiter = limiter(5, 100);
        limiter.hold_until(at(1_000));
        limiter.hold_until(at(500));
        assert_eq!(limiter.try_acquire(at(999)), Acquire::WaitUntil(at(1_000)));
        assert_eq!(limiter.try_acquire(at(1_000)), Acquire::Granted);
    }

    #[test]
    fn available_counts_what_the_window_still_takes() {
        let mut limiter = limiter(2, 100);
        assert_eq!(limiter.available(at(0)), 2);
        let _ = limiter.try_acquire(at(0));
        assert_eq!((limiter.available(at(99)), limiter.available(at(100))), (1, 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_window_holds_more_than_the_permits(
            permits in 1_u32..6, per in 1_u64..60,
            steps in proptest::collection::vec((0_u64..20, 0_u32..3), 1..200),
        ) {
            let mut limiter = limiter(permits, per);
            let (mut now, mut granted) = (0, Vec::new());
            for (step, reserve) in steps {
                now += step;
                if limiter.try_acquire_leaving(reserve, at(now)) == Acquire::Granted {
                    granted.push(now);
                }
                prop_assert!(limiter.grants.len() <= permits as usize);
            }
            prop_assert!(fullest_window(&granted, per) <= permits as usize);
        }

        #[test]
        fn the_bound_holds_for_instants_in_any_order(
            permits in 1_u32..5, per in 1_u64..40,
            calls in proptest::collection::vec((0_u64..120, 0_u32..4), 1..150),
        ) {
            let mut limiter = limiter(permits, per);
            let mut granted = Vec::new();
            for (now, reserve) in calls {
                let before = limiter.available(at(now));
                if limiter.try_acquire_leaving(reserve, at(now)) == Acquire::Granted {
                    granted.push(now);
                    prop_assert!(before > reserve);
                } else {
                    prop_assert!(before <= reserve);
                }
            }
            prop_assert!(fullest_window(&granted, per) <= permits as usize);
        }

        /// Exact in the other direction too: it refuses only what would break the bound, and its wait is the
        /// shortest.
        #[test]
        fn a_refusal_is_needed_and_its_wait_is_enough(
            permits in 1_u32..6, per in 1_u64..60, steps in proptest::collection::vec(0_u64..20, 1..200),
        ) {
            let mut limiter = limiter(permits, per);
            let (mut now, mut granted) = (0, Vec::new());
            for step in steps {
                now += step;
                let before = limiter.available(at(now));
                match limiter.try_acquire(at(now)) {
                    Acquire::Granted => {
                        granted.push(now);
                        prop_assert!(before > 0);
                    }
                    Acquire::WaitUntil(then) => {
                        prop_assert_eq!(before, 0);
                        let mut forced = granted.clone();
                        forced.push(now);
                        prop_assert!(fullest_window(&forced, per) > permits as usize);
                        let just_before = then.saturating_sub(Duration::from_micros(1));
                        prop_assert!(limiter.clone().try_acquire(just_before) != Acquire::Granted);
                        prop_assert_eq!(limiter.clone().try_acquire(then), Acquire::Granted);
                    }
                }
            }
        }
    }
}
