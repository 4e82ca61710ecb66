//! The slots of one series.

use std::fmt;
use std::sync::atomic::Ordering;

use super::page::{add_real_shared, add_shared};
use super::row::Row;
use super::slot::Slot;
use super::sync::AtomicU64;
use super::{POOL, open};

/// The slots of one series: as many sums, each over all lanes. Given back when this is dropped.
///
/// What one thread adds, it adds in order; what several add is in the sum as soon as it is visible to the reader. For one
/// reader no sum of what is not negative ever falls.
///
/// Who records asks [`Slot::mine`] first, and comes here only where that finds nothing.
pub(crate) struct Cells {
    slot: Slot,
    count: u32,
    /// Slots of its own, for when there was no room in the lanes.
    own: Option<Box<Own>>,
}

type Own = Box<[AtomicU64]>;

/// Where this thread writes the slots of a series.
enum Place<'a> {
    /// It alone does.
    Mine(Row),
    /// Others do as well.
    Shared(&'a [AtomicU64]),
}

impl Cells {
    /// So many sums, each zero.
    pub(crate) fn new(count: usize) -> Self {
        let n = u32::try_from(count).unwrap_or(u32::MAX);
        match POOL.take(n) {
            Some(slot) => Self { slot, count: n, own: None },
            None => Self::apart(count),
        }
    }

    /// The same in no lane.
    fn apart(count: usize) -> Self {
        let own = (0..count).map(|_| AtomicU64::new(0)).collect();
        Self { slot: Slot::NOWHERE, count: 0, own: Some(Box::new(own)) }
    }

    /// Where the first of them lies: kept by the handles of the series.
    #[inline]
    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    fn place(&self) -> Place<'_> {
        if let Some(own) = &self.own {
            return Place::Shared(own);
        }
        match open(self.slot) {
            Some(row) => Place::Mine(row),
            None => Place::Shared(
                POOL.shared()
                    .page(self.slot)
                    .map_or(&[], |page| page.row(self.slot.at(), self.count as usize)),
            ),
        }
    }

    /// Adds to a sum of whole numbers, which wraps.
    #[cold]
    #[inline(never)]
    pub(crate) fn add(&self, at: usize, n: u64) {
        match self.place() {
            Place::Mine(row) => row.add(at, n),
            Place::Shared(slots) => {
                if let Some(slot) = slots.get(at) {
                    add_shared(slot, n);
                }
            }
        }
    }

    /// Adds to a sum of real numbers, unless it would no longer be finite where this thread writes it: then says no.
    #[cold]
    #[inline(never)]
    pub(crate) fn add_real(&self, at: usize, value: f64) -> bool {
        match self.place() {
            Place::Mine(row) => row.add_real(at, value),
            Place::Shared(slots) => slots.get(at).is_some_and(|slot| add_real_shared(slot, value)),
        }
    }

    /// A sum of whole numbers. O(lanes).
    #[inline]
    pub(crate) fn read(&self, at: usize) -> u64 {
        match &self.own {
            None => POOL.lanes().fold(0, |all, lane| all.wrapping_add(lane.read(self.slot.after(at)))),
            Some(own) => own.get(at).map_or(0, |slot| slot.load(Ordering::Relaxed)),
        }
    }

    /// A sum of real numbers. Lanes are added in their order, so that the same values give the same sum; one beyond the
    /// largest number stays at it. O(lanes).
    #[inline]
    pub(crate) fn read_real(&self, at: usize) -> f64 {
        match &self.own {
            None => {
                let slot = self.slot.after(at);
                // Begins at a zero that is not negative, unlike `sum`.
                let sum = POOL.lanes().fold(0.0, |all, lane| all + f64::from_bits(lane.read(slot)));
                sum.clamp(f64::MIN, f64::MAX)
            }
            Some(own) => own.get(at).map_or(0.0, |slot| f64::from_bits(slot.load(Ordering::Relaxed))),
        }
    }

    /// The first `n` sums of whole numbers, in place of what `out` has. O(n lanes).
    pub(crate) fn read_all(&self, n: usize, out: &mut Vec<u64>) {
        out.clear();
        match &self.own {
            None => {
                out.resize(n, 0);
                for lane in POOL.lanes() {
                    for (sum, slot) in out.iter_mut().zip(lane.row(self.slot, n)) {
                        *sum = sum.wrapping_add(slot.load(Ordering::Relaxed));
                    }
                }
            }
            Some(own) => out.extend(own.iter().take(n).map(|slot| slot.load(Ordering::Relaxed))),
        }
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("slot", &self.slot).field("count", &self.count).finish_non_exhaustive()
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        if self.own.is_none() {
            POOL.give_back(self.slot, self.count);
        }
    }
}

#[cfg(all(test, not(loom_models)))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_has_no_room_in_the_lanes_counts_on_its_own() {
        for cells in [Cells::new(4_097), Cells::apart(2)] {
            assert_eq!(cells.slot(), Slot::NOWHERE);
            assert!(cells.slot().mine().is_none());
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for _ in 0..1_000 {
                            cells.add(0, 1);
                            assert!(cells.add_real(1, 0.5));
                        }
                    });
                }
            });
            cells.add(5_000, 1);
            assert!(!cells.add_real(1, f64::MAX) || cells.read_real(1) == f64::MAX);
            let mut all = Vec::new();
            cells.read_all(1, &mut all);
            assert_eq!((cells.read(0), all, cells.read(5_000)), (2_000, vec![2_000], 0));
        }
    }

    #[test]
    fn a_sum_that_would_not_be_finite_stays() {
        for cells in [Cells::new(1), Cells::apart(1)] {
            assert!(cells.add_real(0, f64::MAX));
            assert!(!cells.add_real(0, f64::MAX));
            assert!(!cells.add_real(0, f64::NAN));
            assert_eq!(cells.read_real(0), f64::MAX);
        }
    }

    #[test]
    fn a_sum_of_nothing_is_no_negative_zero() {
        assert_eq!(Cells::new(1).read_real(0).to_bits(), 0);
    }
}
