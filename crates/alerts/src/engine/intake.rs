//! Taking in alerts: new, again, over; and making room for them.
use bellwether_core::{Labels, Severity};
use chrono::{DateTime, Utc};

use super::active::{AlertId, End, GroupId};
use super::group::{Group, Told};
use super::steady_time::plus;
use super::{Engine, delta};
use crate::route::RouteId;
use crate::{Alert, AlertChange, GroupKey};

/// How many ends are looked at for one that nobody waits for.
const SEARCHED: usize = 64;

impl Engine {
    pub(super) fn raised(&mut self, alert: Alert, now: DateTime<Utc>, steady: DateTime<Utc>) {
        let end = match (alert.resolved_at(), self.settings.resolve_timeout) {
            (Some(end), _) if end <= now => return self.ended(alert, end),
            (Some(end), _) => End::Given(self.time.to_steady(end)),
            (None, Some(timeout)) => End::Assumed(plus(steady, delta(timeout))),
            (None, None) => End::Open,
        };
        let known = self.alerts.find(alert.labels());
        // Nothing that is so begins later.
        let mut start = alert.starts_at().min(now);
        if let Some((id, active)) = known.and_then(|id| Some((id, self.alerts.get(id)?))) {
            let old = &active.alert;
            // It goes on from its old start if it began before its old end.
            if old.resolved_at().is_none_or(|end| start < end) {
                start = start.min(old.starts_at());
            }
            if old.is_firing() {
                let end = active.end.renewed(end);
                self.alerts.refresh(id, alert.since(start), end);
                self.counts.refreshed += 1;
                return;
            }
        }
        if !self.make_room(alert.severity(), known.is_some(), now, steady) {
            self.counts.refused += 1;
            return;
        }
        // Looked for again: it may have been one that gave way.
        let id = match self.alerts.find(alert.labels()) {
            Some(id) => {
                self.alerts.begin(id, alert.since(start), end);
                id
            }
            None => self.alerts.insert(alert.since(start), end),
        };
        self.join_groups(id, now, steady);
    }

    /// An alert is over, says whoever raised it.
    pub(super) fn ended(&mut self, alert: Alert, at: DateTime<Utc>) {
        let known = self.alerts.find(alert.labels());
        match known.and_then(|id| Some((id, self.alerts.get(id)?))) {
            Some((id, active)) if active.alert.is_firing() => {
                let start = alert.starts_at().min(active.alert.starts_at());
                let last_words = alert.since(start);
                let end = active.end;
                self.alerts.refresh(id, last_words, end);
                self.end(id, at);
            }
            _ => self.counts.unknown_ends += 1,
        }
    }

    /// Ends the alerts whose time is over.
    pub(super) fn end_those_due(&mut self, steady: DateTime<Utc>) {
        while let Some((at, id)) = self.alerts.next_end().filter(|(at, _)| *at <= steady) {
            self.end(id, self.time.to_wall(at));
        }
    }

    pub(super) fn end(&mut self, id: AlertId, at: DateTime<Utc>) {
        let Some(active) = self.alerts.end(id, at) else { return };
        self.counts.count_resolved(active.alert.severity());
        let change = AlertChange::new(active.alert.resolved_at().unwrap_or(at), active.alert.clone());
        for group in &active.groups {
            if let Some(group) = self.groups.get_mut(group.slot) {
                group.changed = true;
            }
        }
        self.note(change);
    }

    pub(super) fn note(&mut self, change: AlertChange) {
        if self.changes.len() >= 2 * self.settings.max_alerts as usize {
            self.changes.pop_front();
            self.counts.lost_changes += 1;
        }
        self.changes.push_back(change);
    }

    /// Whether an alert may fire; milder ones give way if need be. One that is `held` already, having ended, needs no more room.
    pub(super) fn make_room(
        &mut self,
        severity: Severity,
        held: bool,
        now: DateTime<Utc>,
        steady: DateTime<Utc>,
    ) -> bool {
        let most = self.settings.max_alerts as usize;
        if self.alerts.firing() >= most {
            let mildest = self.alerts.mildest().filter(|(mildest, _)| *mildest < severity);
            let Some((_, id)) = mildest else { return false };
            self.counts.evicted += 1;
            self.end(id, now);
            if !self.is_owed(id) {
                self.forget(id);
            }
        }
        if held || self.alerts.len() < self.many() {
            return true;
        }
        // Nobody waits to hear of an end whose beginning nobody heard of.
        let unheard = self.alerts.ended().take(SEARCHED).find(|id| !self.is_owed(*id));
        match unheard {
            Some(id) => self.forget(id),
            // The others are told at the next look, which is now.
            None => self.hasten_ends(1, steady),
        }
        if self.alerts.len() < 2 * self.many() {
            return true;
        }
        // A beginning matters more than an end that is not worse.
        let Some(id) = self.alerts.mildest_ended().filter(|(end, _)| *end <= severity).map(|(_, id)| id)
        else {
            return false;
        };
        self.counts.lost_ends += 1;
        self.forget(id);
        true
    }

    /// How many alerts are so many that ends should be told without delay; twice as many are all that may be held.
    pub(super) fn many(&self) -> usize {
        2 * self.settings.max_alerts as usize
    }

    /// Brings the next tick of the groups forward that have up to so many ends to tell.
    pub(super) fn hasten_ends(&mut self, most: usize, steady: DateTime<Utc>) {
        let ended = self.alerts.ended().take(most).filter_map(|id| self.alerts.get(id));
        let groups: Vec<GroupId> = ended.flat_map(|active| active.groups.iter().copied()).collect();
        for id in groups {
            self.set_tick(id, steady);
        }
    }

    /// Sets the next tick of a group, unless it comes sooner already.
    pub(super) fn set_tick(&mut self, id: GroupId, tick: DateTime<Utc>) {
        let Some(group) = self.groups.get_mut(id.slot).filter(|group| group.next_tick > tick) else { return };
        self.ticks.remove(&(group.next_tick, id));
        group.next_tick = tick;
        self.ticks.insert((tick, id));
    }

    /// Whether somebody was told that the alert fires, or may have been, and must hear of its end.
    pub(super) fn is_owed(&self, id: AlertId) -> bool {
        let Some(active) = self.alerts.get(id) else { return false };
        active.groups.iter().filter_map(|group| self.groups.get(group.slot)).any(|group| {
            let in_flight = group.in_flight.iter().flat_map(|message| &message.said);
            group.members.get(&id) == Some(&Told::Firing)
                || in_flight.filter(|said| said.2 == Told::Firing).any(|said| said.0 == id)
        })
    }

    /// Takes an alert out of all its groups.
    pub(super) fn forget(&mut self, id: AlertId) {
        let Some(active) = self.alerts.remove(id) else { return };
        for group in active.groups {
            if let Some(state) = self.groups.get_mut(group.slot) {
                state.members.remove(&id);
            }
            self.drop_if_empty(group);
        }
    }

    /// Leads an alert that has begun to its groups.
    pub(super) fn join_groups(&mut self, id: AlertId, now: DateTime<Utc>, steady: DateTime<Utc>) {
        let Some(active) = self.alerts.get(id) else { return };
        let alert = active.alert.clone();
        self.counts.count_fired(alert.severity());
        self.note(AlertChange::new(now, alert.clone()));
        let mut matching = std::mem::take(&mut self.matching);
        matching.clear();
        self.routes.matching_into(alert.labels(), &mut matching);
        for &route in &matching {
            let group_id = self.group(route, &alert, steady);
            let Some(group) = self.groups.get_mut(group_id.slot) else { continue };
            if group.join(id, alert.labels())
                && let Some(active) = self.alerts.get_mut(id)
            {
                active.groups.push(group_id);
            }
            // One that should have been told already does not wait for others.
            let wait = self.routes.get(route).group_wait;
            if !group.flushed && plus(alert.starts_at(), delta(wait)) < now {
                self.set_tick(group_id, steady);
            }
        }
        self.matching = matching;
    }

    /// The group of an alert on a route, made if it is not there.
    pub(super) fn group(&mut self, route_id: RouteId, alert: &Alert, steady: DateTime<Utc>) -> GroupId {
        let route = self.routes.get(route_id);
        let mut labels = route.group_by.labels(alert.labels());
        if let Some(&id) = self.by_labels.get(&(route_id, labels.clone())) {
            return id;
        }
        if self.groups.len() >= self.settings.max_groups as usize {
            self.counts.overflowed_groups += 1;
            labels = Labels::empty();
            if let Some(&id) = self.by_labels.get(&(route_id, labels.clone())) {
                return id;
            }
        }
        let first_tick = plus(steady, delta(route.group_wait));
        let mut group = Group::new(route_id, labels.clone(), GroupKey::new(route.id(), &labels), first_tick);
        group.sequence = self.vanished.remove(&group.key).unwrap_or_default();
        self.arrivals += 1;
        let id = GroupId { arrival: self.arrivals, slot: self.groups.insert(group) };
        self.by_labels.insert((route_id, labels), id);
        self.ticks.insert((first_tick, id));
        id
    }
}
