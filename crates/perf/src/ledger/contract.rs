//! What a unit of an instrument is.

use rust_decimal::Decimal;

use super::quantity::{AmountError, Price, short_positive};

/// What one unit of an instrument is worth per unit of price, and which prices it can have.
///
/// ```
/// use bellwether_perf::Contract;
/// use rust_decimal::Decimal;
/// let e_mini = Contract::linear(Decimal::from(50))?;
/// let crude = Contract::linear(Decimal::from(1000))?.allowing_negative_prices();
/// assert_ne!(e_mini, crude);
/// # Ok::<(), bellwether_perf::AmountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contract {
    multiplier: Decimal,
    prices: PriceRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PriceRule {
    Positive,
    AnySign,
}

impl Contract {
    /// A share or a coin: multiplier 1, prices over 0. What an instrument is unless the ledger is told.
    pub const SPOT: Self = Self { multiplier: Decimal::ONE, prices: PriceRule::Positive };

    /// A future or another linear contract: profit is quantity times multiplier times the difference in price.
    /// The multiplier is over 0.
    pub fn linear(multiplier: impl Into<Decimal>) -> Result<Self, AmountError> {
        Ok(Self { multiplier: short_positive("multiplier", multiplier.into())?, ..Self::SPOT })
    }

    /// Prices may be 0 and under, as of spreads, and of oil in April 2020.
    #[must_use]
    pub fn allowing_negative_prices(self) -> Self {
        Self { prices: PriceRule::AnySign, ..self }
    }

    /// What a unit of price is worth per unit.
    pub fn multiplier(self) -> Decimal {
        self.multiplier
    }

    /// Whether the price is one that this contract can have.
    pub fn allows(self, price: Price) -> bool {
        price.is_positive() || self.prices == PriceRule::AnySign
    }
}
