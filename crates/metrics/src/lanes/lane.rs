//! The slots of one writer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots of a page.
pub(super) const PAGE: usize = 4_096;
/// Pages of a lane.
pub(super) const PAGES: usize = 1_024;

/// Slots that lie side by side, in cache lines that no other lane has a part of.
#[repr(align(64))]
struct Page([AtomicU64; PAGE]);

impl Page {
    fn new() -> Box<Self> {
        // Boxed first: as a value it would be a large part of a stack.
        let slots: Box<[AtomicU64]> = (0..PAGE).map(|_| AtomicU64::new(0)).collect();
        match slots.try_into() {
            Ok::<Box<[AtomicU64; PAGE]>, _>(slots) => Box::new(Self(*slots)),
            Err(_) => Box::new(Self([const { AtomicU64::new(0) }; PAGE])),
        }
    }
}

/// The slots of one writer at a time, in pages that come when they are first written to. 16 kB, and 32 kB per page.
pub(super) struct Lane {
    pages: Box<[OnceLock<Box<Page>>]>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self { pages: (0..PAGES).map(|_| OnceLock::new()).collect() }
    }

    /// A slot to write to; nothing if there is no such slot.
    #[inline]
    pub(super) fn slot(&self, slot: u32) -> Option<&AtomicU64> {
        let at = slot as usize;
        let page = self.pages.get(at / PAGE)?;
        let Page(slots) = match page.get() {
            Some(page) => &**page,
            None => Self::make(page),
        };
        Some(&slots[at % PAGE])
    }

    #[cold]
    fn make(page: &OnceLock<Box<Page>>) -> &Page {
        page.get_or_init(Page::new)
    }

    /// What a slot holds; zero as long as nothing was written near it.
    #[inline]
    pub(super) fn read(&self, slot: u32) -> u64 {
        self.existing(slot).map_or(0, |slot| slot.load(Ordering::Relaxed))
    }

    /// Sets a slot back to zero. Only for slots that no one writes to any more.
    pub(super) fn clear(&self, slot: u32) {
        if let Some(slot) = self.existing(slot) {
            slot.store(0, Ordering::Relaxed);
        }
    }

    fn existing(&self, slot: u32) -> Option<&AtomicU64> {
        let at = slot as usize;
        let Page(slots) = self.pages.get(at / PAGE)?.get().map(|page| &**page)?;
        Some(&slots[at % PAGE])
    }
}
