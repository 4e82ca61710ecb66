//! What a task is doing, for people and health checks.
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum TaskState {
    /// It runs.
    Running,
    /// It has been asked to stop and has not ended yet.
    Stopping,
    /// It has failed and waits to be started again.
    Restarting,
    /// It is done.
    Finished,
    /// It has failed and will not be started again.
    Failed,
    /// It was cut off before it ended: by an abort, or with its runtime.
    Aborted,
}

impl TaskState {
    /// The word for it, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Restarting => "restarting",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the task has ended for good.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Aborted)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskEnd {
    /// It was done, or stopped when asked to.
    Finished,
    /// It failed and was not started again.
    Failed {
        /// Why, with the last error.
        reason: String,
    },
    /// It was cut off before it ended.
    Aborted,
}

impl TaskEnd {
    pub(super) fn state(&self) -> TaskState {
        match self {
            Self::Finished => TaskState::Finished,
            Self::Failed { .. } => TaskState::Failed,
            Self::Aborted => TaskState::Aborted,
        }
    }
}

/// One task, as it stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TaskStatus {
    /// Its name; unique among tasks that may be restarted.
    #[cfg_attr(feature = "serde", serde(serialize_with = "name_as_text"))]
    pub name: Arc<str>,
    /// What it is doing.
    pub state: TaskState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was started again.
    pub restarts: u64,
    /// How often it panicked.
    pub panics: u64,
    /// How often it returned an error.
    pub errors: u64,
    /// Failures in a row that no healthy time has forgiven yet. Above zero for a task that runs: it has not
    /// proved itself again.
    pub unforgiven: u32,
    /// The error or panic of its last failure.
    pub last_error: Option<String>,
    /// Why it will not be started again, if it failed.
    pub gave_up: Option<String>,
    /// When it will be started again, if it waits for that.
    pub next_try: Option<DateTime<Utc>>,
}

#[cfg(feature = "serde")]
fn name_as_text<S: serde::Serializer>(name: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}
