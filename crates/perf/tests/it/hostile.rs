//! One wrong value in the input does not spoil what comes after it.

use std::iter::repeat_n;

use bellwether_perf::{
    BurkeEpisodes, Compounding, Conventions, Drawdowns, Fill, Ledger, LedgerError, PeriodsPerYear, Price,
    Recorded, Returns, RiskFree, RoundTrip, TradeResults, Undefined, average_loss, burke, calmar,
    current_drawdown, drawdown_series, max_drawdown, pain_ratio, payoff_ratio, profit_factor, rolling,
};
use rust_decimal::Decimal;

const SECOND: i64 = 1_000_000;
const NOW: i64 = 1_700_000_000 * SECOND;
const YEAR: PeriodsPerYear = PeriodsPerYear::TRADING_DAYS;

fn d(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::new(d(text)).unwrap()
}

#[test]
fn a_fill_stamped_ahead_that_is_forgotten_at_the_bound_makes_no_other_too_old() {
    let mut ledger = Ledger::fifo();
    ledger.set_time(NOW);
    ledger.record(Fill::buy("AHEAD", 1, 10).id("ahead").at(NOW + 59 * SECOND)).unwrap();
    // As many as are remembered, all within the minute that the one is ahead.
    for i in 0..65_536_i64 {
        ledger.record(Fill::buy(format!("I{}", i % 50), 1, 10).id(i as u64).at(NOW + i)).unwrap();
    }
    assert_eq!(ledger.forgotten_ids(), 1);
    let at = NOW + 65_536;
    ledger.record(Fill::buy("I1", 1, 10).id("next").at(at)).unwrap();
    ledger.record(Fill::buy("NEW", 1, 10).id("other").at(at)).unwrap();
    // It is still known itself, and what was forgotten is not booked twice.
    let again = Fill::buy("AHEAD", 1, 10).id("ahead").at(NOW + 59 * SECOND);
    assert_eq!(ledger.record(again), Ok(Recorded::Duplicate));
    let forgotten = ledger.record(Fill::buy("I0", 1, 10).id(0).at(NOW)).unwrap_err();
    assert!(matches!(forgotten, LedgerError::TooOld { .. }), "{forgotten}");
}

#[test]
fn a_mark_still_ahead_of_the_clock_gives_way_to_the_next_one() {
    let mut ledger = Ledger::fifo();
    ledger.set_time(NOW);
    ledger.record(Fill::buy("A", 1, 10).id(1).at(NOW - 9)).unwrap();
    assert_eq!(ledger.mark("A", price("99"), NOW + 50 * SECOND), Ok(true));
    assert_eq!(ledger.mark("A", price("11"), NOW - 1), Ok(true));
    assert_eq!(ledger.unrealised(), Ok(d("1")));
    assert_eq!(
        ledger.mark("A", price("12"), NOW - 2),
        Ok(false),
        "what is not ahead is replaced by younger ones only"
    );
    // Once the clock has reached it, it is a mark as any other.
    assert_eq!(ledger.mark("A", price("13"), NOW + SECOND), Ok(true));
    ledger.set_time(NOW + SECOND);
    assert_eq!(ledger.mark("A", price("14"), NOW), Ok(false));
}

#[test]
fn a_price_seen_before_the_first_fill_values_the_position() {
    let mut ledger = Ledger::fifo();
    assert_eq!(ledger.mark("X", price("104"), 8), Ok(false));
    assert_eq!(ledger.mark("X", price("105"), 10), Ok(false));
    assert_eq!(ledger.mark("X", price("1"), 7), Ok(false), "an older one does not replace it");
    ledger.record(Fill::buy("X", 100, 100).id("a").at(9)).unwrap();
    assert_eq!(ledger.unrealised(), Ok(d("500")));
    // Older than the fill, it says nothing.
    ledger.mark("Y", price("105"), 8).unwrap();
    ledger.record(Fill::buy("Y", 100, 100).id("b").at(9)).unwrap();
    assert_eq!(ledger.unrealised(), Ok(d("500")));
    assert_eq!((ledger.counts().untraded_marks, ledger.counts().stale_marks), (4, 0));
}

#[test]
fn one_return_of_another_size_does_not_flatten_the_windows_after_it() {
    let mut prices = vec![1e-8, 50_000.0];
    for at in 0..200 {
        prices.push(prices[at + 1] * if at % 2 == 0 { 1.011 } else { 0.99 });
    }
    let returns = Returns::from_prices(&prices).unwrap();
    let tail = Returns::new(&returns.as_slice()[100..]).unwrap();
    let (all, fresh) = (
        rolling::sharpe(&returns, 30, RiskFree::ZERO, YEAR),
        rolling::sharpe(&tail, 30, RiskFree::ZERO, YEAR),
    );
    let (last, expected) = (all.unwrap().last().unwrap(), fresh.unwrap().last().unwrap());
    assert!((last / expected - 1.0).abs() < 1e-9, "{last} is not {expected}");
}

#[test]
fn periods_without_a_return_regain_no_peak() {
    for (loss, zeros) in [(-1e-12, 5_000), (-1e-10, 300_000)] {
        let returns: Vec<f64> = std::iter::once(loss).chain(repeat_n(0.0, zeros)).collect();
        let returns = Returns::new(&returns).unwrap();
        let drawdowns = Drawdowns::of(&returns).unwrap();
        assert_eq!(drawdowns.under_water(), zeros + 1, "{loss}");
        assert!((drawdowns.current() / loss - 1.0).abs() < 1e-3, "{loss} became {}", drawdowns.current());
    }
}

#[test]
fn a_loss_after_a_peak_that_was_regained_from_nearly_nothing_is_a_drawdown() {
    // What is left of the first loss is known to six digits; the loss at the end is known to all.
    let returns = Returns::new(&[-1.0 + 1e-10, 1e10 - 1.0, -5e-7]).unwrap();
    let series = drawdown_series(&returns).unwrap();
    assert_eq!(series[1], 0.0);
    assert!((series[2] / -5e-7 - 1.0).abs() < 1e-6, "{series:?}");
    // And after a long way back, which is rounded in every period.
    let prices: Vec<f64> = std::iter::once(1000.0)
        .chain((500..=1000).flat_map(|i| [f64::from(i) - 0.3, f64::from(i)]))
        .collect();
    let mut returns: Vec<f64> = prices.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    assert_eq!(Drawdowns::of(&Returns::new(&returns).unwrap()).unwrap().current_duration(), 0);
    returns.push(-2e-14);
    let last = current_drawdown(&Returns::new(&returns).unwrap()).unwrap();
    assert!((last / -2e-14 - 1.0).abs() < 1e-2, "{last}");
}

#[test]
fn conventions_without_a_plausibility_bound_read_back_from_any_format() {
    let unbounded = Conventions::daily(YEAR).with_plausibility_bound(f64::INFINITY);
    let mut json = serde_json::to_value(&unbounded).unwrap();
    assert_eq!(serde_json::from_value::<Conventions>(json.clone()).unwrap(), unbounded);
    // A format without a null leaves the field out.
    json.as_object_mut().unwrap().remove("plausibility_bound");
    assert_eq!(serde_json::from_value::<Conventions>(json.clone()).unwrap(), unbounded);
    // A bound that is read passes the check of one that is set.
    json["plausibility_bound"] = (-1.0).into();
    assert_eq!(serde_json::from_value::<Conventions>(json).unwrap(), unbounded);
    assert_eq!(Conventions::daily(YEAR).with_plausibility_bound(-1.0), unbounded);
    assert_eq!(Conventions::daily(YEAR).with_plausibility_bound(f64::NAN), unbounded);
}

#[test]
fn conventions_in_toml_keep_the_absence_of_a_bound_and_take_no_nan_for_one() {
    let unbounded = Conventions::daily(YEAR).with_plausibility_bound(f64::INFINITY);
    let text = toml::to_string(&unbounded).unwrap();
    assert_eq!(toml::from_str::<Conventions>(&text).unwrap(), unbounded);
    let text = toml::to_string(&Conventions::daily(YEAR)).unwrap();
    for wrong in ["nan", "inf", "-1.0"] {
        let text = text.replace("plausibility_bound = 10.0", &format!("plausibility_bound = {wrong}"));
        assert_eq!(toml::from_str::<Conventions>(&text).unwrap(), unbounded, "{wrong}");
    }
}

#[test]
fn a_round_trip_whose_net_is_not_gross_less_fees_is_not_read() {
    let mut ledger = Ledger::fifo();
    ledger.record(Fill::buy("X", 1, 10).id("a").at(1).fee(1)).unwrap();
    ledger.record(Fill::sell("X", 1, 12).id("b").at(2)).unwrap();
    let json = serde_json::to_value(ledger.trips().next().unwrap()).unwrap();
    for net in ["999999", "1.0000000000000000000000001", "-1"] {
        let mut wrong = json.clone();
        wrong["net"] = net.into();
        let refused = serde_json::from_value::<RoundTrip>(wrong).unwrap_err();
        let text = format!("round trip of net {net}: expected gross 2 less fees 1");
        assert_eq!(refused.to_string(), text);
    }
}

#[test]
fn a_round_trip_that_was_rounded_reads_back() {
    // The profit has 28 digits before the point, and the fee eleven after it.
    let (quantity, fee) = (d("99999999999999"), d("0.12345678901"));
    let mut ledger = Ledger::fifo();
    ledger.record(Fill::buy("X", quantity, 1).id("a").at(1)).unwrap();
    ledger.record(Fill::sell("X", quantity, d("99999999999999")).id("b").at(2).fee(fee)).unwrap();
    let trip = ledger.trips().next().unwrap();
    assert_eq!(trip.fees, fee);
    assert!(trip.net.scale() < fee.scale(), "{} is rounded", trip.net);
    let json = serde_json::to_value(trip).unwrap();
    assert_eq!(&serde_json::from_value::<RoundTrip>(json).unwrap(), trip);
}

#[test]
fn a_sum_that_only_overflows_on_the_way_is_exact() {
    let mut ledger = Ledger::fifo();
    ledger.record(Fill::buy("X", 1, 10).id("a").at(1).fee(-7)).unwrap();
    ledger.record(Fill::buy("X", 1, 10).id("b").at(2).fee(d("-0.0000000000000000000000000001"))).unwrap();
    for capital in ["17014118345", "17014118346", "17014118347", "170141183469"] {
        let equity = ledger.equity(d(capital)).map(|equity| equity.round_dp(10).normalize());
        assert_eq!(equity, Ok(d(capital) + d("7")), "{capital}");
    }
}

#[test]
fn a_small_loss_of_a_trade_is_a_loss_beside_a_large_gain() {
    let trades = TradeResults::new(&[1e12, -0.001]).unwrap();
    assert_eq!(average_loss(&trades), Ok(-0.001));
    assert_eq!(profit_factor(&trades), Ok(1e12 / 0.001));
    assert_eq!(payoff_ratio(&trades), Ok(1e12 / 0.001));
    assert_eq!(profit_factor(&TradeResults::new(&[1e12]).unwrap()), Err(Undefined::NoLosses));
}

#[test]
fn drawdowns_beside_a_large_gain_divide_as_they_do_without_it() {
    let returns = Returns::new(&[1e13, -0.01, 0.01, -0.02, 0.03]).unwrap();
    let year = PeriodsPerYear::YEARS;
    assert!(max_drawdown(&returns).unwrap() < -0.02);
    assert!(calmar(&returns, year).is_ok());
    for episodes in [BurkeEpisodes::PeakToRecovery, BurkeEpisodes::NegativeRunsSummed] {
        assert!(burke(&returns, RiskFree::ZERO, year, episodes).is_ok(), "{episodes:?}");
    }
    for compounding in [Compounding::Geometric, Compounding::Additive] {
        assert!(pain_ratio(&returns, RiskFree::ZERO, year, compounding).is_ok(), "{compounding:?}");
    }
}
