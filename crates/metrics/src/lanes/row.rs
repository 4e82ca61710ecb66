//! The slots of a series in this thread's own lane.

use std::sync::atomic::Ordering;

use super::page::{Page, add};

/// The slots of a series in the lane that this thread alone writes to: plain loads and stores.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    page: &'static Page,
    at: usize,
    /// A row is the thread's: it must not go to another one.
    _stays: std::marker::PhantomData<*const ()>,
}

impl Row {
    #[inline]
    pub(super) fn new(page: &'static Page, at: usize) -> Self {
        Self { page, at, _stays: std::marker::PhantomData }
    }

    /// Adds to a sum of whole numbers, which wraps.
    #[inline]
    pub(crate) fn add(self, at: usize, n: u64) {
        add(self.page.slot(self.at + at), n);
    }

    /// Adds to a sum of real numbers, unless it would no longer be finite: then says no.
    #[inline]
    pub(crate) fn add_real(self, at: usize, value: f64) -> bool {
        let slot = self.page.slot(self.at + at);
        let sum = f64::from_bits(slot.load(Ordering::Relaxed)) + value;
        let good = sum.is_finite();
        if good {
            slot.store(sum.to_bits(), Ordering::Relaxed);
        }
        good
    }
}
