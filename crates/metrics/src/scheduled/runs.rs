//! The task of a scheduled collector: wait, run, tell, and be patient with one that fails.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bellwether_core::resilience::{Jitter, RetrySchedule};
use bellwether_core::{
    CollectError, Descriptor, Monotonic, RestartPolicy, SharedClock, SpawnError, Stop, Task, Tasks,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::told::{Told, View};
use super::{AsyncCall, Call, Checked, Source};
use crate::collector::guarded;
use crate::grid::next_tick;
use crate::own_metrics::{CollectorFigures, Figures};
use crate::readings::{Readings, Rules};
use crate::registry::WeakRegistry;

/// Calls of blocking collectors that a registry has under way at a time, those beyond their deadline not counted: 32.
pub const MAX_RUNNING_COLLECTORS: usize = 32;

/// The scheduled collectors of a registry, and who runs them.
pub(crate) struct Crew {
    tasks: Option<Tasks>,
    members: Vec<(Arc<Schedule>, Option<Task>)>,
    places: Arc<Semaphore>,
}

impl Default for Crew {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(MAX_RUNNING_COLLECTORS));
        Self { tasks: None, members: Vec::new(), places }
    }
}

impl Crew {
    /// How many collectors may block at a time.
    pub(crate) fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.places)
    }

    /// One collector more: it is started if there is somebody to run it, and waits for that otherwise.
    pub(crate) fn add(&mut self, schedule: Arc<Schedule>) -> Result<(), SpawnError> {
        self.members.push((schedule, None));
        self.tasks.clone().map_or(Ok(()), |tasks| self.start(&tasks))
    }

    /// Starts what does not run. What cannot be started stays for the next call.
    pub(crate) fn start(&mut self, tasks: &Tasks) -> Result<(), SpawnError> {
        self.tasks = Some(tasks.clone());
        for (schedule, task) in &mut self.members {
            if task.as_ref().is_none_or(Task::is_ended) {
                let name = format!("collector {}", schedule.name);
                let schedule = Arc::clone(schedule);
                let run = move |stop| Arc::clone(&schedule).run(stop);
                *task = Some(tasks.spawn(&name, RestartPolicy::forever(), run)?);
            }
        }
        Ok(())
    }
}

/// One scheduled collector.
pub(crate) struct Schedule {
    name: Cow<'static, str>,
    interval: Duration,
    deadline: Duration,
    retry: RetrySchedule,
    rules: Rules,
    registry: WeakRegistry,
    clock: SharedClock,
    figures: Arc<Figures>,
    own: Arc<CollectorFigures>,
    places: Arc<Semaphore>,
    told: Arc<Told>,
    /// What the registry knows of its metrics; only grows.
    known: Mutex<Vec<Arc<Descriptor>>>,
    /// Away while a call is under way.
    source: Mutex<Option<Source>>,
}

/// What a schedule needs of its registry.
pub(crate) struct Surroundings {
    pub(crate) registry: WeakRegistry,
    pub(crate) clock: SharedClock,
    pub(crate) figures: Arc<Figures>,
    pub(crate) own: Arc<CollectorFigures>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) most_series: usize,
}

enum Failure {
    Error(String),
    Panic(String),
    Timeout,
}

type Outcome = Result<Readings, Failure>;

/// What a task remembers from one run to the next.
struct Progress {
    failures: u32,
    /// No run before this.
    not_before: Monotonic,
    /// Whether a refusal has been told.
    complained: bool,
    jitter: Jitter,
    /// A call beyond its deadline.
    late: Option<JoinHandle<Outcome>>,
}

impl Schedule {
    pub(crate) fn new(collector: Checked, around: Surroundings) -> Self {
        let Checked { name, source, descriptors, undeclared, interval, deadline, stale_after, retry } =
            collector;
        let Surroundings { registry, clock, figures, own, places, most_series } = around;
        Self {
            name,
            interval,
            deadline,
            retry,
            rules: Rules { undeclared, declared: descriptors.len(), most_series },
            registry,
            told: Arc::new(Told::new(stale_after, &clock)),
            clock,
            figures,
            own,
            places,
            known: Mutex::new(descriptors),
            source: Mutex::new(Some(source)),
        }
    }

    /// Some of its metrics, for the registry to ask.
    pub(crate) fn view(&self, first: usize, descriptors: &[Arc<Descriptor>]) -> View {
        View::new(&self.told, first, descriptors)
    }

    async fn run(self: Arc<Self>, stop: Stop) {
        let mut progress = Progress {
            failures: 0,
            not_before: Monotonic::ORIGIN,
            complained: false,
            jitter: Jitter::from_system(),
            late: None,
        };
        loop {
            if self.clock.monotonic() >= progress.not_before && !self.run_once(&stop, &mut progress).await {
                break;
            }
            if next_tick(&self.clock, self.interval, &stop).await.is_none() || self.registry.is_gone() {
                break;
            }
        }
        // A call cannot be cut off. Nothing is left behind in silence: whoever shuts down waits, and names it.
        if let Some(late) = progress.late {
            let _ = late.await;
        }
    }

    /// One run, unless the last one still is under way. Whether to go on.
    async fn run_once(self: &Arc<Self>, stop: &Stop, progress: &mut Progress) -> bool {
        progress.late.take_if(|late| late.is_finished());
        let Some(source) = self.source.lock().take() else {
            self.own.skipped();
            return true;
        };
        let readings = Readings::new(&self.known.lock(), self.rules, &self.figures);
        let began;
        let outcome = match source {
            Source::Blocking(call) => {
                let Some(Ok(place)) = stop.or(self.places.acquire()).await else {
                    *self.source.lock() = Some(Source::Blocking(call));
                    return false;
                };
                began = self.clock.monotonic();
                let job = self.start_call(call, readings);
                let outcome = self.await_call(job, stop, progress).await;
                drop(place);
                outcome
            }
            Source::Async(mut call) => {
                began = self.clock.monotonic();
                let outcome = self.ask(&mut call, readings, stop).await;
                *self.source.lock() = Some(Source::Async(call));
                outcome
            }
        };
        let Some(outcome) = outcome else { return false };
        let now = self.clock.monotonic();
        match outcome {
            Ok(readings) => {
                self.own.told(began, now.saturating_since(began));
                if progress.failures > 0 {
                    progress.failures = 0;
                    tracing::info!(collector = &*self.name, "collector recovered");
                }
                self.tell(readings, began, progress);
            }
            Err(failure) => self.failed(&failure, now, progress),
        }
        true
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "what starts on the blocking pool is awaited by the same task"
    )]
    fn start_call(self: &Arc<Self>, mut call: Call, mut readings: Readings) -> JoinHandle<Outcome> {
        let schedule = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let outcome = guarded(|| call(&mut readings));
            *schedule.source.lock() = Some(Source::Blocking(call));
            outcome_of(outcome.map(|said| said.map(|()| readings)))
        })
    }

    /// Waits for a call until its deadline; nothing when it is time to stop.
    async fn await_call(
        &self,
        mut job: JoinHandle<Outcome>,
        stop: &Stop,
        progress: &mut Progress,
    ) -> Option<Outcome> {
        match stop.or(self.clock.timeout(self.deadline, &mut job)).await {
            Some(Ok(Ok(outcome))) => Some(outcome),
            // The runtime goes down.
            Some(Ok(Err(_))) => None,
            Some(Err(_)) => {
                progress.late = Some(job);
                Some(Err(Failure::Timeout))
            }
            None => {
                progress.late = Some(job);
                None
            }
        }
    }

    /// The answer of an asynchronous collector; nothing when it is time to stop.
    async fn ask(&self, call: &mut AsyncCall, readings: Readings, stop: &Stop) -> Option<Outcome> {
        let mut answer = match guarded(|| call(readings)) {
            Ok(answer) => answer,
            Err(panic) => return Some(Err(Failure::Panic(panic))),
        };
        let polled = std::future::poll_fn(|cx| match guarded(|| answer.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(said)) => Poll::Ready(Ok(said)),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        let outcome = stop.or(self.clock.timeout(self.deadline, polled)).await;
        let dropped = guarded(|| drop(answer));
        Some(match outcome? {
            Err(_) => Err(Failure::Timeout),
            Ok(said) => outcome_of(said.and_then(|said| dropped.map(|()| said))),
        })
    }

    /// Defines what was not known, and lets readers see what the run told.
    fn tell(&self, readings: Readings, began: Monotonic, progress: &mut Progress) {
        let (mut families, known, mut complaint) = readings.into_told();
        for family in families.split_off(known.min(families.len())) {
            if family.series.is_empty() {
                continue;
            }
            let descriptors = [Arc::clone(&family.descriptor)];
            let at = families.len();
            match self.registry.define(self.name.clone(), &descriptors, || self.view(at, &descriptors)) {
                Ok(()) => {
                    self.known.lock().push(Arc::clone(&family.descriptor));
                    families.push(family);
                }
                Err(error) => {
                    self.figures.refused.undeclared.add(family.series.len() as u64);
                    complaint.get_or_insert_with(|| error.to_string());
                }
            }
        }
        if let Some(complaint) = complaint.as_ref().filter(|_| !progress.complained) {
            tracing::warn!(collector = &*self.name, complaint, "collector told what is refused");
        }
        progress.complained = complaint.is_some();
        self.told.replace(began, families);
    }

    fn failed(&self, failure: &Failure, now: Monotonic, progress: &mut Progress) {
        let deadline;
        let error: &str = match failure {
            Failure::Error(reason) => {
                self.own.errors.increment();
                reason
            }
            Failure::Panic(said) => {
                self.own.panics.increment();
                said
            }
            Failure::Timeout => {
                self.own.timed_out();
                deadline = format!("not done within {:?}", self.deadline);
                &deadline
            }
        };
        if progress.failures == 0 {
            tracing::warn!(collector = &*self.name, error, "collector failed");
        }
        progress.failures = progress.failures.saturating_add(1);
        let delay = self.retry.delay(progress.failures, progress.jitter.fraction());
        progress.not_before = now.saturating_add(delay);
    }
}

/// An answer, a failure that was told, or the words of a panic.
fn outcome_of(said: Result<Result<Readings, CollectError>, String>) -> Outcome {
    match said {
        Ok(Ok(readings)) => Ok(readings),
        Ok(Err(error)) => Err(Failure::Error(error.reason)),
        Err(panic) => Err(Failure::Panic(panic)),
    }
}
