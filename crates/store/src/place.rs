//! A place in a list that is read by time, the newest first.

use bellwether_core::{Cursor, CursorError, PageRequest, TimeRange};

/// The row that was read last: its instant in microseconds and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: i64,
    pub(crate) id: i64,
}

impl Place {
    /// Before everything in the order of reading.
    pub(crate) const FIRST: Self = Self { at: i64::MAX, id: i64::MAX };

    pub(crate) fn new(at: i64, id: i64) -> Self {
        Self { at, id }
    }

    /// Where a page goes on.
    pub(crate) fn after(page: &PageRequest, query: u64) -> Result<Self, CursorError> {
        let Some(cursor) = &page.after else { return Ok(Self::FIRST) };
        let key = cursor.key(query)?;
        let place =
            key.split_once(' ').and_then(|(at, id)| Some(Self::new(at.parse().ok()?, id.parse().ok()?)));
        place.ok_or(CursorError::Malformed { text: key })
    }

    pub(crate) fn cursor(self, query: u64) -> Cursor {
        Cursor::new(query, &format!("{} {}", self.at, self.id))
    }
}

/// After the first instant, up to the second.
pub(crate) fn span(range: Option<TimeRange>) -> (i64, i64) {
    range.map_or((i64::MIN, i64::MAX), |range| (range.start().as_micros(), range.end().as_micros()))
}
