//! One piece of work that is tried until it succeeds or it is enough.
use std::time::Duration;

use super::RetrySchedule;
use crate::Monotonic;

/// Why there will be no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GiveUp {
    /// All attempts have been made.
    #[error("gave up after {made} attempts")]
    Attempts {
        /// How many attempts were made.
        made: u32,
    },
    /// The time is used up, or the next attempt allowed lies beyond it.
    #[error("gave up after {made} attempts: the next would begin beyond the budget of {budget:?}")]
    Budget {
        /// How many attempts were made.
        made: u32,
        /// How long they were allowed to take.
        budget: Duration,
    },
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the answer says when to try again, if at all"]
pub enum Next {
    /// Try again at this instant.
    RetryAt(Monotonic),
    /// It is enough.
    GiveUp(GiveUp),
}

/// The attempts of one piece of work under a [`RetrySchedule`].
///
/// Permanent errors are not its business: a caller that knows a retry to be in vain does not ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    schedule: RetrySchedule,
    begun: Monotonic,
    spent_before: Duration,
    failures: u32,
}

impl Retry {
    pub(super) fn resumed(schedule: RetrySchedule, now: Monotonic, failures: u32, spent: Duration) -> Self {
        Self { schedule, begun: now, spent_before: spent, failures }
    }

    /// An attempt has failed at `now`. `fraction` in `[0, 1)` spreads the delay; `retry_after` is what the
    /// other side asked for, if it did: the retry is then never earlier (up to the schedule's
    /// `retry_after_cap`).
    ///
    /// A retry that would begin beyond the budget is brought forward to its very end, so that a message gets
    /// its last chance, unless that breaks the `retry_after` or leaves less than the schedule's shortest
    /// delay.
    pub fn after_failure(&mut self, now: Monotonic, fraction: f64, retry_after: Option<Duration>) -> Next {
        self.failures = self.failures.saturating_add(1);
        let made = self.failures;
        if self.schedule.max_attempts().is_some_and(|most| made >= most.get()) {
            return Next::GiveUp(GiveUp::Attempts { made });
        }
        let asked = retry_after.unwrap_or(Duration::ZERO).min(self.schedule.retry_after_cap());
        let delay = self.schedule.delay(made, fraction).max(asked);
        let Some(budget) = self.schedule.budget() else { return Next::RetryAt(now.saturating_add(delay)) };
        let left = budget.saturating_sub(self.spent(now));
        if delay <= left {
            Next::RetryAt(now.saturating_add(delay))
        } else if left >= asked.max(self.schedule.shortest()) {
            Next::RetryAt(now.saturating_add(left))
        } else {
            Next::GiveUp(GiveUp::Budget { made, budget })
        }
    }

    /// How many attempts have failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How much time has gone by since the first attempt began, that before a
    /// [`resume`](RetrySchedule::resume) included.
    pub fn spent(&self, now: Monotonic) -> Duration {
        self.spent_before.saturating_add(now.saturating_since(self.begun))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Monotonic {
        Monotonic::after_origin(Duration::from_millis(millis))
    }

    #[test]
    fn attempts_are_counted_with_the_first() {
        let schedule = RetrySchedule::builder().max_attempts(NonZeroU32::new(3).unwrap()).build().unwrap();
        let mut retry = schedule.begin(at(0));
        assert!(matches!(retry.after_failure(at(0), 0.5, None), Next::RetryAt(_)));
        assert!(matches!(retry.after_failure(at(0), 0.5, None), Next::RetryAt(_)));
        assert_eq!(retry.after_failure(at(0), 0.5, None), Next::GiveUp(GiveUp::Attempts { made: 3 }));
    }

    #[test]
    fn a_server_that_asks_for_longer_is_obeyed_to_the_instant() {
        let mut retry = RetrySchedule::default().begin(at(0));
        assert_eq!(retry.after_failure(at(100), 0.0, Some(30 * SECOND)), Next::RetryAt(at(30_100)));
    }

    #[test]
    fn a_server_that_asks_for_less_does_not_shorten_the_backoff() {
        let mut retry = RetrySchedule::default().begin(at(0));
        assert_eq!(retry.after_failure(at(0), 0.5, Some(Duration::from_millis(1))), Next::RetryAt(at(500)));
    }

    #[test]
    fn a_server_that_asks_for_ten_years_is_cut_to_the_cap() {
        let mut retry = RetrySchedule::default().begin(at(0));
        assert_eq!(retry.after_failure(at(0), 0.5, Some(315_360_000 * SECOND)), Next::RetryAt(at(3_600_000)));
    }

    #[test]
    fn the_last_attempt_is_at_the_end_of_the_budget() {
        let schedule =
            RetrySchedule::builder().first(10 * SECOND).jitter(0.0).budget(25 * SECOND).build().unwrap();
        let mut retry = schedule.begin(at(0));
        assert_eq!(retry.after_failure(at(0), 0.5, None), Next::RetryAt(at(10_000)));
        assert_eq!(retry.after_failure(at(10_000), 0.5, None), Next::RetryAt(at(25_000)));
        let enough = Next::GiveUp(GiveUp::Budget { made: 3, budget: 25 * SECOND });
        assert_eq!(retry.after_failure(at(25_000), 0.5, None), enough);
    }

    #[test]
    fn a_retry_after_beyond_the_budget_is_enough() {
        let schedule = RetrySchedule::builder().budget(20 * SECOND).build().unwrap();
        let enough = Next::GiveUp(GiveUp::Budget { made: 1, budget: 20 * SECOND });
        assert_eq!(schedule.begin(at(0)).after_failure(at(0), 0.5, Some(21 * SECOND)), enough);
    }

    #[test]
    fn a_resumed_retry_goes_on_where_it_was() {
        let schedule = RetrySchedule::builder().jitter(0.0).budget(100 * SECOND).build().unwrap();
        let mut retry = schedule.resume(at(0), 3, 96 * SECOND);
        assert_eq!(retry.after_failure(at(0), 0.5, None), Next::RetryAt(at(4_000)));
        assert!(matches!(
            retry.after_failure(at(4_000), 0.5, None),
            Next::GiveUp(GiveUp::Budget { made: 5, .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn retries_stay_inside_attempts_and_budget_and_obey_the_server(
            most in 1_u32..20, budget in 1_u64..120,
            failures in proptest::collection::vec((0_u64..3_000, 0.0_f64..1.0, proptest::option::of(0_u64..40)), 1..60),
        ) {
            let budget = Duration::from_secs(budget);
            let schedule =
                RetrySchedule::builder().max_attempts(NonZeroU32::new(most).unwrap()).budget(budget).build().unwrap();
            let (mut retry, mut now) = (schedule.begin(at(0)), at(0));
            for (n, (length, fraction, asked)) in failures.into_iter().enumerate() {
                let made = n as u32 + 1;
                let asked = asked.map(Duration::from_secs);
                now = now.saturating_add(Duration::from_millis(length)); // the attempt takes its time
                match retry.after_failure(now, fraction, asked) {
                    Next::RetryAt(then) => {
                        prop_assert!(made < most);
                        prop_assert!(then.since_origin() <= budget);
                        let wait = then.saturating_since(now);
                        prop_assert!(wait >= schedule.shortest());
                        prop_assert!(wait >= asked.unwrap_or(Duration::ZERO));
                        now = then;
                    }
                    Next::GiveUp(GiveUp::Attempts { made: told }) => {
                        prop_assert_eq!((told, most), (made, made));
                        return Ok(());
                    }
                    Next::GiveUp(GiveUp::Budget { made: told, .. }) => {
                        prop_assert_eq!(told, made);
                        let least = asked.unwrap_or(Duration::ZERO).max(schedule.shortest());
                        prop_assert!(now.saturating_add(least).since_origin() > budget);
                        return Ok(());
                    }
                }
            }
        }
    }
}
