//! How old messages are.
use std::time::Duration;

use bellwether_core::Monotonic;

use super::recent::Recent;
use crate::{IdempotencyKey, Notification};

/// How old messages are, by a time that nobody sets.
#[derive(Debug)]
pub(super) struct Ages {
    /// When each was first seen, and how old it was then.
    seen: Recent<IdempotencyKey, (Monotonic, Duration)>,
}

impl Ages {
    const KEPT: usize = 10_000;

    pub(super) fn new() -> Self {
        Self { seen: Recent::new(Self::KEPT) }
    }

    /// A message is new, or was made before this process began and is said to be so old; what is known already is not changed.
    pub(super) fn see(&mut self, key: IdempotencyKey, age: Duration, now: Monotonic) {
        if self.seen.get(&key).is_none() {
            self.seen.note(key, (now, age));
        }
    }

    pub(super) fn of(&self, key: IdempotencyKey, now: Monotonic) -> Duration {
        let seen = self.seen.get(&key);
        seen.map_or(Duration::ZERO, |(at, age)| age.saturating_add(now.saturating_since(*at)))
    }

    /// A message has ended, and with it the one that it took the place of.
    pub(super) fn forget(&mut self, message: &Notification) {
        self.seen.remove(&message.key());
        self.seen.remove(&message.oldest().key);
    }
}
