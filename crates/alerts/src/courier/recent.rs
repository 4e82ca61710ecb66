//! The latest things, up to a bound.
use std::collections::VecDeque;
use std::hash::Hash;

use hashbrown::HashMap;

/// The things that were noted last, up to a bound; what was noted longest ago goes first.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    things: HashMap<K, (u64, V)>,
    /// When each was noted; what was noted again since, or removed, is passed over.
    order: VecDeque<(u64, K)>,
    count: u64,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, things: HashMap::new(), order: VecDeque::new(), count: 0 }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.things.get(key).map(|(_, thing)| thing)
    }

    pub(super) fn note(&mut self, key: K, thing: V) {
        self.count += 1;
        self.things.insert(key.clone(), (self.count, thing));
        self.order.push_back((self.count, key));
        if self.order.len() > self.most
            && let Some((count, oldest)) = self.order.pop_front()
            && self.things.get(&oldest).is_some_and(|(noted, _)| *noted == count)
        {
            self.things.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.things.remove(key);
    }
}

impl<K: Clone + Eq + Hash, V: Ord> Recent<K, V> {
    /// Notes a thing unless what is noted is greater.
    pub(super) fn note_greater(&mut self, key: K, thing: V) {
        if self.get(&key).is_none_or(|noted| *noted <= thing) {
            self.note(key, thing);
        }
    }
}

impl<K: Clone + Eq + Hash> Recent<K, u64> {
    /// Notes a place after all places that were noted before, unless it has one.
    pub(super) fn note_next(&mut self, key: K) {
        if self.get(&key).is_none() {
            self.note(key, self.count + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_longest_ago_goes_first() {
        let mut recent = Recent::new(2);
        for (key, thing) in [("a", 1), ("b", 2), ("c", 3), ("b", 4)] {
            recent.note(key, thing);
        }
        assert_eq!([recent.get(&"a"), recent.get(&"b"), recent.get(&"c")], [None, Some(&4), Some(&3)]);
        recent.note("d", 5);
        assert_eq!([recent.get(&"b"), recent.get(&"c"), recent.get(&"d")], [Some(&4), None, Some(&5)]);
        recent.remove(&"d");
        assert_eq!(recent.get(&"d"), None);
        for key in 0..1_000 {
            recent.note("e", key);
        }
        assert!(recent.order.len() <= 2 && recent.things.len() <= 2);
    }
}
