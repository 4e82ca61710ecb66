//! The alerts that one route tells together.
use bellwether_core::Labels;
use chrono::{DateTime, Utc};
use hashbrown::{HashMap, HashSet};

use super::active::AlertId;
use crate::route::RouteId;
use crate::{GroupKey, IdempotencyKey};

/// What the receiver was last told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Firing,
    Resolved,
}

/// A message that was made and not yet reported to be on its way.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) key: IdempotencyKey,
    /// Each alert in it, how often it had changed its state then, and what was said of it.
    pub(super) said: Vec<(AlertId, u64, Told)>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) route: RouteId,
    pub(super) labels: Labels,
    pub(super) key: GroupKey,
    pub(super) members: HashMap<AlertId, Told>,
    /// Alerts that are no longer members although the last message said that they fire.
    pub(super) gone: HashSet<Labels>,
    pub(super) next_tick: DateTime<Utc>,
    pub(super) flushed: bool,
    /// When the last message was on its way.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// How many alerts fired in it.
    pub(super) told_firing: usize,
    pub(super) in_flight: Option<InFlight>,
    pub(super) sequence: u64,
    /// Whether anything changed since the last look.
    pub(super) changed: bool,
}

/// What a look at a group's members shows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    pub(super) firing: usize,
    pub(super) resolved: usize,
    /// Something fires that the last message did not say.
    pub(super) new_firing: bool,
    /// Something is over that the last message did not say.
    pub(super) new_resolved: bool,
}

impl Group {
    pub(super) fn new(route: RouteId, labels: Labels, key: GroupKey, next_tick: DateTime<Utc>) -> Self {
        Self {
            route,
            labels,
            key,
            members: HashMap::new(),
            gone: HashSet::new(),
            next_tick,
            flushed: false,
            told_at: None,
            told_firing: 0,
            in_flight: None,
            sequence: 0,
            changed: true,
        }
    }

    /// Takes an alert in; true if it was not a member.
    pub(super) fn join(&mut self, id: AlertId, labels: &Labels) -> bool {
        self.changed = true;
        if self.members.contains_key(&id) {
            return false;
        }
        let told = if self.gone.remove(labels) { Told::Firing } else { Told::Nothing };
        self.members.insert(id, told);
        true
    }

    /// Whether there is something to say, as Alertmanager judges it.
    pub(super) fn needs_message(&self, look: Look, send_resolved: bool, repeat_due: bool) -> bool {
        if self.told_at.is_none() {
            return look.firing > 0;
        }
        if look.firing == 0 {
            return self.told_firing > 0;
        }
        look.new_firing || (send_resolved && look.new_resolved) || repeat_due
    }

    /// The number of the next message: the instant in microseconds, or one more than the last.
    pub(super) fn next_sequence(&mut self, instant: u64) -> u64 {
        self.sequence = instant.max(self.sequence.saturating_add(1));
        self.sequence
    }
}
