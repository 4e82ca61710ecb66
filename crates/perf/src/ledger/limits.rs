//! How much a ledger keeps, and from how far ahead it takes.

/// How much a ledger keeps. What is beyond is dropped and counted, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerLimits {
    /// Instruments; one more is refused.
    pub instruments: usize,
    /// Open lots of an instrument; one more is refused.
    pub open_lots: usize,
    /// Closed round trips that are kept; the oldest is dropped.
    pub trips: usize,
    /// Ids of booked fills that are kept; the oldest is forgotten.
    pub fill_ids: usize,
    /// Age of the oldest id that is kept, in microseconds before the fill that is booked.
    pub fill_id_age_micros: i64,
    /// How far ahead of the clock a fill or mark may be, in microseconds; one further ahead is refused. Larger than
    /// clocks differ, and small: a time that is taken makes everything before it late. The clock is what
    /// [`Ledger::set_time`](crate::Ledger::set_time) says; a ledger that was told none refuses only what is after the year 9999.
    pub max_ahead_micros: i64,
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

    /// With ids of fills kept no longer than this many microseconds.
    #[must_use]
    pub fn with_fill_id_age_micros(self, fill_id_age_micros: i64) -> Self {
        Self { fill_id_age_micros, ..self }
    }

    /// With fills and marks taken up to this many microseconds ahead of the clock.
    #[must_use]
    pub fn with_max_ahead_micros(self, max_ahead_micros: i64) -> Self {
        Self { max_ahead_micros, ..self }
    }
}

impl Default for LedgerLimits {
    /// 4,096 instruments, 100,000 open lots each, 10,000 trips, 65,536 ids of any age, an hour ahead.
    fn default() -> Self {
        Self {
            instruments: 4096,
            open_lots: 100_000,
            trips: 10_000,
            fill_ids: 65_536,
            fill_id_age_micros: i64::MAX,
            max_ahead_micros: 3_600_000_000,
        }
    }
}
