//! Where the slots of a series lie in every lane.

use super::my_page;
use super::page::PAGE;
use super::row::Row;

/// Pages of a lane: as many as a byte can name, but one, which stands for no page at all.
#[cfg(not(loom_models))]
pub(super) const PAGES: usize = 255;
/// Pages of a lane: few, for models.
#[cfg(loom_models)]
pub(super) const PAGES: usize = 1;

/// All slots of a lane.
pub(super) const SLOTS: u32 = (PAGES * PAGE) as u32;

/// Where the first slot of a series lies in every lane: its page, and its place there.
///
/// Small enough that each handle has it beside its pointer: to record, the pointer need not be followed. That the page is
/// a byte, and its table has 256 places, spares a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    page: u8,
    at: u16,
}

impl Slot {
    /// In no lane: what has its values elsewhere.
    pub(crate) const NOWHERE: Self = Self { page: u8::MAX, at: 0 };

    /// By its number.
    pub(super) fn new(slot: u32) -> Self {
        let (page, at) = (slot as usize / PAGE, slot as usize % PAGE);
        match u8::try_from(page) {
            Ok(page) if usize::from(page) < PAGES => Self { page, at: at as u16 },
            _ => Self::NOWHERE,
        }
    }

    /// Its number.
    pub(super) fn number(self) -> u32 {
        (self.page() * PAGE + self.at()) as u32
    }

    /// The one `at` places further on in the same page.
    #[inline]
    pub(super) fn after(self, at: usize) -> Self {
        Self { page: self.page, at: self.at + at as u16 }
    }

    /// The slots of this series in this thread's own lane, if it has written near them before.
    #[inline]
    pub(crate) fn mine(self) -> Option<Row> {
        Some(Row::new(my_page(self.page)?, self.at()))
    }

    #[inline]
    pub(super) fn page(self) -> usize {
        usize::from(self.page)
    }

    #[inline]
    pub(super) fn at(self) -> usize {
        usize::from(self.at)
    }
}

#[cfg(all(test, not(loom_models)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_its_number_up_to_the_last() {
        for number in [0, 1, 4_095, 4_096, SLOTS - 1] {
            assert_eq!(Slot::new(number).number(), number);
        }
        assert_eq!(Slot::new(SLOTS), Slot::NOWHERE);
        assert_eq!(Slot::new(u32::MAX), Slot::NOWHERE);
    }
}
