//! The slots of one writer.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::page::Page;
use super::slot::{PAGES, Slot};
use super::sync::AtomicU64;

/// The slots of one writer at a time, in pages that come when they are first written to. 4 kB, and 32 kB per page.
pub(super) struct Lane {
    pages: Box<[OnceLock<Box<Page>>]>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self { pages: (0..PAGES).map(|_| OnceLock::new()).collect() }
    }

    /// The page of a slot, made if it is not there yet; nothing where a slot is in no page.
    pub(super) fn page(&self, slot: Slot) -> Option<&Page> {
        Some(self.pages.get(slot.page())?.get_or_init(Page::new))
    }

    /// The same, but only if it was made.
    #[inline]
    pub(super) fn existing(&self, slot: Slot) -> Option<&Page> {
        self.pages.get(slot.page())?.get().map(|page| &**page)
    }

    /// What a slot holds; zero as long as nothing was written near it.
    #[inline]
    pub(super) fn read(&self, slot: Slot) -> u64 {
        self.existing(slot).map_or(0, |page| page.slot(slot.at()).load(Ordering::Relaxed))
    }

    /// The slots of a row; none as long as nothing was written near them.
    #[inline]
    pub(super) fn row(&self, slot: Slot, n: usize) -> &[AtomicU64] {
        self.existing(slot).map_or(&[], |page| page.row(slot.at(), n))
    }
}
