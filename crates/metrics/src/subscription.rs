//! Samples as they are taken, for whoever subscribed to some of them.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bellwether_core::{MetricName, SampleBatch, Selector};
use crossbeam_queue::ArrayQueue;
use parking_lot::Mutex;

use crate::own_metrics::Figures;

mod audience;

pub(crate) use self::audience::Audience;

/// Subscriptions of one registry at a time: 256.
pub const MAX_SUBSCRIBERS: usize = 256;
/// Range of the capacity of a [`Subscription`], in batches.
pub const SUBSCRIPTION_CAPACITY_RANGE: RangeInclusive<usize> = 1..=65_536;

/// Which series a subscriber wants: of one selector or of several, or all there are.
///
/// A histogram `x` is sampled as `x_count` and `x_sum`: these are the names to select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selectors(Wanted);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Everything,
    Any(Vec<Selector>),
}

impl Selectors {
    /// Every series.
    pub fn everything() -> Self {
        Self(Wanted::Everything)
    }
}

impl From<Selector> for Selectors {
    fn from(selector: Selector) -> Self {
        Self(Wanted::Any(vec![selector]))
    }
}

impl From<MetricName> for Selectors {
    fn from(metric: MetricName) -> Self {
        Self::from(Selector::metric(metric))
    }
}

impl From<Vec<Selector>> for Selectors {
    fn from(selectors: Vec<Selector>) -> Self {
        Self(Wanted::Any(selectors))
    }
}

impl<const N: usize> From<[Selector; N]> for Selectors {
    fn from(selectors: [Selector; N]) -> Self {
        Self(Wanted::Any(selectors.into()))
    }
}

/// Why there is no subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// A capacity that is too small or too large.
    #[error(
        "a subscription with room for {capacity} batches: expected {} to {}",
        SUBSCRIPTION_CAPACITY_RANGE.start(), SUBSCRIPTION_CAPACITY_RANGE.end()
    )]
    Capacity {
        /// The capacity.
        capacity: usize,
    },
    /// Nothing was selected.
    #[error("a subscription without a selector: name at least one, or everything")]
    NoSelector,
    /// As many subscribers as there may be.
    #[error("one subscriber too many: a registry is bounded to {limit}")]
    TooMany {
        /// The bound.
        limit: usize,
    },
}

/// A batch that a subscriber gets, and what it missed before.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The selected samples of one instant; at least one, in the order of names and labels.
    pub batch: Arc<SampleBatch>,
    /// How many batches for this subscriber were dropped between the one it got before and this one.
    pub missed: u64,
}

/// Samples as they are taken: made by [`Registry::subscribe`](crate::Registry::subscribe).
///
/// Each [`sample`](crate::Registry::sample) that holds a selected series puts one batch into the subscription. A full one drops
/// its oldest batch, since the newest tells most: the sampler never waits for a subscriber. How many batches were dropped stands
/// beside the next one, exactly and in its place; over all subscribers it is `bellwether_metrics_subscriber_missed_total`.
///
/// Dropping it unsubscribes. It does not keep the registry alive: when the last handle of that has gone, what is still there can
/// be taken, and then it is closed.
///
/// ```
/// use bellwether_core::{MetricName, Selector, SystemClock};
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let pnl = metrics.gauge("desk_pnl", Unit::Usd, "Realised and open profit of the desk.")?;
/// let mut profits = metrics.subscribe(MetricName::new("desk_pnl")?, 16)?;
///
/// pnl.set(1_250.0);
/// metrics.sample();
/// let received = profits.try_next().unwrap();
/// assert_eq!((received.batch.values[0].1, received.missed), (1_250.0, 0));
/// assert!(profits.try_next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Subscription {
    inbox: Arc<Inbox>,
    audience: Weak<Audience>,
    /// Number of the batch that comes next if none is missed.
    next: u64,
    missed: u64,
}

/// What a subscriber and the sampler share. The sampler waits for nothing in here.
pub(crate) struct Inbox {
    wanted: Selectors,
    /// Each batch with its number, counted from zero.
    batches: ArrayQueue<(u64, Arc<SampleBatch>)>,
    sent: AtomicU64,
    waker: Mutex<Option<Waker>>,
    closed: AtomicBool,
}

impl Inbox {
    fn new(wanted: Selectors, capacity: usize) -> Self {
        Self {
            wanted,
            batches: ArrayQueue::new(capacity),
            sent: AtomicU64::new(0),
            waker: Mutex::new(None),
            closed: AtomicBool::new(false),
        }
    }

    /// Puts a batch in. Called by one sampler at a time.
    fn send(&self, batch: Arc<SampleBatch>, figures: &Figures) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        if self.batches.force_push((number, batch)).is_some() {
            figures.subscribers_missed.increment();
        }
        self.wake();
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Wakes the receiver. While it has the lock it is just about to sleep and looks once more after that: the fences here and in
    /// [`sleep`](Self::sleep) see to it that one of the two sees what the other did.
    fn wake(&self) {
        fence(Ordering::SeqCst);
        let waker = self.waker.try_lock().and_then(|mut waker| waker.take());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Has the receiver woken at the next batch. It must look for one again after this.
    fn sleep(&self, waker: &Waker) {
        let waker = waker.clone();
        let before = self.waker.lock().replace(waker);
        fence(Ordering::SeqCst);
        drop(before);
    }
}

impl Subscription {
    pub(crate) fn open(
        audience: &Arc<Audience>,
        wanted: Selectors,
        capacity: usize,
    ) -> Result<Self, SubscribeError> {
        if !SUBSCRIPTION_CAPACITY_RANGE.contains(&capacity) {
            return Err(SubscribeError::Capacity { capacity });
        }
        if wanted.0 == Wanted::Any(Vec::new()) {
            return Err(SubscribeError::NoSelector);
        }
        let inbox = Arc::new(Inbox::new(wanted, capacity));
        audience.add(&inbox)?;
        Ok(Self { inbox, audience: Arc::downgrade(audience), next: 0, missed: 0 })
    }

    /// The oldest batch that is there, if there is one. Never waits.
    pub fn try_next(&mut self) -> Option<Received> {
        let (number, batch) = self.inbox.batches.pop()?;
        let missed = number - self.next;
        self.next = number + 1;
        self.missed += missed;
        Some(Received { batch, missed })
    }

    /// The oldest batch, waited for if there is none yet; nothing once the registry has gone. Needs no particular runtime.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Received> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for a future or stream of the caller's own.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        if let Some(received) = self.try_next() {
            return Poll::Ready(Some(received));
        }
        self.inbox.sleep(cx.waker());
        // Closed before empty: what was sent before the end is still there.
        let closed = self.is_closed();
        match self.try_next() {
            None if !closed => Poll::Pending,
            received => Poll::Ready(received),
        }
    }

    /// How many batches were missed, as far as [`try_next`](Self::try_next) has told.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many batches have room.
    pub fn capacity(&self) -> usize {
        self.inbox.batches.capacity()
    }

    /// Whether the registry has gone. There may be batches left.
    pub fn is_closed(&self) -> bool {
        self.inbox.closed.load(Ordering::SeqCst)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(audience) = self.audience.upgrade() {
            audience.remove(&self.inbox);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("selectors", &self.inbox.wanted)
            .field("capacity", &self.capacity())
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
