//! The only way to start a task.
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::resilience::Jitter;
use crate::{Collect, CollectError, Descriptor, SampleSink, SharedClock};

mod keeper;
mod output;
mod own_metrics;
mod policy;
mod record;
mod report;
mod roster;
mod status;
mod stop;
mod tasks;
mod watched;

pub use self::output::TaskOutput;
pub use self::policy::RestartPolicy;
pub use self::report::{FailedTask, ShutdownError, ShutdownReport, UnfinishedTask};
pub use self::status::{TaskEnd, TaskState, TaskStatus};
pub use self::stop::{Stop, StopSource};
pub use self::tasks::{MAX_TASK_NAME_LEN, SpawnError, Task, Tasks};

use self::roster::Roster;

/// How long an aborted task gets to be gone before it counts as stuck.
const ABORT_GRACE: Duration = Duration::from_millis(100);

/// Owns every task: starts, watches, restarts, and ends them.
///
/// A host makes one, hands [`tasks`](Self::tasks) to whatever needs to start some, and calls
/// [`shutdown`](Self::shutdown) at the end. Nothing is detached: dropping the supervisor aborts what still
/// runs.
///
/// A task that returns an error or panics is started again after a delay that grows, as its [`RestartPolicy`]
/// says; one that fails too often is given up, and its status says why. Panics are caught where the task is
/// polled, so they cost neither the runtime's thread nor a second task (in a build with `panic = "abort"` there
/// is nothing to catch). Delays and ages are those of the clock.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{RestartPolicy, Supervisor, SystemClock};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let beat = clock.clone();
/// tasks.spawn("heartbeat", RestartPolicy::default(), move |stop| {
///     let clock = beat.clone(); // called again for each restart
///     async move { while stop.or(clock.sleep(Duration::from_secs(1))).await.is_some() {} }
/// })?;
/// tasks.shutdown(Duration::from_secs(10)).await.into_result()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Supervisor {
    tasks: Tasks,
}

impl Supervisor {
    /// A supervisor without tasks, for at most 1,024 at a time. Needs no runtime yet.
    pub fn new(clock: &SharedClock) -> Self {
        Self { tasks: Tasks::new(Arc::new(Roster::new(Arc::clone(clock)))) }
    }

    /// Changes how many tasks there may be at a time.
    #[must_use]
    pub fn with_max_tasks(self, most: NonZeroUsize) -> Self {
        self.tasks.roster().set_max_tasks(most.get());
        self
    }

    /// Changes where the spread of restarts comes from: a seeded source repeats the same delays in each run.
    #[must_use]
    pub fn with_jitter(self, jitter: Jitter) -> Self {
        self.tasks.roster().set_jitter(jitter);
        self
    }

    /// A handle that starts tasks here and reads about them, without owning them.
    pub fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// Starts a task that is made again by `factory` for each restart. See [`Tasks::spawn`].
    pub fn spawn<F, Fut>(&self, name: &str, policy: RestartPolicy, factory: F) -> Result<Task, SpawnError>
    where
        F: FnMut(Stop) -> Fut + Send + 'static,
        Fut: Future<Output: TaskOutput> + Send + 'static,
    {
        self.tasks.spawn(name, policy, factory)
    }

    /// Starts a task that runs once. See [`Tasks::spawn_once`].
    pub fn spawn_once<F, Fut>(&self, name: &str, job: F) -> Result<Task, SpawnError>
    where
        F: FnOnce(Stop) -> Fut + Send + 'static,
        Fut: Future<Output: TaskOutput> + Send + 'static,
    {
        self.tasks.spawn_once(name, job)
    }

    /// Every task that is alive, in the order of start, and the last that ended. See [`Tasks::statuses`].
    pub fn statuses(&self) -> Vec<TaskStatus> {
        self.tasks.statuses()
    }

    /// Asks all tasks to stop, waits for them until `deadline` from now, then aborts the rest and names them.
    ///
    /// From the call on no task can be started. A task in the middle of a restart's delay is not started
    /// again. Both lengths are those of the clock: on a [`ManualClock`](crate::ManualClock) somebody must move time on
    /// while this waits. Aborted tasks get a tenth of a second to be gone; one that holds its thread without ever
    /// awaiting cannot be ended and is told as stuck.
    ///
    /// Cancel-safe: dropping the future leaves the tasks asked to stop and owned; call it again, or drop the
    /// supervisor.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let roster = self.tasks.roster();
        let clock = roster.clock();
        let began = clock.monotonic();
        roster.close();
        roster.drained(began.saturating_add(deadline)).await;
        let aborted = roster.abort_all();
        if !aborted.is_empty() {
            roster.drained(clock.monotonic().saturating_add(ABORT_GRACE)).await;
        }
        let unfinished = aborted
            .into_iter()
            .map(|(id, name)| UnfinishedTask { name, stuck: roster.is_alive(id) })
            .collect();
        let (finished, failed) = roster.take_endings();
        ShutdownReport {
            deadline,
            took: clock.monotonic().saturating_since(began),
            finished,
            failed,
            unfinished,
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.tasks.roster().close();
        self.tasks.roster().abort_all();
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("tasks", &self.tasks).finish()
    }
}

impl Collect for Supervisor {
    fn descriptors(&self) -> &[Descriptor] {
        self.tasks.descriptors()
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        self.tasks.collect(out)
    }
}
