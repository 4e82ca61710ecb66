//! The desk: one session after the other, each strategy with its own book on the same market.
//!
//! What happens at a session, in this order:
//! 1. A strategy whose schedule is due sets its wanted exposures from the closes up to the session before.
//! 2. Orders are sized with the equity and the prices at that close, and sent into the closing auction.
//! 3. The venue fills them at today's close with costs, or rejects them, to be tried again at the next session.
//! 4. Only then does the desk learn today's closes.
//!
//! So no order depends on a price of its own day or later, which a test holds.

use chrono::NaiveDate;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::{
    book::Book,
    broker::{Broker, Execution, Instruction},
    order::{DeskEvents, StrategyId},
    session::Day,
    strategy::{ClosingPrices, Strategy},
};

/// A book with more equity than this, in USD, winds down, as does one with none: no sum can leave the range
/// of a [`Decimal`], whatever the prices do.
const MAX_EQUITY: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// Strategies, their books, the way to the venue, and what is known of the past.
pub(crate) struct Desk {
    accounts: Vec<Account>,
    broker: Broker,
    history: Vec<ClosingPrices>,
    last: Vec<Option<Decimal>>,
    previous: Option<NaiveDate>,
}

/// A strategy with its money.
struct Account {
    id: StrategyId,
    strategy: Box<dyn Strategy>,
    book: Book,
    /// By instrument: the exposure that still has to be reached.
    wanted: Vec<Option<f64>>,
}

impl Desk {
    /// A desk for instruments numbered from 0 to `instruments`, each strategy with the capital of a fresh
    /// [`Book`].
    pub(crate) fn new(instruments: usize, strategies: Vec<Box<dyn Strategy>>) -> Self {
        let account = |(index, strategy)| Account {
            id: StrategyId::new(index),
            strategy,
            book: Book::new(instruments),
            wanted: vec![None; instruments],
        };
        Self {
            accounts: strategies.into_iter().enumerate().map(account).collect(),
            broker: Broker::new(),
            history: vec![ClosingPrices::default(); instruments],
            last: vec![None; instruments],
            previous: None,
        }
    }

    /// Trades one session; days must come in ascending order.
    pub(crate) fn trade(&mut self, day: &Day, events: &mut dyn DeskEvents) {
        self.broker.open_auction(day.at);
        for account in &mut self.accounts {
            account.decide(&self.history, self.previous, day.date);
            account.trade(day, &self.last, &mut self.broker, events);
        }
        for tick in &day.ticks {
            self.last[tick.instrument.index()] = Some(tick.price);
            self.history[tick.instrument.index()].push(tick.price.to_f64().unwrap_or_default());
        }
        self.previous = Some(day.date);
    }
}

impl Account {
    fn decide(&mut self, history: &[ClosingPrices], previous: Option<NaiveDate>, today: NaiveDate) {
        if self.strategy.schedule().is_due(previous, today) {
            for (wanted, prices) in self.wanted.iter_mut().zip(history) {
                *wanted = self.strategy.exposure(prices).or(*wanted);
            }
        }
    }

    /// Moves towards the wanted exposures in the instruments that trade today.
    fn trade(
        &mut self,
        day: &Day,
        last: &[Option<Decimal>],
        broker: &mut Broker,
        events: &mut dyn DeskEvents,
    ) {
        let equity = self.book.equity(last);
        for tick in &day.ticks {
            let index = tick.instrument.index();
            let (Some(exposure), Some(reference)) = (self.wanted[index], last[index]) else { continue };
            let instruction = Instruction {
                strategy: self.id,
                instrument: tick.instrument,
                held: self.book.held(tick.instrument),
                target: lots(exposure / last.len() as f64, equity, reference),
                reference,
            };
            match broker.execute(&instruction, tick.price, events) {
                Execution::Rejected => {}
                Execution::NotSent => self.wanted[index] = None,
                Execution::Filled(fill) => {
                    self.book.apply(&fill);
                    self.wanted[index] = None;
                }
            }
        }
    }
}

/// The whole lots, rounded towards zero, that are worth `weight` times the equity.
fn lots(weight: f64, equity: Decimal, price: Decimal) -> Decimal {
    if equity <= Decimal::ZERO || equity > MAX_EQUITY {
        return Decimal::ZERO;
    }
    let (equity, price) = (equity.to_f64().unwrap_or_default(), price.to_f64().unwrap_or(1.0));
    // At most 1.5 * 1e12 / 0.01 = 1.5e14 lots.
    Decimal::from((weight * equity / price) as i64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        book::CAPITAL,
        order::{Fill, Order, RejectReason, Side},
        session::{InstrumentId, PRICE_DECIMALS, Schedule, Tick, session_close},
        strategy,
    };

    /// All that was told, and the orders by the day on which they were sent.
    #[derive(Debug, Default, PartialEq)]
    struct Journal {
        sent: Vec<Order>,
        rejected: Vec<Order>,
        fills: Vec<Fill>,
    }

    impl DeskEvents for Journal {
        fn sent(&mut self, order: &Order) {
            self.sent.push(*order);
        }
        fn acknowledged(&mut self, _: &Order, _: Duration) {}
        fn rejected(&mut self, order: &Order, _: RejectReason, _: Duration) {
            self.rejected.push(*order);
        }
        fn filled(&mut self, fill: &Fill) {
            self.fills.push(*fill);
        }
    }

    /// Wants the same exposure for ever.
    struct Constant(f64, Schedule);

    impl Strategy for Constant {
        fn name(&self) -> &'static str {
            "constant"
        }
        fn title(&self) -> &'static str {
            "Constant"
        }
        fn rule(&self) -> &'static str {
            "constant"
        }
        fn citation(&self) -> &'static str {
            "none"
        }
        fn schedule(&self) -> Schedule {
            self.1
        }
        fn exposure(&self, prices: &ClosingPrices) -> Option<f64> {
            prices.change(0).map(|_| self.0)
        }
    }

    /// Days from 2000-01-01 on, a row of prices each; `None` is a silent instrument.
    fn days(prices: impl IntoIterator<Item = Vec<Option<f64>>>) -> Vec<Day> {
        let dates = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap().iter_days();
        let tick = |(index, price): (usize, Option<f64>)| {
            let price = Decimal::new((price? * 1e4).round() as i64, PRICE_DECIMALS);
            Some(Tick { instrument: InstrumentId::new(index), price })
        };
        let day = |(date, row): (NaiveDate, Vec<Option<f64>>)| Day {
            date,
            at: session_close(date),
            ticks: row.into_iter().enumerate().filter_map(tick).collect(),
        };
        dates.zip(prices).map(day).collect()
    }

    /// Two instruments that move by up to 3 % a day, one of them silent every 17th day: no market, only a
    /// test.
    fn restless(length: usize, jump: Option<(usize, f64)>) -> Vec<Day> {
        let mut state = 7_u64;
        let mut levels = [100.0, 100.0];
        days((0..length).map(|day| {
            for level in &mut levels {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *level *= 1.0 + 0.06 * ((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5);
            }
            let factor = jump.filter(|&(from, _)| from <= day).map_or(1.0, |(_, factor)| factor);
            vec![Some(levels[0] * factor), (day % 17 != 16).then_some(levels[1])]
        }))
    }

    fn run(days: &[Day], strategies: Vec<Box<dyn Strategy>>) -> (Desk, Journal) {
        let (mut desk, mut journal) = (Desk::new(2, strategies), Journal::default());
        for day in days {
            desk.trade(day, &mut journal);
        }
        (desk, journal)
    }

    #[test]
    fn a_jump_changes_no_order_of_its_own_day_or_before() {
        let jump_day = 400;
        let date = restless(jump_day + 1, None)[jump_day].at;
        let until = |journal: &Journal| -> Vec<Order> {
            journal.sent.iter().filter(|order| order.sent_at < date).copied().collect()
        };
        let (_, calm) = run(&restless(600, None), strategy::all());
        for factor in [1.05, 0.95, 3.0, 0.2] {
            let (_, jumped) = run(&restless(600, Some((jump_day, factor))), strategy::all());
            assert_eq!(until(&jumped), until(&calm), "{factor}");
            assert_ne!(jumped.sent, calm.sent, "{factor}: the jump must matter afterwards");
        }
        assert!(calm.sent.iter().any(|order| order.sent_at + chrono::TimeDelta::seconds(1) == date));
    }

    #[test]
    fn a_history_that_ends_early_gives_the_same_orders_up_to_its_end() {
        let (_, whole) = run(&restless(600, None), strategy::all());
        let (_, part) = run(&restless(450, None), strategy::all());
        assert!(!part.sent.is_empty());
        assert_eq!(part.sent, whole.sent[..part.sent.len()]);
    }

    #[test]
    fn two_runs_tell_the_same_story() {
        assert_eq!(
            run(&restless(600, None), strategy::all()).1,
            run(&restless(600, None), strategy::all()).1
        );
    }

    #[test]
    fn money_is_conserved_to_the_last_decimal() {
        let days = restless(800, None);
        let (desk, journal) = run(&days, strategy::all());
        assert!(journal.fills.len() > 100, "{}", journal.fills.len());
        for account in &desk.accounts {
            // What the positions gained or lost from each fill to the last close, less all fees.
            let gained: Decimal = journal
                .fills
                .iter()
                .filter(|fill| fill.order.strategy == account.id)
                .map(|fill| {
                    let close = desk.last[fill.order.instrument.index()].unwrap();
                    let gain = (close - fill.price) * fill.order.quantity;
                    (if fill.order.side == Side::Buy { gain } else { -gain }) - fill.fee
                })
                .sum();
            assert_eq!(account.book.equity(&desk.last), CAPITAL + gained, "{}", account.strategy.name());
        }
    }

    #[test]
    fn a_market_that_stands_still_costs_the_spread_and_the_commission() {
        let (desk, journal) = run(
            &days(vec![vec![Some(100.0), Some(100.0)]; 40]),
            vec![Box::new(Constant(1.0, Schedule::Monthly))],
        );
        // 5,000 lots each of two instruments, once at the start; a month later nothing is left to do.
        assert_eq!(journal.fills.len(), 2);
        let cost = CAPITAL - desk.accounts[0].book.equity(&desk.last);
        assert_eq!(cost, "200.01".parse::<Decimal>().unwrap());
    }

    #[test]
    fn a_rejected_order_is_sent_again_at_the_next_session_and_sized_anew() {
        // On the 32nd day, 1 February, the monthly schedule is due for the first time with a price known.
        let mut prices = vec![vec![Some(100.0), None]; 31];
        prices.extend([120.0, 120.0, 121.0].map(|price| vec![Some(price), None]));
        let days = days(prices);
        let (_, journal) = run(&days, vec![Box::new(Constant(1.0, Schedule::Monthly))]);
        let sent: Vec<_> =
            journal.sent.iter().map(|order| (order.sent_at.date_naive(), order.quantity)).collect();
        assert_eq!(sent, [(days[31].date, Decimal::from(5000)), (days[32].date, Decimal::from(4166))]);
        assert_eq!(journal.rejected, journal.sent[..1]);
        assert_eq!(journal.fills.iter().map(|fill| fill.order).collect::<Vec<_>>(), journal.sent[1..]);
    }

    #[test]
    fn an_instrument_that_does_not_trade_gets_its_order_when_it_trades_again() {
        let mut prices = vec![vec![Some(100.0), Some(100.0)]; 31];
        prices.extend([vec![Some(100.0), None], vec![Some(100.0), Some(101.0)]]);
        let days = days(prices);
        let (_, journal) = run(&days, vec![Box::new(Constant(1.0, Schedule::Monthly))]);
        let sent: Vec<_> =
            journal.sent.iter().map(|order| (order.sent_at.date_naive(), order.instrument.index())).collect();
        assert_eq!(sent, [(days[31].date, 0), (days[32].date, 1)]);
    }

    #[test]
    fn a_ruined_book_closes_its_positions_and_stops() {
        let mut prices = vec![vec![Some(100.0), None]; 32];
        prices.extend([109.0, 250.0, 400.0, 400.0, 400.0].map(|price| vec![Some(price), None]));
        prices.extend(vec![vec![Some(400.0), None]; 60]);
        let (desk, journal) = run(&days(prices), vec![Box::new(Constant(-1.5, Schedule::Monthly))]);
        let book = &desk.accounts[0].book;
        assert!(book.equity(&desk.last) < Decimal::ZERO);
        assert_eq!(book.held(InstrumentId::new(0)), Decimal::ZERO, "{journal:?}");
        assert_eq!(journal.fills.len(), 2);
    }

    #[test]
    fn prices_that_run_through_their_whole_range_break_no_sum() {
        let wild = [0.01, 0.01, 1e11, 1e11, 0.01, 0.0105, 0.011, 1e11, 1.05e11, 0.9e11, 1.0, 0.01];
        let days = days((0..600).map(|day| vec![Some(wild[day % 12]), Some(wild[(day / 3) % 12])]));
        for (exposure, ends_rich) in [(1.5, true), (-1.5, false)] {
            let (desk, journal) = run(&days, vec![Box::new(Constant(exposure, Schedule::Daily))]);
            let equity = desk.accounts[0].book.equity(&desk.last);
            assert_eq!((equity > MAX_EQUITY, equity < Decimal::ZERO), (ends_rich, !ends_rich), "{equity}");
            assert!(!journal.rejected.is_empty() && journal.fills.len() > 1);
        }
    }
}
