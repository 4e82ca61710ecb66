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
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "record::Record")
)]
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
    /// Profit before fees. As the two below, rounded only where it needs more than 28 digits; what the ledger
    /// sums up is not.
    pub gross: Decimal,
    /// The part of the fees of both fills that belongs to it.
    pub fees: Decimal,
    /// Profit after fees.
    pub net: Decimal,
}

impl RoundTrip {
    /// How long it was held, in microseconds.
    pub fn holding_micros(&self) -> i64 {
        self.closed_at.micros_since(self.opened_at)
    }
}

#[cfg(feature = "serde")]
mod record {
    //! A trip as it is read: only one whose quantity, times, name and profit can be those of a trip becomes one. Its
    //! prices depend on a contract that it does not know, and are taken as they stand.

    use super::super::total::Total;
    use super::{Arc, Decimal, Direction, FillId, RoundTrip, UnixMicros};
    use crate::ledger::fill::MAX_FILL_TEXT_LEN;

    #[derive(serde::Deserialize)]
    pub(super) struct Record {
        instrument: Arc<str>,
        direction: Direction,
        quantity: Decimal,
        entry_price: Decimal,
        exit_price: Decimal,
        opened_at: UnixMicros,
        closed_at: UnixMicros,
        entry: FillId,
        exit: FillId,
        gross: Decimal,
        fees: Decimal,
        net: Decimal,
    }

    /// Whether net is gross less fees, exactly, or within a unit in the last place of those that a decimal may have
    /// had to round.
    fn balances(gross: Decimal, fees: Decimal, net: Decimal) -> bool {
        let rounded_to = |amount: &Decimal| {
            let full = amount.mantissa().unsigned_abs() >= 10_u128.pow(Decimal::MAX_SCALE - 1);
            if full { Decimal::new(1, amount.scale()) } else { Decimal::ZERO }
        };
        let allowed = [gross, fees, net].iter().map(rounded_to).max().unwrap_or_default();
        let off = Total::from(gross).sub(fees.into()).and_then(|due| due.sub(net.into()));
        off.is_ok_and(|off| off.nearest().abs() <= allowed)
    }

    impl TryFrom<Record> for RoundTrip {
        type Error = String;
        fn try_from(read: Record) -> Result<Self, String> {
            if read.quantity <= Decimal::ZERO {
                return Err(format!("round trip of quantity {}: expected over 0", read.quantity));
            }
            if read.closed_at < read.opened_at {
                let (opened, closed) = (read.opened_at, read.closed_at);
                return Err(format!(
                    "round trip closed at {closed}: expected not before it opened at {opened}"
                ));
            }
            let len = read.instrument.len();
            if len == 0 || len > MAX_FILL_TEXT_LEN {
                return Err(format!("instrument name of {len} bytes: expected 1 to {MAX_FILL_TEXT_LEN}"));
            }
            if !balances(read.gross, read.fees, read.net) {
                let (gross, fees, net) = (read.gross, read.fees, read.net);
                return Err(format!("round trip of net {net}: expected gross {gross} less fees {fees}"));
            }
            Ok(Self {
                instrument: read.instrument,
                direction: read.direction,
                quantity: read.quantity,
                entry_price: read.entry_price,
                exit_price: read.exit_price,
                opened_at: read.opened_at,
                closed_at: read.closed_at,
                entry: read.entry,
                exit: read.exit,
                gross: read.gross,
                fees: read.fees,
                net: read.net,
            })
        }
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
