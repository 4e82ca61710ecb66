//! What holds for every row of fills.

use bellwether_perf::{Fill, FillDraft, Ledger, LedgerLimits, Matching, Recorded, Side};
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
            let in_trips = |part: fn(&bellwether_perf::RoundTrip) -> Decimal| ledger.trips().map(part).sum::<Decimal>();
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
    fn what_is_kept_stays_within_its_bounds(rows in rows()) {
        let limits = LedgerLimits::default().with_open_lots(3).with_trips(5).with_fill_ids(7);
        let mut ledger = Ledger::new(Matching::Fifo, limits);
        for (at, row) in rows.iter().enumerate() {
            let before = ledger.positions().unwrap();
            if ledger.record(draft(at, row)).is_err() {
                prop_assert_eq!(ledger.positions().unwrap(), before);
            }
            prop_assert!(ledger.positions().unwrap().iter().all(|position| position.open_lots <= 3));
            prop_assert!(ledger.trips().len() <= 5);
        }
        let counts = ledger.counts();
        prop_assert_eq!(counts.trips - counts.trips_dropped, ledger.trips().len() as u64);
        prop_assert_eq!(counts.fills + counts.refused, rows.len() as u64);
    }
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
    }
}
