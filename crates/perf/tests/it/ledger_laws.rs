//! What holds for every row of fills.

use std::time::Duration;

use bellwether_perf::{
    Contract, Fill, FillDraft, Ledger, LedgerCounts, LedgerError, LedgerLimits, Matching, Price, Quantity,
    Recorded, RoundTrip, Side,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Side, quantity in thousandths, price in hundredths, fee in ten-thousandths; two instruments.
type Row = (bool, bool, u32, u32, i32);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec((any::<bool>(), any::<bool>(), 1..5000_u32, 1..100_000_u32, -50..500_i32), 0..80)
}

fn draft(at: usize, &(first, buy, quantity, price, fee): &Row) -> FillDraft {
    let instrument = if first { "A" } else { "B" };
    let (quantity, price) = (Decimal::new(i64::from(quantity), 3), Decimal::new(i64::from(price), 2));
    let draft =
        if buy { Fill::buy(instrument, quantity, price) } else { Fill::sell(instrument, quantity, price) };
    draft.fee(Decimal::new(i64::from(fee), 4)).id(at as u64).at(at as i64 / 3)
}

/// Sells what is long and buys back what is short, at a price of 1.
fn flatten(ledger: &mut Ledger, mut id: usize) -> Vec<Fill> {
    let mut fills = Vec::new();
    for position in ledger.positions().unwrap() {
        if position.is_flat() {
            continue;
        }
        let quantity = position.quantity.abs();
        let draft = if position.quantity.is_sign_negative() {
            Fill::buy(position.instrument, quantity, 1)
        } else {
            Fill::sell(position.instrument, quantity, 1)
        };
        let fill = draft.id(id as u64).at(1_000_000).build().unwrap();
        ledger.record(fill.clone()).unwrap();
        fills.push(fill);
        id += 1;
    }
    fills
}

/// Side, quantity and price with up to 14 digits and four decimals, up to a million millions each, and fee.
type LargeRow = (bool, (u64, u32), (u64, u32), i32);

fn large_rows() -> impl Strategy<Value = Vec<LargeRow>> {
    let amount = || {
        prop_oneof![
            3 => (1..100_000_000_000_000_u64, 2..5_u32),
            2 => (1..1_000_000_000_000_u64, 0..1_u32),
            1 => (1..1000_u64, 0..5_u32),
        ]
    };
    vec((any::<bool>(), amount(), amount(), -1_000_000..i32::MAX), 1..40)
}

fn large_draft(at: usize, &(buy, quantity, price, fee): &LargeRow) -> FillDraft {
    let [quantity, price] =
        [quantity, price].map(|(mantissa, scale)| Decimal::from_i128_with_scale(i128::from(mantissa), scale));
    let draft = if buy { Fill::buy("A", quantity, price) } else { Fill::sell("A", quantity, price) };
    draft.fee(Decimal::new(i64::from(fee), 4)).id(at as u64).at(at as i64)
}

/// The exact amount in units of 10^-8, in which no sum of these tests leaves 127 bits.
fn units(amount: Decimal) -> i128 {
    let amount = amount.normalize();
    amount.mantissa() * 10_i128.pow(8 - amount.scale())
}

/// Whether the decimal is the exact amount, or the nearest one where that needs more than 28 digits.
fn is_nearest(got: Decimal, exact: i128) -> bool {
    let off = (units(got) - exact).abs();
    off == 0 || off * 10_i128.pow(28) <= exact.abs()
}

/// What came in less what went out and less fees.
fn cash(fills: &[Fill]) -> Decimal {
    fills.iter().map(|fill| -fill.signed_quantity() * fill.price().get() - fill.fee()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn money_is_neither_made_nor_lost(rows in rows()) {
        for matching in [Matching::Fifo, Matching::AverageCost] {
            let mut ledger = Ledger::new(matching, LedgerLimits::default());
            let mut fills: Vec<Fill> = rows.iter().enumerate().map(|(at, row)| draft(at, row).build().unwrap()).collect();
            for fill in &fills {
                ledger.record(fill.clone()).unwrap();
            }
            // Shares of fees and trips add up to what was paid and realised, to the last digit.
            let in_trips = |part: fn(&RoundTrip) -> Decimal| ledger.trips().map(part).sum::<Decimal>();
            prop_assert_eq!(ledger.realised_fees().unwrap(), in_trips(|trip| trip.fees));
            prop_assert_eq!(ledger.realised(), in_trips(|trip| trip.gross));
            prop_assert_eq!(ledger.fees(), fills.iter().map(Fill::fee).sum::<Decimal>());
            for position in ledger.positions().unwrap() {
                let sum: Decimal = fills.iter().filter(|fill| *fill.instrument() == position.instrument).map(Fill::signed_quantity).sum();
                prop_assert_eq!(position.quantity, sum);
            }
            prop_assert!(ledger.trips().all(|trip| trip.opened_at <= trip.closed_at && trip.quantity > Decimal::ZERO));
            // Once all is closed, profit after fees is the cash that is left.
            fills.extend(flatten(&mut ledger, rows.len()));
            prop_assert_eq!(ledger.open_positions(), 0);
            prop_assert_eq!(ledger.realised() - ledger.fees(), cash(&fills));
            prop_assert_eq!(ledger.equity(Decimal::from(1000)).unwrap(), Decimal::from(1000) + cash(&fills));
            prop_assert_eq!(ledger.realised_fees().unwrap(), ledger.fees());
        }
    }

    #[test]
    fn books_of_any_size_are_kept_and_no_money_is_made_or_lost(rows in large_rows(), multiplier in prop_oneof![Just(1_u32), Just(50)]) {
        for matching in [Matching::Fifo, Matching::AverageCost] {
            let mut ledger = Ledger::new(matching, LedgerLimits::default());
            ledger.define("A", Contract::linear(multiplier).unwrap()).unwrap();
            let mut fills: Vec<Fill> = rows.iter().enumerate().map(|(at, row)| large_draft(at, row).build().unwrap()).collect();
            for fill in &fills {
                ledger.record(fill.clone()).unwrap();
                ledger.equity(Decimal::from(1000)).unwrap();
            }
            let fees: i128 = fills.iter().map(|fill| units(fill.fee())).sum();
            prop_assert!(is_nearest(ledger.fees(), fees));
            // Everything is traded back at a price of 1.
            for at in 0..rows.len() {
                let (quantity, id) = (fills[at].quantity().get(), (rows.len() + at) as u64);
                let back = if rows[at].0 { Fill::sell("A", quantity, 1) } else { Fill::buy("A", quantity, 1) };
                let back = back.id(id).at(1000).build().unwrap();
                ledger.record(back.clone()).unwrap();
                fills.push(back);
            }
            prop_assert_eq!(ledger.open_positions(), 0);
            // No residue of any share is left.
            let value = |fill: &Fill| units(fill.quantity().get() * fill.price().get());
            let cash: i128 = fills.iter().map(|fill| if fill.side() == Side::Buy { -value(fill) } else { value(fill) }).sum();
            let cash = cash * i128::from(multiplier);
            prop_assert!(is_nearest(ledger.realised(), cash), "{:?}: {} is not {}", matching, ledger.realised(), cash);
            let equity = ledger.equity(Decimal::from(1000)).unwrap();
            prop_assert!(is_nearest(equity, cash - fees + 1000 * units(Decimal::ONE)), "{:?}: {}", matching, equity);
            prop_assert_eq!(ledger.realised_fees().unwrap(), ledger.fees());
            for trip in ledger.trips() {
                let net = trip.gross - trip.fees;
                prop_assert!((trip.net - net).abs() <= (trip.gross.abs() + trip.fees.abs()) * Decimal::new(1, 27));
            }
        }
    }

    #[test]
    fn fills_delivered_again_in_any_order_change_nothing(rows in rows(), again in vec(0..80_usize, 0..40)) {
        let (mut once, mut twice) = (Ledger::fifo(), Ledger::fifo());
        for (at, row) in rows.iter().enumerate() {
            once.record(draft(at, row)).unwrap();
            twice.record(draft(at, row)).unwrap();
            for &other in again.iter().filter(|&&other| other <= at) {
                prop_assert_eq!(twice.record(draft(other, &rows[other])).unwrap(), Recorded::Duplicate);
            }
        }
        prop_assert_eq!(once.positions().unwrap(), twice.positions().unwrap());
        prop_assert!(once.trips().eq(twice.trips()));
        prop_assert_eq!(once.counts().fills, twice.counts().fills);
    }

    #[test]
    fn what_is_kept_stays_within_its_bounds(rows in rows(), instruments in vec(0..6_u8, 80)) {
        let limits = LedgerLimits::default().with_open_lots(3).with_trips(5).with_instruments(4);
        let limits = limits.with_fill_ids(7).with_fill_id_age(Duration::from_micros(20));
        let mut ledger = Ledger::new(Matching::Fifo, limits);
        let (mut too_many, mut untraded) = (0, 0);
        for (at, (row, instrument)) in rows.iter().zip(&instruments).enumerate() {
            let name = format!("I{instrument}");
            let known = ledger.instruments().any(|known| **known == *name);
            untraded += u64::from(!known);
            ledger.mark(&*name, price(7), at as i64 / 3).unwrap();
            let before = ledger.positions().unwrap();
            let (quantity, price) = (Decimal::new(i64::from(row.2), 3), Decimal::new(i64::from(row.3), 2));
            let fill = if row.1 { Fill::buy(&*name, quantity, price) } else { Fill::sell(&*name, quantity, price) };
            if let Err(why) = ledger.record(fill.id(at as u64).at(at as i64 / 3)) {
                too_many += u64::from(matches!(why, LedgerError::TooManyInstruments { limit: 4, .. }));
                prop_assert_eq!(ledger.positions().unwrap(), before);
            }
            prop_assert!(ledger.positions().unwrap().iter().all(|position| position.open_lots <= 3));
            prop_assert!(ledger.trips().len() <= 5);
            prop_assert!(ledger.instruments().count() <= 4);
            prop_assert!(ledger.counts().fills - ledger.forgotten_ids() <= 7);
        }
        let counts = ledger.counts();
        prop_assert_eq!(counts.trips - counts.trips_dropped, ledger.trips().len() as u64);
        prop_assert_eq!(counts.fills + counts.refused, rows.len() as u64);
        prop_assert!(counts.refused >= too_many);
        prop_assert_eq!(counts.untraded_marks, untraded);
    }
}

#[test]
fn an_average_cost_book_of_a_thousand_millions_sells_a_third() {
    let mut ledger = Ledger::average_cost();
    ledger.record(Fill::buy("A", 3_000_000, 333).id(1).at(1)).unwrap();
    ledger.record(Fill::buy("A", 4_000_000, Decimal::new(33_377, 2)).id(2).at(2)).unwrap();
    // A part so small that its share of the cost has room for more decimals than the rest.
    ledger.record(Fill::sell("A", 1000, 334).id(3).at(3)).unwrap();
    let average = Decimal::from(3_000_000 * 333 + 4 * 333_770_000_i64) / Decimal::from(7_000_000);
    assert!(
        (ledger.realised() - (Decimal::from(334) - average) * Decimal::from(1000)).abs()
            < Decimal::new(1, 18)
    );
    ledger.record(Fill::sell("A", 6_999_000, 334).id(4).at(4)).unwrap();
    assert_eq!(ledger.realised(), Decimal::from(334 * 7_000_000_i64 - 999_000_000 - 1_335_080_000));
}

fn price(value: i64) -> Price {
    Price::new(Decimal::from(value)).unwrap()
}

#[test]
fn marks_of_instruments_that_were_never_traded_are_counted_and_leave_the_bound_to_the_others() {
    let mut ledger = Ledger::new(Matching::Fifo, LedgerLimits::default().with_instruments(2));
    for feed in 0..1000 {
        assert_eq!(ledger.mark(format!("FEED{feed}"), price(5), 1), Ok(false));
    }
    assert_eq!((ledger.instruments().count(), ledger.counts().untraded_marks), (0, 1000));
    ledger.record(Fill::buy("A", 1, 10).id(1).at(2)).unwrap();
    assert_eq!(ledger.mark("A", price(12), 3), Ok(true));
    // One that the host has defined is meant to be traded.
    ledger.define("B", Contract::SPOT).unwrap();
    assert_eq!(ledger.mark("B", price(7), 3), Ok(true));
    assert_eq!(ledger.position("B").unwrap().unwrap().valued_at, Some(Decimal::from(7)));
    assert_eq!(ledger.unrealised(), Ok(Decimal::from(2)));
    assert!(matches!(
        ledger.record(Fill::buy("C", 1, 1).id(2).at(4)),
        Err(LedgerError::TooManyInstruments { .. })
    ));
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

#[test]
fn a_fill_or_mark_from_far_ahead_is_refused_and_the_book_goes_on() {
    let mut ledger = Ledger::new(Matching::Fifo, LedgerLimits::default());
    let now = 1_700_000_000 * SECOND;
    ledger.set_time(now);
    ledger.record(Fill::buy("A", 1, 10).id(1).at(now - 5)).unwrap();
    // Nanoseconds where microseconds are meant; and just over the tolerance.
    for at in [now * 1000, now + MINUTE + 1, i64::MAX] {
        let refused = ledger.record(Fill::buy("A", 1, 10).id(2).at(at)).unwrap_err();
        let (now, horizon) = (Some(now.into()), (now + MINUTE).into());
        assert_eq!(refused, LedgerError::Ahead { instrument: "A".into(), at: at.into(), now, horizon });
        let refused = ledger.mark("A", price(99), at).unwrap_err();
        assert!(matches!(refused, LedgerError::Ahead { .. }), "{refused}");
    }
    let text = ledger.mark("A", price(99), now + 2 * HOUR).unwrap_err().to_string();
    assert_eq!(
        text,
        "A at 2023-11-15T00:13:20Z is ahead of the ledger's clock, which stands at 2023-11-14T22:13:20Z: expected not \
         after 2023-11-14T22:14:20Z; move that clock on (Ledger::set_time, or the clock that the tracker was built with) \
         or raise LedgerLimits::max_ahead"
    );
    assert_eq!((ledger.counts().refused, ledger.counts().refused_marks), (3, 4));
    // Nothing is frozen.
    assert_eq!(ledger.mark("A", price(11), now), Ok(true));
    ledger.record(Fill::sell("A", 1, 12).id(2).at(now + 1)).unwrap();
    assert_eq!(ledger.realised(), Decimal::from(2));
    // The time goes on, and may be set back.
    ledger.set_time(now + 3 * HOUR);
    assert_eq!(ledger.mark("A", price(13), now + 3 * HOUR), Ok(true));
    ledger.set_time(now);
    assert!(ledger.mark("A", price(14), now + 3 * HOUR).is_err());
    // What was booked is still a duplicate.
    let again = Fill::sell("A", 1, 12).id(2).at(now + 1);
    assert_eq!(ledger.record(again), Ok(Recorded::Duplicate));
}

#[test]
fn without_a_clock_only_what_no_calendar_has_is_ahead() {
    let mut ledger = Ledger::fifo();
    let nanos = 1_700_000_000 * SECOND * 1000;
    assert!(matches!(ledger.record(Fill::buy("A", 1, 10).id(1).at(nanos)), Err(LedgerError::Ahead { .. })));
    ledger.record(Fill::buy("A", 1, 10).id(1).at(1_700_000_000 * SECOND)).unwrap();
    // Years without a fill are no fault.
    ledger.record(Fill::sell("A", 1, 10).id(2).at(4_000_000_000 * SECOND)).unwrap();
    let limits = LedgerLimits::default().with_max_ahead(Duration::from_secs(1));
    let mut ledger = Ledger::new(Matching::Fifo, limits);
    ledger.set_time(0);
    assert!(ledger.record(Fill::buy("A", 1, 10).id(1).at(SECOND)).is_ok());
    assert!(ledger.record(Fill::buy("A", 1, 10).id(2).at(SECOND + 1)).is_err());
    assert_eq!(ledger.counts(), {
        let mut counts = LedgerCounts::default();
        counts.fills = 1;
        counts.refused = 1;
        counts
    });
}

#[test]
fn what_is_read_from_json_passes_the_checks_of_what_is_booked() {
    let fill = Fill::buy("A", 2, 10).id("x").at(5).fee(1).build().unwrap();
    let json = serde_json::to_value(&fill).unwrap();
    assert_eq!(serde_json::from_value::<Fill>(json.clone()).unwrap(), fill);
    let with = |of: &serde_json::Value, field: &str, value: serde_json::Value| {
        let mut changed = of.clone();
        changed[field] = value;
        changed
    };
    for (field, value) in [
        ("quantity", "0".into()),
        ("quantity", "-1".into()),
        ("quantity", "1.000000000000001".into()),
        ("instrument", "".into()),
        ("id", "".into()),
        ("side", "hold".into()),
        ("at", serde_json::Value::Null),
        ("unknown", 1.into()),
    ] {
        assert!(serde_json::from_value::<Fill>(with(&json, field, value)).is_err(), "{field}");
    }
    for text in [r#""0""#, r#""-1""#, r#""NaN""#, r#""inf""#] {
        assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
    }
    // A price of 0 and under is one for a contract that allows it, and for no other.
    let price: Price = serde_json::from_str(r#""-37.63""#).unwrap();
    let mut ledger = Ledger::fifo();
    ledger.define("A", Contract::SPOT).unwrap();
    assert!(ledger.mark("A", price, 1).is_err());
    let draft: FillDraft = serde_json::from_value(with(&json, "price", "-37.63".into())).unwrap();
    assert!(ledger.record(draft).is_err());

    ledger.record(fill).unwrap();
    ledger.record(Fill::sell("A", 2, 11).id("y").at(9)).unwrap();
    let trip = ledger.trips().next().unwrap();
    let json = serde_json::to_value(trip).unwrap();
    assert_eq!(&serde_json::from_value::<RoundTrip>(json.clone()).unwrap(), trip);
    for (field, value) in [("closed_at", 4.into()), ("quantity", "0".into()), ("instrument", "".into())] {
        assert!(serde_json::from_value::<RoundTrip>(with(&json, field, value)).is_err(), "{field}");
    }
    let wrong = serde_json::from_value::<RoundTrip>(with(&json, "closed_at", 4.into())).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "round trip closed at 1970-01-01T00:00:00.000004Z: expected not before it opened at \
         1970-01-01T00:00:00.000005Z"
    );
    // Nor can one be booked: the fill that would close it is late.
    ledger.record(Fill::buy("A", 1, 10).id("z").at(20)).unwrap();
    let late = ledger.record(Fill::sell("A", 1, 10).id("w").at(19));
    assert!(matches!(late, Err(LedgerError::Late { .. })));
}

#[test]
fn the_two_matchings_realise_the_same_once_flat() {
    let rows: Vec<Row> =
        (0..40_u32).map(|i| (true, i * 7 % 5 < 2, 100 + i * 37 % 900, 1000 + i * 91 % 500, 3)).collect();
    let net = [Matching::Fifo, Matching::AverageCost].map(|matching| {
        let mut ledger = Ledger::new(matching, LedgerLimits::default());
        for (at, row) in rows.iter().enumerate() {
            ledger.record(draft(at, row)).unwrap();
        }
        flatten(&mut ledger, rows.len());
        ledger.realised() - ledger.fees()
    });
    assert_eq!(net[0], net[1]);
}

#[test]
fn every_side_is_told_by_its_word() {
    for side in [Side::Buy, Side::Sell] {
        assert_eq!(side.to_string().parse(), Ok(side));
        assert_eq!(side.opposite().opposite(), side);
        assert_eq!(serde_json::to_value(side).unwrap(), side.to_string());
    }
    for word in ["", "BUY", "Sell", "long", "b", " buy", "buy ", "hold"] {
        assert!(word.parse::<Side>().is_err(), "{word:?}");
        assert!(serde_json::from_value::<Side>(word.into()).is_err(), "{word:?}");
    }
}
