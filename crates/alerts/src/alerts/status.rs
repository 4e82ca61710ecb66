//! How alerting is doing, and what is left at its end.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::{Severity, Tally};

use super::Inner;
use crate::engine::EngineCounts;
use crate::rules::EvaluatorCounts;
use crate::{ChannelName, ChannelState, ChannelStatus, ReceiverName, RepositoryError};

/// How alerting is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AlertsStatus {
    /// How many alerts fire, by severity.
    pub firing: BTreeMap<Severity, u64>,
    /// How many alerts the engine holds: those that fire, and those that have ended but are not yet told.
    pub held: u64,
    /// How many groups there are.
    pub groups: u64,
    /// How many raised alerts wait to be taken up, about.
    pub waiting: u64,
    /// Raised alerts that had to give way, by severity.
    pub overflowed: BTreeMap<Severity, u64>,
    /// What the engine has counted.
    pub engine: EngineCounts,
    /// What the rules have counted.
    pub rules: EvaluatorCounts,
    /// Deliveries that could not be stored and went out from memory.
    pub spilled: u64,
    /// Deliveries that were given up because memory had no room for them.
    pub overflowed_deliveries: u64,
    /// Times that the outbox failed to answer.
    pub outbox_errors: u64,
    /// Times that the history failed to answer.
    pub history_errors: u64,
    /// Changes that the history was never told.
    pub lost_changes: u64,
    /// How each channel is doing.
    pub channels: Vec<ChannelStatus>,
}

impl AlertsStatus {
    /// What does not work as it should, one sentence each; empty if all is well. A channel that was switched off is well.
    pub fn complaints(&self) -> Vec<String> {
        let ill = |channel: &&ChannelStatus| {
            !matches!(channel.state, ChannelState::Ready | ChannelState::Disabled | ChannelState::Closed)
        };
        self.channels
            .iter()
            .filter(ill)
            .map(|channel| format!("channel {}: {}", channel.name, channel.state))
            .collect()
    }
}

/// What was lost on the way to the history.
#[derive(Debug, Default)]
pub(super) struct Lost {
    errors: Tally,
    changes: Tally,
    failing: AtomicBool,
}

impl Lost {
    /// True the first time in a row.
    pub(super) fn history_failed(&self) -> bool {
        self.errors.increment();
        !self.failing.swap(true, Ordering::Relaxed)
    }

    pub(super) fn history_recovered(&self) {
        self.failing.store(false, Ordering::Relaxed);
    }

    pub(super) fn changes(&self, count: usize) {
        self.changes.add(count as u64);
    }
}

impl Inner {
    pub(super) fn status(&self) -> AlertsStatus {
        let rules = self.evaluator.lock().counts();
        let engine = self.engine.lock();
        let mut firing: BTreeMap<_, _> = Severity::ALL.into_iter().map(|severity| (severity, 0)).collect();
        for alert in engine.firing() {
            *firing.entry(alert.severity()).or_default() += 1;
        }
        let (counts, held, groups) =
            (engine.counts(), engine.alert_count() as u64, engine.group_count() as u64);
        drop(engine);
        AlertsStatus {
            firing,
            held,
            groups,
            waiting: self.raised.waiting() as u64,
            overflowed: self.raised.overflowed().collect(),
            engine: counts,
            rules,
            spilled: self.outbox.spilled(),
            overflowed_deliveries: self.outbox.overflowed(),
            outbox_errors: self.outbox.errors(),
            history_errors: self.lost.errors.get(),
            lost_changes: self.lost.changes.get() + counts.lost_changes,
            channels: self.couriers.iter().map(|courier| courier.status()).collect(),
        }
    }
}

/// Why a message of the host's own was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// There is no receiver and no channel of that name.
    #[error("no receiver and no channel is named {:?}", receiver.as_str())]
    UnknownReceiver {
        /// The name.
        receiver: ReceiverName,
    },
    /// It could be stored nowhere.
    #[error(transparent)]
    Outbox(#[from] RepositoryError),
}

/// Messages of a channel that were not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndeliveredChannel {
    /// The channel.
    pub channel: ChannelName,
    /// How many messages are left in the outbox.
    pub notifications: u64,
}

/// A channel that was not closed well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnclosedChannel {
    /// The channel.
    pub channel: ChannelName,
    /// Why.
    pub reason: String,
}

/// What was left when alerting was closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "it says what was not delivered"]
#[non_exhaustive]
pub struct CloseReport {
    /// Channels with messages that were not delivered. An outbox that outlives the process keeps them for the next run.
    pub undelivered: Vec<UndeliveredChannel>,
    /// Channels whose outbox did not say in time what is left, so that more may be undelivered than is known.
    pub uncounted: Vec<ChannelName>,
    /// Channels that were not closed well.
    pub unclosed: Vec<UnclosedChannel>,
    /// Notifications that the deadline cut off before they could be stored: nobody is told of them, unless the same is raised again.
    pub untold: u64,
    /// Changes of alerts that the history was not told.
    pub unrecorded: u64,
}

impl CloseReport {
    /// Whether everything was told, delivered and recorded, and every channel closed.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("everything was delivered and every channel closed");
        }
        let mut mark = "";
        for left in &self.undelivered {
            write!(f, "{mark}{}: {} undelivered", left.channel, left.notifications)?;
            mark = "; ";
        }
        for channel in &self.uncounted {
            write!(f, "{mark}{channel}: the outbox did not say what is left")?;
            mark = "; ";
        }
        for unclosed in &self.unclosed {
            write!(f, "{mark}{}: {}", unclosed.channel, unclosed.reason)?;
            mark = "; ";
        }
        for (count, what) in
            [(self.untold, "notifications not stored"), (self.unrecorded, "changes not recorded")]
        {
            if count > 0 {
                write!(f, "{mark}{count} {what}")?;
                mark = "; ";
            }
        }
        Ok(())
    }
}
