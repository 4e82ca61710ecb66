//! How long to wait before each retry.
use std::num::NonZeroU32;
use std::time::Duration;

use super::Retry;
use crate::Monotonic;

/// Why a schedule cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryScheduleError {
    /// A first delay of nothing retries in a tight loop.
    #[error("the first delay is zero; expected a length above zero")]
    ZeroFirst,
    /// A factor below one would try faster and faster.
    #[error("factor {factor} is not a finite number of 1 or more")]
    Factor {
        /// What was asked for.
        factor: f64,
    },
    /// The cap lies below the first delay.
    #[error("cap {cap:?} is below the first delay {first:?}")]
    CapBelowFirst {
        /// The cap asked for.
        cap: Duration,
        /// The first delay asked for.
        first: Duration,
    },
    /// Jitter outside `[0, 1)`.
    #[error("jitter {jitter} is outside [0, 1)")]
    Jitter {
        /// What was asked for.
        jitter: f64,
    },
    /// A budget of no time allows no retry; say `max_attempts(1)` instead.
    #[error("the budget is zero; expected a length above zero, or no budget")]
    ZeroBudget,
}

/// Exponential backoff with jitter, a cap, and two ways to be enough: attempts made, time spent.
///
/// The nominal delay before retry n (from 1) is `first * factor^(n - 1)`. The delay is spread evenly over
/// `nominal * (1 ± jitter)`. No delay exceeds the cap, and delays at the cap are spread as well: the nominal
/// one stops growing at `cap / (1 + jitter)`, since cutting spread delays at the cap would send half of a
/// crowd at the same moment.
///
/// Default: first 0.5 s, factor 2, jitter 0.5, cap 60 s, so the first retry comes after 0.25 to 0.75 s; no
/// limit of attempts or time; a server's Retry-After is honoured up to one hour.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Monotonic, resilience::{Next, RetrySchedule}};
///
/// let schedule = RetrySchedule::builder().jitter(0.0).budget(Duration::from_secs(600)).build()?;
/// assert_eq!(schedule.delay(3, 0.5), Duration::from_secs(2)); // 0.5 s, 1 s, 2 s ...
///
/// let start = Monotonic::ORIGIN;
/// let mut retry = schedule.begin(start);
/// assert_eq!(retry.after_failure(start, 0.5, None), Next::RetryAt(start.saturating_add(Duration::from_millis(500))));
/// # Ok::<(), bellwether_core::resilience::RetryScheduleError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrySchedule {
    first: Duration,
    factor: f64,
    cap: Duration,
    jitter: f64,
    max_attempts: Option<NonZeroU32>,
    budget: Option<Duration>,
    retry_after_cap: Duration,
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            factor: 2.0,
            cap: Duration::from_mins(1),
            jitter: 0.5,
            max_attempts: None,
            budget: None,
            retry_after_cap: Duration::from_hours(1),
        }
    }
}

impl RetrySchedule {
    /// Begins with the default and changes what is said.
    pub fn builder() -> RetryScheduleBuilder {
        RetryScheduleBuilder { schedule: Self::default() }
    }

    /// The delay before retry number `retry`, counted from 1; `fraction` in `[0, 1)` says where in its
    /// spread, 0.5 being the middle.
    ///
    /// A fraction outside is brought to the nearest end, one that is no number to the middle.
    pub fn delay(&self, retry: u32, fraction: f64) -> Duration {
        let fraction = if fraction.is_nan() { 0.5 } else { fraction.clamp(0.0, 1.0) };
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let highest = self.cap.as_secs_f64() / (1.0 + self.jitter);
        let nominal = (self.first.as_secs_f64() * self.factor.powi(exponent)).min(highest);
        let spread = 1.0 - self.jitter + 2.0 * self.jitter * fraction;
        Duration::try_from_secs_f64(nominal * spread).unwrap_or(self.cap).min(self.cap)
    }

    /// The shortest delay there is: the one before the first retry, at the near end of its spread.
    pub fn shortest(&self) -> Duration {
        self.delay(1, 0.0)
    }

    /// The state of one piece of work whose first attempt begins now.
    pub fn begin(&self, now: Monotonic) -> Retry {
        self.resume(now, 0, Duration::ZERO)
    }

    /// The state of work that has failed `failures` times over `spent` before, as read back after a restart
    /// of the process.
    pub fn resume(&self, now: Monotonic, failures: u32, spent: Duration) -> Retry {
        Retry::resumed(*self, now, failures, spent)
    }

    /// How many attempts there may be in all, the first included.
    pub fn max_attempts(&self) -> Option<NonZeroU32> {
        self.max_attempts
    }

    /// How long the attempts may take in all.
    pub fn budget(&self) -> Option<Duration> {
        self.budget
    }

    /// The longest delay of the schedule's own.
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// The longest Retry-After that is honoured in full.
    pub fn retry_after_cap(&self) -> Duration {
        self.retry_after_cap
    }
}

/// Makes a [`RetrySchedule`], checked as a whole by [`build`](Self::build).
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is checked before `build`"]
pub struct RetryScheduleBuilder {
    schedule: RetrySchedule,
}

impl RetryScheduleBuilder {
    /// The nominal delay before the first retry; above zero.
    pub fn first(mut self, first: Duration) -> Self {
        self.schedule.first = first;
        self
    }

    /// What each nominal delay is multiplied by to give the next; 1 or more.
    pub fn factor(mut self, factor: f64) -> Self {
        self.schedule.factor = factor;
        self
    }

    /// The longest delay; not below the first.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.schedule.cap = cap;
        self
    }

    /// How far a delay may be from its nominal one, as a fraction of it, in `[0, 1)`.
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.schedule.jitter = jitter;
        self
    }

    /// How many attempts there may be in all, the first included.
    pub fn max_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.schedule.max_attempts = Some(attempts);
        self
    }

    /// How long after the start of the first attempt the last one may begin; above zero.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.schedule.budget = Some(budget);
        self
    }

    /// The longest Retry-After that is honoured in full; a longer one is cut to this. Default one hour.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.schedule.retry_after_cap = cap;
        self
    }

    /// The schedule, or what is wrong with it.
    pub fn build(self) -> Result<RetrySchedule, RetryScheduleError> {
        let RetrySchedule { first, factor, cap, jitter, budget, .. } = self.schedule;
        if first.is_zero() {
            return Err(RetryScheduleError::ZeroFirst);
        }
        if !(factor.is_finite() && factor >= 1.0) {
            return Err(RetryScheduleError::Factor { factor });
        }
        if cap < first {
            return Err(RetryScheduleError::CapBelowFirst { cap, first });
        }
        if !(0.0..1.0).contains(&jitter) {
            return Err(RetryScheduleError::Jitter { jitter });
        }
        if budget.is_some_and(|budget| budget.is_zero()) {
            return Err(RetryScheduleError::ZeroBudget);
        }
        Ok(self.schedule)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_first_retry_comes_after_a_quarter_to_three_quarters_of_a_second() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.delay(1, 0.0), Duration::from_millis(250));
        assert_eq!(schedule.delay(1, 0.5), Duration::from_millis(500));
        let longest = schedule.delay(1, 0.999_999_999);
        assert!(longest > Duration::from_millis(749) && longest < Duration::from_millis(750), "{longest:?}");
    }

    #[test]
    fn delays_at_the_cap_are_still_spread() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.delay(40, 0.0), Duration::from_secs(20));
        assert_eq!(schedule.delay(40, 0.5), Duration::from_secs(40));
        assert!(schedule.delay(40, 0.9) < Duration::from_mins(1));
    }

    #[test]
    fn each_wrong_setting_is_refused_with_its_value() {
        let second = Duration::from_secs(1);
        let build = |change: fn(RetryScheduleBuilder) -> RetryScheduleBuilder| {
            change(RetrySchedule::builder()).build()
        };
        assert_eq!(build(|b| b.first(Duration::ZERO)), Err(RetryScheduleError::ZeroFirst));
        assert_eq!(build(|b| b.factor(0.5)), Err(RetryScheduleError::Factor { factor: 0.5 }));
        assert!(matches!(build(|b| b.factor(f64::NAN)), Err(RetryScheduleError::Factor { .. })));
        assert!(matches!(build(|b| b.factor(f64::INFINITY)), Err(RetryScheduleError::Factor { .. })));
        assert_eq!(build(|b| b.jitter(1.0)), Err(RetryScheduleError::Jitter { jitter: 1.0 }));
        assert_eq!(build(|b| b.jitter(-0.1)), Err(RetryScheduleError::Jitter { jitter: -0.1 }));
        assert_eq!(build(|b| b.budget(Duration::ZERO)), Err(RetryScheduleError::ZeroBudget));
        let low_cap = RetrySchedule::builder().first(second).cap(second / 2).build().unwrap_err();
        assert_eq!(low_cap.to_string(), "cap 500ms is below the first delay 1s");
    }

    fn any_schedule() -> impl Strategy<Value = RetrySchedule> {
        (1_u64..5_000, 1.0_f64..3.0, 1_u64..50, 0.0_f64..0.999).prop_map(|(first, factor, times, jitter)| {
            let first = Duration::from_millis(first);
            let cap = first * times as u32;
            RetrySchedule::builder().first(first).factor(factor).cap(cap).jitter(jitter).build().unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_delay_exceeds_the_cap(schedule in any_schedule(), retry in any::<u32>(), fraction in any::<f64>()) {
            prop_assert!(schedule.delay(retry, fraction) <= schedule.cap());
        }

        #[test]
        fn no_delay_is_zero(schedule in any_schedule(), retry in 0_u32..200, fraction in 0.0_f64..1.0) {
            prop_assert!(schedule.delay(retry, fraction) > Duration::ZERO);
        }

        #[test]
        fn delays_never_shrink_from_one_retry_to_the_next(schedule in any_schedule(), retry in 1_u32..500, fraction in 0.0_f64..1.0) {
            prop_assert!(schedule.delay(retry, fraction) <= schedule.delay(retry + 1, fraction));
        }

        #[test]
        fn a_larger_fraction_never_means_a_shorter_delay(
            schedule in any_schedule(), retry in 1_u32..60, one in 0.0_f64..1.0, other in 0.0_f64..1.0,
        ) {
            let (low, high) = if one < other { (one, other) } else { (other, one) };
            prop_assert!(schedule.delay(retry, low) <= schedule.delay(retry, high));
        }

        #[test]
        fn the_middle_delay_grows_by_the_factor_until_its_spread_reaches_the_cap(
            schedule in any_schedule(), retry in 1_u32..30,
        ) {
            let (this, next) = (schedule.delay(retry, 0.5).as_secs_f64(), schedule.delay(retry + 1, 0.5).as_secs_f64());
            let highest = schedule.cap.as_secs_f64() / (1.0 + schedule.jitter);
            let grown = (this * schedule.factor).min(highest);
            prop_assert!((next - grown).abs() < 1e-6, "{this} then {next}, not {grown}");
        }
    }
}
