//! What is open in one instrument.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::UnixMicros;

/// What is open in one instrument, and what it has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Position {
    /// The instrument.
    pub instrument: Arc<str>,
    /// How much is open: negative when short, 0 when flat.
    pub quantity: Decimal,
    /// The average price of what is open, rounded to 20 decimals; none when flat.
    pub average_price: Option<Decimal>,
    /// How many lots are open.
    pub open_lots: usize,
    /// The price at which it is valued: the last mark, or the last fill if that is younger.
    pub valued_at: Option<Decimal>,
    /// When that price was seen.
    pub valued_when: Option<UnixMicros>,
    /// Profit of what is open at that price, before fees.
    pub unrealised: Decimal,
    /// Profit of what was closed, before fees.
    pub realised: Decimal,
    /// The fees of all its fills.
    pub fees: Decimal,
}

impl Position {
    /// Whether nothing is open.
    pub fn is_flat(&self) -> bool {
        self.quantity.is_zero()
    }
}
