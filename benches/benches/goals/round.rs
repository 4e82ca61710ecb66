//! Rounds of work on one or more threads, of which only those count that had their processors.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::desk::{Desk, Pair};
use crate::processor::{self, median};

/// How long a round should take.
const ROUND: f64 = 2e6;
/// Part of its time that each thread of a round had a processor.
const HAD: f64 = 0.95;
/// Part of its time that a thread worked beside all others.
const BESIDE: f64 = 0.80;
/// Part of its time that a thread may wait for a processor, if it sleeps in a lock else.
const WAITED: f64 = 0.05;
/// Seconds per round that is wanted of every case: on a machine with other work most rounds do not count.
const PATIENCE: f64 = 5.0;

/// So many operations of one of the threads.
type Work = Arc<dyn Fn(usize, u64) + Send + Sync>;

/// Which cases stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Counter,
    Labelled,
    Gauge,
    Histogram,
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Raw,
    Ours,
    Peer,
}

/// One way to record.
pub(crate) struct Case {
    pub(crate) group: Group,
    pub(crate) who: Who,
    pub(crate) name: &'static str,
    work: Work,
    /// Done after each round, and not measured.
    after: Option<Box<dyn Fn()>>,
}

impl Case {
    pub(crate) fn new(
        group: Group,
        name: &'static str,
        work: impl Fn(usize, u64) + Send + Sync + 'static,
    ) -> Self {
        Self { group, who: Who::Peer, name, work: Arc::new(work), after: None }
    }

    /// The same operation on the same handle.
    pub(crate) fn counter<T: Send + Sync + 'static>(
        name: &'static str,
        handle: T,
        operation: impl Fn(&T) + Send + Sync + 'static,
    ) -> Self {
        Self::new(Group::Counter, name, move |_, operations| {
            for _ in 0..operations {
                operation(black_box(&handle));
            }
        })
    }

    /// Goes through 1,000 label sets; threads begin at different ones.
    pub(crate) fn labelled(
        name: &'static str,
        desk: &Desk,
        operation: impl Fn(&Pair) + Send + Sync + 'static,
    ) -> Self {
        let orders = Arc::clone(&desk.orders);
        Self::new(Group::Labelled, name, move |thread, operations| {
            let mut at = 500 * thread % orders.len();
            for _ in 0..operations {
                operation(black_box(&orders[at]));
                at = if at + 1 == orders.len() { 0 } else { at + 1 };
            }
        })
    }

    /// Goes through measurements.
    pub(crate) fn fed<T: Send + Sync + 'static>(
        group: Group,
        name: &'static str,
        desk: &Desk,
        handle: T,
        operation: impl Fn(&T, f64) + Send + Sync + 'static,
    ) -> Self {
        let values = Arc::clone(&desk.latencies);
        Self::new(group, name, move |_, operations| {
            for i in 0..operations {
                operation(black_box(&handle), values[i as usize % 4_096]);
            }
        })
    }

    pub(crate) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    pub(crate) fn then(mut self, after: impl Fn() + 'static) -> Self {
        self.after = Some(Box::new(after));
        self
    }
}

/// What an operation costs one thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// By the wall, median of the rounds that count; no number if there is none.
    pub(crate) nanos: f64,
    /// How many rounds count.
    pub(crate) rounds: usize,
    /// Whether its threads slept, in a lock of the case, in every round that counts.
    pub(crate) sleeps: bool,
}

/// Whether a round counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Every thread had a processor.
    Ran,
    /// Every thread that wanted a processor had one, but one slept.
    Slept,
    /// Other programs had the processors.
    Disturbed,
}

/// Costs of all cases on so many threads at once.
pub(crate) fn costs(cases: &[Case], threads: usize, rounds: usize) -> Vec<Cost> {
    let crew = Crew::new(threads);
    let sizes: Vec<u64> = cases.iter().map(|case| crew.size(case)).collect();
    let (mut ran, mut slept) = (vec![Vec::new(); cases.len()], vec![Vec::new(); cases.len()]);
    let begin = Instant::now();
    let mut wants: Vec<usize> = (0..cases.len()).collect();
    while !wants.is_empty() && begin.elapsed().as_secs_f64() < PATIENCE * rounds as f64 {
        for &i in &wants {
            match crew.round(&cases[i], sizes[i]) {
                (nanos, Verdict::Ran) => ran[i].push(nanos),
                (nanos, Verdict::Slept) => slept[i].push(nanos),
                (_, Verdict::Disturbed) => {}
            }
        }
        wants.retain(|&i| ran[i].len() < rounds && slept[i].len() < 2 * rounds);
    }
    // Where threads sleep in nearly every round, the few others are its luck.
    let cost = |(ran, slept): (Vec<f64>, Vec<f64>)| {
        let sleeps = slept.len() > ran.len();
        let counted = if sleeps { slept } else { ran };
        let rounds = counted.len();
        Cost { nanos: if rounds == 0 { f64::NAN } else { median(counted) }, rounds, sleeps }
    };
    ran.into_iter().zip(slept).map(cost).collect()
}

/// Threads that stay, as those of a host do.
struct Crew {
    workers: Vec<Worker>,
}

struct Worker {
    jobs: Option<Sender<Job>>,
    shifts: Receiver<Shift>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    work: Work,
    operations: u64,
    /// How many have come to the start.
    ready: Arc<AtomicUsize>,
    of: usize,
}

struct Shift {
    begin: Instant,
    end: Instant,
    processor: Duration,
    waited: Option<Duration>,
}

impl Crew {
    fn new(threads: usize) -> Self {
        Self { workers: (0..threads).map(Worker::new).collect() }
    }

    /// Operations of a round.
    fn size(&self, case: &Case) -> u64 {
        self.round(case, 1_000);
        let nanos = (0..3).map(|_| self.round(case, 5_000).0).fold(f64::INFINITY, f64::min);
        ((ROUND / nanos.max(0.3)) as u64).clamp(200, 4_000_000)
    }

    /// Nanoseconds per operation, and whether the round counts.
    fn round(&self, case: &Case, operations: u64) -> (f64, Verdict) {
        let (ready, of) = (Arc::new(AtomicUsize::new(0)), self.workers.len());
        for worker in &self.workers {
            let job = Job { work: Arc::clone(&case.work), operations, ready: Arc::clone(&ready), of };
            worker.jobs.as_ref().unwrap().send(job).unwrap();
        }
        let shifts: Vec<Shift> = self.workers.iter().map(|worker| worker.shifts.recv().unwrap()).collect();
        if let Some(after) = &case.after {
            after();
        }
        let begin = shifts.iter().map(|shift| shift.begin).max().unwrap();
        let end = shifts.iter().map(|shift| shift.end).min().unwrap();
        let together = end.saturating_duration_since(begin).as_secs_f64();
        let verdicts = shifts.iter().map(|shift| {
            let wall = (shift.end - shift.begin).as_secs_f64();
            let waited = shift.waited.map_or(wall, |waited| waited.as_secs_f64());
            match () {
                () if together < BESIDE * wall => Verdict::Disturbed,
                () if shift.processor.as_secs_f64() >= HAD * wall => Verdict::Ran,
                () if waited <= WAITED * wall => Verdict::Slept,
                () => Verdict::Disturbed,
            }
        });
        let verdicts: Vec<Verdict> = verdicts.collect();
        let verdict = [Verdict::Disturbed, Verdict::Slept].into_iter().find(|bad| verdicts.contains(bad));
        let walls = shifts.iter().map(|shift| (shift.end - shift.begin).as_nanos() as f64);
        let nanos = walls.sum::<f64>() / shifts.len() as f64 / operations as f64;
        (nanos, verdict.unwrap_or(Verdict::Ran))
    }
}

impl Worker {
    fn new(number: usize) -> Self {
        let (jobs, orders) = channel::<Job>();
        let (report, shifts) = channel();
        let thread = std::thread::spawn(move || {
            for job in orders {
                (job.work)(number, 64);
                job.ready.fetch_add(1, Ordering::SeqCst);
                while job.ready.load(Ordering::SeqCst) < job.of {
                    spin_loop();
                }
                let (waited, processor) = (processor::waited(), processor::time());
                let begin = Instant::now();
                (job.work)(number, job.operations);
                let end = Instant::now();
                let processor = processor::time() - processor;
                let waited = waited.and_then(|before| processor::waited()?.checked_sub(before));
                if report.send(Shift { begin, end, processor, waited }).is_err() {
                    return;
                }
            }
        });
        Self { jobs: Some(jobs), shifts, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
