//! Why an order was rejected, as a fixed list of words.

use std::fmt;

/// Why an order was rejected: the words that venues and risk checks have in common, as label values.
///
/// A host may use words of its own beside these.
///
/// ```
/// use bellwether_metrics::trading::RejectReason;
/// assert_eq!(RejectReason::PriceBand.as_str(), "price_band");
/// // `OrdRejReason(103)` of an execution report
/// assert_eq!(RejectReason::from_fix(2), RejectReason::ExchangeClosed);
/// assert_eq!(RejectReason::from_fix(4_711), RejectReason::Other);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// The broker's own choice.
    Broker,
    /// The symbol is not known.
    UnknownSymbol,
    /// The venue is closed.
    ExchangeClosed,
    /// The order, or the account with it, exceeds a limit.
    OrderLimit,
    /// Too late to enter.
    TooLate,
    /// The order is not known.
    UnknownOrder,
    /// The order is there already.
    Duplicate,
    /// Unsupported combination of order characteristics.
    Unsupported,
    /// The quantity is wrong: a lot size, a minimum.
    Quantity,
    /// The account is not known.
    UnknownAccount,
    /// The price is outside the band that venue or risk check allows.
    PriceBand,
    /// The price is no multiple of the tick.
    TickSize,
    /// It would have traded with an order of the same firm.
    SelfTrade,
    /// A passive order would have traded at once.
    PostOnly,
    /// Too many messages.
    Throttle,
    /// Not enough margin or buying power.
    Margin,
    /// Too large a position.
    PositionLimit,
    /// Trading was stopped by the host itself.
    KillSwitch,
    /// The session was gone.
    Disconnected,
    /// Anything else.
    Other,
}

impl RejectReason {
    /// The word, as it stands in the label `reason`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::UnknownSymbol => "unknown_symbol",
            Self::ExchangeClosed => "exchange_closed",
            Self::OrderLimit => "order_limit",
            Self::TooLate => "too_late",
            Self::UnknownOrder => "unknown_order",
            Self::Duplicate => "duplicate",
            Self::Unsupported => "unsupported",
            Self::Quantity => "quantity",
            Self::UnknownAccount => "unknown_account",
            Self::PriceBand => "price_band",
            Self::TickSize => "tick_size",
            Self::SelfTrade => "self_trade",
            Self::PostOnly => "post_only",
            Self::Throttle => "throttle",
            Self::Margin => "margin",
            Self::PositionLimit => "position_limit",
            Self::KillSwitch => "kill_switch",
            Self::Disconnected => "disconnected",
            Self::Other => "other",
        }
    }

    /// The reason that an `OrdRejReason` of FIX (tag 103, as of FIX 5.0 SP2) tells.
    pub const fn from_fix(ord_rej_reason: u32) -> Self {
        match ord_rej_reason {
            0 => Self::Broker,
            1 => Self::UnknownSymbol,
            2 => Self::ExchangeClosed,
            3 | 20 | 21 | 26..=29 => Self::OrderLimit,
            4 => Self::TooLate,
            5 => Self::UnknownOrder,
            6 => Self::Duplicate,
            11 => Self::Unsupported,
            13 | 14 => Self::Quantity,
            15 => Self::UnknownAccount,
            16 => Self::PriceBand,
            18 => Self::TickSize,
            25 => Self::Margin,
            _ => Self::Other,
        }
    }
}

impl AsRef<str> for RejectReason {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
