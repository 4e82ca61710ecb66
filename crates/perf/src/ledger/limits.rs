//! How much a ledger keeps, and from how far ahead it takes.

use std::time::Duration;

use crate::UnixMicros;

/// How much a ledger keeps, and from how far ahead it takes. What is beyond is dropped and counted, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerLimits {
    /// Instruments; one more is refused.
    pub instruments: usize,
    /// Open lots of an instrument; one more is refused.
    pub open_lots: usize,
    /// Closed round trips that are kept; the oldest is dropped.
    pub trips: usize,
    /// Ids of booked fills that are kept; that of the oldest fill is forgotten.
    pub fill_ids: usize,
    /// Age of the oldest id that is kept, before the fill that is booked.
    pub fill_id_age: Duration,
    /// Instruments that were neither traded nor defined of which the last mark is kept for the first fill; that of
    /// which none came for the longest is dropped.
    pub untraded_marks: usize,
    /// How far ahead of the clock a fill or mark may be; one further ahead is refused. Larger than clocks differ, and
    /// small: a fill that is taken makes everything of its instrument before it late. The clock is what
    /// [`Ledger::set_time`](crate::Ledger::set_time) says; a ledger that was told none refuses only what is after the year 9999.
    pub max_ahead: Duration,
}

impl LedgerLimits {
    /// With so many instruments.
    #[must_use]
    pub fn with_instruments(self, instruments: usize) -> Self {
        Self { instruments, ..self }
    }

    /// With so many open lots per instrument.
    #[must_use]
    pub fn with_open_lots(self, open_lots: usize) -> Self {
        Self { open_lots, ..self }
    }

    /// With so many kept trips.
    #[must_use]
    pub fn with_trips(self, trips: usize) -> Self {
        Self { trips, ..self }
    }

    /// With so many kept ids of fills, at least one.
    #[must_use]
    pub fn with_fill_ids(self, fill_ids: usize) -> Self {
        Self { fill_ids: fill_ids.max(1), ..self }
    }

    /// With ids of fills kept no longer than this.
    #[must_use]
    pub fn with_fill_id_age(self, fill_id_age: Duration) -> Self {
        Self { fill_id_age, ..self }
    }

    /// With the last marks of so many instruments that are not traded.
    #[must_use]
    pub fn with_untraded_marks(self, untraded_marks: usize) -> Self {
        Self { untraded_marks, ..self }
    }

    /// With fills and marks taken up to so far ahead of the clock.
    #[must_use]
    pub fn with_max_ahead(self, max_ahead: Duration) -> Self {
        Self { max_ahead, ..self }
    }
}

impl Default for LedgerLimits {
    /// 4,096 instruments, 100,000 open lots each, 10,000 trips, 65,536 ids of any age, marks of 4,096
    /// untraded instruments, a minute ahead.
    fn default() -> Self {
        Self {
            instruments: 4096,
            open_lots: 100_000,
            trips: 10_000,
            fill_ids: 65_536,
            fill_id_age: Duration::MAX,
            untraded_marks: 4096,
            max_ahead: Duration::from_mins(1),
        }
    }
}

/// In microseconds; stops at the end of the range.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The last time that is taken when what is so far ahead of now is.
pub(crate) fn horizon(now: UnixMicros, ahead: Duration) -> UnixMicros {
    UnixMicros::LAST.min(now.get().saturating_add(micros(ahead)).into())
}
