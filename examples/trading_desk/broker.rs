//! The simulated venue: a closing auction with a price band, a spread and a commission.
//!
//! Costs are 1 basis point of commission and 1 basis point of half spread, each time. For scale: a tick of the
//! E-mini S&P 500 future (0.25 at an index of 1,500) and one of the WTI crude oil future (0.01 at 60 USD) are
//! 1.7 basis points, so half a spread of one tick is 0.8. Moreira and Muir (2017, table IV) reckon with 1, 10
//! and 14 basis points in all.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    order::{DeskEvents, Fill, Order, OrderId, RejectReason, Side, StrategyId},
    session::{InstrumentId, PRICE_DECIMALS},
};

/// Commission as a fraction of the notional: 1 basis point.
const COMMISSION: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// Half the spread as a fraction of the price: 1 basis point.
const HALF_SPREAD: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// The auction takes no order when the price has moved further than this since the close before: 10 %.
const PRICE_BAND: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// A change of position worth less than this, in USD, is not sent, unless it closes the position.
const SMALLEST_ORDER: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// Orders leave this long before the close.
const LEAD: TimeDelta = TimeDelta::seconds(1);

/// From the desk to the venue and back.
const ROUND_TRIP: Duration = Duration::from_micros(400);

/// The venue takes the orders of a session one after the other, each in this time.
const SERVICE: Duration = Duration::from_micros(150);

/// From the position that is to the position that should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    /// Whole lots, negative when short.
    pub(crate) held: Decimal,
    /// Whole lots, negative when short.
    pub(crate) target: Decimal,
    /// The last close that the desk knew when it set the target.
    pub(crate) reference: Decimal,
}

/// What became of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Execution {
    /// Nothing was sent: the position is right, or too near to it to be worth an order.
    NotSent,
    /// The venue refused; worth another try at the next session.
    Rejected,
    Filled(Fill),
}

/// The way to the venue, and the venue.
#[derive(Debug)]
pub(crate) struct Broker {
    orders: u64,
    close: DateTime<Utc>,
    /// Orders that the venue has had at this close.
    queue: u32,
}

impl Broker {
    pub(crate) const fn new() -> Self {
        Self { orders: 0, close: DateTime::UNIX_EPOCH, queue: 0 }
    }

    /// Begins the auction that ends at `close`.
    pub(crate) fn open_auction(&mut self, close: DateTime<Utc>) {
        (self.close, self.queue) = (close, 0);
    }

    /// Sends the order that the instruction needs, if any, into the auction whose outcome is `price`.
    pub(crate) fn execute(
        &mut self,
        instruction: &Instruction,
        price: Decimal,
        events: &mut dyn DeskEvents,
    ) -> Execution {
        let Some(order) = self.order(instruction) else { return Execution::NotSent };
        events.sent(&order);

        let latency = ROUND_TRIP + SERVICE * self.queue;
        self.queue += 1;
        if (price - instruction.reference).abs() > instruction.reference * PRICE_BAND {
            events.rejected(&order, RejectReason::PriceBand, latency);
            return Execution::Rejected;
        }
        events.acknowledged(&order, latency);

        let price = with_slippage(price, order.side);
        let fill = Fill { order, price, fee: order.quantity * price * COMMISSION, at: self.close };
        events.filled(&fill);
        Execution::Filled(fill)
    }

    fn order(&mut self, instruction: &Instruction) -> Option<Order> {
        let &Instruction { strategy, instrument, held, target, reference } = instruction;
        let quantity = (target - held).abs();
        if quantity.is_zero() || (quantity * reference < SMALLEST_ORDER && !target.is_zero()) {
            return None;
        }
        self.orders += 1;
        Some(Order {
            id: OrderId(self.orders),
            strategy,
            instrument,
            side: if target > held { Side::Buy } else { Side::Sell },
            quantity,
            sent_at: self.close - LEAD,
        })
    }
}

/// The auction price moved by half the spread against the desk, then to the next tick against it.
fn with_slippage(price: Decimal, side: Side) -> Decimal {
    let (moved, rounding) = match side {
        Side::Buy => (price + price * HALF_SPREAD, RoundingStrategy::ToPositiveInfinity),
        Side::Sell => (price - price * HALF_SPREAD, RoundingStrategy::ToNegativeInfinity),
    };
    moved.round_dp_with_strategy(PRICE_DECIMALS, rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every event as a line.
    #[derive(Default)]
    struct Journal(Vec<String>);

    impl DeskEvents for Journal {
        fn sent(&mut self, order: &Order) {
            self.0.push(format!("{} {:?} {}", order.id, order.side, order.quantity));
        }
        fn acknowledged(&mut self, order: &Order, latency: Duration) {
            self.0.push(format!("{} ack {latency:?}", order.id));
        }
        fn rejected(&mut self, order: &Order, reason: RejectReason, latency: Duration) {
            self.0.push(format!("{} {} {latency:?}", order.id, reason.as_str()));
        }
        fn filled(&mut self, fill: &Fill) {
            self.0.push(format!("{} filled at {} for {}", fill.order.id, fill.price, fill.fee));
        }
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn instruction(held: i64, target: i64) -> Instruction {
        Instruction {
            strategy: StrategyId::new(0),
            instrument: InstrumentId::new(0),
            held: held.into(),
            target: target.into(),
            reference: decimal("100.0000"),
        }
    }

    fn run(instructions: &[(Instruction, &str)]) -> (Vec<Execution>, Vec<String>) {
        let (mut broker, mut journal) = (Broker::new(), Journal::default());
        broker.open_auction(DateTime::UNIX_EPOCH);
        let executions = instructions
            .iter()
            .map(|(instruction, price)| broker.execute(instruction, decimal(price), &mut journal))
            .collect();
        (executions, journal.0)
    }

    #[test]
    fn a_buy_pays_half_the_spread_and_the_commission_to_the_last_decimal() {
        let (_, journal) = run(&[(instruction(100, 1000), "101.2345")]);
        // 101.2345 * 1.0001 = 101.24462345, up to 101.2447; 900 * 101.2447 / 10,000 = 9.112023.
        assert_eq!(
            journal,
            ["O000001 Buy 900", "O000001 ack 400µs", "O000001 filled at 101.2447 for 9.11202300"]
        );
    }

    #[test]
    fn a_sell_gets_half_the_spread_less() {
        let (executions, _) = run(&[(instruction(1000, -500), "100.0000")]);
        let Execution::Filled(fill) = executions[0] else { panic!("{executions:?}") };
        assert_eq!((fill.order.side, fill.order.quantity), (Side::Sell, decimal("1500")));
        assert_eq!((fill.price, fill.fee), (decimal("99.99"), decimal("14.9985")));
        assert_eq!(fill.at - fill.order.sent_at, LEAD);
    }

    #[test]
    fn slippage_is_never_less_than_a_tick() {
        assert_eq!(with_slippage(decimal("0.0100"), Side::Buy), decimal("0.0101"));
        assert_eq!(with_slippage(decimal("0.0100"), Side::Sell), decimal("0.0099"));
    }

    #[test]
    fn a_move_beyond_the_price_band_is_rejected_on_either_side() {
        let (executions, journal) = run(&[
            (instruction(0, 1000), "110.0001"),
            (instruction(0, 1000), "89.9999"),
            (instruction(0, 1000), "110.0000"),
            (instruction(0, 1000), "90.0000"),
        ]);
        assert_eq!(executions[..2], [Execution::Rejected, Execution::Rejected]);
        assert!(executions[2..].iter().all(|execution| matches!(execution, Execution::Filled(_))));
        assert_eq!(
            journal[..4],
            ["O000001 Buy 1000", "O000001 price_band 400µs", "O000002 Buy 1000", "O000002 price_band 550µs"]
        );
    }

    #[test]
    fn a_small_change_is_not_sent_unless_it_closes_the_position() {
        let (executions, journal) = run(&[
            (instruction(1000, 1000), "100.0000"),
            (instruction(1000, 1099), "100.0000"),
            (instruction(99, 0), "100.0000"),
            (instruction(0, 0), "100.0000"),
            (instruction(-50, 49), "100.0000"),
        ]);
        assert!(matches!(executions[2], Execution::Filled(_)));
        assert!([0, 1, 3, 4].iter().all(|&place| executions[place] == Execution::NotSent));
        assert_eq!(journal[0], "O000001 Sell 99");
        assert_eq!(journal.len(), 3);
    }

    #[test]
    fn the_queue_of_one_auction_does_not_delay_the_next() {
        let (mut broker, mut journal) = (Broker::new(), Journal::default());
        for _ in 0..2 {
            broker.open_auction(DateTime::UNIX_EPOCH);
            broker.execute(&instruction(0, 1000), decimal("100"), &mut journal);
            broker.execute(&instruction(0, 1000), decimal("100"), &mut journal);
        }
        let latencies: Vec<_> = journal.0.iter().filter_map(|line| line.split(" ack ").nth(1)).collect();
        assert_eq!(latencies, ["400µs", "550µs", "400µs", "550µs"]);
    }
}
