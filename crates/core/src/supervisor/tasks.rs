//! Starting tasks, and handles on those that were started.
use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Instrument;

use super::keeper;
use super::own_metrics::Figures;
use super::roster::Roster;
use super::{RestartPolicy, Stop, StopSource, TaskEnd, TaskOutput, TaskStatus};
use crate::{Collect, CollectError, Descriptor, SampleSink};

/// Longest name of a task, in bytes.
pub const MAX_TASK_NAME_LEN: usize = 128;

/// Why a task was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The call was not made on a tokio runtime.
    #[error(
        "task {name:?} was not started: no tokio runtime here; call from async code, or inside `Runtime::enter`"
    )]
    NoRuntime {
        /// The task's name.
        name: String,
    },
    /// The supervisor has been shut down or dropped.
    #[error("task {name:?} was not started: its supervisor is shut down")]
    ShutDown {
        /// The task's name.
        name: String,
    },
    /// There are as many tasks as there may be.
    #[error("task {name:?} was not started: there are {most} tasks already, the most this supervisor takes")]
    TooMany {
        /// The task's name.
        name: String,
        /// How many there may be.
        most: usize,
    },
    /// The name is empty, too long or not printable.
    #[error("task name {name:?} is not 1 to {MAX_TASK_NAME_LEN} bytes of printable text")]
    Name {
        /// The offending name, cut to the length allowed.
        name: String,
    },
}

/// A handle on the tasks of a [`Supervisor`](super::Supervisor): starts some, and reads about all. Cloned
/// freely; owns nothing.
///
/// Once the supervisor is shut down or gone, it starts nothing more and says so.
#[derive(Clone)]
pub struct Tasks {
    roster: Arc<Roster>,
    figures: Arc<Figures>,
}

impl Tasks {
    pub(super) fn new(roster: Arc<Roster>) -> Self {
        Self { roster, figures: Arc::new(Figures::new()) }
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Starts a task for the life of the host. `factory` makes its future, and makes it anew after each
    /// failure that
    /// `policy` lets pass; it gets a [`Stop`] to heed. The task is over when the future returns `()` or `Ok`.
    ///
    /// A name that a living task bears already gets a number: `courier`, `courier#2`. The handle's
    /// [`name`](Task::name) tells.
    pub fn spawn<F, Fut>(&self, name: &str, policy: RestartPolicy, factory: F) -> Result<Task, SpawnError>
    where
        F: FnMut(Stop) -> Fut + Send + 'static,
        Fut: Future<Output: TaskOutput> + Send + 'static,
    {
        let runtime = self.runtime(name)?;
        let (watched, task) = Roster::enlist(&self.roster, name, Some(&policy))?;
        let stop = task.stop.token();
        Ok(self.start(&runtime, task, keeper::keep(factory, policy, stop, watched)))
    }

    /// Starts a piece of work that runs once: an error or a panic is its end. For work that must not be cut
    /// off by whoever waits for it, or that outlives the call that asked for it.
    ///
    /// Names need not be unique. One that ends well leaves no trace in [`statuses`](Self::statuses).
    pub fn spawn_once<F, Fut>(&self, name: &str, job: F) -> Result<Task, SpawnError>
    where
        F: FnOnce(Stop) -> Fut + Send + 'static,
        Fut: Future<Output: TaskOutput> + Send + 'static,
    {
        let runtime = self.runtime(name)?;
        let (watched, task) = Roster::enlist(&self.roster, name, None)?;
        let stop = task.stop.token();
        Ok(self.start(&runtime, task, keeper::keep_once(job, stop, watched)))
    }

    /// Every task that is alive, in the order of start; then those that ended, the latest last: up to 64,
    /// without jobs that ended well.
    pub fn statuses(&self) -> Vec<TaskStatus> {
        self.roster.statuses()
    }

    fn runtime(&self, name: &str) -> Result<Handle, SpawnError> {
        Handle::try_current().map_err(|_| {
            self.roster.refuse();
            SpawnError::NoRuntime { name: super::output::bounded(name.to_owned()) }
        })
    }

    #[allow(clippy::disallowed_methods, reason = "the one place that starts tasks")]
    fn start(
        &self,
        runtime: &Handle,
        enlisted: Enlisted,
        keeper: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        let Enlisted { id, name, stop, end } = enlisted;
        let span = tracing::info_span!("task", name = &*name);
        // Not under the roster's lock: a runtime that is going down drops the future at once, which takes
        // that lock.
        let abort = runtime.spawn(keeper.instrument(span)).abort_handle();
        self.roster.started(id, &abort);
        Task { name, stop, end, abort }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.statuses().iter().map(|task| (task.name.clone(), task.state))).finish()
    }
}

impl Collect for Tasks {
    fn descriptors(&self) -> &[Descriptor] {
        self.figures.descriptors()
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        self.figures.tell(&self.roster.census(), out)
    }
}

/// A task on the roster that has not been started yet.
pub(super) struct Enlisted {
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    pub(super) stop: StopSource,
    pub(super) end: watch::Receiver<Option<TaskEnd>>,
}

/// A handle on one task. Dropping it changes nothing: the supervisor owns the task.
#[derive(Debug, Clone)]
pub struct Task {
    name: Arc<str>,
    stop: StopSource,
    end: watch::Receiver<Option<TaskEnd>>,
    abort: AbortHandle,
}

impl Task {
    /// The name it is known by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks this task alone to stop. It is not started again.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Ends this task at its next await, whatever it is doing. [`stop`](Self::stop) is kinder.
    pub fn abort(&self) {
        self.abort.abort();
    }

    /// Whether it has ended for good.
    pub fn is_ended(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Waits for its end, restarts included. Cancel-safe.
    pub async fn ended(&self) -> TaskEnd {
        let mut end = self.end.clone();
        // The roster tells the end of every task before it lets go of it, so the channel never closes in
        // silence.
        match end.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(end)) => end.clone(),
            Ok(None) | Err(_) => TaskEnd::Aborted,
        }
    }
}
