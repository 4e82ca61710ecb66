//! What a ledger counts.

/// What a ledger has counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct LedgerCounts {
    /// Fills that were booked.
    pub fills: u64,
    /// Fills that came again.
    pub duplicates: u64,
    /// Fills that were refused.
    pub refused: u64,
    /// Round trips that were closed.
    pub trips: u64,
    /// Of those, the ones that are no longer kept.
    pub trips_dropped: u64,
    /// Marks older than the price at which their position is valued; they changed nothing.
    pub stale_marks: u64,
    /// Marks of instruments that were neither traded nor defined when they came; the last of each is kept for its
    /// first fill.
    pub untraded_marks: u64,
    /// Of those instruments, the ones whose last mark was dropped at the bound.
    pub untraded_marks_dropped: u64,
    /// Marks that were refused, when they came or when their instrument was defined.
    pub refused_marks: u64,
}
