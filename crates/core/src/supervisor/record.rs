//! One task: what it does, what happened to it, how to reach it.
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{StopSource, TaskEnd, TaskState, TaskStatus};
use crate::{Labels, Monotonic};

/// What went wrong with a task so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Incidents {
    pub(super) restarts: u64,
    pub(super) panics: u64,
    pub(super) errors: u64,
}

/// One task on the roster.
pub(super) struct Record {
    pub(super) name: Arc<str>,
    pub(super) labels: Labels,
    /// A task that may be started again, as opposed to a job.
    pub(super) service: bool,
    pub(super) state: TaskState,
    pub(super) since: DateTime<Utc>,
    pub(super) since_monotonic: Monotonic,
    pub(super) next_try: Option<Monotonic>,
    pub(super) healthy_after: Option<Duration>,
    pub(super) in_a_row: u32,
    pub(super) incidents: Incidents,
    pub(super) last_error: Option<String>,
    pub(super) gave_up: Option<String>,
    pub(super) stop: StopSource,
    pub(super) end: watch::Sender<Option<TaskEnd>>,
    pub(super) abort: Option<AbortHandle>,
}

impl Record {
    pub(super) fn turns(&mut self, state: TaskState, now: Now) {
        self.state = state;
        self.since = now.wall;
        self.since_monotonic = now.monotonic;
        self.next_try = None;
    }

    pub(super) fn shown_state(&self) -> TaskState {
        if !self.state.is_ended() && self.stop.is_stopped() { TaskState::Stopping } else { self.state }
    }

    pub(super) fn status(&self, Now { wall, monotonic: now }: Now) -> TaskStatus {
        let state = self.shown_state();
        let forgiven = self.state == TaskState::Running
            && self
                .healthy_after
                .is_some_and(|healthy| now.saturating_since(self.since_monotonic) >= healthy);
        let next_try = self.next_try.filter(|_| state == TaskState::Restarting);
        TaskStatus {
            name: Arc::clone(&self.name),
            state,
            since: self.since,
            restarts: self.incidents.restarts,
            panics: self.incidents.panics,
            errors: self.incidents.errors,
            unforgiven: if forgiven { 0 } else { self.in_a_row },
            last_error: self.last_error.clone(),
            gave_up: self.gave_up.clone(),
            next_try: next_try
                .and_then(|at| wall.checked_add_signed(TimeDelta::from_std(at.saturating_since(now)).ok()?)),
        }
    }
}

/// Both times of the clock, read before the lock is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) wall: DateTime<Utc>,
    pub(super) monotonic: Monotonic,
}
