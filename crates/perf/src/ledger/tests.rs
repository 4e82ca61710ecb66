use std::time::Duration;

use super::*;
use crate::{TradeResults, win_rate};

fn d(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn buy(id: u64, quantity: &str, price: &str, fee: &str) -> FillDraft {
    Fill::buy("ACME", d(quantity), d(price)).fee(d(fee)).id(id).at(id as i64)
}

fn sell(id: u64, quantity: &str, price: &str, fee: &str) -> FillDraft {
    Fill::sell("ACME", d(quantity), d(price)).fee(d(fee)).id(id).at(id as i64)
}

/// Buy 100 at 10, buy 50 at 11, sell 120 at 12, sell 80 at 9, buy 50 at 8; a cent a unit.
fn five_fills() -> [FillDraft; 5] {
    [
        buy(1, "100", "10", "1.00"),
        buy(2, "50", "11", "0.50"),
        sell(3, "120", "12", "1.20"),
        sell(4, "80", "9", "0.80"),
        buy(5, "50", "8", "0.50"),
    ]
}

#[test]
fn fifo_of_the_five_fills_by_hand() {
    let mut ledger = Ledger::fifo();
    for fill in five_fills() {
        ledger.record(fill).unwrap();
    }
    let trips: Vec<_> = ledger.trips().map(|trip| (trip.quantity, trip.gross, trip.fees, trip.net)).collect();
    let expected = [
        ("100", "200", "2.00", "198.00"),
        ("20", "20", "0.40", "19.60"),
        ("30", "-60", "0.60", "-60.60"),
        ("50", "50", "1.00", "49.00"),
    ];
    assert_eq!(trips, expected.map(|(quantity, gross, fees, net)| (d(quantity), d(gross), d(fees), d(net))));
    assert!(ledger.position("ACME").unwrap().unwrap().is_flat());
    assert_eq!(ledger.equity(d("1000")), Ok(d("1206")));
    assert_eq!(win_rate(&TradeResults::of_trips(ledger.trips())), Ok(0.75));
    assert_eq!(ledger.counts(), LedgerCounts { fills: 5, trips: 4, ..LedgerCounts::default() });
}

#[test]
fn average_cost_of_the_five_fills_by_hand_leaves_no_residue() {
    let mut ledger = Ledger::average_cost();
    let mut net = Vec::new();
    for fill in five_fills() {
        ledger.record(fill).unwrap();
        net.push(ledger.realised() - ledger.fees());
    }
    assert_eq!(net[..2], [d("-1.00"), d("-1.50")]);
    assert_eq!(net[2].round_dp(15), d("197.3"));
    assert_eq!(net[3..], [d("156.50"), d("206.00")]);
    assert_eq!(ledger.trips().count(), 3);
}

#[test]
fn the_average_price_of_an_average_cost_position() {
    let mut ledger = Ledger::average_cost();
    ledger.record(buy(1, "100", "10", "0")).unwrap();
    ledger.record(buy(2, "50", "11", "0")).unwrap();
    let position = ledger.position("ACME").unwrap().unwrap();
    assert_eq!(position.average_price, Some(d("10.33333333333333333333")));
    assert_eq!(position.open_lots, 1);
}

#[test]
fn the_same_fill_again_is_counted_and_another_under_its_id_is_a_conflict() {
    let mut ledger = Ledger::fifo();
    ledger.record(buy(1, "2", "10", "0.1")).unwrap();
    assert_eq!(ledger.record(buy(1, "2", "10", "0.1")), Ok(Recorded::Duplicate));
    let conflict = ledger.record(buy(1, "3", "10", "0.1")).unwrap_err();
    assert_eq!(conflict.to_string(), "fill 1 was booked with another content");
    assert_eq!(ledger.position("ACME").unwrap().unwrap().quantity, d("2"));
    let counts = ledger.counts();
    assert_eq!((counts.fills, counts.duplicates, counts.refused), (1, 1, 1));
}

#[test]
fn a_fill_from_before_what_is_remembered_is_refused_and_not_booked_twice() {
    let limits = LedgerLimits { fill_ids: 2, ..LedgerLimits::default() };
    let mut ledger = Ledger::new(Matching::Fifo, limits);
    for id in 1..=4 {
        ledger.record(buy(id, "1", "10", "0")).unwrap();
    }
    assert_eq!(ledger.forgotten_ids(), 2);
    let refused = ledger.record(buy(1, "1", "10", "0")).unwrap_err();
    assert_eq!(refused, LedgerError::TooOld { id: 1.into(), at: 1.into(), watermark: 2.into() });
    assert_eq!(ledger.record(buy(3, "1", "10", "0")), Ok(Recorded::Duplicate));
    assert_eq!(ledger.position("ACME").unwrap().unwrap().quantity, d("4"));
}

#[test]
fn ids_are_forgotten_by_age_as_well() {
    let limits = LedgerLimits { fill_id_age: Duration::from_micros(10), ..LedgerLimits::default() };
    let mut ledger = Ledger::new(Matching::Fifo, limits);
    ledger.record(buy(1, "1", "10", "0")).unwrap();
    ledger.record(buy(20, "1", "10", "0")).unwrap();
    assert_eq!(ledger.forgotten_ids(), 1);
}

#[test]
fn a_late_fill_is_refused_and_one_of_the_same_time_is_booked() {
    let mut ledger = Ledger::fifo();
    ledger.record(buy(5, "1", "10", "0")).unwrap();
    let late = ledger.record(buy(3, "1", "10", "0")).unwrap_err();
    assert!(matches!(late, LedgerError::Late { .. }), "{late}");
    ledger.record(Fill::sell("ACME", 1, 11).id(6).at(5)).unwrap();
    // Another instrument has a time of its own.
    ledger.record(Fill::buy("OTHER", 1, 11).id(7).at(2)).unwrap();
}

#[test]
fn negative_prices_are_booked_only_where_the_contract_allows_them() {
    let april_2020 = || Fill::sell("CLK0", 1, d("-37.63")).allowing_negative_price().id(2).at(2);
    let mut ledger = Ledger::fifo();
    let refused = ledger.record(april_2020()).unwrap_err();
    let text = "price -37.63 of CLK0: expected over 0, unless its contract allows negative prices";
    assert_eq!(refused.to_string(), text);
    assert_eq!(ledger.instruments().count(), 0);

    ledger.define("CLK0", Contract::linear(1000).unwrap().allowing_negative_prices()).unwrap();
    ledger.record(Fill::buy("CLK0", 1, 10).id(1).at(1)).unwrap();
    ledger.record(april_2020()).unwrap();
    assert_eq!(ledger.realised(), d("-47630"));
}

#[test]
fn a_contract_cannot_change_under_fills() {
    let mut ledger = Ledger::fifo();
    ledger.define("ES", Contract::linear(50).unwrap()).unwrap();
    ledger.define("ES", Contract::linear(5).unwrap()).unwrap();
    ledger.record(Fill::buy("ES", 2, d("4500.75")).id(1).at(1)).unwrap();
    ledger.define("ES", Contract::linear(5).unwrap()).unwrap();
    let refused = ledger.define("ES", Contract::linear(50).unwrap()).unwrap_err();
    assert_eq!(refused, LedgerError::ContractInUse { instrument: "ES".into() });
}

#[test]
fn a_future_earns_its_multiplier() {
    let mut ledger = Ledger::fifo();
    ledger.define("ES", Contract::linear(50).unwrap()).unwrap();
    ledger.record(Fill::buy("ES", 2, d("4500.75")).id(1).at(1)).unwrap();
    ledger.mark("ES", Price::new(d("4510.75")).unwrap(), 2).unwrap();
    assert_eq!(ledger.unrealised(), Ok(d("1000")));
    ledger.record(Fill::sell("ES", 2, d("4492.50")).id(2).at(3)).unwrap();
    assert_eq!((ledger.realised(), ledger.unrealised()), (d("-825"), Ok(d("0"))));
}

#[test]
fn a_position_is_valued_at_its_youngest_price() {
    let mut ledger = Ledger::fifo();
    let price = |text| Price::new(d(text)).unwrap();
    ledger.record(Fill::buy("A", 1, 10).id(1).at(10)).unwrap();
    assert_eq!(ledger.unrealised(), Ok(d("0")));
    assert_eq!(ledger.mark("A", price("11"), 10), Ok(true));
    assert_eq!(ledger.unrealised(), Ok(d("1")));
    assert_eq!(ledger.mark("A", price("5"), 9), Ok(false));
    assert_eq!(ledger.unrealised(), Ok(d("1")));
    // At the same time as a mark, the mark stands; later, the fill does.
    ledger.record(Fill::buy("A", 1, 12).id(2).at(10)).unwrap();
    assert_eq!(ledger.position("A").unwrap().unwrap().valued_at, Some(d("11")));
    ledger.record(Fill::buy("A", 1, 12).id(3).at(11)).unwrap();
    assert_eq!(ledger.position("A").unwrap().unwrap().valued_at, Some(d("12")));
    assert_eq!(ledger.counts().stale_marks, 1);
}

#[test]
fn an_error_changes_nothing() {
    let mut ledger = Ledger::fifo();
    ledger.record(buy(1, "0.00000000000001", "0.00000000000001", "0")).unwrap();
    let before = format!("{:?} {:?} {:?}", ledger.books, ledger.trips, ledger.seen);
    // The exact cost would need 29 decimals.
    let refused = ledger.record(buy(2, "0.00000000000001", "0.000000000000001", "0.1")).unwrap_err();
    assert_eq!(refused, LedgerError::Inexact { what: "cost" });
    assert_eq!(format!("{:?} {:?} {:?}", ledger.books, ledger.trips, ledger.seen), before);
    assert_eq!(ledger.counts().refused, 1);
}

#[test]
fn a_sum_beyond_a_decimal_is_an_overflow_and_changes_nothing() {
    let mut ledger = Ledger::fifo();
    let most = |id| buy(id, "99999999999999", "99999999999999", "0");
    for id in 1..=7 {
        ledger.record(most(id)).unwrap();
    }
    let before = ledger.positions().unwrap();
    assert_eq!(ledger.record(most(8)).unwrap_err(), LedgerError::Overflow { what: "cost" });
    assert_eq!(ledger.positions().unwrap(), before);
}

#[test]
fn instruments_lots_and_trips_are_bounded() {
    let limits = LedgerLimits { instruments: 1, open_lots: 2, trips: 1, ..LedgerLimits::default() };
    let mut ledger = Ledger::new(Matching::Fifo, limits);
    ledger.record(buy(1, "1", "10", "0")).unwrap();
    ledger.record(buy(2, "1", "10", "0")).unwrap();
    let refused = ledger.record(buy(3, "1", "10", "0")).unwrap_err();
    assert_eq!(refused, LedgerError::TooManyLots { instrument: "ACME".into(), limit: 2 });
    let refused = ledger.record(Fill::buy("OTHER", 1, 1).id(9).at(9)).unwrap_err();
    assert_eq!(refused, LedgerError::TooManyInstruments { instrument: "OTHER".into(), limit: 1 });
    assert_eq!(ledger.instruments().count(), 1);
    // Two closed at once, one kept; the answer names both.
    let Recorded::Booked(closed) = ledger.record(sell(4, "2", "12", "0")).unwrap() else {
        panic!("a new fill");
    };
    assert_eq!(closed.len(), 2);
    assert_eq!((ledger.trips().count(), ledger.counts().trips, ledger.counts().trips_dropped), (1, 2, 1));
}

#[test]
fn a_mark_or_a_definition_that_is_refused_leaves_no_trace() {
    let mut ledger = Ledger::fifo();
    let negative = Price::allowing_negative(d("-1")).unwrap();
    assert_eq!(ledger.mark("CL", negative, 1), Ok(false));
    assert_eq!((ledger.instruments().count(), ledger.counts().untraded_marks), (0, 1));
    ledger.define("CL", Contract::SPOT).unwrap();
    assert!(matches!(ledger.mark("CL", negative, 1), Err(LedgerError::PriceNotPositive { .. })));
    assert_eq!(ledger.position("CL").unwrap().unwrap().valued_at, None);
    // The one that was kept until it was defined, and the one after it.
    assert_eq!(ledger.counts().refused_marks, 2);
    assert_eq!(ledger.define("", Contract::SPOT), Err(LedgerError::InstrumentName { len: 0 }));
    let refused = ledger.define("x".repeat(129), Contract::SPOT).unwrap_err();
    assert_eq!(refused.to_string(), "instrument name of 129 bytes: expected 1 to 128");
    assert_eq!(ledger.instruments().count(), 1);
}

#[test]
fn filters_agree_with_a_plain_scan() {
    let mut ledger = Ledger::fifo();
    for fill in five_fills() {
        ledger.record(fill).unwrap();
    }
    let count = |filter: &TripFilter| ledger.trips_where(filter).count();
    assert_eq!(count(&TripFilter::any()), 4);
    assert_eq!(count(&TripFilter::any().direction(Direction::Short)), 1);
    assert_eq!(count(&TripFilter::any().closed_from(4)), 2);
    assert_eq!(count(&TripFilter::any().closed_before(4)), 2);
    assert_eq!(count(&TripFilter::any().instrument("OTHER")), 0);
    assert_eq!(count(&TripFilter::any().instrument("ACME").direction(Direction::Long).closed_from(4)), 1);
}

#[test]
fn what_is_realised_and_what_is_left_of_the_cost_are_what_was_paid_after_every_fill() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) % below
    };
    for matching in [Matching::Fifo, Matching::AverageCost] {
        for round in 0..60 {
            let mut ledger = Ledger::new(matching, LedgerLimits::default());
            let mut paid = Total::ZERO;
            for at in 0..60_u64 {
                // From thousandths to a million millions, in one book.
                let mut amount = || {
                    let digits = 1 + next(14) as u32;
                    let mantissa = 1 + next(10_u64.pow(digits));
                    Decimal::from_i128_with_scale(
                        i128::from(mantissa.min(99_999_999_999_999)),
                        digits.saturating_sub(12).max(2),
                    )
                };
                let (quantity, price) = (amount(), amount());
                let draft = if next(2) == 0 {
                    Fill::buy("A", quantity, price)
                } else {
                    Fill::sell("A", quantity, price)
                };
                let fill = draft.id(at).at(at as i64).build().unwrap();
                ledger.record(fill.clone()).unwrap();
                paid = paid.add(Total::product(fill.signed_quantity(), price).unwrap()).unwrap();
                // Cash out is what is still in the position less what it has brought.
                let book = &ledger.books[0];
                let kept = book.cost.sub(ledger.realised).unwrap();
                assert_eq!(kept.sub(paid).unwrap().exact(), Some(Decimal::ZERO), "{matching:?} {round} {at}");
                let lots = book.lots_cost().unwrap();
                assert_eq!(
                    lots.sub(book.cost).unwrap().exact(),
                    Some(Decimal::ZERO),
                    "{matching:?} {round} {at}"
                );
            }
            let trips = ledger.trips().try_fold(Total::ZERO, |sum, trip| sum.add(trip.gross.into())).unwrap();
            let off = trips.sub(ledger.realised).unwrap().nearest().abs();
            let size = ledger.trips().map(|trip| trip.gross.abs()).max().unwrap_or_default();
            assert!(off <= size * Decimal::new(1, 26), "trips are {off} off");
        }
    }
}
