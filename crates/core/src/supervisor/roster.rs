//! Who is alive, what they do, and how they ended.
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::record::{Incidents, Now, Record};
use super::tasks::Enlisted;
use super::watched::Watched;
use super::{
    FailedTask, MAX_TASK_NAME_LEN, RestartPolicy, SpawnError, StopSource, TaskEnd, TaskState, TaskStatus,
};
use crate::resilience::Jitter;
use crate::{Labels, Monotonic, SharedClock, Tally};

/// How many tasks may be alive unless the host says otherwise.
const MAX_TASKS: usize = 1_024;
/// How many that ended are remembered.
const MAX_ENDED: usize = 64;

/// All tasks of one supervisor. Its lock is held for a few assignments at a time, never while foreign code
/// runs.
pub(super) struct Roster {
    clock: SharedClock,
    state: Mutex<State>,
    /// Grows with every end: what a shutdown watches.
    ends: watch::Sender<u64>,
    refused: Tally,
}

struct State {
    /// No more tasks are taken.
    closed: bool,
    /// All that were alive have been aborted.
    cleared: bool,
    max_tasks: usize,
    jitter: Jitter,
    /// By order of start.
    alive: BTreeMap<u64, Record>,
    started: u64,
    /// The last that ended, oldest first.
    ended: VecDeque<Record>,
    /// Ends so far, by kind.
    finished: u64,
    failed: u64,
    aborted: u64,
    /// What jobs have to tell when they are gone.
    jobs: Incidents,
    /// Since the roster was closed.
    finished_in_time: usize,
    failed_on_the_way: Vec<FailedTask>,
}

/// How many tasks are in which state, for the figures.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) running: usize,
    pub(super) stopping: usize,
    pub(super) restarting: usize,
    pub(super) finished: u64,
    pub(super) failed: u64,
    pub(super) aborted: u64,
    pub(super) refused: u64,
    pub(super) jobs: Incidents,
    /// Per task that may be started again: its label, whether it runs, what happened to it.
    pub(super) services: Vec<(Labels, bool, Incidents)>,
}

impl Roster {
    pub(super) fn new(clock: SharedClock) -> Self {
        let state = State {
            closed: false,
            cleared: false,
            max_tasks: MAX_TASKS,
            jitter: Jitter::from_system(),
            alive: BTreeMap::new(),
            started: 0,
            ended: VecDeque::new(),
            finished: 0,
            failed: 0,
            aborted: 0,
            jobs: Incidents::default(),
            finished_in_time: 0,
            failed_on_the_way: Vec::new(),
        };
        Self { clock, state: Mutex::new(state), ends: watch::Sender::new(0), refused: Tally::new() }
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    fn now(&self) -> Now {
        Now { wall: self.clock.now(), monotonic: self.clock.monotonic() }
    }

    pub(super) fn set_max_tasks(&self, most: usize) {
        self.state.lock().max_tasks = most;
    }

    pub(super) fn set_jitter(&self, jitter: Jitter) {
        self.state.lock().jitter = jitter;
    }

    /// A fraction for the spread of a delay.
    pub(super) fn fraction(&self) -> f64 {
        self.state.lock().jitter.fraction()
    }

    /// Counts a task that was not started.
    pub(super) fn refuse(&self) {
        self.refused.increment();
    }

    /// Puts a task on the roster, before it runs. `policy` is that of a service; a job has none.
    pub(super) fn enlist(
        roster: &Arc<Self>,
        name: &str,
        policy: Option<&RestartPolicy>,
    ) -> Result<(Watched, Enlisted), SpawnError> {
        let enlisted = roster.enter(name, policy).inspect_err(|_| roster.refuse())?;
        Ok((Watched::new(Arc::clone(roster), enlisted.id), enlisted))
    }

    fn enter(&self, name: &str, policy: Option<&RestartPolicy>) -> Result<Enlisted, SpawnError> {
        if name.is_empty() || name.len() > MAX_TASK_NAME_LEN || name.chars().any(char::is_control) {
            let name = name.get(..name.floor_char_boundary(MAX_TASK_NAME_LEN)).unwrap_or_default().to_owned();
            return Err(SpawnError::Name { name });
        }
        let (stop, (end, end_seen)) = (StopSource::new(), watch::channel(None));
        let now = self.now();
        let mut state = self.state.lock();
        if state.closed {
            return Err(SpawnError::ShutDown { name: name.to_owned() });
        }
        if state.alive.len() >= state.max_tasks {
            return Err(SpawnError::TooMany { name: name.to_owned(), most: state.max_tasks });
        }
        let service = policy.is_some();
        let name: Arc<str> = if service { state.free_name(name) } else { Arc::from(name) };
        let labels =
            Labels::new([("task", &*name)]).map_err(|_| SpawnError::Name { name: name.to_string() })?;
        // The new bearer of a name takes the place of the old one.
        let old = state.ended.iter().position(|old| service && old.service && old.name == name);
        let replaced = old.and_then(|index| state.ended.remove(index));
        state.started += 1;
        let id = state.started;
        let record = Record {
            name: Arc::clone(&name),
            labels,
            service,
            state: TaskState::Running,
            since: now.wall,
            since_monotonic: now.monotonic,
            next_try: None,
            healthy_after: policy.and_then(RestartPolicy::healthy_after),
            in_a_row: 0,
            incidents: Incidents::default(),
            last_error: None,
            gave_up: None,
            stop: stop.clone(),
            end,
            abort: None,
        };
        state.alive.insert(id, record);
        drop(state);
        drop(replaced);
        Ok(Enlisted { id, name, stop, end: end_seen })
    }

    /// Notes how a task that now runs is aborted; aborts it if the roster was cleared meanwhile.
    pub(super) fn started(&self, id: u64, abort: &AbortHandle) {
        let mut state = self.state.lock();
        if let Some(record) = state.alive.get_mut(&id) {
            record.abort = Some(abort.clone());
        }
        let too_late = state.cleared;
        drop(state);
        if too_late {
            abort.abort();
        }
    }

    /// Takes no more tasks and asks all to stop.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let stops: Vec<StopSource> = state.alive.values().map(|record| record.stop.clone()).collect();
        drop(state);
        stops.iter().for_each(StopSource::stop);
    }

    /// Aborts all that are alive, and names them.
    pub(super) fn abort_all(&self) -> Vec<(u64, Arc<str>)> {
        let mut state = self.state.lock();
        state.cleared = true;
        let alive: Vec<_> = state
            .alive
            .iter()
            .map(|(id, record)| (*id, Arc::clone(&record.name), record.abort.clone()))
            .collect();
        drop(state);
        for abort in alive.iter().filter_map(|(_, _, abort)| abort.as_ref()) {
            abort.abort();
        }
        alive.into_iter().map(|(id, name, _)| (id, name)).collect()
    }

    /// Waits until none is alive, or until `deadline`.
    pub(super) async fn drained(&self, deadline: Monotonic) {
        let mut ends = self.ends.subscribe();
        let all_ended =
            async { while !self.state.lock().alive.is_empty() && ends.changed().await.is_ok() {} };
        let left = deadline.saturating_since(self.clock.monotonic());
        // Whether the time ran out shows in who is still alive.
        let _ = self.clock.timeout(left, all_ended).await;
    }

    pub(super) fn is_alive(&self, id: u64) -> bool {
        self.state.lock().alive.contains_key(&id)
    }

    /// How many ended well since the roster was closed, and those that failed.
    pub(super) fn take_endings(&self) -> (usize, Vec<FailedTask>) {
        let mut state = self.state.lock();
        (std::mem::take(&mut state.finished_in_time), std::mem::take(&mut state.failed_on_the_way))
    }

    pub(super) fn statuses(&self) -> Vec<TaskStatus> {
        let now = self.now();
        let state = self.state.lock();
        state.alive.values().chain(&state.ended).map(|record| record.status(now)).collect()
    }

    pub(super) fn census(&self) -> Census {
        let state = self.state.lock();
        let mut census = Census {
            finished: state.finished,
            failed: state.failed,
            aborted: state.aborted,
            refused: self.refused.get(),
            jobs: state.jobs,
            ..Census::default()
        };
        for record in state.alive.values().chain(&state.ended) {
            match record.shown_state() {
                TaskState::Running => census.running += 1,
                TaskState::Stopping => census.stopping += 1,
                TaskState::Restarting => census.restarting += 1,
                TaskState::Finished | TaskState::Failed | TaskState::Aborted => {}
            }
            if record.service {
                let runs = record.state == TaskState::Running;
                census.services.push((record.labels.clone(), runs, record.incidents));
            }
        }
        census
    }

    /// Changes what is noted about a living task.
    pub(super) fn change<T>(&self, id: u64, change: impl FnOnce(&mut Record, Now) -> T) -> Option<T> {
        let now = self.now();
        self.state.lock().alive.get_mut(&id).map(|record| change(record, now))
    }

    /// Takes a task off the list of the living and tells those who wait for its end.
    pub(super) fn bury(&self, id: u64, end: TaskEnd) {
        let now = self.now();
        let mut state = self.state.lock();
        let Some(mut record) = state.alive.remove(&id) else { return };
        record.turns(end.state(), now);
        record.abort = None;
        // One that ends after all were aborted is told as unfinished, however it ends.
        let in_time = state.closed && !state.cleared;
        match &end {
            TaskEnd::Finished => {
                state.finished += 1;
                state.finished_in_time += usize::from(in_time);
            }
            TaskEnd::Failed { reason } => {
                state.failed += 1;
                record.gave_up = Some(reason.clone());
                if in_time {
                    let error = record.last_error.clone().unwrap_or_else(|| reason.clone());
                    state.failed_on_the_way.push(FailedTask { name: Arc::clone(&record.name), error });
                }
            }
            TaskEnd::Aborted => state.aborted += 1,
        }
        if !record.service {
            state.jobs.panics += record.incidents.panics;
            state.jobs.errors += record.incidents.errors;
        }
        let told = record.end.clone();
        let forgotten = if record.service || end != TaskEnd::Finished {
            state.ended.push_back(record);
            if state.ended.len() > MAX_ENDED { state.ended.pop_front() } else { None }
        } else {
            Some(record)
        };
        drop(state);
        drop(forgotten);
        told.send_replace(Some(end));
        self.ends.send_modify(|ends| *ends = ends.wrapping_add(1));
    }
}

impl State {
    /// The name, or the name with the first number that no living service bears.
    fn free_name(&self, name: &str) -> Arc<str> {
        let services = self.alive.values().filter(|record| record.service);
        let taken: HashSet<&str> = services.map(|record| &*record.name).collect();
        if !taken.contains(name) {
            return Arc::from(name);
        }
        // One of the first `taken + 1` numbers is free.
        let mut numbered = (2..=taken.len() + 2).map(|n| format!("{name}#{n}"));
        numbered.find(|numbered| !taken.contains(&**numbered)).unwrap_or_else(|| name.to_owned()).into()
    }
}
