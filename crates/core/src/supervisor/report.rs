//! What a shutdown could not finish.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How the tasks ended when they were asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How long the tasks were given.
    pub deadline: Duration,
    /// How long it took.
    pub took: Duration,
    /// How many ended well in time.
    pub finished: usize,
    /// Those that failed on the way out: what they had in hand may be lost.
    pub failed: Vec<FailedTask>,
    /// Those that did not end in time and were aborted.
    pub unfinished: Vec<UnfinishedTask>,
}

/// A task that failed after it was asked to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedTask {
    /// Its name.
    pub name: Arc<str>,
    /// The error or panic.
    pub error: String,
}

/// A task that did not end in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedTask {
    /// Its name.
    pub name: Arc<str>,
    /// `false`: it was aborted and is gone. `true`: it does not even yield to an abort, and holds a thread of the runtime.
    pub stuck: bool,
}

impl ShutdownReport {
    /// Whether every task ended well in time.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.unfinished.is_empty()
    }

    /// `Ok` if every task ended well in time, else an error that names those that did not.
    pub fn into_result(self) -> Result<(), ShutdownError> {
        if self.is_clean() { Ok(()) } else { Err(ShutdownError { report: self }) }
    }
}

/// Some tasks did not end well when they were asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownError {
    /// All about it.
    pub report: ShutdownReport,
}

impl std::error::Error for ShutdownError {}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShutdownReport { deadline, finished, failed, unfinished, .. } = &self.report;
        let all = finished + failed.len() + unfinished.len();
        let mut between = "";
        if !unfinished.is_empty() {
            write!(f, "{} of {all} tasks did not end within {deadline:?}", unfinished.len())?;
            let mut mark = ":";
            for task in unfinished {
                let how = if task.stuck { "stuck" } else { "aborted" };
                write!(f, "{mark} {} ({how})", task.name)?;
                mark = ",";
            }
            between = "; ";
        }
        if !failed.is_empty() {
            write!(f, "{between}{} of {all} tasks failed on the way out", failed.len())?;
            let mut mark = ":";
            for task in failed {
                write!(f, "{mark} {} ({})", task.name, task.error)?;
                mark = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_every_task_that_did_not_end_well() {
        let report = ShutdownReport {
            deadline: Duration::from_secs(10),
            took: Duration::from_secs(10),
            finished: 3,
            failed: vec![FailedTask { name: "store writer".into(), error: "disk is full".to_owned() }],
            unfinished: vec![
                UnfinishedTask { name: "courier".into(), stuck: false },
                UnfinishedTask { name: "sampler".into(), stuck: true },
            ],
        };
        assert_eq!(
            report.into_result().unwrap_err().to_string(),
            "2 of 6 tasks did not end within 10s: courier (aborted), sampler (stuck); \
             1 of 6 tasks failed on the way out: store writer (disk is full)"
        );
    }
}
