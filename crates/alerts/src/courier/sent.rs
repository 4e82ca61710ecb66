//! What has been sent lately.
use std::collections::VecDeque;

use hashbrown::HashSet;

use crate::IdempotencyKey;

/// Keys of what has been sent lately: if the outbox could not be told, it is not sent again.
#[derive(Debug, Default)]
pub(super) struct Sent {
    keys: HashSet<IdempotencyKey>,
    order: VecDeque<IdempotencyKey>,
}

impl Sent {
    const KEPT: usize = 256;

    pub(super) fn contains(&self, key: IdempotencyKey) -> bool {
        self.keys.contains(&key)
    }

    pub(super) fn add(&mut self, key: IdempotencyKey) {
        if self.keys.insert(key) {
            self.order.push_back(key);
        }
        if self.order.len() > Self::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
