//! How often something may be started again.
use std::collections::VecDeque;
use std::time::Duration;

use crate::Monotonic;

/// The most restarts a budget may allow in one window: its memory is 16 bytes for each.
pub const MAX_RESTARTS: u32 = 4_096;

/// Why a budget cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartBudgetError {
    /// More restarts than the budget is willing to remember.
    #[error("{restarts} restarts in a window are more than the {MAX_RESTARTS} that a budget keeps")]
    TooMany {
        /// What was asked for.
        restarts: u32,
    },
    /// A length that must not be zero is.
    #[error("{which} is zero; expected a length above zero")]
    Zero {
        /// `the window` or `the healthy time`.
        which: &'static str,
    },
}

/// What a [`RestartBudget`] says about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the verdict says whether to start again"]
pub enum Verdict {
    /// Start again; the restart is counted.
    Restart {
        /// How many failures came in a row, this one included; 1 right after a healthy time. The number for a
        /// [`RetrySchedule`](super::RetrySchedule).
        in_a_row: u32,
    },
    /// The window has had all its restarts.
    Exhausted,
}

/// At most N restarts in any window, and everything forgiven after a healthy time.
///
/// Default: 20 restarts in any hour, forgiven after 5 minutes.
///
/// The window stops a crash loop; the forgiveness lets something that fails once a week run for years, with
/// its backoff starting from the shortest delay each time.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Monotonic, resilience::{RestartBudget, Verdict}};
///
/// let minute = Duration::from_secs(60);
/// let mut budget = RestartBudget::new(1, 10 * minute, 5 * minute)?;
/// let start = Monotonic::ORIGIN;
/// assert_eq!(budget.failed(start, start), Verdict::Restart { in_a_row: 1 });
/// assert_eq!(budget.clone().failed(start, start), Verdict::Exhausted);
/// // After five good minutes the first failure is forgotten.
/// assert_eq!(budget.failed(start, start.saturating_add(5 * minute)), Verdict::Restart { in_a_row: 1 });
/// # Ok::<(), bellwether_core::resilience::RestartBudgetError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RestartBudget {
    /// `None`: as many as it takes.
    restarts: Option<u32>,
    window: Duration,
    healthy_after: Duration,
    /// The restarts inside the window, oldest first, `restarts` at most.
    spent: VecDeque<Monotonic>,
    in_a_row: u32,
}

impl Default for RestartBudget {
    fn default() -> Self {
        Self {
            restarts: Some(20),
            window: Duration::from_hours(1),
            healthy_after: Duration::from_mins(5),
            spent: VecDeque::new(),
            in_a_row: 0,
        }
    }
}

impl RestartBudget {
    /// `restarts` within any `window` (0 allows none), forgiven once a run has lasted `healthy_after` without failing.
    pub fn new(restarts: u32, window: Duration, healthy_after: Duration) -> Result<Self, RestartBudgetError> {
        if restarts > MAX_RESTARTS {
            return Err(RestartBudgetError::TooMany { restarts });
        }
        if window.is_zero() {
            return Err(RestartBudgetError::Zero { which: "the window" });
        }
        if healthy_after.is_zero() {
            return Err(RestartBudgetError::Zero { which: "the healthy time" });
        }
        Ok(Self { restarts: Some(restarts), window, healthy_after, spent: VecDeque::new(), in_a_row: 0 })
    }

    /// No limit of restarts; only the row of failures is counted, until a run has lasted `healthy_after`.
    pub const fn unlimited(healthy_after: Duration) -> Self {
        Self { restarts: None, window: Duration::MAX, healthy_after, spent: VecDeque::new(), in_a_row: 0 }
    }

    /// A run that began at `started` has failed at `now`.
    pub fn failed(&mut self, started: Monotonic, now: Monotonic) -> Verdict {
        if self.is_healthy(started, now) {
            self.forgive();
        }
        if let Some(restarts) = self.restarts {
            while self.spent.front().is_some_and(|spent| now.saturating_since(*spent) >= self.window) {
                self.spent.pop_front();
            }
            if self.spent.len() >= restarts as usize {
                return Verdict::Exhausted;
            }
            self.spent.push_back(self.spent.back().map_or(now, |last| (*last).max(now)));
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        Verdict::Restart { in_a_row: self.in_a_row }
    }

    /// Whether a run from `started` to `now` is long enough for what came before to be forgiven.
    pub fn is_healthy(&self, started: Monotonic, now: Monotonic) -> bool {
        now.saturating_since(started) >= self.healthy_after
    }

    /// Forgets all failures.
    pub fn forgive(&mut self) {
        self.spent.clear();
        self.in_a_row = 0;
    }

    /// Restarts since the last healthy time.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// How many restarts a window allows; `None` if there is no limit.
    pub fn restarts(&self) -> Option<u32> {
        self.restarts
    }

    /// The window in which restarts are counted.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How long a run must last to be called healthy.
    pub fn healthy_after(&self) -> Duration {
        self.healthy_after
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::after_origin(Duration::from_secs(seconds))
    }

    fn budget(restarts: u32, window: u64, healthy: u64) -> RestartBudget {
        RestartBudget::new(restarts, Duration::from_secs(window), Duration::from_secs(healthy)).unwrap()
    }

    #[test]
    fn a_budget_of_none_is_exhausted_by_the_first_failure() {
        assert_eq!(budget(0, 60, 60).failed(at(0), at(1)), Verdict::Exhausted);
    }

    #[test]
    fn a_budget_without_limit_still_counts_the_row() {
        let mut budget = RestartBudget::unlimited(Duration::from_secs(50));
        for n in 1..10_000 {
            assert_eq!(budget.failed(at(0), at(0)), Verdict::Restart { in_a_row: n });
        }
        assert_eq!(budget.failed(at(0), at(50)), Verdict::Restart { in_a_row: 1 });
        assert!(budget.spent.is_empty());
    }

    #[test]
    fn lengths_of_zero_and_huge_counts_are_refused() {
        let second = Duration::from_secs(1);
        assert!(matches!(
            RestartBudget::new(1, Duration::ZERO, second),
            Err(RestartBudgetError::Zero { .. })
        ));
        assert!(matches!(
            RestartBudget::new(1, second, Duration::ZERO),
            Err(RestartBudgetError::Zero { .. })
        ));
        let error = RestartBudget::new(5_000, second, second).unwrap_err();
        assert_eq!(error, RestartBudgetError::TooMany { restarts: 5_000 });
    }

    #[test]
    fn restarts_outside_the_window_no_longer_count_but_the_row_goes_on() {
        let mut budget = budget(2, 100, 1_000);
        assert_eq!(budget.failed(at(0), at(0)), Verdict::Restart { in_a_row: 1 });
        assert_eq!(budget.failed(at(1), at(60)), Verdict::Restart { in_a_row: 2 });
        assert_eq!(budget.failed(at(61), at(99)), Verdict::Exhausted);
        assert_eq!(budget.failed(at(61), at(100)), Verdict::Restart { in_a_row: 3 });
    }

    #[test]
    fn a_healthy_run_forgives_both_the_window_and_the_row() {
        let mut budget = budget(2, 10_000, 50);
        let _ = budget.failed(at(0), at(1));
        let _ = budget.failed(at(1), at(2));
        assert_eq!(budget.clone().failed(at(2), at(51)), Verdict::Exhausted);
        assert_eq!(budget.failed(at(2), at(52)), Verdict::Restart { in_a_row: 1 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_window_without_a_healthy_run_sees_more_restarts_than_allowed(
            restarts in 0_u32..6, window in 1_u64..100, healthy in 1_u64..60,
            runs in proptest::collection::vec((0_u64..10, 0_u64..80), 1..120),
        ) {
            let mut budget = budget(restarts, window, healthy);
            // Restarts since the last healthy run.
            let (mut now, mut allowed) = (0_u64, Vec::new());
            for (pause, length) in runs {
                let started = now + pause;
                now = started + length;
                if length >= healthy {
                    allowed.clear();
                }
                let in_window = allowed.iter().filter(|&&at| now - at < window).count();
                match budget.failed(at(started), at(now)) {
                    Verdict::Restart { in_a_row } => {
                        prop_assert!(in_window < restarts as usize);
                        allowed.push(now);
                        prop_assert_eq!(in_a_row as usize, allowed.len());
                    }
                    Verdict::Exhausted => prop_assert_eq!(in_window, restarts as usize),
                }
                prop_assert!(budget.spent.len() <= restarts as usize);
            }
        }
    }
}
