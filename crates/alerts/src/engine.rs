//! Who must be told what, and when: a state machine without clock, task, lock or wait.
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bellwether_core::Labels;
use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::HashMap;

use crate::route::{RouteId, RouteTree};
use crate::{Alert, AlertChange, GroupKey, IdempotencyKey, Notification};

mod active;
mod counts;
mod event;
mod flush;
mod group;
mod intake;
mod slab;
mod steady_time;

use self::active::{Actives, GroupId};
pub use self::counts::EngineCounts;
pub use self::event::Event;
use self::group::Group;
use self::slab::Slab;
use self::steady_time::SteadyTime;

/// Bounds and habits of an [`Engine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSettings {
    /// Most alerts that fire at a time; beyond it milder ones give way to worse ones. Up to three times as many may have ended without
    /// being told yet; beyond that a new alert takes the place of such an end unless all of these were worse.
    pub max_alerts: u32,
    /// Most groups at a time, one for each route not counted.
    pub max_groups: u32,
    /// When an alert ends that is raised without an end and not raised again; never if not said.
    pub resolve_timeout: Option<Duration>,
}

impl EngineSettings {
    /// Alerts if nobody says how many.
    pub const DEFAULT_MAX_ALERTS: u32 = 10_000;
    /// Groups if nobody says how many.
    pub const DEFAULT_MAX_GROUPS: u32 = 1_000;
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            max_alerts: Self::DEFAULT_MAX_ALERTS,
            max_groups: Self::DEFAULT_MAX_GROUPS,
            resolve_timeout: None,
        }
    }
}

/// Who must be told what, and when.
///
/// Events and the time go in, notifications and the next instant to look again come out. Alerts are the same when all their labels are;
/// each is led through the [`RouteTree`] to its groups, and each group is told by itself: first `group_wait` after its first
/// alert, then at ticks of `group_interval` if something changed, or if the last message is older than `repeat_interval`.
/// That is Alertmanager's way, whose recorded runs are tests of this type.
///
/// Every notification must be answered by [`Event::Told`] or [`Event::NotTold`]. One that is not answered before the next tick of its
/// group counts as not told.
///
/// ```
/// use bellwether_alerts::engine::{Engine, EngineSettings, Event};
/// use bellwether_alerts::config::RouteConfig;
/// use bellwether_alerts::{Alert, ReceiverName, RouteTree};
/// use chrono::{DateTime, TimeDelta};
///
/// let root = RouteConfig::to(ReceiverName::new("desk")?);
/// let mut engine = Engine::new(RouteTree::new(&root, &Default::default()), EngineSettings::default());
/// let start = DateTime::UNIX_EPOCH;
/// engine.handle(Event::Raised(Alert::builder("FeedStale", start).build()?), start);
/// assert!(engine.poll(start).is_empty());
///
/// let first = engine.next_wakeup().unwrap();
/// assert_eq!(first - start, TimeDelta::seconds(30));
/// let told = engine.poll(first);
/// assert_eq!(told[0].title(), "[FIRING 1] warning FeedStale");
/// engine.handle(Event::Told(told[0].key()), first);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    routes: RouteTree,
    settings: EngineSettings,
    time: SteadyTime,
    alerts: Actives,
    groups: Slab<Group>,
    by_labels: HashMap<(RouteId, Labels), GroupId>,
    ticks: BTreeSet<(DateTime<Utc>, GroupId)>,
    in_flight: HashMap<IdempotencyKey, GroupId>,
    /// Groups that vanished at this very instant, and the number of their last message: one that comes again goes on from there.
    vanished: HashMap<GroupKey, u64>,
    changes: VecDeque<AlertChange>,
    /// Groups so far.
    arrivals: u64,
    counts: EngineCounts,
    /// Used again at each alert.
    matching: Vec<RouteId>,
}

impl Engine {
    /// An engine without alerts.
    pub fn new(routes: RouteTree, settings: EngineSettings) -> Self {
        Self {
            routes,
            settings,
            time: SteadyTime::default(),
            alerts: Actives::default(),
            groups: Slab::default(),
            by_labels: HashMap::new(),
            ticks: BTreeSet::new(),
            in_flight: HashMap::new(),
            vanished: HashMap::new(),
            changes: VecDeque::new(),
            arrivals: 0,
            counts: EngineCounts::default(),
            matching: Vec::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, event: Event, now: DateTime<Utc>) {
        let steady = self.time.advance(now);
        self.end_those_due(steady);
        match event {
            Event::Raised(alert) => self.raised(alert, now, steady),
            Event::Told(key) => self.told(key, steady),
            Event::NotTold(key) => {
                if let Some(group) = self.in_flight.remove(&key).and_then(|id| self.groups.get_mut(id.slot)) {
                    group.in_flight = None;
                    group.changed = true;
                    self.counts.not_told += 1;
                }
            }
        }
    }

    /// The notifications that are due.
    #[must_use = "each must be answered by `Told` or `NotTold`"]
    pub fn poll(&mut self, now: DateTime<Utc>) -> Vec<Notification> {
        let steady = self.time.advance(now);
        self.vanished.retain(|_, sequence| *sequence >= instant(steady));
        self.end_those_due(steady);
        if self.alerts.len() >= self.many() {
            self.hasten_ends(usize::MAX, steady);
        }
        let mut due = Vec::new();
        while let Some(&(tick, id)) = self.ticks.first().filter(|(tick, _)| *tick <= steady) {
            self.ticks.remove(&(tick, id));
            due.extend(self.tick(id, tick, now, steady));
        }
        self.counts.notifications += due.len() as u64;
        due
    }

    /// Lets every group say at the next [`poll`](Self::poll) what it would have said later: for the last look before the end.
    pub fn flush(&mut self, now: DateTime<Utc>) {
        let steady = self.time.advance(now);
        let groups: Vec<_> = self.ticks.iter().map(|&(_, id)| id).collect();
        for id in groups {
            self.set_tick(id, steady);
        }
    }

    /// The clock was set ahead by a length, or back by a negative one: timers go on as if it had not been. One that is set back is noticed without
    /// this, and taken out once though it is told as well, before or after; one that is set ahead looks like time that went by, in which alerts end and groups are told that should not be.
    pub fn clock_set(&mut self, ahead: TimeDelta) {
        self.time.set(ahead);
    }

    /// When to [`poll`](Self::poll) again, if nothing happens before.
    pub fn next_wakeup(&self) -> Option<DateTime<Utc>> {
        let tick = self.ticks.first().map(|&(tick, _)| tick);
        let end = self.alerts.next_end().map(|(end, _)| end);
        tick.into_iter().chain(end).min().map(|at| self.time.to_wall(at))
    }

    /// The beginnings and ends of alerts since they were last taken, in the order in which they happened.
    pub fn take_changes(&mut self) -> Vec<AlertChange> {
        self.changes.drain(..).collect()
    }

    /// How many beginnings and ends wait to be [taken](Self::take_changes).
    pub fn change_count(&self) -> usize {
        self.changes.len()
    }

    /// The alerts that fire, in no order.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().map(|active| &active.alert).filter(|alert| alert.is_firing())
    }

    /// How many alerts fire.
    pub fn firing_count(&self) -> usize {
        self.alerts.firing()
    }

    /// How many alerts it holds: those that fire, and those that have ended but are not yet told.
    pub fn alert_count(&self) -> usize {
        self.alerts.len()
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// What has been counted so far.
    pub fn counts(&self) -> EngineCounts {
        self.counts
    }

    /// The tree that alerts are led through.
    pub fn routes(&self) -> &RouteTree {
        &self.routes
    }
}

/// An instant as messages are numbered by: microseconds since 1970.
fn instant(at: DateTime<Utc>) -> u64 {
    at.timestamp_micros().max(0).unsigned_abs()
}

/// A length as chrono counts it; the longest it knows for a longer one.
pub(crate) fn delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}
