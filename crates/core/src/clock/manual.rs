//! A clock that moves when it is told to.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use super::{Clock, Monotonic, SharedClock};

/// A clock for tests and replays: time stands still until [`advance`](Self::advance) moves it.
///
/// Clones share one time. Waits complete when time reaches them, and are woken in the order in which they are
/// due, those of one instant in the order in which they were first polled. While a wait is being woken the
/// clock shows exactly the instant it was due. The task behind it may run later, when time has moved on. A
/// driver that wants every task to see its own instant goes from one [`next_wait`](Self::next_wait) to the
/// next and lets the runtime work in between, as `advance_through` (feature `runtime`) does.
///
/// The clock remembers one entry per wait that is being polled, and forgets it when the wait ends or is
/// dropped.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Clock, ManualClock};
/// use chrono::{DateTime, TimeDelta};
///
/// let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// clock.step_wall(TimeDelta::seconds(-30)); // the machine's clock is set back
/// assert_eq!(clock.now().timestamp(), 30);
/// assert_eq!(clock.monotonic().since_origin(), Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: DateTime<Utc>,
    monotonic: Monotonic,
    /// Where the calls of `advance` so far lead; `monotonic` is on its way there.
    goal: Monotonic,
    /// By due time, then by order of arrival.
    waits: BTreeMap<(Monotonic, u64), Waker>,
    #[cfg(feature = "runtime")]
    arrivals: u64,
}

impl State {
    /// Moves time forward to `to`; never back.
    fn move_to(&mut self, to: Monotonic) {
        let by = to.saturating_since(self.monotonic);
        self.monotonic = self.monotonic.max(to);
        self.wall = later(self.wall, by);
    }

    fn next_due(&self) -> Option<Monotonic> {
        self.waits.keys().next().map(|(due, _)| *due)
    }
}

impl ManualClock {
    /// A clock that stands at the given wall time, at the origin of its monotonic time.
    pub fn starting_at(wall: DateTime<Utc>) -> Self {
        let state = State {
            wall,
            monotonic: Monotonic::ORIGIN,
            goal: Monotonic::ORIGIN,
            waits: BTreeMap::new(),
            #[cfg(feature = "runtime")]
            arrivals: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// This clock as a [`SharedClock`]; both show the same time.
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }

    /// Moves wall and monotonic time on by `length`, waking every wait on the way in its turn.
    ///
    /// Calls from several threads add up.
    pub fn advance(&self, length: Duration) {
        let goal = {
            let mut state = self.state.lock();
            state.goal = state.goal.saturating_add(length);
            state.goal
        };
        while let Some(waker) = self.step_towards(goal) {
            waker.wake();
        }
    }

    /// Moves time on until the wall shows `wall`, and says how far that was: zero if it was not ahead.
    pub fn advance_to(&self, wall: DateTime<Utc>) -> Duration {
        let length = wall.signed_duration_since(self.now()).to_std().unwrap_or(Duration::ZERO);
        self.advance(length);
        length
    }

    /// Sets the wall clock forth or back by `step`, as an operator or a time server would. Monotonic time and
    /// waits do not notice.
    pub fn step_wall(&self, step: TimeDelta) {
        let mut state = self.state.lock();
        let end = if step < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        state.wall = state.wall.checked_add_signed(step).unwrap_or(end);
    }

    /// When the earliest pending wait is due.
    pub fn next_wait(&self) -> Option<Monotonic> {
        self.state.lock().next_due()
    }

    /// How many waits are pending.
    pub fn waits(&self) -> usize {
        self.state.lock().waits.len()
    }

    /// Moves time on by `length` from one due wait to the next, and lets the woken tasks work before it moves
    /// on: each sees the instant it waited for, and its new waits are served on the way too.
    ///
    /// "Let work" means that every task that is ready gets several dozen turns, which is exact on a
    /// current-thread runtime as long as the tasks wait only for this clock and for each other. A task that
    /// waits for a disk or a socket may be overtaken.
    #[cfg(feature = "runtime")]
    pub async fn advance_through(&self, length: Duration) {
        let goal = self.monotonic().saturating_add(length);
        settle().await;
        while let Some(due) = self.next_wait().filter(|due| *due <= goal) {
            self.advance(due.saturating_since(self.monotonic()));
            settle().await;
        }
        self.advance(goal.saturating_since(self.monotonic()));
        settle().await;
    }

    /// Moves to the next due wait up to `goal` and takes its waker out, to be woken without the lock; or to
    /// `goal` itself.
    fn step_towards(&self, goal: Monotonic) -> Option<Waker> {
        let mut state = self.state.lock();
        match state.waits.first_entry() {
            Some(entry) if entry.key().0 <= goal => {
                let ((due, _), waker) = entry.remove_entry();
                state.move_to(due);
                Some(waker)
            }
            _ => {
                state.move_to(goal);
                None
            }
        }
    }
}

impl From<ManualClock> for SharedClock {
    fn from(clock: ManualClock) -> Self {
        Arc::new(clock)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.state.lock().wall
    }

    fn monotonic(&self) -> Monotonic {
        self.state.lock().monotonic
    }

    #[cfg(feature = "runtime")]
    fn sleep_until(&self, at: Monotonic) -> super::Sleep {
        super::Sleep::new(wait::Wait::new(self.clone(), at))
    }
}

/// `wall` moved on by `length`, or the last date there is.
fn later(wall: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(length)
        .ok()
        .and_then(|length| wall.checked_add_signed(length))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Gives the other tasks of the runtime turns enough to pass a few messages on among them.
#[cfg(feature = "runtime")]
async fn settle() {
    const TURNS: usize = 64;
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

#[cfg(feature = "runtime")]
mod wait {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::{ManualClock, Monotonic};

    /// One wait on a manual clock.
    pub(super) struct Wait {
        clock: ManualClock,
        due: Monotonic,
        /// Its place among the waits, from the first poll on.
        arrival: Option<u64>,
    }

    impl Wait {
        pub(super) fn new(clock: ManualClock, due: Monotonic) -> Self {
            Self { clock, due, arrival: None }
        }

        /// Gives up its place. A waker may own the last handle of a task, and with it other waits on this
        /// clock: it is dropped without the lock.
        fn forget(&mut self) {
            if let Some(arrival) = self.arrival.take() {
                let mut state = self.clock.state.lock();
                let waker = state.waits.remove(&(self.due, arrival));
                drop(state);
                drop(waker);
            }
        }
    }

    impl Future for Wait {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let this = &mut *self;
            let waker = cx.waker().clone();
            let mut state = this.clock.state.lock();
            if state.monotonic >= this.due {
                drop(state);
                this.forget();
                return Poll::Ready(());
            }
            let arrival = *this.arrival.get_or_insert_with(|| {
                state.arrivals += 1;
                state.arrivals
            });
            let replaced = state.waits.insert((this.due, arrival), waker);
            drop(state);
            drop(replaced);
            Poll::Pending
        }
    }

    impl Drop for Wait {
        fn drop(&mut self) {
            self.forget();
        }
    }
}
