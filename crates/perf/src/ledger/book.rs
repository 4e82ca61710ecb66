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
use crate::UnixMicros;

/// A quantity that is open, with its whole cost and its whole entry fee.
///
/// Shares of cost and fee are taken of what the lot began with, so that rounding does not add up; the part that
/// closes the lot takes what is left.
#[derive(Debug, Clone)]
struct Lot {
    quantity: Decimal,
    cost: Decimal,
    fee: Decimal,
    whole_quantity: Decimal,
    whole_fee: Decimal,
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
    pub(crate) cost: Decimal,
    lots: VecDeque<Lot>,
    pub(crate) gross: Decimal,
    pub(crate) fees: Decimal,
    pub(crate) last_fill: Option<UnixMicros>,
    /// The price at which the position is valued, and when it was seen.
    pub(crate) valued: Option<(Decimal, UnixMicros)>,
}

/// What a fill does to a book; computed in full before anything changes.
#[derive(Debug)]
pub(crate) struct Effect {
    /// Lots that close whole, from the oldest.
    closed_lots: usize,
    /// What is left of the lot after them: quantity, cost, fee.
    left: Option<(Decimal, Decimal, Decimal)>,
    opened: Option<Lot>,
    quantity: Decimal,
    cost: Decimal,
    gross: Decimal,
    fees: Decimal,
    /// Profit before fees of what the fill closed.
    pub(crate) realised: Decimal,
}

impl Book {
    pub(crate) fn new(instrument: Arc<str>, contract: Contract) -> Self {
        Self {
            instrument,
            contract,
            quantity: Decimal::ZERO,
            cost: Decimal::ZERO,
            lots: VecDeque::new(),
            gross: Decimal::ZERO,
            fees: Decimal::ZERO,
            last_fill: None,
            valued: None,
        }
    }

    pub(crate) fn lots(&self) -> usize {
        self.lots.len()
    }

    /// The entry fees of what is open.
    pub(crate) fn open_fees(&self) -> Result<Decimal, NotExact> {
        self.lots.iter().try_fold(Decimal::ZERO, |sum, lot| exact::add(sum, lot.fee))
    }

    /// Profit of what is open at the price at which it is valued, before fees.
    pub(crate) fn unrealised(&self) -> Result<Decimal, NotExact> {
        match self.valued {
            Some((price, _)) if !self.quantity.is_zero() => {
                let value = exact::mul(self.quantity, price)?;
                exact::mul(exact::sub(value, self.cost)?, self.contract.multiplier())
            }
            _ => Ok(Decimal::ZERO),
        }
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
        let mut rest_fee = fill.fee();
        let mut closed_lots = 0;
        let mut left = None;
        let mut closed_cost = Decimal::ZERO;
        let mut realised = Decimal::ZERO;
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
                    exact::share(fill.fee(), part, fill.quantity().get())
                };
                rest_fee = exact::sub(rest_fee, exit_fee).map_err(|e| e.of("fee"))?;
                let (cost, entry_fee) = lot.part(part, matching).map_err(|e| e.of("cost"))?;
                let trip = self.trip(lot, fill, part, cost, (entry_fee, exit_fee), matching)?;
                realised = exact::add(realised, trip.gross).map_err(|e| e.of("realised profit"))?;
                closed_cost = exact::add(closed_cost, cost).map_err(|e| e.of("cost"))?;
                trips.push(trip);
                if part == lot.quantity {
                    closed_lots += 1;
                } else {
                    let quantity = exact::sub(lot.quantity, part).map_err(|e| e.of("quantity"))?;
                    let cost = exact::sub(lot.cost, cost).map_err(|e| e.of("cost"))?;
                    let fee = exact::sub(lot.fee, entry_fee).map_err(|e| e.of("fee"))?;
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
        let signed = |amount: Decimal, negative: bool| if negative { -amount } else { amount };
        let closed_cost = signed(closed_cost, self.quantity.is_sign_negative());
        let opened_cost = match &opened {
            Some(lot) if self.merges(matching, closes) => {
                let before = self.lots.front().map_or(Decimal::ZERO, |lot| lot.cost);
                signed(exact::sub(lot.cost, before).map_err(|e| e.of("cost"))?, fill.side() == Side::Sell)
            }
            Some(lot) => signed(lot.cost, fill.side() == Side::Sell),
            None => Decimal::ZERO,
        };
        let cost = exact::sub(self.cost, closed_cost).and_then(|cost| exact::add(cost, opened_cost));
        Ok(Effect {
            closed_lots,
            left,
            opened,
            quantity: exact::add(self.quantity, fill.signed_quantity()).map_err(|e| e.of("position"))?,
            cost: cost.map_err(|e| e.of("cost"))?,
            gross: exact::add(self.gross, realised).map_err(|e| e.of("realised profit"))?,
            fees: exact::add(self.fees, fill.fee()).map_err(|e| e.of("fees"))?,
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
        fee: Decimal,
        matching: Matching,
    ) -> Result<Lot, LedgerError> {
        let cost = exact::mul(quantity, fill.price().get()).map_err(|e| e.of("cost"))?;
        match self.lots.front() {
            Some(lot) if matching == Matching::AverageCost && self.opens_same_way(fill) => {
                let quantity = exact::add(lot.quantity, quantity).map_err(|e| e.of("position"))?;
                let cost = exact::add(lot.cost, cost).map_err(|e| e.of("cost"))?;
                let fee = exact::add(lot.fee, fee).map_err(|e| e.of("fee"))?;
                Ok(Lot {
                    quantity,
                    cost,
                    fee,
                    whole_quantity: quantity,
                    whole_fee: fee,
                    price: exact::share(cost, Decimal::ONE, quantity),
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

    fn trip(
        &self,
        lot: &Lot,
        fill: &Fill,
        part: Decimal,
        cost: Decimal,
        (entry_fee, exit_fee): (Decimal, Decimal),
        matching: Matching,
    ) -> Result<RoundTrip, LedgerError> {
        let direction = fill.side().opposite().direction();
        let value = exact::mul(part, fill.price().get()).map_err(|e| e.of("value"))?;
        let difference = match direction {
            Direction::Long => exact::sub(value, cost),
            Direction::Short => exact::sub(cost, value),
        };
        let gross = difference.and_then(|difference| exact::mul(difference, self.contract.multiplier()));
        let gross = gross.map_err(|e| e.of("profit"))?;
        let fees = exact::add(entry_fee, exit_fee).map_err(|e| e.of("fees"))?;
        let net = gross.checked_sub(fees).ok_or(LedgerError::Overflow { what: "net profit" })?;
        let entry_price = match matching {
            Matching::Fifo => lot.price,
            Matching::AverageCost => exact::share(lot.cost, Decimal::ONE, lot.quantity),
        };
        Ok(RoundTrip {
            instrument: Arc::clone(&self.instrument),
            direction,
            quantity: part,
            entry_price,
            exit_price: fill.price().get(),
            opened_at: lot.opened_at,
            closed_at: fill.at(),
            entry: lot.opened_by.clone(),
            exit: fill.id().clone(),
            gross,
            fees,
            net,
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
        self.value_at(fill.price(), fill.at(), Freshness::Younger);
    }

    /// Values the position at the price, unless it is valued at a later one. Returns whether it did.
    pub(crate) fn value_at(&mut self, price: Price, at: UnixMicros, needed: Freshness) -> bool {
        let fresh = self.valued.is_none_or(|(_, before)| match needed {
            Freshness::Younger => at > before,
            Freshness::NotOlder => at >= before,
        });
        if fresh {
            self.valued = Some((price.get(), at));
        }
        fresh
    }
}

/// When a price replaces the one before: a fill only when it is younger, a mark also at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Younger,
    NotOlder,
}

impl Lot {
    /// Cost and entry fee of a part; all that is left when it is the whole lot.
    fn part(&self, part: Decimal, matching: Matching) -> Result<(Decimal, Decimal), NotExact> {
        if part == self.quantity {
            return Ok((self.cost, self.fee));
        }
        match matching {
            Matching::Fifo => {
                let fee = exact::share(self.whole_fee, part, self.whole_quantity);
                Ok((exact::mul(part, self.price)?, fee))
            }
            Matching::AverageCost => {
                let cost = exact::share(self.cost, part, self.quantity);
                Ok((cost, exact::share(self.fee, part, self.quantity)))
            }
        }
    }
}
