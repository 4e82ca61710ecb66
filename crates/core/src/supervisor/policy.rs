//! What happens to a task that fails.
use std::time::Duration;

use crate::resilience::{RestartBudget, RetrySchedule};

/// Whether, when and how often a task that failed is started again.
///
/// Default: backoff from 0.5 s to 60 s, at most 20 restarts in any hour, all forgiven after 5 minutes without
/// a failure. A task that fails at every start is given up after about ten minutes.
#[derive(Debug, Clone)]
pub struct RestartPolicy {
    /// `None`: never.
    restart: Option<Restart>,
}

#[derive(Debug, Clone)]
pub(super) struct Restart {
    pub(super) schedule: RetrySchedule,
    pub(super) budget: RestartBudget,
}

impl RestartPolicy {
    /// Starts again after the delays of `schedule`, as often as `budget` allows. A healthy time resets both.
    /// Limits of attempts or time in the schedule hold as well, counted from the first failure in a row.
    pub fn new(schedule: RetrySchedule, budget: RestartBudget) -> Self {
        Self { restart: Some(Restart { schedule, budget }) }
    }

    /// The first failure is the last.
    pub fn never() -> Self {
        Self { restart: None }
    }

    /// Starts again for ever, with the default backoff: for what must not be given up while the host runs.
    pub fn forever() -> Self {
        let healthy_after = Duration::from_mins(5);
        Self::new(RetrySchedule::default(), RestartBudget::unlimited(healthy_after))
    }

    pub(super) fn into_restart(self) -> Option<Restart> {
        self.restart
    }

    /// How long a run must last for earlier failures to be forgiven, if the task is started again at all.
    pub(super) fn healthy_after(&self) -> Option<Duration> {
        self.restart.as_ref().map(|restart| restart.budget.healthy_after())
    }
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self::new(RetrySchedule::default(), RestartBudget::default())
    }
}
