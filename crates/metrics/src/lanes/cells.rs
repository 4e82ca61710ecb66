//! The slots of one series.

use std::sync::atomic::{AtomicU64, Ordering};

use super::lane::Lane;
use super::{POOL, mine};

/// The slots of one series: as many sums, each over all lanes.
///
/// What one thread adds, it adds in order; what several add is in the sum as soon as it is visible to the reader.
#[derive(Debug)]
pub(crate) struct Cells {
    /// The first of the slots; beyond all lanes when there was no room there.
    start: u32,
    count: u32,
    /// Slots of its own, for when there was no room in the lanes.
    own: Box<[AtomicU64]>,
}

/// No lane has this slot, nor those that follow.
const NOWHERE: u32 = 1 << 31;

impl Cells {
    /// So many sums, each zero.
    pub(crate) fn new(count: usize) -> Self {
        let lanes = u32::try_from(count).ok().and_then(|count| Some((POOL.take(count)?, count)));
        match lanes {
            Some((start, count)) => Self { start, count, own: Box::default() },
            None => {
                let own = (0..count).map(|_| AtomicU64::new(0)).collect();
                Self { start: NOWHERE, count: 0, own }
            }
        }
    }

    /// Adds to a sum of whole numbers, which wraps.
    #[inline]
    pub(crate) fn add(&self, at: usize, n: u64) {
        match own_slot(self.start, at) {
            Some(slot) => slot.store(slot.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed),
            None => self.add_shared(at, n),
        }
    }

    #[cold]
    fn add_shared(&self, at: usize, n: u64) {
        if let Some(slot) = self.shared_slot(at) {
            slot.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Adds to a sum of real numbers, unless it would no longer be finite in this lane: then says no.
    #[inline]
    pub(crate) fn add_real(&self, at: usize, value: f64) -> bool {
        let Some(slot) = own_slot(self.start, at) else { return self.add_real_shared(at, value) };
        let sum = f64::from_bits(slot.load(Ordering::Relaxed)) + value;
        let good = sum.is_finite();
        if good {
            slot.store(sum.to_bits(), Ordering::Relaxed);
        }
        good
    }

    #[cold]
    fn add_real_shared(&self, at: usize, value: f64) -> bool {
        let Some(slot) = self.shared_slot(at) else { return false };
        let more = |bits| {
            let sum = f64::from_bits(bits) + value;
            sum.is_finite().then_some(sum.to_bits())
        };
        slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// A sum of whole numbers.
    #[inline]
    pub(crate) fn read(&self, at: usize) -> u64 {
        match self.slot(at) {
            Some(slot) => POOL.lanes().fold(0, |all, lane| all.wrapping_add(lane.read(slot))),
            None => self.own.get(at).map_or(0, |slot| slot.load(Ordering::Relaxed)),
        }
    }

    /// A sum of real numbers. Lanes are added in their order, so that the same values give the same sum; one beyond the
    /// largest number stays at it.
    #[inline]
    pub(crate) fn read_real(&self, at: usize) -> f64 {
        match self.slot(at) {
            Some(slot) => {
                let sum: f64 = POOL.lanes().map(|lane| f64::from_bits(lane.read(slot))).sum();
                sum.clamp(f64::MIN, f64::MAX)
            }
            None => self.own.get(at).map_or(0.0, |slot| f64::from_bits(slot.load(Ordering::Relaxed))),
        }
    }

    #[inline]
    fn slot(&self, at: usize) -> Option<u32> {
        let at = at as u32;
        (at < self.count).then(|| self.start + at)
    }

    fn shared_slot(&self, at: usize) -> Option<&AtomicU64> {
        match self.slot(at) {
            Some(slot) => POOL.shared().slot(slot),
            None => self.own.get(at),
        }
    }
}

/// The slot of this thread, to be written with plain loads and stores.
#[inline]
fn own_slot(start: u32, at: usize) -> Option<&'static AtomicU64> {
    mine().and_then(|lane: &'static Lane| lane.slot(start.wrapping_add(at as u32)))
}

impl Drop for Cells {
    fn drop(&mut self) {
        if self.count > 0 {
            POOL.give_back(self.start, self.count);
        }
    }
}
