//! Whether data feeds are complete, in time and alive.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_core::{
    BoundsError, Collect, CollectError, Descriptor, Kind, Labels, LabelsError, Monotonic, SampleSink,
    SharedClock, Spread, Tally, Timestamp, Unit,
};
use parking_lot::Mutex;

use super::{declare, undeclared};
use crate::Buckets;

/// Feeds of one [`Feeds`]: 256.
pub const MAX_FEEDS: usize = 256;

/// Why there is no such feed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The name cannot be a label.
    #[error(transparent)]
    Name(#[from] LabelsError),
    /// As many feeds as there may be.
    #[error("feed {feed:?} is one too many: they are bounded to {MAX_FEEDS}")]
    TooMany {
        /// The feed.
        feed: String,
    },
    /// The bounds of the lag are none.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
}

/// The data feeds of a host, as one collector: whether they are complete, in time and alive.
///
/// | metric, with the label `feed` | |
/// | --- | --- |
/// | `feed_ticks_total` | messages received; its rate is that of the feed |
/// | `feed_gaps_total`, `feed_missed_total` | jumps of the sequence number, and the messages that are missing there |
/// | `feed_duplicates_total`, `feed_out_of_order_total` | the newest number again, and numbers before it |
/// | `feed_errors_total` | what the host calls an error |
/// | `feed_lag_seconds` | histogram: from the time of the event to its receipt by the wall clock |
/// | `feed_ahead_total` | events whose time lies after their receipt: clocks disagree; their lag counts as zero |
/// | `feed_staleness_seconds` | time since the last message; before the first one, since the feed was made |
///
/// ```
/// use bellwether_core::SystemClock;
/// use bellwether_metrics::collectors::Feeds;
/// use bellwether_metrics::{Registry, RegistryConfig};
///
/// let clock = SystemClock::shared();
/// let metrics = Registry::new(&clock, RegistryConfig::default());
/// let feeds = Feeds::new(&clock);
/// metrics.collect(feeds.clone())?;
///
/// let trades = feeds.feed("XNYS trades")?;
/// trades.tick(1, clock.timestamp());
/// trades.tick(4, clock.timestamp());
/// assert!(metrics.text().contains("feed_missed_total{feed=\"XNYS trades\"} 2\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Feeds(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    feeds: Mutex<BTreeMap<String, Feed>>,
    descriptors: Vec<Descriptor>,
}

/// A handle on one feed. Cheap to clone; telling it something takes no lock and allocates nothing.
#[derive(Clone)]
pub struct Feed(Arc<State>);

struct State {
    clock: SharedClock,
    labels: Labels,
    /// The newest sequence number and one; zero before the first.
    next: AtomicU64,
    /// Monotonic time of the last message, in nanoseconds.
    last: AtomicU64,
    ticks: Tally,
    gaps: Tally,
    missed: Tally,
    duplicates: Tally,
    out_of_order: Tally,
    errors: Tally,
    ahead: Tally,
    lag: Spread,
}

impl Feeds {
    /// Without feeds so far.
    pub fn new(clock: &SharedClock) -> Self {
        let counter = |name, help| (name, Kind::Counter, Unit::None, help);
        let descriptors = declare([
            counter("feed_ticks_total", "Messages received."),
            counter("feed_gaps_total", "Jumps of the sequence number."),
            counter("feed_missed_total", "Messages that are missing by their sequence numbers."),
            counter("feed_duplicates_total", "Messages with the newest sequence number again."),
            counter("feed_out_of_order_total", "Messages with a sequence number before the newest."),
            counter("feed_errors_total", "Errors of the feed."),
            counter("feed_ahead_total", "Events whose time lies after their receipt."),
            ("feed_lag_seconds", Kind::Histogram, Unit::Seconds, "From the event to its receipt."),
            ("feed_staleness_seconds", Kind::Gauge, Unit::Seconds, "Time since the last message."),
        ]);
        Self(Arc::new(Inner { clock: SharedClock::clone(clock), feeds: Mutex::default(), descriptors }))
    }

    /// The feed of this name, made if there is none yet.
    pub fn feed(&self, name: &str) -> Result<Feed, FeedError> {
        let mut feeds = self.0.feeds.lock();
        if let Some(feed) = feeds.get(name) {
            return Ok(feed.clone());
        }
        if feeds.len() >= MAX_FEEDS {
            return Err(FeedError::TooMany { feed: name.to_owned() });
        }
        let feed = Feed(Arc::new(State {
            labels: Labels::new([("feed", name)])?,
            next: AtomicU64::new(0),
            last: AtomicU64::new(nanos(self.0.clock.monotonic())),
            clock: SharedClock::clone(&self.0.clock),
            ticks: Tally::new(),
            gaps: Tally::new(),
            missed: Tally::new(),
            duplicates: Tally::new(),
            out_of_order: Tally::new(),
            errors: Tally::new(),
            ahead: Tally::new(),
            lag: Spread::new(Buckets::latency().bounds())?,
        }));
        feeds.insert(name.to_owned(), feed.clone());
        Ok(feed)
    }
}

impl Feed {
    /// A message with its sequence number, and the time of its event. Where several threads tell one feed, sequence numbers are
    /// compared in the order in which they come here.
    pub fn tick(&self, sequence: u64, event: Timestamp) {
        let feed = &*self.0;
        let next = sequence.saturating_add(1);
        let expected = feed.next.fetch_max(next, Ordering::Relaxed);
        if expected != 0 {
            if sequence > expected {
                feed.gaps.increment();
                feed.missed.add(sequence - expected);
            } else if next == expected {
                feed.duplicates.increment();
            } else if next < expected {
                feed.out_of_order.increment();
            }
        }
        self.tick_unnumbered(event);
    }

    /// A message of a feed without sequence numbers.
    pub fn tick_unnumbered(&self, event: Timestamp) {
        let feed = &*self.0;
        feed.ticks.increment();
        feed.last.fetch_max(nanos(feed.clock.monotonic()), Ordering::Relaxed);
        let now = feed.clock.timestamp();
        if event > now {
            feed.ahead.increment();
        }
        feed.lag.record(now.saturating_since(event).as_secs_f64());
    }

    /// The feed begins anew, as after a reconnect or with the next trading day: whatever sequence number comes next is right.
    pub fn restart(&self) {
        self.0.next.store(0, Ordering::Relaxed);
    }

    /// An error of the feed: a message that cannot be read, a connection that was lost.
    pub fn error(&self) {
        self.0.errors.increment();
    }
}

fn nanos(at: Monotonic) -> u64 {
    at.since_origin().as_nanos().try_into().unwrap_or(u64::MAX)
}

impl Collect for Feeds {
    fn descriptors(&self) -> &[Descriptor] {
        &self.0.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [ticks, gaps, missed, duplicates, out_of_order, errors, ahead, lag, staleness] =
            &*self.0.descriptors
        else {
            return Err(undeclared());
        };
        let now = nanos(self.0.clock.monotonic());
        let feeds: Vec<Feed> = self.0.feeds.lock().values().cloned().collect();
        for Feed(feed) in feeds {
            for (descriptor, tally) in [
                (ticks, &feed.ticks),
                (gaps, &feed.gaps),
                (missed, &feed.missed),
                (duplicates, &feed.duplicates),
                (out_of_order, &feed.out_of_order),
                (errors, &feed.errors),
                (ahead, &feed.ahead),
            ] {
                out.counter(descriptor, &feed.labels, tally.get() as f64);
            }
            out.histogram(lag, &feed.labels, &feed.lag.snapshot());
            let quiet = now.saturating_sub(feed.last.load(Ordering::Relaxed));
            out.gauge(staleness, &feed.labels, quiet as f64 / 1e9);
        }
        Ok(())
    }
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.feeds.lock().keys()).finish()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Feed").field(&self.0.labels).finish()
    }
}
