//! Telling a group: what to say at its tick, and what follows from having said it.
use chrono::{DateTime, Utc};

use super::active::{Actives, AlertId, GroupId};
use super::group::{Group, InFlight, Look, Told};
use super::steady_time::plus;
use super::{Engine, delta, instant};
use crate::{IdempotencyKey, Notification};

impl Engine {
    /// A group's time has come: says what there is to say, and sets the next time.
    pub(super) fn tick(
        &mut self,
        id: GroupId,
        tick: DateTime<Utc>,
        now: DateTime<Utc>,
        steady: DateTime<Utc>,
    ) -> Option<Notification> {
        let group = self.groups.get_mut(id.slot)?;
        let route = self.routes.get(group.route);
        group.next_tick = plus(steady, delta(route.group_interval));
        self.ticks.insert((group.next_tick, id));
        group.flushed = true;
        if let Some(lost) = group.in_flight.take() {
            self.in_flight.remove(&lost.key);
            self.counts.not_told += 1;
            group.changed = true;
        }
        let repeat_due = group.told_at.is_some_and(|told| plus(told, delta(route.repeat_interval)) < steady);
        if !group.changed && !repeat_due {
            return None;
        }
        group.changed = false;
        let look = look(group, &self.alerts);
        if !group.needs_message(look, route.send_resolved, repeat_due) {
            self.let_go_of_ended(id);
            return None;
        }
        let mut said = Vec::with_capacity(group.members.len());
        let mut listed = Vec::new();
        for &member in group.members.keys() {
            let Some(active) = self.alerts.get(member) else { continue };
            let firing = active.alert.is_firing();
            said.push((member, active.version, if firing { Told::Firing } else { Told::Resolved }));
            if firing || route.send_resolved {
                listed.push(active.alert.clone());
            }
        }
        let (receiver, key, labels) = (route.receiver.clone(), group.key.clone(), group.labels.clone());
        let sequence = group.next_sequence(instant(tick));
        let notification = Notification::alerts(receiver, key, labels, sequence, now, listed);
        group.in_flight = Some(InFlight { key: notification.key(), said });
        self.in_flight.insert(notification.key(), id);
        if look.firing == 0 && !route.send_resolved {
            // There is nothing to say to a receiver that does not hear of ends; it counts as told.
            self.told(notification.key(), steady);
            return None;
        }
        Some(notification)
    }

    /// A message is on its way: what it said is what the receiver knows.
    pub(super) fn told(&mut self, key: IdempotencyKey, steady: DateTime<Utc>) {
        let Some(id) = self.in_flight.remove(&key) else { return };
        let Some(group) = self.groups.get_mut(id.slot) else { return };
        let Some(message) = group.in_flight.take() else { return };
        group.told_at = Some(steady);
        group.told_firing = message.said.iter().filter(|said| said.2 == Told::Firing).count();
        group.gone.clear();
        for (member, version, told) in message.said {
            let Some(known) = group.members.get_mut(&member) else { continue };
            // A number may have been given to another alert meanwhile, of which nothing was said.
            let Some(active) = self.alerts.get(member).filter(|active| active.arrival <= version) else {
                continue;
            };
            *known = told;
            if told == Told::Resolved && active.version == version {
                group.members.remove(&member);
                leave(&mut self.alerts, member, id);
            }
        }
        self.drop_if_empty(id);
    }

    /// Forgets the members that have ended without a message about it.
    pub(super) fn let_go_of_ended(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(id.slot) else { return };
        let alerts = &self.alerts;
        let has_ended = |member: &AlertId| alerts.get(*member).is_none_or(|active| !active.alert.is_firing());
        let ended: Vec<_> = group.members.extract_if(|member, _| has_ended(member)).collect();
        for (member, told) in ended {
            if let Some(active) = self.alerts.get(member).filter(|_| told == Told::Firing) {
                group.gone.insert(active.alert.labels().clone());
            }
            leave(&mut self.alerts, member, id);
        }
        self.drop_if_empty(id);
    }

    pub(super) fn drop_if_empty(&mut self, id: GroupId) {
        let Some(group) = self.groups.get(id.slot).filter(|group| group.members.is_empty()) else { return };
        self.ticks.remove(&(group.next_tick, id));
        if let Some(message) = &group.in_flight {
            self.in_flight.remove(&message.key);
        }
        self.vanished.insert(group.key.clone(), group.sequence);
        let place = (group.route, group.labels.clone());
        self.by_labels.remove(&place);
        self.groups.remove(id.slot);
    }
}

fn look(group: &Group, alerts: &Actives) -> Look {
    let mut look = Look::default();
    for (&member, &told) in &group.members {
        let Some(active) = alerts.get(member) else { continue };
        if active.alert.is_firing() {
            look.firing += 1;
            look.new_firing |= told != Told::Firing;
        } else {
            look.resolved += 1;
            look.new_resolved |= told != Told::Resolved;
        }
    }
    look
}

/// An alert is no longer a member of a group; it is forgotten with its last.
fn leave(alerts: &mut Actives, id: AlertId, group: GroupId) {
    let Some(active) = alerts.get_mut(id) else { return };
    active.groups.retain(|other| *other != group);
    if active.groups.is_empty() {
        alerts.remove(id);
    }
}
