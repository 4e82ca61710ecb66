//! All lanes, and which of their slots are taken.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use parking_lot::Mutex;

use super::lane::{Lane, PAGE, PAGES};

/// Most lanes: as many threads record without locked instructions.
pub(super) const MAX_LANES: usize = 256;

/// All lanes, and which of their slots are taken.
pub(super) struct Pool {
    lanes: [OnceLock<Lane>; MAX_LANES],
    /// The lane of all threads that have none.
    shared: OnceLock<Lane>,
    state: Mutex<State>,
}

struct State {
    /// Lanes that were made.
    made: usize,
    /// Lanes that were given back.
    free_lanes: Vec<usize>,
    /// The first slot that was never taken.
    next_slot: u32,
    /// Slots that were given back: how many lie together, and where each such row begins.
    free_slots: BTreeMap<u32, Vec<u32>>,
}

/// The right to write to a lane, given back when it is dropped.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    at: usize,
    lane: &'a Lane,
}

impl<'a> Lease<'a> {
    pub(super) fn lane(&self) -> &'a Lane {
        self.lane
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Whoever takes it next sees all that was written to it, by this lock.
        self.pool.state.lock().free_lanes.push(self.at);
    }
}

impl Pool {
    pub(super) const fn new() -> Self {
        Self {
            lanes: [const { OnceLock::new() }; MAX_LANES],
            shared: OnceLock::new(),
            state: Mutex::new(State {
                made: 0,
                free_lanes: Vec::new(),
                next_slot: 0,
                free_slots: BTreeMap::new(),
            }),
        }
    }

    /// A lane for a thread; nothing when all are taken.
    pub(super) fn lease(&self) -> Option<Lease<'_>> {
        let mut state = self.state.lock();
        let at = match state.free_lanes.pop() {
            Some(at) => at,
            None if state.made < MAX_LANES => {
                state.made += 1;
                // Room to give each back without an allocation.
                let made = state.made;
                state.free_lanes.reserve(made);
                made - 1
            }
            None => return None,
        };
        // With the lock still held: lanes are made in their order.
        let lane = self.lanes.get(at)?.get_or_init(Lane::new);
        Some(Lease { pool: self, at, lane })
    }

    /// The lane of all who have none of their own: to be written with locked instructions only.
    pub(super) fn shared(&self) -> &Lane {
        self.shared.get_or_init(Lane::new)
    }

    /// Every lane that anything may have been written to.
    #[inline]
    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane> {
        // Lanes are made in their order: one that is not there yet ends the row.
        self.lanes.iter().map_while(OnceLock::get).chain(self.shared.get())
    }

    /// Takes `n` slots that lie together within a page; nothing when all are taken, or `n` is more than a page has.
    pub(super) fn take(&self, n: u32) -> Option<u32> {
        let mut state = self.state.lock();
        if let Some(start) = state.free_slots.get_mut(&n).and_then(Vec::pop) {
            return Some(start);
        }
        let page = PAGE as u32;
        let left = page - state.next_slot % page;
        let start = if n <= left { state.next_slot } else { state.next_slot.checked_add(left)? };
        let end = start.checked_add(n)?;
        if n > page || end > page * PAGES as u32 {
            return None;
        }
        if n > left && left > 0 && left < page {
            let rest = state.next_slot;
            state.free_slots.entry(left).or_default().push(rest);
        }
        state.next_slot = end;
        Some(start)
    }

    /// Gives slots back that no one writes to any more: they begin at zero again.
    pub(super) fn give_back(&self, start: u32, n: u32) {
        for slot in start..start + n {
            self.lanes().for_each(|lane| lane.clear(slot));
        }
        self.state.lock().free_slots.entry(n).or_default().push(start);
    }
}
