//! Which slots are taken.

use std::collections::BTreeMap;

use super::page::PAGE;
use super::slot::SLOTS;

const PAGE_SLOTS: u32 = PAGE as u32;

/// Which slots are taken: rows of them, each within a page.
///
/// A row that was given back is taken again by who wants as many. Only when all slots were taken once are rows that lie
/// side by side joined, and longer ones parted.
pub(super) struct Rows {
    /// The first slot that was never taken.
    next: u32,
    /// Rows that were given back: where each begins, by how long they are.
    free: BTreeMap<u32, Vec<u32>>,
    /// Whether a row was given back since they were last joined.
    untidy: bool,
    taken: u32,
}

impl Rows {
    pub(super) const fn new() -> Self {
        Self { next: 0, free: BTreeMap::new(), untidy: false, taken: 0 }
    }

    /// Slots that are taken.
    pub(super) fn taken(&self) -> u32 {
        self.taken
    }

    /// Takes `n` slots that lie together within a page; nothing when all are taken, `n` is zero or more than a page has.
    /// O(log rows); when all were taken once, O(rows log rows) after each row that was given back.
    pub(super) fn take(&mut self, n: u32) -> Option<u32> {
        if n == 0 || n > PAGE_SLOTS {
            return None;
        }
        let start = self.used_before(n).or_else(|| self.never_used(n)).or_else(|| self.part_of_longer(n))?;
        self.taken += n;
        Some(start)
    }

    pub(super) fn give_back(&mut self, start: u32, n: u32) {
        self.taken = self.taken.saturating_sub(n);
        self.keep(start, n);
        self.untidy = true;
    }

    fn keep(&mut self, start: u32, n: u32) {
        if n > 0 {
            self.free.entry(n).or_default().push(start);
        }
    }

    fn used_before(&mut self, n: u32) -> Option<u32> {
        self.free.get_mut(&n)?.pop()
    }

    fn never_used(&mut self, n: u32) -> Option<u32> {
        let left = PAGE_SLOTS - self.next % PAGE_SLOTS;
        let skip = if n <= left { 0 } else { left };
        let start = self.next + skip;
        if start + n > SLOTS {
            return None;
        }
        self.keep(self.next, skip);
        self.next = start + n;
        Some(start)
    }

    fn part_of_longer(&mut self, n: u32) -> Option<u32> {
        if self.untidy {
            self.tidy();
        }
        let (&length, starts) = self.free.range_mut(n..).find(|(_, starts)| !starts.is_empty())?;
        let start = starts.pop()?;
        self.keep(start + n, length - n);
        Some(start)
    }

    /// Joins rows that lie side by side in a page.
    fn tidy(&mut self) {
        self.untidy = false;
        // What is left at the end of all slots may have been too short for whoever wanted more.
        let rest = (self.next < SLOTS).then_some((self.next, SLOTS - self.next));
        self.next = SLOTS;
        let free = std::mem::take(&mut self.free);
        let rows = free.into_iter().flat_map(|(n, starts)| starts.into_iter().map(move |start| (start, n)));
        let mut rows: Vec<_> = rows.chain(rest).collect();
        rows.sort_unstable();
        let mut joined: Option<(u32, u32)> = None;
        for (start, n) in rows {
            joined = match joined {
                Some((first, length)) if first + length == start && !start.is_multiple_of(PAGE_SLOTS) => {
                    Some((first, length + n))
                }
                _ => {
                    if let Some((first, length)) = joined {
                        self.keep(first, length);
                    }
                    Some((start, n))
                }
            };
        }
        if let Some((first, length)) = joined {
            self.keep(first, length);
        }
    }
}

#[cfg(all(test, not(loom_models)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_slots_can_be_taken_and_taken_again_in_other_lengths() {
        let mut rows = Rows::new();
        let mut taken: Vec<u32> = std::iter::from_fn(|| rows.take(1_000)).collect();
        assert_eq!((taken.len() as u32, rows.taken()), (SLOTS / 4_096 * 4, SLOTS / 4_096 * 4_000));
        // What was left over in each page is taken too.
        let left: Vec<u32> = std::iter::from_fn(|| rows.take(96)).collect();
        assert_eq!((left.len() as u32, rows.taken(), rows.take(1)), (SLOTS / 4_096, SLOTS, None));
        taken.drain(..).for_each(|start| rows.give_back(start, 1_000));
        for start in left {
            rows.give_back(start, 96);
        }
        assert_eq!(rows.taken(), 0);
        let pages: Vec<u32> = std::iter::from_fn(|| rows.take(4_096)).collect();
        assert_eq!((pages.len() as u32, rows.taken(), rows.take(1)), (SLOTS / 4_096, SLOTS, None));
    }

    #[test]
    fn a_row_has_slots_and_no_more_than_a_page() {
        let mut rows = Rows::new();
        assert_eq!((rows.take(0), rows.take(4_097)), (None, None));
        assert_eq!((rows.take(4_096), rows.taken()), (Some(0), 4_096));
    }

    proptest! {
        #[test]
        fn no_two_rows_overlap_and_none_crosses_a_page(
            steps in prop::collection::vec((1u32..4_097, any::<prop::sample::Index>(), any::<bool>()), 1..2_000),
        ) {
            let mut rows = Rows::new();
            let mut taken: Vec<(u32, u32)> = Vec::new();
            for (n, which, gives_back) in steps {
                if gives_back && !taken.is_empty() {
                    let (start, n) = taken.swap_remove(which.index(taken.len()));
                    rows.give_back(start, n);
                } else if let Some(start) = rows.take(n) {
                    taken.push((start, n));
                }
            }
            prop_assert_eq!(rows.taken(), taken.iter().map(|&(_, n)| n).sum::<u32>());
            taken.sort_unstable();
            for pair in taken.windows(2) {
                prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{:?}", pair);
            }
            for (start, n) in taken {
                prop_assert!(start / 4_096 == (start + n - 1) / 4_096 && start + n <= SLOTS);
            }
        }
    }
}
