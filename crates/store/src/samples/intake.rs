//! Batches that wait to be written.

use std::collections::VecDeque;
use std::sync::Arc;

use bellwether_core::resilience::{Jitter, Next, Retry, RetrySchedule};
use bellwether_core::{Monotonic, SampleBatch};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::own_metrics::Figures;
use crate::{SampleConfig, StoreError};

/// Samples of one commit, about: half a megabyte.
const MAX_TAKEN: usize = 65_536;

/// Batches that wait to be written, in the order in which they came. Bounded by the count of their samples: beyond it the oldest go.
///
/// What the writer has taken stays here until it is durable, so that no failure of the writer loses it.
pub(crate) struct Intake {
    state: Mutex<State>,
    most: usize,
    flush_batches: usize,
    schedule: RetrySchedule,
    wake: Arc<Notify>,
    figures: Arc<Figures>,
    database: String,
}

struct State {
    waiting: VecDeque<Arc<SampleBatch>>,
    samples: usize,
    /// The first of them that are being written.
    taken: Option<Taken>,
    /// How many batches came, and how many of them were written or dropped.
    came: u64,
    left: u64,
    /// Who waits, and for how many batches to have left.
    waiters: Vec<(u64, oneshot::Sender<Result<(), StoreError>>)>,
    retry: Option<Retry>,
    retry_at: Option<Monotonic>,
    jitter: Jitter,
    closed: bool,
    gave_up: bool,
}

/// Which batches are being written. Always the same until they are: so a write of unknown outcome can be made again.
#[derive(Debug, Clone, Copy)]
struct Taken {
    batches: usize,
    id: BatchId,
}

/// Identifies what one flush writes: the start of the store, and the number of the first batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchId {
    pub(crate) boot: i64,
    pub(crate) batch: i64,
}

impl Intake {
    pub(crate) fn new(
        config: &SampleConfig,
        wake: Arc<Notify>,
        figures: Arc<Figures>,
        database: &str,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                samples: 0,
                taken: None,
                came: 0,
                left: 0,
                waiters: Vec::new(),
                retry: None,
                retry_at: None,
                jitter: Jitter::from_system(),
                closed: false,
                gave_up: false,
            }),
            most: config.queue,
            flush_batches: config.flush_batches,
            schedule: RetrySchedule::default(),
            wake,
            figures,
            database: database.to_owned(),
        }
    }

    /// Takes a batch in and lets the oldest go if there are too many.
    pub(crate) fn push(&self, batch: SampleBatch) {
        if batch.is_empty() {
            return;
        }
        let wake = {
            let mut state = self.state.lock();
            if state.closed {
                self.figures.dropped.closed.add(batch.len() as u64);
                return;
            }
            state.samples += batch.len();
            state.came += 1;
            state.waiting.push_back(Arc::new(batch));
            self.bound(&mut state);
            state.waiting.len() >= self.flush_batches
        };
        if wake {
            self.wake.notify_one();
        }
    }

    /// Takes a batch in unless there is no room for it; then waits until it is durable.
    pub(crate) async fn write(&self, batch: SampleBatch) -> Result<(), StoreError> {
        {
            let mut state = self.state.lock();
            if state.closed {
                return Err(self.closed());
            }
            if state.samples + batch.len() > self.most {
                let reason = format!(
                    "{} samples wait to be written, the most it takes is {}",
                    state.samples, self.most
                );
                return Err(StoreError::Busy { database: self.database.clone(), reason });
            }
            if !batch.is_empty() {
                state.samples += batch.len();
                state.came += 1;
                state.waiting.push_back(Arc::new(batch));
                self.figures.samples_waiting.set(state.samples as u64);
            }
        }
        self.flush().await
    }

    /// Waits until everything that has come so far is durable, or the next attempt to write it has failed.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if state.left == state.came {
                return Ok(());
            }
            if state.closed {
                return Err(self.closed());
            }
            let upto = state.came;
            state.waiters.push((upto, done));
        }
        self.wake.notify_one();
        wait.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Drops the oldest batches that are not being written while there are too many.
    fn bound(&self, state: &mut State) {
        let first = state.taken.map_or(0, |taken| taken.batches);
        while state.samples > self.most {
            let Some(oldest) = state.waiting.remove(first) else { break };
            state.samples -= oldest.len();
            state.left += 1;
            self.figures.dropped.queue.add(oldest.len() as u64);
        }
        self.figures.samples_waiting.set(state.samples as u64);
    }

    /// Whether the writer should take something now.
    pub(crate) fn is_due(&self, now: Monotonic) -> bool {
        let state = self.state.lock();
        if state.waiting.is_empty() {
            return false;
        }
        if state.closed {
            return !state.gave_up;
        }
        !state.waiters.is_empty()
            || match state.retry_at {
                Some(at) => now >= at,
                None => state.waiting.len() >= self.flush_batches,
            }
    }

    /// When the next attempt is due after one that failed.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.state.lock().retry_at
    }

    /// The batches to be written, and what identifies them: the same as before if that has not succeeded yet.
    pub(crate) fn take(&self, boot: i64) -> (BatchId, Vec<Arc<SampleBatch>>) {
        let mut state = self.state.lock();
        let taken = state.taken.unwrap_or_else(|| {
            let mut samples = 0;
            let fits = |batch: &&Arc<SampleBatch>| {
                let first = samples == 0;
                samples += batch.len();
                first || samples <= MAX_TAKEN
            };
            let batches = state.waiting.iter().take_while(fits).count();
            Taken { batches, id: BatchId { boot, batch: state.left as i64 } }
        });
        state.taken = Some(taken);
        (taken.id, state.waiting.iter().take(taken.batches).cloned().collect())
    }

    /// What was taken is durable.
    pub(crate) fn written(&self) {
        let done: Vec<_> = {
            let mut state = self.state.lock();
            let Some(taken) = state.taken.take() else { return };
            let batches = taken.batches.min(state.waiting.len());
            let samples: usize = state.waiting.drain(..batches).map(|batch| batch.len()).sum();
            state.samples -= samples;
            state.left += batches as u64;
            (state.retry, state.retry_at) = (None, None);
            self.figures.batches.add(batches as u64);
            self.figures.samples_waiting.set(state.samples as u64);
            let left = state.left;
            state.waiters.extract_if(.., |(upto, _)| *upto <= left).collect()
        };
        for (_, waiter) in done {
            // Whoever has gone needs no answer.
            let _ = waiter.send(Ok(()));
        }
    }

    /// What was taken is not durable, or nobody knows. It is kept and tried again.
    pub(crate) fn failed(&self, error: &StoreError, now: Monotonic) {
        let waiters = {
            let mut state = self.state.lock();
            let fraction = state.jitter.fraction();
            let mut retry = state.retry.unwrap_or_else(|| self.schedule.begin(now));
            state.retry_at = match retry.after_failure(now, fraction, None) {
                Next::RetryAt(at) => Some(at),
                // The schedule has no end; were it to have one, the next attempt would be made at its longest delay.
                Next::GiveUp(_) => Some(now.saturating_add(self.schedule.cap())),
            };
            state.retry = Some(retry);
            state.gave_up = state.closed;
            if !state.gave_up {
                self.figures.retries.increment();
            }
            std::mem::take(&mut state.waiters)
        };
        for (_, waiter) in waiters {
            let _ = waiter.send(Err(error.clone()));
        }
    }

    /// Takes nothing more in. What waits is tried once more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    /// Lets go of what waits; tells how many samples that were.
    pub(crate) fn abandon(&self) -> u64 {
        let mut state = self.state.lock();
        let samples = std::mem::take(&mut state.samples) as u64;
        state.left += state.waiting.len() as u64;
        state.waiting.clear();
        state.taken = None;
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        drop(waiters);
        self.figures.dropped.closed.add(samples);
        self.figures.samples_waiting.set(0);
        samples
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { database: self.database.clone() }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Descriptor, Labels, MetricName, SeriesKey, Timestamp, Unit};

    use super::*;

    fn batch(at: i64, samples: usize) -> SampleBatch {
        let name = MetricName::new("price").unwrap();
        let descriptor = Arc::new(Descriptor::gauge(name, Unit::Usd, "Price"));
        let key = Arc::new(SeriesKey { descriptor, labels: Labels::empty() });
        SampleBatch { at: Timestamp::from_seconds(at).unwrap(), values: vec![(key, 1.0); samples] }
    }

    fn intake(queue: usize, flush_batches: usize) -> Intake {
        let config = SampleConfig::default().with_queue(queue).with_flush_batches(flush_batches);
        Intake::new(&config, Arc::new(Notify::new()), Arc::new(Figures::new()), "desk.db")
    }

    fn instants(batches: &[Arc<SampleBatch>]) -> Vec<i64> {
        batches.iter().map(|batch| batch.at.as_micros() / 1_000_000).collect()
    }

    #[test]
    fn beyond_the_bound_the_oldest_go_but_not_what_is_being_written() {
        let intake = intake(4, 1);
        intake.push(batch(1, 2));
        let (id, taken) = intake.take(7);
        assert_eq!((id, instants(&taken)), (BatchId { boot: 7, batch: 0 }, vec![1]));
        intake.push(batch(2, 2));
        intake.push(batch(3, 2));
        assert_eq!(intake.figures.dropped.queue.get(), 2);
        let (again, same) = intake.take(8);
        assert_eq!((again, instants(&same)), (id, vec![1]));
        intake.written();
        let (next, taken) = intake.take(8);
        assert_eq!((next, instants(&taken)), (BatchId { boot: 8, batch: 2 }, vec![3]));
    }

    #[test]
    fn it_is_due_when_enough_waits_and_after_a_failure_only_later() {
        let now = Monotonic::ORIGIN;
        let intake = intake(100, 2);
        intake.push(batch(1, 1));
        assert!(!intake.is_due(now));
        intake.push(batch(2, 1));
        assert!(intake.is_due(now));
        intake.take(1);
        intake.failed(&StoreError::Rejected { reason: "no".into() }, now);
        assert!(!intake.is_due(now));
        assert!(intake.is_due(intake.next().unwrap()));
        intake.close();
        assert!(intake.is_due(now));
        intake.failed(&StoreError::Rejected { reason: "no".into() }, now);
        assert!(!intake.is_due(now));
        assert_eq!(intake.figures.retries.get(), 1);
        assert_eq!(intake.abandon(), 2);
    }
}
