//! A running task's own line on the roster.
use std::sync::Arc;

use super::keeper::Failure;
use super::roster::Roster;
use super::{TaskEnd, TaskState};
use crate::{Monotonic, SharedClock};

/// A task's own line on the roster. Dropped before [`ends`](Self::ends), it tells that the task was cut off.
pub(super) struct Watched {
    roster: Arc<Roster>,
    id: u64,
    ended: bool,
}

impl Watched {
    pub(super) fn new(roster: Arc<Roster>, id: u64) -> Self {
        Self { roster, id, ended: false }
    }

    pub(super) fn clock(&self) -> SharedClock {
        Arc::clone(self.roster.clock())
    }

    /// A fraction for the spread of a delay.
    pub(super) fn fraction(&self) -> f64 {
        self.roster.fraction()
    }

    /// A run begins.
    pub(super) fn runs(&mut self) {
        let told = self.roster.change(self.id, |record, now| {
            if record.state == TaskState::Restarting {
                record.incidents.restarts += 1;
            }
            record.turns(TaskState::Running, now);
            (Arc::clone(&record.name), record.service, record.incidents.restarts)
        });
        match told {
            Some((task, true, restarts)) => tracing::info!(task = &*task, restarts, "task runs"),
            Some((task, false, _)) => tracing::debug!(task = &*task, "job runs"),
            None => {}
        }
    }

    /// A run has failed.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.roster.change(self.id, |record, _| {
            let counter =
                if failure.panicked { &mut record.incidents.panics } else { &mut record.incidents.errors };
            *counter += 1;
            record.last_error = Some(failure.text.clone());
        });
    }

    /// It will be started again at `at`.
    pub(super) fn waits(&mut self, failure: &Failure, at: Monotonic, in_a_row: u32) {
        let told = self.roster.change(self.id, |record, now| {
            record.turns(TaskState::Restarting, now);
            record.next_try = Some(at);
            record.in_a_row = in_a_row;
            (Arc::clone(&record.name), at.saturating_since(now.monotonic))
        });
        if let Some((task, wait)) = told {
            let error = &*failure.text;
            tracing::warn!(task = &*task, error, in_a_row, next_try_in = ?wait, "task failed, will be restarted");
        }
    }

    /// It has ended for good.
    pub(super) fn ends(mut self, end: TaskEnd) {
        self.conclude(end);
    }

    fn conclude(&mut self, end: TaskEnd) {
        self.ended = true;
        let told = self.roster.change(self.id, |record, _| (Arc::clone(&record.name), record.service));
        match (told, &end) {
            (Some((task, true)), TaskEnd::Finished) => tracing::info!(task = &*task, "task finished"),
            (Some((task, false)), TaskEnd::Finished) => tracing::debug!(task = &*task, "job finished"),
            (Some((task, _)), TaskEnd::Failed { reason }) => {
                tracing::error!(task = &*task, reason = &**reason, "task failed for good");
            }
            (Some((task, _)), TaskEnd::Aborted) => tracing::warn!(task = &*task, "task was cut off"),
            (None, _) => {}
        }
        self.roster.bury(self.id, end);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended {
            let end = if std::thread::panicking() {
                TaskEnd::Failed { reason: "panicked outside of its own code".to_owned() }
            } else {
                TaskEnd::Aborted
            };
            self.conclude(end);
        }
    }
}
