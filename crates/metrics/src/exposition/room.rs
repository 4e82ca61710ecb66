//! Room that encoders use again from one page to the next.

use std::ops::Range;

use bellwether_core::Labels;

/// Room that encoders use again from one page to the next, so that a page allocates nothing.
#[derive(Default)]
pub(crate) struct Room {
    /// A part of a line.
    pub(crate) line: String,
    /// The lines of a state set, before they are put in order.
    pub(crate) lines: String,
    /// Whose lines they are, and where each is.
    pub(crate) states: Vec<(Labels, Range<usize>)>,
}
