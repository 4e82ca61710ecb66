//! All lanes, and which of their slots are taken.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::lane::Lane;
use super::rows::Rows;
use super::slot::{SLOTS, Slot};
use super::sync::Mutex;

/// Most lanes: as many threads record without locked instructions.
#[cfg(not(loom_models))]
pub(super) const MAX_LANES: usize = 256;
/// Most lanes: few, for models.
#[cfg(loom_models)]
pub(super) const MAX_LANES: usize = 2;

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
    rows: Rows,
}

impl State {
    const fn new() -> Self {
        Self { made: 0, free_lanes: Vec::new(), rows: Rows::new() }
    }
}

/// How much there is in use of what all registries of the process record in.
///
/// No registry tells it by itself, since it is not the registry's own. A host that wants to see it asks:
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{LaneUse, Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let lanes = || LaneUse::now().lanes as f64;
/// metrics.gauge_fn("metric_lanes", Unit::None, "Threads that record without a locked instruction.", lanes)?;
/// assert!(LaneUse::now().lanes <= LaneUse::MAX_LANES);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneUse {
    /// Lanes that threads have: as many of them record without a locked instruction. While there are
    /// [`MAX_LANES`](Self::MAX_LANES), the others share one.
    pub lanes: usize,
    /// Slots that series have in each lane. A series that comes when there are [`MAX_SLOTS`](Self::MAX_SLOTS) is recorded
    /// with locked instructions.
    pub slots: usize,
}

impl LaneUse {
    /// Most lanes.
    pub const MAX_LANES: usize = MAX_LANES;
    /// Most slots.
    pub const MAX_SLOTS: usize = SLOTS as usize;

    /// What is in use now.
    pub fn now() -> Self {
        super::POOL.in_use()
    }
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
    #[cfg(not(loom_models))]
    pub(super) const fn new() -> Self {
        Self {
            lanes: [const { OnceLock::new() }; MAX_LANES],
            shared: OnceLock::new(),
            state: Mutex::new(State::new()),
        }
    }

    #[cfg(loom_models)]
    pub(super) fn new() -> Self {
        Self {
            lanes: [const { OnceLock::new() }; MAX_LANES],
            shared: OnceLock::new(),
            state: Mutex::new(State::new()),
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

    /// Takes `n` slots that lie together within a page; nothing when there are none.
    pub(super) fn take(&self, n: u32) -> Option<Slot> {
        self.state.lock().rows.take(n).map(Slot::new)
    }

    /// Gives slots back that no one writes to any more: they begin at zero again.
    pub(super) fn give_back(&self, slot: Slot, n: u32) {
        for lane in self.lanes() {
            lane.row(slot, n as usize).iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
        }
        // Whoever takes them next sees the zeros, by this lock.
        self.state.lock().rows.give_back(slot.number(), n);
    }

    pub(super) fn in_use(&self) -> LaneUse {
        let state = self.state.lock();
        LaneUse { lanes: state.made - state.free_lanes.len(), slots: state.rows.taken() as usize }
    }
}

#[cfg(all(test, not(loom_models)))]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_was_given_back_is_the_next_ones_and_goes_on() {
        let pool = Pool::new();
        let slot = pool.take(1).unwrap();
        for _ in 0..3 {
            let lease = pool.lease().unwrap();
            super::super::page::add(lease.lane().page(slot).unwrap().slot(slot.at()), 2);
        }
        assert_eq!(pool.lanes().count(), 1);
        assert_eq!(pool.lanes().map(|lane| lane.read(slot)).sum::<u64>(), 6);
    }

    #[test]
    fn there_are_no_more_lanes_than_the_bound_and_what_is_in_use_is_told() {
        let pool = Pool::new();
        let leases: Vec<_> = (0..MAX_LANES).map(|_| pool.lease().unwrap()).collect();
        assert!(pool.lease().is_none());
        assert_eq!(pool.in_use(), LaneUse { lanes: MAX_LANES, slots: 0 });
        drop(leases);
        assert!(pool.lease().is_some());
        assert_eq!(pool.lanes().count(), MAX_LANES);
        pool.take(12).unwrap();
        assert_eq!(pool.in_use(), LaneUse { lanes: 0, slots: 12 });
    }

    #[test]
    fn slots_that_were_given_back_are_zero_in_every_lane() {
        let pool = Pool::new();
        let slot = pool.take(3).unwrap();
        let leases = [pool.lease().unwrap(), pool.lease().unwrap()];
        for lane in leases.iter().map(Lease::lane).chain([pool.shared()]) {
            lane.page(slot).unwrap();
            lane.row(slot, 3).iter().for_each(|slot| slot.store(7, Ordering::Relaxed));
        }
        pool.give_back(slot, 3);
        assert_eq!(pool.take(3), Some(slot));
        assert!(
            pool.lanes().flat_map(|lane| lane.row(slot, 3)).all(|slot| slot.load(Ordering::Relaxed) == 0)
        );
    }
}
