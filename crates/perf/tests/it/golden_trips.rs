//! The golden fills through the ledger.

use bellwether_perf::{
    Fill, Ledger, Recorded, RoundTrip, Side, TradeResults, UnixMicros, average_loss, average_win, best,
    expectancy, longest_loss_streak, longest_win_streak, payoff_ratio, profit_factor, win_rate, worst,
};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::series::text;

fn exact(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// A value of the goldens with more digits than a decimal holds.
fn long(text: &str) -> Decimal {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    exact(&format!("{whole}.{}", &fraction[..fraction.len().min(24)]))
}

fn close(got: Decimal, expected: &Value, what: &str) {
    let expected = long(expected.as_str().unwrap());
    assert!((got - expected).abs() <= Decimal::new(1, 18), "{what}: {got} is not {expected}");
}

fn fills() -> Vec<Fill> {
    let text = text("fills.csv");
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let (quantity, price) = (exact(cells[4]), exact(cells[5]));
            let draft = match cells[3].parse().unwrap() {
                Side::Buy => Fill::buy(cells[2], quantity, price),
                Side::Sell => Fill::sell(cells[2], quantity, price),
            };
            let at = UnixMicros::from_seconds(cells[1].parse().unwrap());
            draft.fee(exact(cells[6])).at(at).id(cells[0].parse::<u64>().unwrap()).build().unwrap()
        })
        .collect()
}

fn booked(mut ledger: Ledger) -> Ledger {
    for fill in fills() {
        assert_ne!(ledger.record(fill).unwrap(), Recorded::Duplicate);
    }
    ledger
}

fn golden() -> Value {
    serde_json::from_str(&text("round_trips.json")).unwrap()
}

#[test]
fn all_fifo_round_trips_are_reproduced() {
    let (ledger, golden) = (booked(Ledger::fifo()), golden());
    let expected = golden["fifo"]["round_trips"].as_array().unwrap();
    let trips: Vec<&RoundTrip> = ledger.trips().collect();
    assert_eq!((trips.len(), expected.len()), (166, 166));
    for (trip, row) in trips.iter().zip(expected) {
        let number = |name: &str| exact(row[name].as_str().unwrap());
        let seconds = |name: &str| UnixMicros::from_seconds(row[name].as_i64().unwrap());
        assert_eq!(&*trip.instrument, row["symbol"].as_str().unwrap());
        assert_eq!(trip.direction.to_string(), row["side"].as_str().unwrap());
        assert_eq!(trip.quantity, number("quantity"));
        assert_eq!(trip.entry_price, number("entry_price"));
        assert_eq!(trip.exit_price, number("exit_price"));
        assert_eq!(trip.opened_at, seconds("entry_time"));
        assert_eq!(trip.closed_at, seconds("exit_time"));
        assert_eq!(trip.gross, number("gross"));
        close(trip.fees, &row["fees"], "fees");
        close(trip.net, &row["net"], "net");
    }
    for (instrument, quantity) in golden["fifo"]["open_positions"].as_object().unwrap() {
        let position = ledger.position(instrument).unwrap().unwrap();
        assert_eq!(position.quantity, exact(quantity.as_str().unwrap()), "{instrument}");
    }
}

#[test]
fn statistics_over_the_round_trips_are_reproduced() {
    let (ledger, golden) = (booked(Ledger::fifo()), golden());
    let expected = &golden["fifo"]["statistics"];
    let sum = |part: fn(&RoundTrip) -> Decimal| ledger.trips().map(part).sum::<Decimal>();
    close(sum(|trip| trip.net), &expected["net_total"], "net");
    assert_eq!(sum(|trip| trip.gross), exact(expected["gross_total"].as_str().unwrap()));
    close(sum(|trip| trip.fees), &expected["fees_total"], "fees");
    assert_eq!(ledger.realised(), exact(expected["gross_total"].as_str().unwrap()));
    assert_eq!(ledger.realised_fees().unwrap(), sum(|trip| trip.fees));

    let trades = TradeResults::of_trips(ledger.trips());
    let holding: i64 = ledger.trips().map(RoundTrip::holding_micros).sum();
    let mut checked = 0;
    let mut near = |name: &str, got: f64| {
        let expected = expected[name].as_f64().unwrap();
        assert!((got - expected).abs() <= 1e-10 * expected.abs(), "{name}: {got} is not {expected}");
        checked += 1;
    };
    near("round_trips", trades.len() as f64);
    near("win_rate", win_rate(&trades).unwrap());
    near("profit_factor", profit_factor(&trades).unwrap());
    near("payoff_ratio", payoff_ratio(&trades).unwrap());
    near("expectancy", expectancy(&trades).unwrap());
    near("average_win", average_win(&trades).unwrap());
    near("average_loss", average_loss(&trades).unwrap());
    near("largest_win", best(&trades).unwrap());
    near("largest_loss", worst(&trades).unwrap());
    near("longest_win_streak", longest_win_streak(&trades).unwrap() as f64);
    near("longest_loss_streak", longest_loss_streak(&trades).unwrap() as f64);
    near("mean_holding_seconds", holding as f64 / 1e6 / trades.len() as f64);
    assert_eq!(checked, 12);
}

#[test]
fn average_cost_totals_are_reproduced() {
    let (ledger, golden) = (booked(Ledger::average_cost()), golden());
    let expected = &golden["average_cost"];
    close(ledger.realised(), &expected["realized_gross"], "gross");
    close(ledger.realised() - ledger.fees(), &expected["realized_net_of_all_fees"], "net");
    for (instrument, row) in expected["positions"].as_object().unwrap() {
        let position = ledger.position(instrument).unwrap().unwrap();
        assert_eq!(position.quantity, exact(row[0].as_str().unwrap()), "{instrument}");
        if let Some(average) = position.average_price {
            close(average, &row[1], instrument); // a flat position has none
        }
    }
}

#[test]
fn fees_of_trips_and_open_lots_are_the_fees_of_all_fills() {
    for ledger in [booked(Ledger::fifo()), booked(Ledger::average_cost())] {
        let paid: Decimal = fills().iter().map(Fill::fee).sum();
        let in_trips: Decimal = ledger.trips().map(|trip| trip.fees).sum();
        assert_eq!(ledger.fees(), paid);
        assert_eq!(ledger.realised_fees().unwrap(), in_trips);
    }
}

#[test]
fn the_golden_fills_delivered_twice_are_booked_once() {
    let mut ledger = booked(Ledger::fifo());
    let before = (ledger.realised(), ledger.fees(), ledger.positions().unwrap());
    for fill in fills() {
        assert_eq!(ledger.record(fill).unwrap(), Recorded::Duplicate);
    }
    assert_eq!((ledger.realised(), ledger.fees(), ledger.positions().unwrap()), before);
    assert_eq!(ledger.counts().duplicates, 240);
}
