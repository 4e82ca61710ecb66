//! The alerts that fire, and those that have ended but are not yet told.
use std::collections::BTreeSet;

use bellwether_core::{Labels, Severity};
use chrono::{DateTime, Utc};
use hashbrown::HashMap;

use super::slab::Slab;
use crate::Alert;

/// The number of an alert that an engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AlertId(u32);

/// The number of a group: in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupId {
    pub(super) arrival: u64,
    pub(super) slot: u32,
}

/// When an alert ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Not by itself.
    Open,
    /// At the time that was given.
    Given(DateTime<Utc>),
    /// At a time that nobody gave: it was not raised again.
    Assumed(DateTime<Utc>),
}

impl End {
    fn at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Open => None,
            Self::Given(at) | Self::Assumed(at) => Some(at),
        }
    }

    /// The end of an alert that is raised again: a later end that was given stays.
    pub(super) fn renewed(self, new: Self) -> Self {
        match (self, new.at()) {
            (Self::Given(old), Some(at)) if old > at => self,
            _ => new,
        }
    }
}

#[derive(Debug)]
pub(super) struct Active {
    pub(super) alert: Alert,
    /// Only while it fires.
    pub(super) end: End,
    /// Another number each time it begins or ends, larger than any before.
    pub(super) version: u64,
    /// The groups that it is a member of.
    pub(super) groups: Vec<GroupId>,
    /// Its first version.
    pub(super) arrival: u64,
}

impl Active {
    /// Where it stands among others: the mildest first, then the oldest.
    fn rank(&self, id: AlertId) -> (Severity, u64, AlertId) {
        (self.alert.severity(), self.arrival, id)
    }
}

/// All alerts that an engine knows, found by labels, by number, by end, by rank.
#[derive(Debug, Default)]
pub(super) struct Actives {
    slab: Slab<Active>,
    by_labels: HashMap<Labels, AlertId>,
    /// Those that fire and end by themselves.
    ends: BTreeSet<(DateTime<Utc>, AlertId)>,
    /// Those that fire: the mildest first, then the oldest.
    ranks: BTreeSet<(Severity, u64, AlertId)>,
    /// Those that have ended: the mildest first, then the oldest.
    ended: BTreeSet<(Severity, u64, AlertId)>,
    versions: u64,
}

impl Actives {
    pub(super) fn find(&self, labels: &Labels) -> Option<AlertId> {
        self.by_labels.get(labels).copied()
    }

    pub(super) fn get(&self, id: AlertId) -> Option<&Active> {
        self.slab.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: AlertId) -> Option<&mut Active> {
        self.slab.get_mut(id.0)
    }

    /// How many fire.
    pub(super) fn firing(&self) -> usize {
        self.ranks.len()
    }

    /// How many there are, those that have ended but are not told included.
    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Active> {
        self.slab.iter()
    }

    /// A new alert that fires.
    pub(super) fn insert(&mut self, alert: Alert, end: End) -> AlertId {
        let labels = alert.labels().clone();
        let version = self.next_version();
        let active = Active { alert, end: End::Open, version, groups: Vec::new(), arrival: version };
        let id = AlertId(self.slab.insert(active));
        self.by_labels.insert(labels, id);
        self.fire(id, end);
        id
    }

    /// Replaces the alert, which fires, and its end.
    pub(super) fn refresh(&mut self, id: AlertId, alert: Alert, end: End) {
        let Some(active) = self.slab.get_mut(id.0) else { return };
        active.alert = alert;
        let before = std::mem::replace(&mut active.end, end);
        if before != end {
            self.ends.extend(end.at().map(|at| (at, id)));
            if let Some(at) = before.at().filter(|at| Some(*at) != end.at()) {
                self.ends.remove(&(at, id));
            }
        }
    }

    /// An alert that had ended fires again.
    pub(super) fn begin(&mut self, id: AlertId, alert: Alert, end: End) {
        let version = self.next_version();
        if let Some(active) = self.slab.get_mut(id.0) {
            active.alert = alert;
            active.version = version;
        }
        self.fire(id, end);
    }

    fn next_version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    fn fire(&mut self, id: AlertId, end: End) {
        let Some(active) = self.slab.get_mut(id.0) else { return };
        active.end = end;
        self.ended.remove(&active.rank(id));
        self.ranks.insert(active.rank(id));
        self.ends.extend(end.at().map(|at| (at, id)));
    }

    /// An alert that fires ends. Its new form is given back.
    pub(super) fn end(&mut self, id: AlertId, at: DateTime<Utc>) -> Option<&Active> {
        let version = self.next_version();
        let active = self.slab.get_mut(id.0)?;
        self.ranks.remove(&active.rank(id));
        if let Some(end) = active.end.at() {
            self.ends.remove(&(end, id));
        }
        active.end = End::Open;
        self.ended.insert(active.rank(id));
        active.version = version;
        active.alert = active.alert.ended(at);
        Some(active)
    }

    /// Forgets an alert.
    pub(super) fn remove(&mut self, id: AlertId) -> Option<Active> {
        let active = self.slab.remove(id.0)?;
        self.by_labels.remove(active.alert.labels());
        self.ended.remove(&active.rank(id));
        self.ranks.remove(&active.rank(id));
        if let Some(end) = active.end.at() {
            self.ends.remove(&(end, id));
        }
        Some(active)
    }

    /// The next that ends by itself, and when.
    pub(super) fn next_end(&self) -> Option<(DateTime<Utc>, AlertId)> {
        self.ends.first().copied()
    }

    /// Those that have ended, the mildest first, of these the one that came first.
    pub(super) fn ended(&self) -> impl Iterator<Item = AlertId> {
        self.ended.iter().map(|&(_, _, id)| id)
    }

    /// The first of those that have ended.
    pub(super) fn mildest_ended(&self) -> Option<(Severity, AlertId)> {
        self.ended.first().map(|&(severity, _, id)| (severity, id))
    }

    /// The mildest that fires, of these the one that came first.
    pub(super) fn mildest(&self) -> Option<(Severity, AlertId)> {
        self.ranks.first().map(|&(severity, _, id)| (severity, id))
    }
}
