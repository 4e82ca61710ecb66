//! A notification log that lives as long as the process.
use std::collections::VecDeque;

use async_trait::async_trait;
use bellwether_core::{Cursor, CursorError, Page, PageRequest, Tally};
use hashbrown::HashSet;
use parking_lot::RwLock;

use super::{NotificationLog, NotificationQuery, NotificationRecord};
use crate::{ChannelName, IdempotencyKey, RepositoryError};

/// A notification log in memory, bounded by count; the oldest records go first and are counted.
///
/// It is read in the order in which records came, which is the order of time as long as the clock is not set back.
#[derive(Debug)]
pub struct MemoryNotificationLog {
    state: RwLock<State>,
    capacity: usize,
    pruned: Tally,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<NotificationRecord>,
    known: HashSet<(ChannelName, IdempotencyKey, &'static str)>,
    /// Number of the first record that is kept.
    first: u64,
}

impl MemoryNotificationLog {
    /// Records that are kept when nobody says how many.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// Keeps up to `capacity` records, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { state: RwLock::default(), capacity: capacity.max(1), pruned: Tally::new() }
    }

    /// How many records had to go.
    pub fn pruned(&self) -> u64 {
        self.pruned.get()
    }
}

impl Default for MemoryNotificationLog {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

fn identity(record: &NotificationRecord) -> (ChannelName, IdempotencyKey, &'static str) {
    (record.channel.clone(), record.notification.key(), record.outcome.as_str())
}

#[async_trait]
impl NotificationLog for MemoryNotificationLog {
    async fn append(&self, records: &[NotificationRecord]) -> Result<(), RepositoryError> {
        let mut state = self.state.write();
        for record in records {
            if !state.known.insert(identity(record)) {
                continue;
            }
            state.records.push_back(record.clone());
            if state.records.len() > self.capacity
                && let Some(oldest) = state.records.pop_front()
            {
                state.known.remove(&identity(&oldest));
                state.first += 1;
                self.pruned.increment();
            }
        }
        Ok(())
    }

    async fn read(
        &self,
        query: &NotificationQuery,
        page: &PageRequest,
    ) -> Result<Page<NotificationRecord>, RepositoryError> {
        let state = self.state.read();
        let before = match &page.after {
            None => u64::MAX,
            Some(cursor) => {
                let key = cursor.key(query.check())?;
                key.parse().map_err(|_| CursorError::Malformed { text: key })?
            }
        };
        let end = usize::try_from(before.saturating_sub(state.first)).unwrap_or(usize::MAX);
        let mut found =
            state.records.iter().enumerate().take(end).rev().filter(|(_, record)| query.matches(record));
        let items: Vec<_> = found.by_ref().take(page.limit.get()).collect();
        let more = found.next().and(items.last());
        let next = more.map(|(at, _)| Cursor::new(query.check(), &(state.first + *at as u64).to_string()));
        Ok(Page { items: items.into_iter().map(|(_, record)| record.clone()).collect(), next })
    }
}
