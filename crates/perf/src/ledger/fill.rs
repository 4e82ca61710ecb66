//! A fill: what an exchange says was traded.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::quantity::{AmountError, Price, Quantity, short};
use super::side::Side;
use crate::UnixMicros;

/// Longest name of an instrument and longest text of an id, in bytes.
pub const MAX_FILL_TEXT_LEN: usize = 128;

/// The id that the exchange gave an execution: a number or a text. The same id is the same fill.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum FillId {
    /// A number.
    Number(u64),
    /// A text.
    Text(Arc<str>),
}

impl From<u64> for FillId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for FillId {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for FillId {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for FillId {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for FillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => f.pad(text),
        }
    }
}

/// A checked fill. Built from a [`FillDraft`], which [`Fill::buy`] and [`Fill::sell`] begin; the ledger takes
/// drafts as well and checks them itself.
///
/// ```
/// use bellwether_perf::{Fill, UnixMicros};
/// use rust_decimal::Decimal;
/// let (now, fee) = (UnixMicros::from_seconds(1_700_000_000), Decimal::new(225, 2));
/// let fill = Fill::buy("ESZ6", Decimal::from(2), Decimal::new(450_075, 2)).at(now).id("x-17").fee(fee).build()?;
/// assert_eq!(fill.quantity().get(), Decimal::from(2));
///
/// let wrong = Fill::sell("ESZ6", Decimal::ZERO, Decimal::ONE).build().unwrap_err();
/// assert_eq!(wrong.to_string(), "fill without id; fill without time; quantity 0: expected over 0");
/// # Ok::<(), bellwether_perf::InvalidFill>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fill {
    id: FillId,
    instrument: Arc<str>,
    side: Side,
    quantity: Quantity,
    price: Price,
    fee: Decimal,
    at: UnixMicros,
}

impl Fill {
    /// Begins a bought fill: so much of the instrument at that price.
    pub fn buy(
        instrument: impl Into<Arc<str>>,
        quantity: impl Into<Decimal>,
        price: impl Into<Decimal>,
    ) -> FillDraft {
        FillDraft::new(Side::Buy, instrument.into(), quantity.into(), price.into())
    }

    /// Begins a sold fill: so much of the instrument at that price.
    pub fn sell(
        instrument: impl Into<Arc<str>>,
        quantity: impl Into<Decimal>,
        price: impl Into<Decimal>,
    ) -> FillDraft {
        FillDraft::new(Side::Sell, instrument.into(), quantity.into(), price.into())
    }

    /// The id of the execution.
    pub fn id(&self) -> &FillId {
        &self.id
    }

    /// What was traded.
    pub fn instrument(&self) -> &Arc<str> {
        &self.instrument
    }

    /// Bought or sold.
    pub fn side(&self) -> Side {
        self.side
    }

    /// How much.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// At what price.
    pub fn price(&self) -> Price {
        self.price
    }

    /// What the trade cost; a rebate is negative.
    pub fn fee(&self) -> Decimal {
        self.fee
    }

    /// When.
    pub fn at(&self) -> UnixMicros {
        self.at
    }

    /// The quantity, negative when it was sold.
    pub fn signed_quantity(&self) -> Decimal {
        match self.side {
            Side::Buy => self.quantity.get(),
            Side::Sell => -self.quantity.get(),
        }
    }
}

/// A fill on its way to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a draft does nothing until it is built or recorded"]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct FillDraft {
    id: Option<FillId>,
    instrument: Arc<str>,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    #[cfg_attr(feature = "serde", serde(default))]
    fee: Decimal,
    at: Option<UnixMicros>,
    #[cfg_attr(feature = "serde", serde(default))]
    negative_price: bool,
}

impl FillDraft {
    fn new(side: Side, instrument: Arc<str>, quantity: Decimal, price: Decimal) -> Self {
        Self {
            id: None,
            instrument,
            side,
            quantity,
            price,
            fee: Decimal::ZERO,
            at: None,
            negative_price: false,
        }
    }

    /// When it was traded.
    pub fn at(mut self, at: impl Into<UnixMicros>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// The id of the execution; a fill that comes again under its id is booked once.
    pub fn id(mut self, id: impl Into<FillId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What the trade cost, in the currency of the price; a rebate is negative. Nothing unless said.
    pub fn fee(mut self, fee: impl Into<Decimal>) -> Self {
        self.fee = fee.into();
        self
    }

    /// Takes a price of 0 or under; the instrument's contract must allow it as well.
    pub fn allowing_negative_price(mut self) -> Self {
        self.negative_price = true;
        self
    }

    /// Checks everything; the error names all that is wrong.
    pub fn build(self) -> Result<Fill, InvalidFill> {
        let mut violations = Vec::new();
        match &self.id {
            None => violations.push(FillViolation::NoId),
            Some(FillId::Text(text)) => check_text("id", text, &mut violations),
            Some(FillId::Number(_)) => {}
        }
        if self.at.is_none() {
            violations.push(FillViolation::NoTime);
        }
        check_text("instrument", &self.instrument, &mut violations);
        let mut keep = |wrong: AmountError| violations.push(FillViolation::Amount(wrong));
        let quantity = Quantity::new(self.quantity).map_err(&mut keep).ok();
        let price = if self.negative_price { Price::allowing_negative } else { Price::new };
        let price = price(self.price).map_err(&mut keep).ok();
        let fee = short("fee", self.fee).map_err(&mut keep).ok();
        match (self.id, self.at, quantity, price, fee) {
            (Some(id), Some(at), Some(quantity), Some(price), Some(fee)) if violations.is_empty() => {
                Ok(Fill { id, instrument: self.instrument, side: self.side, quantity, price, fee, at })
            }
            _ => Err(InvalidFill { violations }),
        }
    }
}

fn check_text(what: &'static str, text: &str, violations: &mut Vec<FillViolation>) {
    if text.is_empty() {
        violations.push(FillViolation::Empty { what });
    } else if text.len() > MAX_FILL_TEXT_LEN {
        violations.push(FillViolation::TooLong { what, len: text.len() });
    }
}

impl TryFrom<FillDraft> for Fill {
    type Error = InvalidFill;
    fn try_from(draft: FillDraft) -> Result<Self, InvalidFill> {
        draft.build()
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Fill {
    /// Passes the same checks as a draft; the sign of the price is the ledger's to judge.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let draft = FillDraft::deserialize(deserializer)?;
        draft.allowing_negative_price().build().map_err(serde::de::Error::custom)
    }
}

/// A fill that is none; names all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidFill {
    /// Everything that is wrong, at least one.
    pub violations: Vec<FillViolation>,
}

impl std::error::Error for InvalidFill {}

impl fmt::Display for InvalidFill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.violations.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            fmt::Display::fmt(violation, f)?;
        }
        Ok(())
    }
}

/// One thing that is wrong with a fill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FillViolation {
    /// There is no id, so a second delivery could not be told from a second trade.
    #[error("fill without id")]
    NoId,
    /// There is no time.
    #[error("fill without time")]
    NoTime,
    /// A text is empty.
    #[error("{what} is empty")]
    Empty {
        /// Which text.
        what: &'static str,
    },
    /// A text is longer than [`MAX_FILL_TEXT_LEN`].
    #[error("{what} of {len} bytes is longer than {MAX_FILL_TEXT_LEN}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// Quantity, price or fee are not what they must be.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_names_everything_that_is_wrong_at_once() {
        let wrong = Fill::buy("", Decimal::NEGATIVE_ONE, Decimal::ZERO).id("").build().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "id is empty; fill without time; instrument is empty; quantity -1: expected over 0; \
             price 0: expected over 0"
        );
    }

    #[test]
    fn a_negative_price_needs_to_be_allowed() {
        let draft = Fill::sell("CLK0", Decimal::ONE, Decimal::new(-3763, 2)).id(1).at(0);
        assert!(draft.clone().build().is_err());
        assert!(draft.allowing_negative_price().build().is_ok());
    }
}
