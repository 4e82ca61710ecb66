//! A round trip: what was opened and closed again.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::fill::FillId;
use super::nearest::nearest_f64;
use super::side::Direction;
use crate::{TradeResults, UnixMicros};

/// A quantity that was opened by one fill and closed by another, with what it brought.
///
/// Under first-in-first-out matching a trip pairs one opening fill with one closing fill; under average cost
/// its entry is the average of the position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RoundTrip {
    /// What was traded.
    pub instrument: Arc<str>,
    /// Long or short.
    pub direction: Direction,
    /// How much, over 0.
    pub quantity: Decimal,
    /// The price at which it was opened; an average is rounded to 20 decimals.
    pub entry_price: Decimal,
    /// The price at which it was closed.
    pub exit_price: Decimal,
    /// When it was opened.
    pub opened_at: UnixMicros,
    /// When it was closed; never before it was opened.
    pub closed_at: UnixMicros,
    /// The fill that opened it; the first of several under average cost.
    pub entry: FillId,
    /// The fill that closed it.
    pub exit: FillId,
    /// Profit before fees.
    pub gross: Decimal,
    /// The part of the fees of both fills that belongs to it.
    pub fees: Decimal,
    /// Profit after fees, rounded only where it would need more than 28 digits.
    pub net: Decimal,
}

impl RoundTrip {
    /// How long it was held, in microseconds.
    pub fn holding_micros(&self) -> i64 {
        self.closed_at.micros_since(self.opened_at)
    }
}

impl TradeResults<'static> {
    /// The net profit of each trip, as the nearest float.
    ///
    /// ```
    /// use bellwether_perf::{Ledger, TradeResults, Undefined, win_rate};
    /// let ledger = Ledger::fifo();
    /// let trades = TradeResults::of_trips(ledger.trips());
    /// assert_eq!(win_rate(&trades), Err(Undefined::NoTrades));
    /// ```
    pub fn of_trips<'a>(trips: impl IntoIterator<Item = &'a RoundTrip>) -> Self {
        Self::of_finite(trips.into_iter().map(|trip| nearest_f64(trip.net)).collect())
    }
}

/// Which trips a query is about: every condition that is set must hold.
///
/// ```
/// use bellwether_perf::{Direction, TripFilter};
/// let shorts = TripFilter::any().instrument("ESZ6").direction(Direction::Short);
/// # let _ = shorts;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TripFilter {
    instrument: Option<Arc<str>>,
    direction: Option<Direction>,
    closed_from: Option<UnixMicros>,
    closed_before: Option<UnixMicros>,
}

impl TripFilter {
    /// Every trip.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only of this instrument.
    #[must_use]
    pub fn instrument(mut self, instrument: impl Into<Arc<str>>) -> Self {
        self.instrument = Some(instrument.into());
        self
    }

    /// Only long or only short.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Only closed at this time or later.
    #[must_use]
    pub fn closed_from(mut self, from: impl Into<UnixMicros>) -> Self {
        self.closed_from = Some(from.into());
        self
    }

    /// Only closed before this time.
    #[must_use]
    pub fn closed_before(mut self, end: impl Into<UnixMicros>) -> Self {
        self.closed_before = Some(end.into());
        self
    }

    /// Whether the trip satisfies every condition.
    pub fn matches(&self, trip: &RoundTrip) -> bool {
        self.instrument.as_ref().is_none_or(|instrument| *instrument == trip.instrument)
            && self.direction.is_none_or(|direction| direction == trip.direction)
            && self.closed_from.is_none_or(|from| trip.closed_at >= from)
            && self.closed_before.is_none_or(|end| trip.closed_at < end)
    }
}
