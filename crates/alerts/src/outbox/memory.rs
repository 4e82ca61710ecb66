//! An outbox that lives as long as the process.
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{Cursor, CursorError, Page, PageRequest, Severity, Tally};
use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;

use super::{Claim, DeadLetter, Delivery, Outbox};
use crate::channel::cut;
use crate::{ChannelName, GroupKey, IdempotencyKey, Receipt, RepositoryError, SendError};

/// An outbox in memory: survives everything but the end of the process. Bounded.
///
/// When it is full, a new delivery takes the place of the oldest one among the mildest, if that is not worse than the new one and not
/// claimed; what had to go becomes a dead letter and is counted. So critical messages are never lost to mild ones.
#[derive(Debug)]
pub struct MemoryOutbox {
    state: Mutex<State>,
    capacity: usize,
    overflowed: Tally,
    forgotten: Tally,
}

#[derive(Debug, Default)]
struct State {
    lanes: HashMap<ChannelName, Lane>,
    open: usize,
    /// Counts deliveries, claims and dead letters; never the same number twice.
    counter: u64,
    /// Keys of settled deliveries, so that none is put again.
    settled: HashSet<(ChannelName, IdempotencyKey)>,
    settled_order: VecDeque<(ChannelName, IdempotencyKey)>,
    dead: BTreeMap<u64, DeadLetter>,
}

/// The open deliveries of one channel.
#[derive(Debug, Default)]
struct Lane {
    open: HashMap<u64, Open>,
    ids: HashMap<IdempotencyKey, u64>,
    /// Deliveries of a group in the order in which they came; only the first may be claimed.
    groups: HashMap<GroupKey, BTreeSet<u64>>,
    /// First of their group, due later: when, and which.
    waiting: BTreeSet<(DateTime<Utc>, u64)>,
    /// First of their group, due now: the worst first, then the oldest.
    due: BTreeSet<(Reverse<Severity>, u64)>,
    /// Not claimed, the mildest first, then the oldest.
    idle: BTreeSet<(Severity, u64)>,
}

#[derive(Debug)]
struct Open {
    delivery: Delivery,
    severity: Severity,
    attempts: u32,
    /// When it may be claimed; the end of the lease while it is.
    at: DateTime<Utc>,
    fence: Option<u64>,
}

impl MemoryOutbox {
    /// Open deliveries that are kept when nobody says how many.
    pub const DEFAULT_CAPACITY: usize = 10_000;
    /// Settled keys that are remembered.
    pub const SETTLED_KEYS: usize = 10_000;
    /// Dead letters that are kept; the oldest go first.
    pub const DEAD_LETTERS: usize = 1_000;

    /// Holds up to `capacity` open deliveries, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            capacity: capacity.max(1),
            overflowed: Tally::new(),
            forgotten: Tally::new(),
        }
    }

    /// How many deliveries had to go because it was full.
    pub fn overflowed(&self) -> u64 {
        self.overflowed.get()
    }

    /// How many dead letters were forgotten because there were too many.
    pub fn forgotten(&self) -> u64 {
        self.forgotten.get()
    }

    /// Whether it holds open deliveries of a group.
    #[cfg(feature = "runtime")]
    pub(crate) fn holds(&self, channel: &ChannelName, group: &GroupKey) -> bool {
        self.state.lock().lanes.get(channel).is_some_and(|lane| lane.groups.contains_key(group))
    }

    /// The worst that is due of a channel.
    #[cfg(feature = "runtime")]
    pub(crate) fn worst_due(&self, channel: &ChannelName, now: DateTime<Utc>) -> Option<Severity> {
        let mut state = self.state.lock();
        let lane = state.lanes.get_mut(channel)?;
        lane.mature(now);
        lane.due.first().map(|&(Reverse(severity), _)| severity)
    }

    fn bury(&self, state: &mut State, letter: DeadLetter) {
        state.remember(letter.delivery.channel.clone(), letter.delivery.notification.key());
        let id = state.next();
        state.dead.insert(id, letter);
        if state.dead.len() > Self::DEAD_LETTERS {
            state.dead.pop_first();
            self.forgotten.increment();
        }
    }

    /// Adds a delivery that is new, or gives it up if there is no room.
    fn add(&self, state: &mut State, delivery: Delivery, now: DateTime<Utc>) {
        if self.make_room(state, delivery.notification.urgency(), now) {
            let id = state.next();
            state.open += 1;
            state.lanes.entry(delivery.channel.clone()).or_default().add(id, delivery, 0, now);
        } else {
            let reason = format!("the outbox is full: it holds {} deliveries", self.capacity);
            self.bury(state, DeadLetter { delivery, attempts: 0, at: now, reason });
        }
    }

    /// Makes room for a delivery; false if everything there is worse than it or claimed.
    fn make_room(&self, state: &mut State, severity: Severity, now: DateTime<Utc>) -> bool {
        if state.open < self.capacity {
            return true;
        }
        self.overflowed.increment();
        let mildest = state.lanes.iter().filter_map(|(name, lane)| Some((lane.idle.first()?, name)));
        let Some((&(_, id), name)) = mildest.min().filter(|((mild, _), _)| *mild <= severity) else {
            return false;
        };
        let name = name.clone();
        if let Some(open) = state.lanes.get_mut(&name).and_then(|lane| lane.take(id)) {
            state.open -= 1;
            let reason = format!("the outbox is full: it holds {} deliveries", self.capacity);
            self.bury(
                state,
                DeadLetter { delivery: open.delivery, attempts: open.attempts, at: now, reason },
            );
        }
        true
    }
}

impl Default for MemoryOutbox {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn remember(&mut self, channel: ChannelName, key: IdempotencyKey) {
        if self.settled.insert((channel.clone(), key)) {
            self.settled_order.push_back((channel, key));
        }
        if self.settled_order.len() > MemoryOutbox::SETTLED_KEYS
            && let Some(oldest) = self.settled_order.pop_front()
        {
            self.settled.remove(&oldest);
        }
    }

    /// The number of a delivery that is open.
    fn open_id(&self, delivery: &Delivery) -> Option<u64> {
        self.lanes.get(&delivery.channel)?.ids.get(&delivery.notification.key()).copied()
    }

    fn is_settled(&self, delivery: &Delivery) -> bool {
        self.settled.contains(&(delivery.channel.clone(), delivery.notification.key()))
    }

    /// Puts a delivery, `known` by its number if it is open, where the oldest is that it takes the place of, with the attempts of that one unless something
    /// fires anew; false if it takes the place of none.
    fn take_places(&mut self, delivery: &Delivery, known: Option<u64>, now: DateTime<Utc>) -> bool {
        let Some(lane) = self.lanes.get_mut(&delivery.channel) else { return false };
        let mut message = Arc::clone(&delivery.notification);
        if let Some(own) = known.and_then(|id| lane.open.get(&id)) {
            if own.is_held(now) {
                return false;
            }
            message = Arc::clone(&own.delivery.notification);
        }
        let Some(members) = lane.groups.get(message.group_key()) else { return false };
        let mut replaced = Vec::new();
        let mut attempts = 0;
        for &id in members.range(..known.unwrap_or(u64::MAX)).rev() {
            let Some(older) = lane.open.get(&id).filter(|older| !older.is_held(now)) else { break };
            let Some(both) = message.in_place_of(&older.delivery.notification) else { break };
            if !message.fires_anew(&older.delivery.notification) {
                attempts = older.attempts;
            }
            message = Arc::new(both);
            replaced.push(id);
        }
        let Some(&place) = replaced.last() else { return false };
        let taken: Vec<_> = known.into_iter().chain(replaced).filter_map(|id| lane.take(id)).collect();
        let own = message.key();
        lane.add(place, Delivery::new(delivery.channel.clone(), message), attempts, now);
        self.open = self.open + 1 - taken.len();
        for older in taken {
            let key = older.delivery.notification.key();
            if key != own {
                self.remember(older.delivery.channel, key);
            }
        }
        true
    }

    /// The lane and id of a claim that still holds.
    fn held(&mut self, claim: &Claim) -> Result<(&mut Lane, u64), RepositoryError> {
        let fenced =
            || RepositoryError::Fenced { channel: claim.channel().to_string(), fence: claim.fence() };
        let lane = self.lanes.get_mut(claim.channel()).ok_or_else(fenced)?;
        let id = *lane.ids.get(&claim.notification().key()).ok_or_else(fenced)?;
        match lane.open.get(&id) {
            Some(open) if open.fence == Some(claim.fence()) => Ok((lane, id)),
            _ => Err(fenced()),
        }
    }

    /// Takes a claimed delivery out.
    fn settle(&mut self, claim: &Claim) -> Result<Open, RepositoryError> {
        let (lane, id) = self.held(claim)?;
        let open = lane.take(id);
        self.open -= 1;
        open.ok_or_else(|| RepositoryError::corrupt("outbox", "a claim without its delivery"))
    }

    /// Gives a claimed delivery back.
    fn give_back(&mut self, claim: &Claim, at: DateTime<Utc>, attempts: u32) -> Result<(), RepositoryError> {
        let (lane, id) = self.held(claim)?;
        if let Some(open) = lane.open.get_mut(&id) {
            lane.waiting.remove(&(open.at, id));
            lane.due.remove(&(Reverse(open.severity), id));
            open.at = at;
            open.fence = None;
            open.attempts = attempts;
            lane.idle.insert((open.severity, id));
            lane.waiting.insert((at, id));
        }
        Ok(())
    }
}

impl Open {
    fn is_held(&self, now: DateTime<Utc>) -> bool {
        self.fence.is_some() && self.at > now
    }
}

impl Lane {
    /// Adds a delivery at its place among those of its group.
    fn add(&mut self, id: u64, delivery: Delivery, attempts: u32, now: DateTime<Utc>) {
        let (key, group) = (delivery.notification.key(), delivery.notification.group_key().clone());
        let severity = delivery.notification.urgency();
        let members = self.groups.entry(group).or_default();
        let first = members.first().copied();
        members.insert(id);
        if first.is_none_or(|first| id < first) {
            self.waiting.insert((now, id));
            if let Some((first, open)) = first.and_then(|first| Some((first, self.open.get(&first)?))) {
                self.waiting.remove(&(open.at, first));
                self.due.remove(&(Reverse(open.severity), first));
            }
        }
        self.ids.insert(key, id);
        self.idle.insert((severity, id));
        self.open.insert(id, Open { delivery, severity, attempts, at: now, fence: None });
    }

    /// Takes a delivery out and lets the next of its group move up.
    fn take(&mut self, id: u64) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.ids.remove(&open.delivery.notification.key());
        self.idle.remove(&(open.severity, id));
        self.waiting.remove(&(open.at, id));
        self.due.remove(&(Reverse(open.severity), id));
        let group = open.delivery.notification.group_key();
        let members = self.groups.get_mut(group)?;
        let was_first = members.first() == Some(&id);
        members.remove(&id);
        match members.first() {
            None => {
                self.groups.remove(group);
            }
            Some(&next) if was_first => {
                if let Some(at) = self.open.get(&next).map(|next| next.at) {
                    self.waiting.insert((at, next));
                }
            }
            Some(_) => {}
        }
        Some(open)
    }

    /// Moves what has become due from one queue to the other.
    fn mature(&mut self, now: DateTime<Utc>) {
        while let Some(&(at, id)) = self.waiting.first().filter(|(at, _)| *at <= now) {
            self.waiting.remove(&(at, id));
            if let Some(open) = self.open.get(&id) {
                self.due.insert((Reverse(open.severity), id));
            }
        }
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn put(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        let mut state = self.state.lock();
        let mut new = 0;
        for delivery in deliveries {
            if state.open_id(delivery).is_none() && !state.is_settled(delivery) {
                new += 1;
                self.add(&mut state, delivery.clone(), now);
            }
        }
        Ok(new)
    }

    async fn supersede(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        let mut state = self.state.lock();
        let mut new = 0;
        for delivery in deliveries {
            let known = state.open_id(delivery);
            if known.is_none() && state.is_settled(delivery) {
                continue;
            }
            new += usize::from(known.is_none());
            if !state.take_places(delivery, known, now) && known.is_none() {
                self.add(&mut state, delivery.clone(), now);
            }
        }
        Ok(new)
    }

    async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, RepositoryError> {
        let mut state = self.state.lock();
        let until = TimeDelta::from_std(lease).ok().and_then(|lease| now.checked_add_signed(lease));
        let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let mut claims = Vec::new();
        let mut counter = state.counter;
        if let Some(lane) = state.lanes.get_mut(channel) {
            lane.mature(now);
            while claims.len() < limit {
                let Some((_, id)) = lane.due.pop_first() else { break };
                let Some(open) = lane.open.get_mut(&id) else { continue };
                counter += 1;
                open.fence = Some(counter);
                open.attempts = open.attempts.saturating_add(1);
                open.at = until;
                lane.idle.remove(&(open.severity, id));
                lane.waiting.insert((until, id));
                claims.push(Claim::new(open.delivery.clone(), counter, open.attempts, until));
            }
        }
        state.counter = counter;
        Ok(claims)
    }

    async fn delivered(
        &self,
        claim: &Claim,
        _receipt: &Receipt,
        _at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let mut state = self.state.lock();
        state.settle(claim)?;
        state.remember(claim.channel().clone(), claim.notification().key());
        Ok(())
    }

    async fn retry_at(&self, claim: &Claim, at: DateTime<Utc>, _error: &str) -> Result<(), RepositoryError> {
        self.state.lock().give_back(claim, at, claim.attempt())
    }

    async fn release(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.state.lock().give_back(claim, at, claim.attempt().saturating_sub(1))
    }

    async fn dead(&self, claim: &Claim, at: DateTime<Utc>, reason: &str) -> Result<(), RepositoryError> {
        let mut state = self.state.lock();
        let open = state.settle(claim)?;
        let reason = cut(reason.to_owned(), SendError::MAX_REASON_LEN);
        self.bury(&mut state, DeadLetter { delivery: open.delivery, attempts: open.attempts, at, reason });
        Ok(())
    }

    async fn next_due(&self, channel: &ChannelName) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        let state = self.state.lock();
        let Some(lane) = state.lanes.get(channel) else { return Ok(None) };
        let due = lane.due.first().and_then(|(_, id)| lane.open.get(id)).map(|open| open.at);
        let waiting = lane.waiting.first().map(|&(at, _)| at);
        Ok(due.into_iter().chain(waiting).min())
    }

    async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        Ok(self.state.lock().lanes.get(channel).map_or(0, |lane| lane.open.len() as u64))
    }

    async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        let state = self.state.lock();
        let before = match &page.after {
            None => u64::MAX,
            Some(cursor) => {
                let key = cursor.key(0)?;
                key.parse().map_err(|_| CursorError::Malformed { text: key })?
            }
        };
        let mut letters = state.dead.range(..before).rev();
        let found: Vec<_> = letters.by_ref().take(page.limit.get()).collect();
        let next = letters.next().and(found.last()).map(|(id, _)| Cursor::new(0, &id.to_string()));
        Ok(Page { items: found.into_iter().map(|(_, letter)| letter.clone()).collect(), next })
    }
}
