//! Tasks from start to end, in virtual time.
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::resilience::{RestartBudget, RetrySchedule};
use bellwether_core::{
    Descriptor, Labels, RestartPolicy, SampleSink, SharedClock, SpreadSnapshot, SummarySnapshot, Supervisor,
    SystemClock, Task, TaskEnd, TaskStatus,
};
use parking_lot::Mutex;

mod ending;
mod events;
mod restart;
mod roster;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// 1 s, 2 s, 4 s ... 60 s without spread; `restarts` in 10 minutes; forgiven after 5 minutes.
fn policy(restarts: u32) -> RestartPolicy {
    let schedule = RetrySchedule::builder().first(SECOND).jitter(0.0).build().unwrap();
    RestartPolicy::new(schedule, RestartBudget::new(restarts, 10 * MINUTE, 5 * MINUTE).unwrap())
}

fn setup() -> (SharedClock, Supervisor) {
    let clock = SystemClock::shared();
    let supervisor = Supervisor::new(&clock);
    (clock, supervisor)
}

fn status(tasks: &Supervisor, name: &str) -> TaskStatus {
    let all = tasks.statuses();
    all.iter().find(|status| &*status.name == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
}

fn failed(end: &TaskEnd) -> &str {
    match end {
        TaskEnd::Failed { reason } => reason,
        end => panic!("not failed: {end:?}"),
    }
}

/// Counts how many of its clones are alive: what a task holds while it exists.
type Held = Arc<()>;

/// A task that notes when it runs, and then does what `then` says about its n-th run, counted from 1.
fn noting<T: FnMut(u32) -> Run + Send + 'static>(
    tasks: &Supervisor,
    clock: &SharedClock,
    policy: RestartPolicy,
    mut then: T,
) -> (Task, Arc<Mutex<Vec<Duration>>>) {
    let runs = Arc::new(Mutex::new(Vec::new()));
    let (noted, clock) = (Arc::clone(&runs), Arc::clone(clock));
    let start = clock.monotonic();
    let mut n = 0;
    let task = tasks.spawn("worker", policy, move |stop| {
        n += 1;
        noted.lock().push(clock.monotonic().saturating_since(start));
        let (run, clock) = (then(n), Arc::clone(&clock));
        async move {
            match run {
                Run::Err(text) => Err(text),
                Run::Panic(text) => panic!("{text}"),
                Run::ErrAfter(length, text) => {
                    clock.sleep(length).await;
                    Err(text)
                }
                Run::Done => Ok(()),
                Run::UntilStop => {
                    stop.requested().await;
                    Ok(())
                }
            }
        }
    });
    (task.unwrap(), runs)
}

#[derive(Clone, Copy)]
enum Run {
    Err(&'static str),
    Panic(&'static str),
    ErrAfter(Duration, &'static str),
    Done,
    UntilStop,
}

fn seconds(runs: &Mutex<Vec<Duration>>) -> Vec<u64> {
    runs.lock().iter().map(Duration::as_secs).collect()
}

/// Figures as text, for comparing.
#[derive(Default)]
struct Lines(Vec<String>);

impl SampleSink for Lines {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        self.0.push(format!("{} {:?} {total}", descriptor.name, labels.iter().collect::<Vec<_>>()));
    }
    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        self.counter(descriptor, labels, value);
    }
    fn histogram(&mut self, descriptor: &Descriptor, _: &Labels, _: &SpreadSnapshot) {
        panic!("{} is no histogram", descriptor.name);
    }
    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        panic!("{} {labels} is a summary of {}", descriptor.name, summary.count);
    }
}
