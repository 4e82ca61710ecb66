//! An alert history that lives as long as the process.
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{Cursor, CursorError, Labels, Page, PageRequest, Severity, Tally, Timestamp};
use hashbrown::HashMap;
use parking_lot::RwLock;

use super::{AlertChange, AlertHistory, AlertQuery, AlertState};
use crate::{Category, RepositoryError};

/// When, and the how manieth: unique, and sorted as the history is read.
type Key = (Timestamp, u64);

/// An alert history in memory, bounded by count and by age.
///
/// Age is measured from the newest change. Changes that are over go before the one that says that an alert, still firing, began;
/// such a beginning does not age. What went is counted.
///
/// A query costs O(log n + page) for each kind of change that it may find (a kind is a category, a severity and a state).
#[derive(Debug)]
pub struct MemoryAlertHistory {
    state: RwLock<State>,
    capacity: usize,
    max_age: Duration,
    pruned: Tally,
}

#[derive(Debug, Default)]
struct State {
    changes: BTreeMap<Key, AlertChange>,
    kinds: HashMap<(Category, Severity, AlertState), BTreeSet<Key>>,
    /// The beginnings of alerts that still fire.
    firing: HashMap<Labels, Key>,
    /// All other changes.
    over: BTreeSet<Key>,
    added: u64,
}

impl MemoryAlertHistory {
    /// Changes that are kept when nobody says how many.
    pub const DEFAULT_CAPACITY: usize = 1_000;
    /// How long changes are kept when nobody says: 30 days.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(30 * 24);

    /// Keeps up to `capacity` changes, at least one, for `max_age`.
    pub fn new(capacity: usize, max_age: Duration) -> Self {
        Self { state: RwLock::default(), capacity: capacity.max(1), max_age, pruned: Tally::new() }
    }

    /// How many changes it holds.
    pub fn len(&self) -> usize {
        self.state.read().changes.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many changes had to go.
    pub fn pruned(&self) -> u64 {
        self.pruned.get()
    }
}

impl Default for MemoryAlertHistory {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY, Self::DEFAULT_MAX_AGE)
    }
}

impl State {
    fn add(&mut self, at: Timestamp, change: &AlertChange) {
        self.added += 1;
        let key = (at, self.added);
        let labels = change.alert.labels();
        let before = match change.state {
            AlertState::Firing => self.firing.insert(labels.clone(), key),
            AlertState::Resolved => {
                self.over.insert(key);
                self.firing.remove(labels)
            }
        };
        self.over.extend(before);
        self.kinds.entry(kind(change)).or_default().insert(key);
        self.changes.insert(key, change.clone());
    }

    fn remove(&mut self, key: Key) {
        self.over.remove(&key);
        let Some(change) = self.changes.remove(&key) else { return };
        let labels = change.alert.labels();
        if self.firing.get(labels) == Some(&key) {
            self.firing.remove(labels);
        }
        let kind = kind(&change);
        if let Some(keys) = self.kinds.get_mut(&kind) {
            keys.remove(&key);
            if keys.is_empty() {
                self.kinds.remove(&kind);
            }
        }
    }
}

fn kind(change: &AlertChange) -> (Category, Severity, AlertState) {
    (change.alert.category().clone(), change.alert.severity(), change.state)
}

/// A time beyond what a [`Timestamp`] can say is kept at its end.
fn timestamp(at: chrono::DateTime<chrono::Utc>) -> Timestamp {
    Timestamp::try_from(at).unwrap_or(if at.timestamp() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[async_trait]
impl AlertHistory for MemoryAlertHistory {
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError> {
        let mut state = self.state.write();
        for change in changes {
            state.add(timestamp(change.at), change);
        }
        let Some((&(newest, _), _)) = state.changes.last_key_value() else { return Ok(()) };
        let oldest = newest.saturating_sub(self.max_age);
        while let Some(&key) = state.over.first().filter(|key| key.0 < oldest) {
            state.remove(key);
            self.pruned.increment();
        }
        while state.changes.len() > self.capacity {
            let first = state.over.first().or_else(|| state.changes.keys().next()).copied();
            let Some(key) = first else { break };
            state.remove(key);
            self.pruned.increment();
        }
        Ok(())
    }

    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError> {
        let before = page.after.as_ref().map(|cursor| parse(cursor, query.check())).transpose()?;
        let before = before.unwrap_or((Timestamp::MAX, u64::MAX));
        let (from, upto) = match query.range {
            // After the start of the range, up to and including its end.
            Some(range) => ((range.start(), u64::MAX), before.min((range.end(), u64::MAX))),
            None => ((Timestamp::MIN, 0), before),
        };
        let state = self.state.read();
        let mut kinds: Vec<_> = state
            .kinds
            .iter()
            .filter(|((category, severity, change), _)| {
                query.category.as_ref().is_none_or(|wanted| wanted == category)
                    && query.severity.is_none_or(|wanted| wanted == *severity)
                    && query.state.is_none_or(|wanted| wanted == *change)
            })
            .filter(|_| from < upto)
            .map(|(_, keys)| keys.range(from..upto).rev())
            .collect();
        let mut newest: BinaryHeap<(Key, usize)> =
            kinds.iter_mut().enumerate().filter_map(|(i, keys)| Some((*keys.next()?, i))).collect();
        let mut items = Vec::new();
        let mut last = None;
        while items.len() < page.limit.get() {
            let Some((key, i)) = newest.pop() else { return Ok(Page::last(items)) };
            items.extend(state.changes.get(&key).cloned());
            last = Some(key);
            newest.extend(kinds.get_mut(i).and_then(Iterator::next).map(|&next| (next, i)));
        }
        let next = last.filter(|_| !newest.is_empty());
        let cursor = |(at, id): Key| Cursor::new(query.check(), &format!("{}:{id}", at.as_micros()));
        Ok(Page { items, next: next.map(cursor) })
    }
}

fn parse(cursor: &Cursor, query: u64) -> Result<Key, CursorError> {
    let key = cursor.key(query)?;
    let parsed = key
        .split_once(':')
        .and_then(|(at, id)| Some((Timestamp::from_micros(at.parse().ok()?).ok()?, id.parse().ok()?)));
    parsed.ok_or(CursorError::Malformed { text: key })
}
