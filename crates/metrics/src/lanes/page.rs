//! Slots that lie side by side.

use std::sync::atomic::Ordering;

use super::sync::AtomicU64;

/// Slots of a page.
#[cfg(not(loom_models))]
pub(super) const PAGE: usize = 4_096;
/// Slots of a page: few, for models.
#[cfg(loom_models)]
pub(super) const PAGE: usize = 4;

/// Slots that lie side by side, in cache lines that no other page has a part of. 32 kB.
#[repr(align(64))]
pub(super) struct Page([AtomicU64; PAGE]);

impl Page {
    #[cold]
    #[inline(never)]
    #[allow(clippy::large_stack_arrays, reason = "an optimised build clears the box in its place")]
    pub(super) fn new() -> Box<Self> {
        #[cfg(not(loom_models))]
        let slots = [const { AtomicU64::new(0) }; PAGE];
        #[cfg(loom_models)]
        let slots = std::array::from_fn(|_| AtomicU64::new(0));
        Box::new(Self(slots))
    }

    /// A slot; the place is taken modulo the size of a page, which spares a comparison.
    #[inline]
    pub(super) fn slot(&self, at: usize) -> &AtomicU64 {
        &self.0[at % PAGE]
    }

    /// Slots that lie together.
    #[inline]
    pub(super) fn row(&self, at: usize, n: usize) -> &[AtomicU64] {
        self.0.get(at..at + n).unwrap_or_default()
    }
}

/// Adds to a sum of whole numbers, which wraps. For the one writer of the slot: no locked instruction.
#[inline]
pub(super) fn add(slot: &AtomicU64, n: u64) {
    slot.store(slot.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

/// Adds to a sum of whole numbers that others write to as well.
pub(super) fn add_shared(slot: &AtomicU64, n: u64) {
    slot.fetch_add(n, Ordering::Relaxed);
}

/// Adds to a sum of real numbers that others write to as well, unless it would no longer be finite: then says no.
pub(super) fn add_real_shared(slot: &AtomicU64, value: f64) -> bool {
    let more = |bits| {
        let sum = f64::from_bits(bits) + value;
        sum.is_finite().then_some(sum.to_bits())
    };
    slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}
