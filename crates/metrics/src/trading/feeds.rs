//! The metrics of market data feeds: staleness, lag, sequence gaps.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Labels, Monotonic, SampleSink, SharedClock, Timestamp, Unit,
};
use parking_lot::Mutex;

use super::{Arrival, Preset, Sequence, places};
use crate::metric::OVERFLOW_LABEL;
use crate::{Counter, CounterFamily, Histogram, HistogramFamily, Registry, RegistryError};

/// The metrics of market data feeds.
///
/// [`open`](FeedMetrics::open) gives what one feed (a session, a multicast line, a subscription) tells its messages to.
///
/// ```
/// use std::time::Duration;
/// # use bellwether_core::ManualClock;
/// use bellwether_metrics::trading::{Arrival, FeedMetrics};
/// # use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
/// # let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
/// let feeds = FeedMetrics::register(&metrics)?;
/// let mut ticks = feeds.open("itch-a");
/// ticks.received(1);
/// assert_eq!(ticks.received(4), Arrival::Gap { missed: 2 });
/// clock.advance(Duration::from_secs(3));
/// let page = metrics.text();
/// assert!(page.contains("\nfeed_staleness_seconds{feed=\"itch-a\"} 3\n"));
/// assert!(page.contains("\nfeed_missed_messages_total{feed=\"itch-a\"} 2\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
///
/// | metric (after the prefix) | kind | what |
/// | --- | --- | --- |
/// | `feed_messages_total` | counter | messages received, with those that came late or double |
/// | `feed_gaps_total` | counter | gaps in the sequence numbers |
/// | `feed_missed_messages_total` | counter | messages in those gaps |
/// | `feed_recovered_messages_total` | counter | missed messages that came late after all |
/// | `feed_duplicates_total` | counter | messages that were there before |
/// | `feed_old_messages_total` | counter | messages too far behind to say whether they were missed or are double |
/// | `feed_restarts_total` | counter | times that the numbers started anew |
/// | `feed_errors_total{reason}` | counter | messages that could not be used, and failures of the session |
/// | `feed_lag_seconds` | histogram | from the sender's stamp to the receipt |
/// | `feed_stamps_ahead_total` | counter | stamps in the future by our clock: two clocks disagree |
/// | `feed_staleness_seconds` | gauge | since the last sign of life, or since the feed was opened; none while it is paused |
///
/// All have the label `feed`. Staleness is computed at each look at the registry: it goes on rising when nothing comes
/// any more, which is just when it matters.
///
/// [`collectors::Feeds`](crate::collectors::Feeds) tells feeds that several threads write to, without telling late messages
/// from double ones. It has some of the same names: take one of the two, or a prefix.
#[derive(Debug, Clone)]
pub struct FeedMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    families: Families,
    clock: SharedClock,
    most: usize,
    feeds: Mutex<HashMap<Box<str>, Arc<Shared>>>,
}

#[derive(Debug)]
struct Families {
    messages: CounterFamily,
    gaps: CounterFamily,
    missed: CounterFamily,
    recovered: CounterFamily,
    duplicates: CounterFamily,
    old: CounterFamily,
    restarts: CounterFamily,
    errors: CounterFamily<2>,
    ahead: CounterFamily,
    lag: HistogramFamily,
}

/// What several [`Feed`]s of one name have in common.
#[derive(Debug)]
struct Shared {
    labels: Labels,
    /// Nanoseconds after the origin of the clock, or [`PAUSED`].
    last: AtomicU64,
}

/// Five centuries after the clock's origin.
const PAUSED: u64 = u64::MAX;

impl Shared {
    /// A sign of life at `at`. One that was told late does not make the feed older.
    fn heard(&self, at: Monotonic) {
        let at = u64::try_from(at.since_origin().as_nanos()).unwrap_or(PAUSED - 1);
        let last = self.last.load(Ordering::Relaxed);
        if last == PAUSED || at > last {
            self.last.store(at, Ordering::Relaxed);
        }
    }

    fn last(&self) -> Option<Monotonic> {
        match self.last.load(Ordering::Relaxed) {
            PAUSED => None,
            nanos => Some(Monotonic::after_origin(Duration::from_nanos(nanos))),
        }
    }
}

/// One feed: told of each message by the one thread that receives them, without a lock or an allocation.
#[derive(Debug)]
pub struct Feed {
    sequence: Sequence,
    shared: Arc<Shared>,
    clock: SharedClock,
    name: Box<str>,
    messages: Counter,
    gaps: Counter,
    missed: Counter,
    recovered: Counter,
    duplicates: Counter,
    old: Counter,
    restarts: Counter,
    ahead: Counter,
    lag: Histogram,
    errors: CounterFamily<2>,
}

impl FeedMetrics {
    /// Registers the metrics under their plain names, once per registry. [`Preset`] registers them under others.
    pub fn register(metrics: &Registry) -> Result<Self, RegistryError> {
        Self::register_as(&Preset::new(), metrics)
    }

    pub(super) fn register_as(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let staleness = Descriptor::gauge(
            preset.name("feed_staleness_seconds")?,
            Unit::Seconds,
            "Since the last sign of life of the feed.",
        );
        let inner = Arc::new(Inner {
            families: Families::register(preset, metrics)?,
            clock: SharedClock::clone(metrics.clock()),
            most: places(metrics),
            feeds: Mutex::default(),
        });
        metrics.collect(Staleness { descriptors: [staleness], metrics: Arc::clone(&inner) })?;
        Ok(Self(inner))
    }

    /// Opens a feed: its staleness counts from now. A name that was opened before goes on with the same series, with
    /// sequence numbers of its own; feeds beyond the bound of series share the overflow series.
    pub fn open(&self, name: &str) -> Feed {
        let Inner { families, clock, .. } = &*self.0;
        let shared = self.0.shared(name);
        shared.heard(clock.monotonic());
        Feed {
            sequence: Sequence::new(),
            shared,
            clock: SharedClock::clone(clock),
            name: name.into(),
            messages: families.messages.with(name),
            gaps: families.gaps.with(name),
            missed: families.missed.with(name),
            recovered: families.recovered.with(name),
            duplicates: families.duplicates.with(name),
            old: families.old.with(name),
            restarts: families.restarts.with(name),
            ahead: families.ahead.with(name),
            lag: families.lag.with(name),
            errors: families.errors.clone(),
        }
    }
}

impl Inner {
    fn shared(&self, name: &str) -> Arc<Shared> {
        let mut feeds = self.feeds.lock();
        let full = feeds.len() >= self.most && !feeds.contains_key(name);
        let (name, labels) = match Labels::new([("feed", name)]) {
            Ok(labels) if !full => (name, labels),
            // One place more than there may be, for all of them: no feed has an empty name.
            _ => ("", Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty())),
        };
        let new = || Arc::new(Shared { labels, last: AtomicU64::new(PAUSED) });
        Arc::clone(feeds.entry(name.into()).or_insert_with(new))
    }
}

impl Families {
    fn register(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let counter = |name, help| metrics.counter_family(preset.name(name)?, Unit::None, help, ["feed"]);
        Ok(Self {
            messages: counter("feed_messages_total", "Messages received.")?,
            gaps: counter("feed_gaps_total", "Gaps in the sequence numbers.")?,
            missed: counter("feed_missed_messages_total", "Messages in gaps of the sequence numbers.")?,
            recovered: counter("feed_recovered_messages_total", "Missed messages that came late after all.")?,
            duplicates: counter("feed_duplicates_total", "Messages that were there before.")?,
            old: counter(
                "feed_old_messages_total",
                "Messages too far behind to say whether they were missed or are double.",
            )?,
            restarts: counter("feed_restarts_total", "Times that the sequence numbers started anew.")?,
            errors: metrics.counter_family(
                preset.name("feed_errors_total")?,
                Unit::None,
                "Messages that could not be used, and failures of the session, by reason.",
                ["feed", "reason"],
            )?,
            ahead: counter("feed_stamps_ahead_total", "Stamps of the sender that were in the future.")?,
            lag: metrics.histogram_family(
                preset.name("feed_lag_seconds")?,
                Unit::Seconds,
                "From the stamp of the sender to the receipt.",
                ["feed"],
                preset.latencies(),
            )?,
        })
    }
}

impl Feed {
    /// A message with this sequence number has come. What that says about it is counted, and returned for whoever
    /// arbitrates lines or asks for what is missing.
    pub fn received(&mut self, sequence: u64) -> Arrival {
        self.received_at(sequence, self.clock.monotonic())
    }

    /// The same at an instant of the registry's clock that the host has taken itself.
    pub fn received_at(&mut self, sequence: u64, at: Monotonic) -> Arrival {
        self.heard_at(at);
        self.messages.increment();
        let arrival = self.sequence.receive(sequence);
        match arrival {
            Arrival::InOrder => {}
            Arrival::Gap { missed } => self.missed(missed),
            Arrival::Late => self.recovered.increment(),
            Arrival::Duplicate => self.duplicates.increment(),
            Arrival::Old => self.old.increment(),
        }
        arrival
    }

    /// A message without a sequence number has come.
    pub fn received_unnumbered(&mut self) {
        self.heard_at(self.clock.monotonic());
        self.messages.increment();
    }

    /// A heartbeat has come: no message, but a sign of life.
    pub fn heartbeat(&mut self) {
        self.heard_at(self.clock.monotonic());
    }

    /// A heartbeat that tells the number of the message to come, as MoldUDP64 has it: a gap shows at once, and not only
    /// with the next message. Returns how many are missing before it that were not known to be.
    pub fn heartbeat_before(&mut self, next: u64) -> u64 {
        self.heartbeat();
        let missed = self.sequence.announce(next);
        self.missed(missed);
        missed
    }

    /// The sender stamped the message at `sent`. Recorded as lag by the registry's wall clock; a stamp in the future is
    /// counted instead.
    pub fn stamped(&self, sent: Timestamp) {
        let lag = self.clock.timestamp().as_micros().saturating_sub(sent.as_micros());
        match u64::try_from(lag) {
            Ok(lag) => self.lag.record(Duration::from_micros(lag)),
            Err(_) => self.ahead.increment(),
        }
    }

    /// The sequence numbers start anew: a new session. Never guessed: without this call everything after a restart counts
    /// as double or old, which an alert on them shows.
    pub fn restarted(&mut self) {
        self.sequence.restart();
        self.restarts.increment();
    }

    /// A message could not be used, or the session failed.
    pub fn failed(&self, reason: impl AsRef<str>) {
        self.errors.with([&*self.name, reason.as_ref()]).increment();
    }

    /// Nothing is expected for a while, as when the market is closed: the feed has no staleness until the next sign of
    /// life, or until it is [`resumed`](Feed::resumed).
    pub fn paused(&mut self) {
        self.shared.last.store(PAUSED, Ordering::Relaxed);
    }

    /// Messages are expected again: staleness counts from now.
    pub fn resumed(&mut self) {
        self.heartbeat();
    }

    /// The name that it was opened with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its sequence numbers stand.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    fn heard_at(&self, at: Monotonic) {
        self.shared.heard(at);
    }

    fn missed(&self, missed: u64) {
        if missed > 0 {
            self.gaps.increment();
            self.missed.add(missed);
        }
    }
}

/// Tells how stale each feed is.
struct Staleness {
    descriptors: [Descriptor; 1],
    metrics: Arc<Inner>,
}

impl Collect for Staleness {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [staleness] = &self.descriptors;
        let now = self.metrics.clock.monotonic();
        for feed in self.metrics.feeds.lock().values() {
            if let Some(last) = feed.last() {
                out.gauge(staleness, &feed.labels, now.saturating_since(last).as_secs_f64());
            }
        }
        Ok(())
    }
}
