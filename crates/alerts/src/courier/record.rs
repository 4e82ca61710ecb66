//! What a courier knows of its channel.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bellwether_core::{Labels, Spread, Tally};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::status::{ChannelCounts, ChannelState, ChannelStatus};
use crate::{ChannelName, Receipt, SendError};

/// Upper bounds of the buckets of attempts, in seconds.
const ATTEMPT_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// What a courier knows of its channel, read by anyone at any time.
#[derive(Debug)]
pub(crate) struct ChannelRecord {
    name: ChannelName,
    pub(crate) labels: Labels,
    attempts: Tally,
    delivered: Tally,
    retries: Tally,
    dead_letters: Tally,
    skipped: Tally,
    timeouts: Tally,
    panics: Tally,
    rate_limited: Tally,
    held_back: Tally,
    unlogged: Tally,
    superseded: Tally,
    pending: AtomicU64,
    pub(crate) seconds: Option<Spread>,
    failed_to_start: Option<String>,
    condition: Mutex<Condition>,
}

/// How the channel does.
#[derive(Debug, Default)]
struct Condition {
    success: Option<DateTime<Utc>>,
    failure: Option<(DateTime<Utc>, String)>,
    /// Whether the last attempt failed.
    failing: bool,
    open_until: Option<DateTime<Utc>>,
}

impl ChannelRecord {
    pub(super) fn new(name: &ChannelName, failed_to_start: Option<String>) -> Self {
        Self {
            name: name.clone(),
            // A channel's name is a valid label value.
            labels: Labels::new([("channel", name.as_str())]).unwrap_or_default(),
            attempts: Tally::new(),
            delivered: Tally::new(),
            retries: Tally::new(),
            dead_letters: Tally::new(),
            skipped: Tally::new(),
            timeouts: Tally::new(),
            panics: Tally::new(),
            rate_limited: Tally::new(),
            held_back: Tally::new(),
            unlogged: Tally::new(),
            superseded: Tally::new(),
            pending: AtomicU64::new(0),
            seconds: Spread::new(ATTEMPT_SECONDS).ok(),
            failed_to_start,
            condition: Mutex::default(),
        }
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.failed_to_start.as_deref()
    }

    pub(super) fn attempted(&self, result: &Result<Receipt, SendError>, at: DateTime<Utc>, took: Duration) {
        self.attempts.increment();
        if let Some(seconds) = &self.seconds {
            seconds.record(took.as_secs_f64());
        }
        let mut condition = self.condition.lock();
        match result {
            Ok(_) => {
                self.delivered.increment();
                condition.success = Some(at);
                condition.failing = false;
            }
            Err(error) => {
                if matches!(error, SendError::RateLimited { .. }) {
                    self.rate_limited.increment();
                }
                condition.failure = Some((at, error.to_string()));
                condition.failing = true;
            }
        }
    }

    /// It did wrong beside an attempt.
    pub(super) fn failed(&self, at: DateTime<Utc>, reason: String) {
        let mut condition = self.condition.lock();
        condition.failure = Some((at, reason));
        condition.failing = true;
    }

    pub(super) fn superseded(&self, count: u32) {
        self.superseded.add(count.into());
    }

    pub(super) fn circuit(&self, open_until: Option<DateTime<Utc>>) {
        self.condition.lock().open_until = open_until;
    }

    pub(super) fn retried(&self) {
        self.retries.increment();
    }

    pub(super) fn buried(&self) {
        self.dead_letters.increment();
    }

    pub(super) fn skipped(&self) {
        self.skipped.increment();
    }

    pub(super) fn timed_out(&self) {
        self.timeouts.increment();
    }

    pub(super) fn panicked(&self) {
        self.panics.increment();
    }

    pub(super) fn held_back(&self) {
        self.held_back.increment();
    }

    pub(super) fn unlogged(&self) {
        self.unlogged.increment();
    }

    pub(super) fn pending(&self, open: u64) {
        self.pending.store(open, Ordering::Relaxed);
    }

    pub(super) fn last_pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    pub(super) fn status(&self, enabled: bool, closed: bool) -> ChannelStatus {
        let condition = self.condition.lock();
        let reason = || condition.failure.as_ref().map(|(_, reason)| reason.clone()).unwrap_or_default();
        let state = match (&self.failed_to_start, condition.open_until) {
            _ if closed => ChannelState::Closed,
            (Some(reason), _) => ChannelState::FailedToStart { reason: reason.clone() },
            _ if !enabled => ChannelState::Disabled,
            (None, Some(until)) => ChannelState::OpenCircuit { until, reason: reason() },
            (None, None) if condition.failing => ChannelState::Degraded { reason: reason() },
            (None, None) => ChannelState::Ready,
        };
        ChannelStatus {
            name: self.name.clone(),
            state,
            counts: ChannelCounts {
                attempts: self.attempts.get(),
                delivered: self.delivered.get(),
                retries: self.retries.get(),
                dead_letters: self.dead_letters.get(),
                skipped: self.skipped.get(),
                timeouts: self.timeouts.get(),
                panics: self.panics.get(),
                rate_limited: self.rate_limited.get(),
                held_back: self.held_back.get(),
                unlogged: self.unlogged.get(),
                superseded: self.superseded.get(),
                pending: self.last_pending(),
            },
            last_success: condition.success,
            last_failure: condition.failure.clone(),
        }
    }
}
