//! The open lots of one instrument, and how a fill closes and opens them.

use std::collections::VecDeque;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::Matching;
use super::contract::Contract;
use super::error::LedgerError;
use super::exact::{self, NotExact};
use super::fill::{Fill, FillId};
use super::quantity::Price;
use super::round_trip::RoundTrip;
use super::side::{Direction, Side};
use super::total::Total;
use crate::UnixMicros;

/// A quantity that is open, with its whole cost and its whole entry fee.
///
/// Shares of cost and fee are taken of what the lot began with, so that rounding does not add up; the part that
/// closes the lot takes what is left.
#[derive(Debug, Clone)]
struct Lot {
    quantity: Decimal,
    cost: Total,
    fee: Total,
    whole_quantity: Decimal,
    whole_fee: Total,
    /// The price of the fill; under average cost the average, rounded to 20 decimals.
    price: Decimal,
    opened_at: UnixMicros,
    opened_by: FillId,
}

/// One instrument: its contract, its open lots of one direction, and its totals.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    pub(crate) instrument: Arc<str>,
    pub(crate) contract: Contract,
    /// Signed: negative when short.
    pub(crate) quantity: Decimal,
    /// Signed cost of what is open: quantity times entry price, summed.
    pub(crate) cost: Total,
    lots: VecDeque<Lot>,
    pub(crate) gross: Total,
    pub(crate) fees: Total,
    pub(crate) last_fill: Option<UnixMicros>,
    /// The price at which the position is valued, and when it was seen.
    pub(crate) valued: Option<Valuation>,
}

/// What a fill does to a book; computed in full before anything changes.
#[derive(Debug)]
pub(crate) struct Effect {
    /// Lots that close whole, from the oldest.
    closed_lots: usize,
    /// What is left of the lot after them: quantity, cost, fee.
    left: Option<(Decimal, Total, Total)>,
    opened: Option<Lot>,
    quantity: Decimal,
    cost: Total,
    gross: Total,
    fees: Total,
    /// Profit before fees of what the fill closed.
    pub(crate) realised: Total,
}

impl Book {
    pub(crate) fn new(instrument: Arc<str>, contract: Contract) -> Self {
        Self {
            instrument,
            contract,
            quantity: Decimal::ZERO,
            cost: Total::ZERO,
            lots: VecDeque::new(),
            gross: Total::ZERO,
            fees: Total::ZERO,
            last_fill: None,
            valued: None,
        }
    }

    pub(crate) fn lots(&self) -> usize {
        self.lots.len()
    }

    /// The entry fees of what is open.
    pub(crate) fn open_fees(&self) -> Result<Total, NotExact> {
        self.lots.iter().try_fold(Total::ZERO, |sum, lot| sum.add(lot.fee))
    }

    /// The signed cost of all open lots, added up anew.
    #[cfg(test)]
    pub(crate) fn lots_cost(&self) -> Result<Total, NotExact> {
        let sum = self.lots.iter().try_fold(Total::ZERO, |sum, lot| sum.add(lot.cost))?;
        Ok(if self.quantity.is_sign_negative() { -sum } else { sum })
    }

    /// Profit of what is open at the price at which it is valued, before fees.
    pub(crate) fn unrealised(&self) -> Result<Total, NotExact> {
        match self.valued {
            Some(Valuation { price, .. }) if !self.quantity.is_zero() => {
                let value = Total::product(self.quantity, price.get())?;
                value.sub(self.cost)?.times(self.contract.multiplier())
            }
            _ => Ok(Total::ZERO),
        }
    }

    /// The average price of what is open, rounded to 20 decimals; none when nothing is.
    pub(crate) fn average_price(&self) -> Result<Option<Decimal>, NotExact> {
        let open = !self.quantity.is_zero();
        open.then(|| exact::share(self.cost.nearest(), Decimal::ONE, self.quantity)).transpose()
    }

    /// What the fill would do. Closed trips are appended to `trips`; the book does not change.
    pub(crate) fn effect_of(
        &self,
        fill: &Fill,
        matching: Matching,
        max_lots: usize,
        trips: &mut Vec<RoundTrip>,
    ) -> Result<Effect, LedgerError> {
        let mut rest = fill.quantity().get();
        let mut rest_fee = Total::from(fill.fee());
        let mut closed_lots = 0;
        let mut left = None;
        let mut closed_cost = Total::ZERO;
        let mut realised = Total::ZERO;
        let closes = match fill.side() {
            Side::Buy => self.quantity.is_sign_negative() && !self.quantity.is_zero(),
            Side::Sell => self.quantity.is_sign_positive() && !self.quantity.is_zero(),
        };
        if closes {
            for lot in &self.lots {
                let part = lot.quantity.min(rest);
                rest = exact::sub(rest, part).map_err(|e| e.of("quantity"))?;
                // The last piece of the fill takes the fee that is left.
                let exit_fee = if rest.is_zero() {
                    rest_fee
                } else {
                    exact::share(fill.fee(), part, fill.quantity().get()).map_err(|e| e.of("fee"))?.into()
                };
                rest_fee = rest_fee.sub(exit_fee).map_err(|e| e.of("fee"))?;
                let closing = self.closing(lot, fill, part, matching)?;
                trips.push(self.trip(lot, fill, part, &closing, exit_fee, matching)?);
                realised = realised.add(closing.gross).map_err(|e| e.of("realised profit"))?;
                closed_cost = closed_cost.add(closing.cost).map_err(|e| e.of("cost"))?;
                if part == lot.quantity {
                    closed_lots += 1;
                } else {
                    let quantity = exact::sub(lot.quantity, part).map_err(|e| e.of("quantity"))?;
                    let cost = lot.cost.sub(closing.cost).map_err(|e| e.of("cost"))?;
                    let fee = lot.fee.sub(closing.fee).map_err(|e| e.of("fee"))?;
                    left = Some((quantity, cost, fee));
                }
                if rest.is_zero() {
                    break;
                }
            }
        }
        let opened = if rest.is_zero() { None } else { Some(self.opened(fill, rest, rest_fee, matching)?) };
        if opened.is_some() && self.lots.len() - closed_lots >= max_lots && !self.merges(matching, closes) {
            return Err(LedgerError::TooManyLots {
                instrument: Arc::clone(&self.instrument),
                limit: max_lots,
            });
        }
        // Lots of one direction only: what closes has the sign of the position, what opens that of the fill.
        let signed = |amount: Total, negative: bool| if negative { -amount } else { amount };
        let closed_cost = signed(closed_cost, self.quantity.is_sign_negative());
        let opened_cost = match &opened {
            Some(lot) if self.merges(matching, closes) => {
                let before = self.lots.front().map_or(Total::ZERO, |lot| lot.cost);
                signed(lot.cost.sub(before).map_err(|e| e.of("cost"))?, fill.side() == Side::Sell)
            }
            Some(lot) => signed(lot.cost, fill.side() == Side::Sell),
            None => Total::ZERO,
        };
        let cost = self.cost.sub(closed_cost).and_then(|cost| cost.add(opened_cost));
        Ok(Effect {
            closed_lots,
            left,
            opened,
            quantity: exact::add(self.quantity, fill.signed_quantity()).map_err(|e| e.of("position"))?,
            cost: cost.map_err(|e| e.of("cost"))?,
            gross: self.gross.add(realised).map_err(|e| e.of("realised profit"))?,
            fees: self.fees.add(fill.fee().into()).map_err(|e| e.of("fees"))?,
            realised,
        })
    }

    /// Whether what the fill opens is added to the one lot of an average-cost position.
    fn merges(&self, matching: Matching, closes: bool) -> bool {
        matching == Matching::AverageCost && !closes && !self.lots.is_empty()
    }

    fn opened(
        &self,
        fill: &Fill,
        quantity: Decimal,
        fee: Total,
        matching: Matching,
    ) -> Result<Lot, LedgerError> {
        let cost = Total::product(quantity, fill.price().get()).map_err(|e| e.of("cost"))?;
        match self.lots.front() {
            Some(lot) if matching == Matching::AverageCost && self.opens_same_way(fill) => {
                let quantity = exact::add(lot.quantity, quantity).map_err(|e| e.of("position"))?;
                let cost = lot.cost.add(cost).map_err(|e| e.of("cost"))?;
                let fee = lot.fee.add(fee).map_err(|e| e.of("fee"))?;
                Ok(Lot {
                    quantity,
                    cost,
                    fee,
                    whole_quantity: quantity,
                    whole_fee: fee,
                    price: exact::share(cost.nearest(), Decimal::ONE, quantity)
                        .map_err(|e| e.of("average price"))?,
                    opened_at: lot.opened_at,
                    opened_by: lot.opened_by.clone(),
                })
            }
            _ => Ok(Lot {
                quantity,
                cost,
                fee,
                whole_quantity: quantity,
                whole_fee: fee,
                price: fill.price().get(),
                opened_at: fill.at(),
                opened_by: fill.id().clone(),
            }),
        }
    }

    fn opens_same_way(&self, fill: &Fill) -> bool {
        self.quantity.is_sign_negative() == (fill.side() == Side::Sell)
    }

    /// What closing a part of the lot takes from it, and the profit.
    fn closing(
        &self,
        lot: &Lot,
        fill: &Fill,
        part: Decimal,
        matching: Matching,
    ) -> Result<Closing, LedgerError> {
        let value = Total::product(part, fill.price().get()).map_err(|e| e.of("value"))?;
        let gross = |cost: Total| {
            let difference = match fill.side().opposite().direction() {
                Direction::Long => value.sub(cost),
                Direction::Short => cost.sub(value),
            };
            difference?.times(self.contract.multiplier())
        };
        let (cost, fee) = if part == lot.quantity {
            (lot.cost, lot.fee)
        } else {
            let (cost, whole, of) = match matching {
                Matching::Fifo => (Total::product(part, lot.price), lot.whole_fee, lot.whole_quantity),
                Matching::AverageCost => (lot.cost_share(part, &gross), lot.fee, lot.quantity),
            };
            let fee = exact::share(whole.nearest(), part, of).map_err(|e| e.of("fee"))?;
            (cost.map_err(|e| e.of("cost"))?, fee.into())
        };
        Ok(Closing { cost, fee, gross: gross(cost).map_err(|e| e.of("profit"))? })
    }

    fn trip(
        &self,
        lot: &Lot,
        fill: &Fill,
        part: Decimal,
        closing: &Closing,
        exit_fee: Total,
        matching: Matching,
    ) -> Result<RoundTrip, LedgerError> {
        let fees = closing.fee.add(exit_fee).map_err(|e| e.of("fees"))?;
        let net = closing.gross.sub(fees).map_err(|e| e.of("net profit"))?;
        let entry_price = match matching {
            Matching::Fifo => lot.price,
            Matching::AverageCost => exact::share(lot.cost.nearest(), Decimal::ONE, lot.quantity)
                .map_err(|e| e.of("average price"))?,
        };
        Ok(RoundTrip {
            instrument: Arc::clone(&self.instrument),
            direction: fill.side().opposite().direction(),
            quantity: part,
            entry_price,
            exit_price: fill.price().get(),
            opened_at: lot.opened_at,
            closed_at: fill.at(),
            entry: lot.opened_by.clone(),
            exit: fill.id().clone(),
            gross: closing.gross.nearest(),
            fees: fees.nearest(),
            net: net.nearest(),
        })
    }

    /// Makes the effect true.
    pub(crate) fn apply(&mut self, effect: Effect, fill: &Fill, matching: Matching) {
        self.lots.drain(..effect.closed_lots);
        if let (Some((quantity, cost, fee)), Some(lot)) = (effect.left, self.lots.front_mut()) {
            lot.quantity = quantity;
            lot.cost = cost;
            lot.fee = fee;
        }
        if let Some(lot) = effect.opened {
            if matching == Matching::AverageCost {
                self.lots.clear();
            }
            self.lots.push_back(lot);
        }
        self.quantity = effect.quantity;
        self.cost = effect.cost;
        self.gross = effect.gross;
        self.fees = effect.fees;
        self.last_fill = Some(fill.at());
        self.value_at(fill.price(), fill.at(), Freshness::Fill);
    }

    /// Values the position at the price, unless it is valued at a later one. Returns whether it did.
    pub(crate) fn value_at(&mut self, price: Price, at: UnixMicros, needed: Freshness) -> bool {
        match &mut self.valued {
            Some(valued) => valued.update(price, at, needed),
            none => {
                *none = Some(Valuation { price, at });
                true
            }
        }
    }
}

/// A price, and when it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Valuation {
    pub(crate) price: Price,
    pub(crate) at: UnixMicros,
}

impl Valuation {
    /// Takes the price if it is fresh. Returns whether it did.
    pub(crate) fn update(&mut self, price: Price, at: UnixMicros, needed: Freshness) -> bool {
        let fresh = match needed {
            Freshness::Fill => at > self.at,
            Freshness::Mark { now } => at >= self.at || now.is_some_and(|now| self.at > now),
        };
        if fresh {
            *self = Self { price, at };
        }
        fresh
    }
}

/// When a price replaces the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The price of a fill: when it is younger.
    Fill,
    /// A mark: also at the same time, and whenever the one before is still ahead of the clock.
    Mark { now: Option<UnixMicros> },
}

/// What a fill takes from a lot.
#[derive(Debug)]
struct Closing {
    cost: Total,
    fee: Total,
    gross: Total,
}

impl Lot {
    /// The share of the cost that belongs to a part: with 20 decimals, or with as many as let the profit on it be a
    /// decimal without rounding, so that the trips add up to what was realised.
    fn cost_share(
        &self,
        part: Decimal,
        gross: &impl Fn(Total) -> Result<Total, NotExact>,
    ) -> Result<Total, NotExact> {
        let cost = self.cost.nearest();
        let mut widest = Err(NotExact::Overflow);
        for decimals in (0..=exact::SHARE_DECIMALS).rev() {
            let Some(share) = exact::share_at(cost, part, self.quantity, decimals) else { continue };
            match gross(share.into()) {
                Ok(profit) if profit.exact().is_some() => return Ok(share.into()),
                Ok(_) => widest = widest.or(Ok(share.into())),
                Err(why) => widest = widest.or(Err(why)),
            }
        }
        // The profit needs more than 28 digits whatever the share; its trip rounds it, the totals do not.
        widest
    }
}
