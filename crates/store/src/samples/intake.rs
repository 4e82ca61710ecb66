//! Batches that wait to be written.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
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
    waiting: VecDeque<Waiting>,
    samples: usize,
    /// The first of them that are being written.
    taken: Option<Taken>,
    /// How many batches came: the number of the newest.
    came: u64,
    waiters: Vec<Waiter>,
    retry: Option<Retry>,
    retry_at: Option<Monotonic>,
    jitter: Jitter,
    closed: bool,
    gave_up: bool,
}

/// A batch that waits, and its number.
struct Waiting {
    number: u64,
    batch: Arc<SampleBatch>,
}

/// Who waits for batches to be durable.
struct Waiter {
    /// Their numbers.
    of: RangeInclusive<u64>,
    asked: Asked,
    /// How many samples of them were dropped at the bound.
    dropped: u64,
    /// What became of the batch that was written.
    sifted: Sifted,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// That nothing waits any more.
    Flush,
    /// That a batch is kept whole.
    Write,
}

/// How many samples of a batch are kept, and how many are refused, and why.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sifted {
    pub(crate) kept: u64,
    pub(crate) not_finite: u64,
    pub(crate) too_old: u64,
    pub(crate) too_many_series: u64,
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

    /// Takes a batch in and lets the oldest go if there are too many. One that alone is too many goes itself.
    pub(crate) fn push(&self, batch: SampleBatch) {
        if batch.is_empty() {
            return;
        }
        let (wake, done) = {
            let mut state = self.state.lock();
            if state.closed {
                self.figures.dropped.closed.add(batch.len() as u64);
                return;
            }
            if batch.len() > self.most {
                self.figures.dropped.queue.add(batch.len() as u64);
                return;
            }
            state.add(batch);
            self.bound(&mut state);
            (state.waiting.len() >= self.flush_batches, state.take_done())
        };
        if wake {
            self.wake.notify_one();
        }
        self.answer(done);
    }

    /// Takes a batch in unless there is no room for it; then waits until it is durable.
    pub(crate) async fn write(&self, batch: SampleBatch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        if batch.len() > self.most {
            let (len, most) = (batch.len(), self.most);
            let reason = format!("a batch of {len} samples, expected at most samples.queue = {most}");
            return Err(StoreError::Rejected { reason });
        }
        let kept = {
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
            state.add(batch);
            self.figures.samples_waiting.set(state.samples as u64);
            let number = state.came;
            state.wait(number..=number, Asked::Write)
        };
        self.wake.notify_one();
        kept.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Waits until everything that waits is durable, or the next attempt to write it has failed.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        let flushed = {
            let mut state = self.state.lock();
            let Some(first) = state.waiting.front().map(|first| first.number) else { return Ok(()) };
            if state.closed {
                return Err(self.closed());
            }
            let last = state.came;
            state.wait(first..=last, Asked::Flush)
        };
        self.wake.notify_one();
        flushed.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Drops the oldest batches that are not being written while there are too many.
    fn bound(&self, state: &mut State) {
        let first = state.taken.map_or(0, |taken| taken.batches);
        while state.samples > self.most {
            let Some(Waiting { number, batch }) = state.waiting.remove(first) else { break };
            let samples = batch.len() as u64;
            state.samples -= batch.len();
            for waiter in state.waiters.iter_mut().filter(|waiter| waiter.of.contains(&number)) {
                waiter.dropped += samples;
            }
            self.figures.dropped.queue.add(samples);
        }
        self.figures.samples_waiting.set(state.samples as u64);
    }

    /// Tells those who need not wait any longer how it went.
    fn answer(&self, done: Vec<Waiter>) {
        for waiter in done {
            let Sifted { kept, not_finite, too_old, too_many_series } = waiter.sifted;
            let outcome = if waiter.dropped > 0 {
                let database = self.database.clone();
                Err(StoreError::SamplesDropped { database, samples: waiter.dropped, most: self.most })
            } else if not_finite + too_old + too_many_series > 0 {
                let database = self.database.clone();
                Err(StoreError::SamplesRefused { database, kept, not_finite, too_old, too_many_series })
            } else {
                Ok(())
            };
            // Whoever has gone needs no answer.
            let _ = waiter.reply.send(outcome);
        }
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

    /// When the next attempt is due after one that failed, if there will be one.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        let state = self.state.lock();
        state.retry_at.filter(|_| !state.gave_up)
    }

    /// The batches to be written, and what identifies them: the same as before if that has not succeeded yet.
    pub(crate) fn take(&self, boot: i64) -> (BatchId, Vec<Arc<SampleBatch>>) {
        let mut state = self.state.lock();
        let taken = state.taken.unwrap_or_else(|| {
            let mut samples = 0;
            let fits = |waiting: &&Waiting| {
                let first = samples == 0;
                samples += waiting.batch.len();
                first || samples <= MAX_TAKEN
            };
            let batches = state.waiting.iter().take_while(fits).count();
            let first = state.waiting.front().map_or(state.came, |first| first.number);
            Taken { batches, id: BatchId { boot, batch: first as i64 } }
        });
        state.taken = Some(taken);
        let batches = state.waiting.iter().take(taken.batches);
        (taken.id, batches.map(|waiting| Arc::clone(&waiting.batch)).collect())
    }

    /// What was taken is durable, as far as each batch was kept.
    pub(crate) fn written(&self, sifted: &[Sifted]) {
        let done = {
            let mut state = self.state.lock();
            let Some(taken) = state.taken.take() else { return };
            for at in 0..taken.batches {
                let Some(Waiting { number, batch }) = state.waiting.pop_front() else { break };
                state.samples -= batch.len();
                let sifted = sifted.get(at).copied().unwrap_or_default();
                for waiter in state.waiters.iter_mut().filter(|waiter| waiter.is_write_of(number)) {
                    waiter.sifted = sifted;
                }
            }
            (state.retry, state.retry_at) = (None, None);
            self.figures.batches.add(taken.batches as u64);
            self.figures.samples_waiting.set(state.samples as u64);
            state.take_done()
        };
        self.answer(done);
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
        // What was dropped is not kept and tried again.
        let (lost, waiters): (Vec<_>, Vec<_>) = waiters.into_iter().partition(|waiter| waiter.dropped > 0);
        self.answer(lost);
        for waiter in waiters {
            let _ = waiter.reply.send(Err(error.clone()));
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

impl State {
    fn add(&mut self, batch: SampleBatch) {
        self.samples += batch.len();
        self.came += 1;
        self.waiting.push_back(Waiting { number: self.came, batch: Arc::new(batch) });
    }

    fn wait(&mut self, of: RangeInclusive<u64>, asked: Asked) -> oneshot::Receiver<Result<(), StoreError>> {
        let (reply, answer) = oneshot::channel();
        self.waiters.push(Waiter { of, asked, dropped: 0, sifted: Sifted::default(), reply });
        answer
    }

    /// Those of whose batches none waits any more.
    fn take_done(&mut self) -> Vec<Waiter> {
        let first = self.waiting.front().map_or(u64::MAX, |first| first.number);
        let is_done = |waiter: &mut Waiter| {
            *waiter.of.end() < first || (waiter.asked == Asked::Write && waiter.dropped > 0)
        };
        self.waiters.extract_if(.., is_done).collect()
    }
}

impl Waiter {
    fn is_write_of(&self, number: u64) -> bool {
        self.asked == Asked::Write && self.of.contains(&number)
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
        assert_eq!((id, instants(&taken)), (BatchId { boot: 7, batch: 1 }, vec![1]));
        intake.push(batch(2, 2));
        intake.push(batch(3, 2));
        assert_eq!(intake.figures.dropped.queue.get(), 2);
        let (again, same) = intake.take(8);
        assert_eq!((again, instants(&same)), (id, vec![1]));
        intake.written(&[]);
        let (next, taken) = intake.take(8);
        assert_eq!((next, instants(&taken)), (BatchId { boot: 8, batch: 3 }, vec![3]));
    }

    #[test]
    fn everybody_who_waits_is_answered_whatever_goes_at_the_bound() {
        use futures_util::FutureExt as _;
        let intake = intake(4, 1_000);
        intake.push(batch(1, 2));
        let mut first = Box::pin(intake.flush());
        assert_eq!((&mut first).now_or_never(), None);
        intake.take(1);
        let mut second = Box::pin(intake.write(batch(2, 2)));
        assert_eq!((&mut second).now_or_never(), None);
        let mut both = Box::pin(intake.flush());
        assert_eq!((&mut both).now_or_never(), None);
        intake.push(batch(3, 2));
        let dropped = || Err(StoreError::SamplesDropped { database: "desk.db".into(), samples: 2, most: 4 });
        assert_eq!(second.now_or_never(), Some(dropped()), "at once");
        assert_eq!((&mut both).now_or_never(), None, "what is being written is waited for");
        intake.push(batch(4, 9));
        intake.written(&[]);
        assert_eq!([first.now_or_never(), both.now_or_never()], [Some(Ok(())), Some(dropped())]);
        let mut third = Box::pin(intake.flush());
        assert_eq!((&mut third).now_or_never(), None);
        intake.push(batch(5, 4));
        assert_eq!(third.now_or_never(), Some(dropped()), "at once, for nothing of it is left");
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
        assert_eq!(intake.next(), None, "nothing is tried after the last attempt");
        assert_eq!(intake.figures.retries.get(), 1);
        assert_eq!(intake.abandon(), 2);
    }
}
