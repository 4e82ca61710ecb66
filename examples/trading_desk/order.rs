//! Orders, their fills, and what the desk tells of them while it trades.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::session::InstrumentId;

/// A strategy, as its place in the list that the desk was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StrategyId(usize);

impl StrategyId {
    pub(crate) const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place in every table that has one entry per strategy.
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

/// Counts from 1 in the order of sending; the same on every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OrderId(pub(crate) u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "O{:06}", self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

/// An order for the closing auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    /// In lots of one index unit, above 0.
    pub(crate) quantity: Decimal,
    pub(crate) sent_at: DateTime<Utc>,
}

/// A whole order, executed; its order's id names it, as every order is filled at once or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) order: Order,
    /// In USD per lot, slippage included.
    pub(crate) price: Decimal,
    /// The commission in USD, exact.
    pub(crate) fee: Decimal,
    pub(crate) at: DateTime<Utc>,
}

/// Why the venue refused an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectReason {
    /// The auction price is further from the close before than the venue's price band allows.
    PriceBand,
}

impl RejectReason {
    /// For labels.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PriceBand => "price_band",
        }
    }
}

/// Who listens to the desk. Called on its hot path, in the order in which things happen: an order is sent,
/// then acknowledged and filled, or sent and rejected.
pub(crate) trait DeskEvents {
    fn sent(&mut self, order: &Order);

    /// `latency` is the venue's, in simulated time since `order.sent_at`.
    fn acknowledged(&mut self, order: &Order, latency: Duration);

    /// `latency` is the venue's, in simulated time since `order.sent_at`.
    fn rejected(&mut self, order: &Order, reason: RejectReason, latency: Duration);

    fn filled(&mut self, fill: &Fill);
}
