//! A strategy's book: its cash and its lots, in exact decimals. It sizes orders; it reports nothing.

use rust_decimal::Decimal;

use crate::{
    order::{Fill, Side},
    session::InstrumentId,
};

/// The capital that each book starts with, in USD.
pub(crate) const CAPITAL: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// Cash and positions. Cash earns nothing and costs nothing, not even below zero: a simplification.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    cash: Decimal,
    /// By instrument, negative when short.
    lots: Vec<Decimal>,
}

impl Book {
    pub(crate) fn new(instruments: usize) -> Self {
        Self { cash: CAPITAL, lots: vec![Decimal::ZERO; instruments] }
    }

    pub(crate) fn held(&self, instrument: InstrumentId) -> Decimal {
        self.lots[instrument.index()]
    }

    /// Cash and positions at the given prices, which every instrument that is held has.
    pub(crate) fn equity(&self, prices: &[Option<Decimal>]) -> Decimal {
        let positions = self.lots.iter().zip(prices).map(|(lots, price)| lots * price.unwrap_or_default());
        self.cash + positions.sum::<Decimal>()
    }

    /// Books a fill: the lots, their price, the fee.
    pub(crate) fn apply(&mut self, fill: &Fill) {
        let lots = match fill.order.side {
            Side::Buy => fill.order.quantity,
            Side::Sell => -fill.order.quantity,
        };
        self.lots[fill.order.instrument.index()] += lots;
        self.cash -= lots * fill.price + fill.fee;
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::order::{Order, OrderId, StrategyId};

    fn fill(side: Side, lots: i64, price: &str, fee: &str) -> Fill {
        let order = Order {
            id: OrderId(1),
            strategy: StrategyId::new(0),
            instrument: InstrumentId::new(1),
            side,
            quantity: Decimal::from(lots),
            sent_at: DateTime::UNIX_EPOCH,
        };
        Fill { order, price: price.parse().unwrap(), fee: fee.parse().unwrap(), at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_round_trip_through_a_short_leaves_its_gain_less_the_fees() {
        let mut book = Book::new(2);
        book.apply(&fill(Side::Sell, 300, "100.0001", "3.00000003"));
        let held = |book: &Book| [0, 1].map(|index| book.held(InstrumentId::new(index)));
        assert_eq!(held(&book), [Decimal::ZERO, Decimal::from(-300)]);
        let at_90 = book.equity(&[None, Some(Decimal::from(90))]);
        assert_eq!(at_90.to_string(), "1002997.02999997");
        book.apply(&fill(Side::Buy, 300, "90", "2.7"));
        assert_eq!(held(&book), [Decimal::ZERO; 2]);
        assert_eq!(book.equity(&[None, None]).to_string(), "1002994.32999997");
    }
}
