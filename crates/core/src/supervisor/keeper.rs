//! The life of one task: run, fail, wait, run again.
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use super::output::bounded;
use super::policy::Restart;
use super::watched::Watched;
use super::{RestartPolicy, Stop, TaskEnd, TaskOutput};
use crate::resilience::{Next, Verdict};

/// How a run went wrong.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) panicked: bool,
    pub(super) text: String,
}

impl Failure {
    fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "a value that is not text".to_owned(),
        };
        Self { panicked: true, text: bounded(format!("panicked: {text}")) }
    }
}

/// Keeps a task alive as its policy says, and tells its end: last of all, when whatever the task held has
/// been let go. (Hence
/// `watched` comes last: what a future that never ran has captured is dropped in this order.)
pub(super) async fn keep<F, Fut>(factory: F, policy: RestartPolicy, stop: Stop, mut watched: Watched)
where
    F: FnMut(Stop) -> Fut,
    Fut: Future<Output: TaskOutput>,
{
    let end = live(factory, policy.into_restart(), stop, &mut watched).await;
    watched.ends(end);
}

/// Runs a task once, and tells its end.
pub(super) async fn keep_once<F, Fut>(job: F, stop: Stop, mut watched: Watched)
where
    F: FnOnce(Stop) -> Fut,
    Fut: Future<Output: TaskOutput>,
{
    watched.runs();
    let end = match run(job, stop).await {
        Ok(()) => TaskEnd::Finished,
        Err(failure) => {
            watched.failed(&failure);
            TaskEnd::Failed { reason: failure.text }
        }
    };
    watched.ends(end);
}

/// The runs of a task and the waits between them, until it is done, stopped or given up.
async fn live<F, Fut>(
    mut factory: F,
    mut restart: Option<Restart>,
    stop: Stop,
    watched: &mut Watched,
) -> TaskEnd
where
    F: FnMut(Stop) -> Fut,
    Fut: Future<Output: TaskOutput>,
{
    let clock = watched.clock();
    let mut retry = None;
    loop {
        let started = clock.monotonic();
        watched.runs();
        let Err(failure) = run(&mut factory, stop.clone()).await else { return TaskEnd::Finished };
        let now = clock.monotonic();
        watched.failed(&failure);
        let Some(Restart { schedule, budget }) = restart.as_mut().filter(|_| !stop.is_requested()) else {
            return TaskEnd::Failed { reason: failure.text };
        };
        let enough = match budget.failed(started, now) {
            Verdict::Exhausted => exhausted(budget.restarts().unwrap_or(0), budget.window()),
            Verdict::Restart { in_a_row } => {
                if in_a_row == 1 {
                    retry = None;
                }
                let retry = retry.get_or_insert_with(|| schedule.begin(now));
                match retry.after_failure(now, watched.fraction(), None) {
                    Next::GiveUp(enough) => enough.to_string(),
                    Next::RetryAt(at) => {
                        watched.waits(&failure, at, in_a_row);
                        if stop.or(clock.sleep_until(at)).await.is_none() {
                            return TaskEnd::Finished;
                        }
                        continue;
                    }
                }
            }
        };
        return TaskEnd::Failed { reason: format!("{enough}; last failure: {}", failure.text) };
    }
}

fn exhausted(restarts: u32, window: Duration) -> String {
    format!("its {restarts} restarts in {window:?} are used up")
}

/// One run: a panic while the future is made, polled or dropped is a failure like an error.
///
/// Unwind safety: whatever a panic may have left half done is dropped here and never seen again; what the
/// task shares with others is as safe as any state that a panicking thread leaves behind.
async fn run<F, Fut>(make: F, stop: Stop) -> Result<(), Failure>
where
    F: FnOnce(Stop) -> Fut,
    Fut: Future<Output: TaskOutput>,
{
    let caught = |payload: Box<dyn Any + Send>| Failure::panic(payload.as_ref());
    let mut future = Box::pin(catch_unwind(AssertUnwindSafe(|| make(stop))).map_err(caught)?);
    let polled = std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).map(TaskOutput::failure))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => Poll::Ready(Ok(())),
            Ok(Poll::Ready(Some(text))) => Poll::Ready(Err(Failure { panicked: false, text })),
            Err(payload) => Poll::Ready(Err(caught(payload))),
        }
    })
    .await;
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(caught);
    polled.and(dropped)
}
