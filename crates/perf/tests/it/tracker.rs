//! The tracker from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_core::{
    Collect, Descriptor, Labels, ManualClock, SampleSink, SharedClock, SpreadSnapshot, SummarySnapshot,
};
use bellwether_perf::{
    Booking, Contract, Conventions, EquityError, Fill, LedgerError, LedgerLimits, PerformanceSnapshot,
    PeriodsPerYear, Price, Tracker, TrackerError, TripFilter, Undefined, UnixMicros,
};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

const DAY: i64 = 86_400_000_000;

/// A clock that stands after everything that these tests book.
fn clock() -> SharedClock {
    ManualClock::starting_at(DateTime::UNIX_EPOCH + TimeDelta::days(1000)).shared()
}

fn conventions() -> Conventions {
    Conventions::daily(PeriodsPerYear::TRADING_DAYS)
}

fn price(value: i64) -> Price {
    Price::new(Decimal::from(value)).unwrap()
}

/// Figures by name, with the strategy before it.
#[derive(Debug, Default)]
struct Told(BTreeMap<String, f64>);

impl Told {
    fn of(books: &[&Tracker]) -> Self {
        let mut told = Self::default();
        for book in books {
            book.collect(&mut told).unwrap();
        }
        told
    }
    fn keep(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        assert!(value.is_finite(), "{}", descriptor.name);
        let key = format!("{} {}", labels.get("strategy").unwrap_or("-"), descriptor.name);
        assert_eq!(self.0.insert(key, value), None, "{} is told twice", descriptor.name);
    }
    fn get(&self, key: &str) -> Option<f64> {
        self.0.get(key).copied()
    }
}

impl SampleSink for Told {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        assert!(descriptor.name.as_str().ends_with("_total"));
        self.keep(descriptor, labels, total);
    }
    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        self.keep(descriptor, labels, value);
    }
    fn histogram(&mut self, _: &Descriptor, _: &Labels, _: &SpreadSnapshot) {
        panic!("a tracker has no histogram");
    }
    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        panic!("{} {labels} is a summary of {}", descriptor.name, summary.count);
    }
}

fn book(strategy: &str) -> Tracker {
    let clock = clock();
    let builder = Tracker::builder(&clock, conventions(), 100_000).strategy(strategy).prefix("desk");
    builder.rolling_window(3).build().unwrap()
}

/// 100 shares bought at 100, then closes at the given prices, a day each.
fn traded(strategy: &str, closes: &[i64]) -> Tracker {
    let book = book(strategy);
    book.record(Fill::buy("ACME", 100, 100).id("open").at(0).fee(1)).unwrap();
    for (day, &close) in closes.iter().enumerate() {
        let at = (day as i64 + 1) * DAY;
        book.mark("ACME", price(close), at).unwrap();
        book.close_period(at).unwrap();
    }
    book
}

#[test]
fn periods_give_equity_and_returns_and_the_fee_is_in_the_first() {
    let book = traded("a", &[110, 90]);
    let points: Vec<Decimal> = book.equity_curve().points().map(|point| point.equity).collect();
    assert_eq!(points, [Decimal::from(100_999), Decimal::from(98_999)]);
    let returns: Vec<f64> = book.periods().iter().map(|period| period.value).collect();
    assert_eq!(returns, [999.0 / 100_000.0, -2000.0 / 100_999.0]);
    assert_eq!(book.equity(), Ok(Decimal::from(98_999)));
}

#[test]
fn figures_are_told_and_undefined_ones_are_left_out() {
    let book = traded("a", &[110]);
    let told = Told::of(&[&book]);
    assert_eq!(told.get("a desk_equity"), Some(100_999.0));
    assert_eq!(told.get("a desk_return_ratio"), Some(999.0 / 100_000.0));
    assert_eq!(told.get("a desk_drawdown_ratio"), Some(0.0));
    assert_eq!(told.get("a desk_fills_total"), Some(1.0));
    assert_eq!(told.get("a desk_open_positions"), Some(1.0));
    // One return has no deviation, and the window is not full.
    for missing in
        ["desk_rolling_volatility_ratio", "desk_rolling_sharpe", "desk_sharpe", "desk_rolling_var_95_ratio"]
    {
        assert_eq!(told.get(&format!("a {missing}")), None, "{missing}");
    }

    let book = traded("a", &[110, 90, 95, 94, 80]);
    let told = Told::of(&[&book]);
    for there in [
        "desk_rolling_volatility_ratio",
        "desk_sharpe",
        "desk_rolling_var_95_ratio",
        "desk_rolling_var_99_ratio",
    ] {
        assert!(told.get(&format!("a {there}")).is_some(), "{there}");
    }
    let peak = 100_999.0;
    assert_eq!(told.get("a desk_drawdown_ratio"), Some((peak - 97_999.0) / peak));
    // The loss of the last day against the value at risk of the window before it: two small losses and a gain.
    let before = book.periods()[1..4].iter().map(|period| period.value).fold(0.0, f64::min);
    let beyond = told.get("a desk_loss_beyond_var_99_ratio").unwrap();
    let loss = -book.periods()[4].value;
    assert!(beyond < loss + before * 0.9 && beyond > loss + before, "{beyond}");
    assert_eq!(Collect::descriptors(&book).len(), 11 + 4 + 12);
}

#[test]
fn two_strategies_share_one_registry_by_their_label() {
    let (a, b) = (traded("a", &[110]), traded("b", &[90]));
    let told = Told::of(&[&a, &b]);
    assert_eq!(told.get("a desk_equity"), Some(100_999.0));
    assert_eq!(told.get("b desk_equity"), Some(98_999.0));
}

#[test]
fn a_fill_a_mark_or_a_period_from_far_ahead_is_refused_and_the_book_goes_on() {
    let manual = ManualClock::starting_at(DateTime::UNIX_EPOCH + TimeDelta::days(10));
    let book = Tracker::builder(&manual.shared(), conventions(), 1000).prefix("desk").build().unwrap();
    let now: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(10);
    book.record(Fill::buy("ACME", 1, 100).id(1).at(now)).unwrap();
    let far = now + TimeDelta::days(365);
    let ahead = |refused: &LedgerError| matches!(refused, LedgerError::Ahead { .. });
    assert!(ahead(&book.record(Fill::sell("ACME", 1, 100).id(2).at(far)).unwrap_err()));
    assert!(ahead(&book.mark("ACME", price(90), far).unwrap_err()));
    let refused = book.close_period(far).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a period that ends at 1971-01-11T00:00:00Z is ahead of the tracker's clock, which stands at \
         1970-01-11T00:00:00Z: expected not after 1970-01-12T00:00:00Z; move on the clock that the tracker was \
         built with or raise TrackerBuilder::max_period_ahead"
    );
    assert!(book.periods().is_empty());
    // Nothing of it has stopped the book; a minute is what clocks may differ, and a period ends by the local day.
    assert!(ahead(&book.mark("ACME", price(90), now + TimeDelta::minutes(61)).unwrap_err()));
    assert_eq!(book.mark("ACME", price(110), now + TimeDelta::minutes(1)), Ok(true));
    assert_eq!(book.close_period(now + TimeDelta::hours(3)).unwrap().equity, Decimal::from(1010));
    // With the clock the book goes on.
    manual.advance(Duration::from_hours(24));
    book.record(Fill::sell("ACME", 1, 120).id(2).at(now + TimeDelta::days(1))).unwrap();
    assert_eq!(book.close_period(now + TimeDelta::days(1)).unwrap().equity, Decimal::from(1020));
    let told = Told::of(&[&book]);
    assert_eq!(told.get("- desk_refused_fills_total"), Some(1.0));
    assert_eq!(told.get("- desk_refused_marks_total"), Some(2.0));
}

#[test]
fn prices_of_a_whole_market_take_no_room_from_what_is_traded() {
    let clock = clock();
    let limits = LedgerLimits::default().with_instruments(1);
    let book = Tracker::builder(&clock, conventions(), 1000).limits(limits).build().unwrap();
    for instrument in 0..100 {
        assert_eq!(book.mark(format!("I{instrument}"), price(5), 1), Ok(false));
    }
    book.record(Fill::buy("ACME", 1, 100).id(1).at(2)).unwrap();
    assert_eq!(Told::of(&[&book]).get("- performance_untraded_marks_total"), Some(100.0));
    assert_eq!(book.positions().unwrap().len(), 1);
}

#[test]
fn times_are_utc_and_the_snapshot_is_of_the_injected_clock() {
    let manual = ManualClock::starting_at(DateTime::UNIX_EPOCH + TimeDelta::days(3));
    let book = Tracker::new(&manual.shared(), conventions(), 1000).unwrap();
    let at: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(2);
    book.record(Fill::buy("ACME", 1, 100).id(1).at(at)).unwrap();
    book.mark("ACME", price(110), at + TimeDelta::hours(1)).unwrap();
    book.close_period(at + TimeDelta::hours(2)).unwrap();
    manual.advance(Duration::from_secs(7));
    let snapshot = book.snapshot().unwrap();
    assert_eq!(snapshot.taken_at.to_string(), "1970-01-04T00:00:07Z");
    assert_eq!(snapshot.period_end, Some(UnixMicros::from(at + TimeDelta::hours(2))));
    assert_eq!(snapshot.positions[0].valued_when, Some(UnixMicros::from(at + TimeDelta::hours(1))));
    // A period ends where the next begins: its own end is refused, the microsecond after is taken.
    assert!(book.close_period(at + TimeDelta::hours(2)).is_err());
    assert!(book.close_period(at + TimeDelta::hours(2) + TimeDelta::microseconds(1)).is_ok());
    let last = book.periods();
    assert_eq!((last.len(), last[1].at.micros_since(last[0].at), last[1].value), (2, 1, 0.0));
}

#[test]
fn only_checked_fills_are_booked_and_a_refused_one_changes_nothing() {
    let book = book("a");
    book.record(Fill::buy("ACME", 2, 100).id(1).at(5).fee(1)).unwrap();
    let state = || {
        (
            book.positions().unwrap(),
            book.equity().unwrap(),
            book.counts().fills,
            book.trips(&TripFilter::any()),
        )
    };
    let before = state();
    let wrong = book.record(Fill::sell("", -1, 0).id("")).unwrap_err();
    let text = "id is empty; fill without time; instrument is empty; quantity -1: expected over 0; price 0: expected over 0";
    assert_eq!(wrong.to_string(), text);
    let late = Fill::sell("ACME", 1, 100).id(2).at(4);
    let other_content = Fill::sell("ACME", 1, 100).id(1).at(6);
    let negative = Fill::sell("ACME", 1, -100).allowing_negative_price().id(3).at(6);
    let long = Fill::sell("ACME", Decimal::new(123_456_789_012_345, 3), 1).id(4).at(6);
    for refused in [late, other_content, negative, long] {
        assert!(book.record(refused.clone()).is_err(), "{refused:?}");
        assert_eq!(state(), before, "{refused:?}");
    }
    assert_eq!(book.counts().refused, 5);
}

#[test]
fn duplicates_and_refused_fills_are_counted() {
    let book = book("a");
    let fill = || Fill::buy("ACME", 1, 100).id(7).at(5);
    assert!(matches!(book.record(fill()).unwrap(), Booking::Booked(trips) if trips.is_empty()));
    assert_eq!(book.record(fill()), Ok(Booking::Duplicate));
    assert!(matches!(book.record(fill().fee(3)), Err(LedgerError::Conflict { .. })));
    assert!(matches!(book.record(Fill::sell("ACME", 0, 100)), Err(LedgerError::InvalidFill(_))));
    let told = Told::of(&[&book]);
    assert_eq!(told.get("a desk_duplicate_fills_total"), Some(1.0));
    assert_eq!(told.get("a desk_refused_fills_total"), Some(2.0));
    let booked = book.record(Fill::sell("ACME", 1, 110).id(8).at(6)).unwrap();
    assert!(matches!(booked, Booking::Booked(trips) if trips[0].net == Decimal::from(10)));
    assert_eq!(book.trips(&TripFilter::any()).len(), 1);
    assert_eq!(book.sheet().value("trade_expectancy"), Some(Ok(10.0)));
}

#[test]
fn a_period_that_does_not_follow_or_begins_with_nothing_is_refused_and_changes_nothing() {
    let book = traded("a", &[110]);
    let refused = book.close_period(DAY).unwrap_err();
    assert!(matches!(refused, TrackerError::Equity(EquityError::NotLater { .. })), "{refused}");
    assert_eq!(book.periods().len(), 1);

    let clock = clock();
    let book = Tracker::new(&clock, conventions(), 1000).unwrap();
    book.define("CL", Contract::linear(1000).unwrap().allowing_negative_prices()).unwrap();
    book.record(Fill::buy("CL", 1, 10).id(1).at(0)).unwrap();
    book.mark("CL", Price::allowing_negative(Decimal::new(-3763, 2)).unwrap(), 1).unwrap();
    let busted = book.close_period(1).unwrap();
    assert_eq!(busted.value, -47.63);
    assert!(busted.implausible);
    let refused = book.close_period(2).unwrap_err();
    assert!(matches!(refused, TrackerError::Equity(EquityError::NotPositive { .. })), "{refused}");
    // More than everything is lost: growth is undefined, single returns are not.
    let sheet = book.sheet();
    assert_eq!(sheet.value("cagr"), Some(Err(Undefined::BeyondTotalLoss { index: 0 })));
    assert_eq!(sheet.value("worst"), Some(Ok(-47.63)));
}

#[test]
fn a_snapshot_is_of_one_moment_and_reads_back_from_json() {
    let clock = clock();
    let book =
        Tracker::builder(&clock, conventions(), 100_000).strategy("a").rolling_window(2).build().unwrap();
    book.record(Fill::buy("ACME", 100, 100).id("x").at(0)).unwrap();
    for (day, close) in [(1, 101), (2, 99), (3, 103)] {
        book.mark("ACME", price(close), day * DAY).unwrap();
        book.close_period_against(day * DAY, 0.001 * day as f64).unwrap();
    }
    let snapshot = book.snapshot().unwrap();
    assert_eq!(snapshot.strategy.as_deref(), Some("a"));
    assert_eq!(snapshot.taken_at, UnixMicros::from(book_time(&clock)));
    assert_eq!((snapshot.periods, snapshot.sheet.observations()), (3, 3));
    assert_eq!(snapshot.equity, Decimal::from(100_300));
    assert_eq!(snapshot.period_end, Some(UnixMicros::from(3 * DAY)));
    assert!(snapshot.sheet.value("beta").unwrap().is_ok(), "every period has a benchmark");
    assert!(snapshot.rolling_volatility.is_some());
    let told = Told::of(&[&book]);
    assert_eq!(told.get("a performance_benchmark_equity"), Some(100_000.0 * 1.001 * 1.002 * 1.003));
    book.mark("ACME", price(104), 4 * DAY).unwrap();
    book.close_period(4 * DAY).unwrap();
    assert_eq!(
        Told::of(&[&book]).get("a performance_benchmark_equity"),
        None,
        "a period without a benchmark"
    );

    let json = serde_json::to_string(&snapshot).unwrap();
    assert!(json.contains(r#""equity":"100300""#), "{json}");
    let back: PerformanceSnapshot = serde_json::from_str(&json).unwrap();
    assert_eq!((back.equity, back.periods, &back.positions), (snapshot.equity, 3, &snapshot.positions));
    assert_eq!(back.sheet.rows().len(), snapshot.sheet.rows().len());
}

fn book_time(clock: &SharedClock) -> i64 {
    clock.timestamp().as_micros()
}

#[test]
fn the_sheet_is_computed_once_per_period() {
    let book = traded("a", &[110, 90]);
    let first = book.sheet();
    assert!(std::sync::Arc::ptr_eq(&first, &book.sheet()));
    book.close_period(3 * DAY).unwrap();
    assert_eq!(book.sheet().observations(), 3);
}

#[test]
fn periods_are_bounded_and_what_is_dropped_is_counted() {
    let clock = clock();
    let book = Tracker::builder(&clock, conventions(), 1000).max_periods(4).build().unwrap();
    for day in 1..=10 {
        book.close_period(day * DAY).unwrap();
    }
    assert_eq!((book.periods().len(), book.equity_curve().len()), (4, 4));
    let snapshot = book.snapshot().unwrap();
    assert_eq!((snapshot.periods, snapshot.periods_dropped, snapshot.sheet.observations()), (10, 6, 4));
    assert_eq!(Told::of(&[&book]).get("- performance_dropped_periods_total"), Some(6.0));
}

#[test]
fn capital_window_and_prefix_are_checked() {
    let clock = clock();
    let wrong = Tracker::new(&clock, conventions(), 0).unwrap_err();
    assert_eq!(wrong.to_string(), "capital 0: expected over 0");
    let wrong = Tracker::builder(&clock, conventions(), 1).rolling_window(1).build().unwrap_err();
    assert_eq!(wrong.to_string(), "rolling window of 1 periods: expected at least 2");
    let wrong = Tracker::builder(&clock, conventions(), 1).prefix("my desk").build().unwrap_err();
    assert_eq!(wrong.to_string(), "prefix \"my desk\" does not make metric names");
    let refused =
        Tracker::new(&clock, conventions(), 1).unwrap().close_period_against(1, f64::NAN).unwrap_err();
    assert!(matches!(refused, TrackerError::Benchmark(_)), "{refused}");
}

#[test]
fn fills_from_many_threads_are_all_booked_and_snapshots_are_whole() {
    let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
    let book = Tracker::new(&clock.shared(), conventions(), 1_000_000).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let book = book.clone();
            scope.spawn(move || {
                let instrument = format!("I{thread}");
                for i in 0..250_u64 {
                    let id = thread * 1000 + i;
                    let draft = if i % 2 == 0 {
                        Fill::buy(&*instrument, 1, 10)
                    } else {
                        Fill::sell(&*instrument, 1, 11)
                    };
                    book.record(draft.id(id).at(i as i64)).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..50 {
                let snapshot = book.snapshot().unwrap();
                assert_eq!(
                    snapshot.equity,
                    snapshot.capital + snapshot.realised + snapshot.unrealised - snapshot.fees
                );
            }
        });
    });
    clock.advance(Duration::from_secs(1));
    assert_eq!(book.counts().fills, 1000);
    assert_eq!(book.equity(), Ok(Decimal::from(1_000_500)));
}
