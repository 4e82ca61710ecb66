//! A span of time between two instants.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;

/// The instants after `start` up to and including `end`: `(start, end]`.
///
/// Open at its start, so that ranges that follow one another share no sample, and closed at its end, so that a
/// window that ends now holds the sample that was taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

/// A range ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time range ends at {end}, before its start {start}")]
pub struct TimeRangeError {
    /// Where it was to start.
    pub start: Timestamp,
    /// Where it was to end.
    pub end: Timestamp,
}

impl TimeRange {
    /// After `start`, up to and including `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, TimeRangeError> {
        if end < start { Err(TimeRangeError { start, end }) } else { Ok(Self { start, end }) }
    }

    /// The last `length` before and including `end`.
    pub fn ending(end: Timestamp, length: Duration) -> Self {
        Self { start: end.saturating_sub(length), end }
    }

    /// Everything up to and including `end`.
    pub fn until(end: Timestamp) -> Self {
        Self { start: Timestamp::MIN, end }
    }

    /// Where it starts; not in the range.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// Where it ends; in the range.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.end.saturating_since(self.start)
    }

    /// Whether an instant lies in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start < at && at <= self.end
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}]", self.start, self.end)
    }
}
