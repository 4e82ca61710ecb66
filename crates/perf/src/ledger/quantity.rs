//! How much was traded, and at what price.

use std::fmt;

use rust_decimal::Decimal;

/// Most significant digits of a quantity, price or fee, zeros at the end of its decimals not counted: a product
/// of two is then exact in the 28 that a decimal holds.
pub const MAX_SIGNIFICANT_DIGITS: u32 = 14;

/// How much was traded: over 0, at most [`MAX_SIGNIFICANT_DIGITS`] significant digits.
///
/// ```
/// use bellwether_perf::Quantity;
/// use rust_decimal::Decimal;
/// assert!(Quantity::new(Decimal::new(3333, 4)).is_ok());
/// assert_eq!(Quantity::new(Decimal::ZERO).unwrap_err().to_string(), "quantity 0: expected over 0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Decimal", into = "Decimal")
)]
pub struct Quantity(Decimal);

/// The price of one unit, at most [`MAX_SIGNIFICANT_DIGITS`] significant digits.
///
/// [`Price::new`] takes prices over 0. Spreads, and oil in April 2020, trade at 0 and under:
/// [`Price::allowing_negative`] takes those, and the ledger books them only for instruments whose
/// [`Contract`](crate::Contract) says so.
///
/// ```
/// use bellwether_perf::Price;
/// use rust_decimal::Decimal;
/// let april_2020 = Decimal::new(-3763, 2);
/// assert_eq!(Price::new(april_2020).unwrap_err().to_string(), "price -37.63: expected over 0");
/// assert!(Price::allowing_negative(april_2020).is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Decimal", into = "Decimal")
)]
pub struct Price(Decimal);

/// A quantity or price that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// It is 0 or under.
    #[error("{what} {value}: expected over 0")]
    NotPositive {
        /// Which amount.
        what: &'static str,
        /// The offending value.
        value: Decimal,
    },
    /// It has more than [`MAX_SIGNIFICANT_DIGITS`] significant digits.
    #[error("{what} {value}: expected at most {MAX_SIGNIFICANT_DIGITS} significant digits")]
    TooManyDigits {
        /// Which amount.
        what: &'static str,
        /// The offending value.
        value: Decimal,
    },
}

/// The value, unless it has too many digits.
pub(crate) fn short(what: &'static str, value: Decimal) -> Result<Decimal, AmountError> {
    const LIMIT: u128 = 10_u128.pow(MAX_SIGNIFICANT_DIGITS);
    if value.mantissa().unsigned_abs() < LIMIT || value.normalize().mantissa().unsigned_abs() < LIMIT {
        Ok(value)
    } else {
        Err(AmountError::TooManyDigits { what, value })
    }
}

/// The value, unless it is 0 or under, or has too many digits.
pub(crate) fn short_positive(what: &'static str, value: Decimal) -> Result<Decimal, AmountError> {
    if value > Decimal::ZERO { short(what, value) } else { Err(AmountError::NotPositive { what, value }) }
}

impl Quantity {
    /// Checks it.
    pub fn new(value: impl Into<Decimal>) -> Result<Self, AmountError> {
        short_positive("quantity", value.into()).map(Self)
    }

    /// The decimal.
    pub const fn get(self) -> Decimal {
        self.0
    }
}

impl Price {
    /// Over 0.
    pub fn new(value: impl Into<Decimal>) -> Result<Self, AmountError> {
        short_positive("price", value.into()).map(Self)
    }

    /// Of any sign, for instruments that trade at 0 and under.
    pub fn allowing_negative(value: impl Into<Decimal>) -> Result<Self, AmountError> {
        short("price", value.into()).map(Self)
    }

    /// The decimal.
    pub const fn get(self) -> Decimal {
        self.0
    }

    /// Whether it is over 0.
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }
}

impl TryFrom<Decimal> for Quantity {
    type Error = AmountError;
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        Self::new(value)
    }
}

impl From<Quantity> for Decimal {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl TryFrom<Decimal> for Price {
    type Error = AmountError;
    /// Of any sign, as a price that was booked may be.
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        Self::allowing_negative(value)
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        price.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fourteen_digits_are_accepted_and_fifteen_are_not() {
        let digits = |text: &str| Quantity::new(Decimal::from_str_exact(text).unwrap());
        assert!(digits("12345678.901234").is_ok());
        assert!(digits("12345678.9012340000").is_ok());
        assert!(digits("99999999999999").is_ok());
        assert!(digits("100000000000000").is_err());
        assert!(matches!(digits("12345678.9012345"), Err(AmountError::TooManyDigits { .. })));
    }

    #[test]
    fn nothing_and_less_are_no_quantity() {
        assert!(Quantity::new(Decimal::ZERO).is_err());
        assert!(Quantity::new(Decimal::NEGATIVE_ONE).is_err());
        assert!(Price::new(Decimal::ZERO).is_err());
        assert!(Price::allowing_negative(Decimal::ZERO).is_ok());
    }
}
