use std::sync::Barrier;
use std::thread;

use bellwether_metrics::{Buckets, NativeBuckets, Quantiles, Unit};

use crate::desk::{Desk, selector};
use crate::parser::parse;

const THREADS: usize = 8;
const ROUNDS: usize = 5_000;

#[test]
fn totals_of_many_threads_are_exact_while_others_scrape() {
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id", "side"]).unwrap();
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    let ack = desk.histogram("ack", Unit::None, "Ack.", Buckets::new([1.0, 2.0]).unwrap()).unwrap();
    let start = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (fills, orders, depth, ack, start) = (&fills, &orders, &depth, &ack, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    fills.increment();
                    let id = ((round * 7 + thread) % 100).to_string();
                    orders.with([id.as_str(), if round % 2 == 0 { "buy" } else { "sell" }]).add(2);
                    depth.add(0.5);
                    ack.record((round % 3) as f64);
                }
            });
        }
        start.wait();
        for _ in 0..20 {
            parse(&desk.text());
            desk.sample();
            desk.advance(1);
        }
    });
    let all = THREADS * ROUNDS;
    assert_eq!(fills.get(), all as u64);
    assert_eq!(depth.get(), Some(all as f64 / 2.0));
    let spread = ack.snapshot();
    assert_eq!(spread.count(), all as u64);
    assert_eq!(spread.sum, (0..ROUNDS).map(|round| (round % 3) as f64).sum::<f64>() * THREADS as f64);
    let orders = desk.values(&selector("orders_total"));
    let total: f64 = orders.iter().map(|series| series.value.as_f64().unwrap()).sum();
    assert_eq!(total, 2.0 * all as f64);
    assert_eq!(orders.len(), 200, "each label set has one series whoever made it");
}

#[test]
fn one_definition_from_many_threads_gives_one_metric() {
    let desk = Desk::new();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for i in 0..200 {
                    desk.counter(format!("c{i}_total"), Unit::None, "C.").unwrap().increment();
                }
            });
        }
    });
    for i in 0..200 {
        assert_eq!(desk.counter(format!("c{i}_total"), Unit::None, "C.").unwrap().get(), THREADS as u64);
    }
}

#[test]
fn totals_are_exact_over_hundreds_of_threads_that_come_and_go_and_series_that_do() {
    const WAVES: u64 = 60;
    const AT_ONCE: u64 = 6;
    const TIMES: u64 = 500;
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let fees = desk.float_counter("fees_total", Unit::None, "Fees.").unwrap();
    let ack = desk.histogram("ack", Unit::None, "Ack.", Buckets::new([1.0, 2.0]).unwrap()).unwrap();
    let native =
        desk.native_histogram("native", Unit::None, "N.", NativeBuckets::new(0, 0.5, 8.0).unwrap()).unwrap();
    let quote = desk.summary("quote", Unit::None, "Quote.", Quantiles::latency()).unwrap();
    for wave in 0..WAVES {
        // A registry of its own, whose slots the next wave takes over.
        let other = Desk::new();
        let gone = other.counter_family("gone_total", Unit::None, "Gone.", ["id"]).unwrap();
        let kept = gone.with("kept");
        let beside = other.histogram("beside", Unit::None, "B.", Buckets::new([1.0, 2.0]).unwrap()).unwrap();
        drop((gone, other));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    for i in 0..TIMES {
                        let value = (i % 4) as f64;
                        fills.increment();
                        fees.add(value);
                        ack.record(value);
                        native.record(value);
                        quote.record(value);
                        kept.increment();
                        beside.record(value);
                    }
                });
            }
            // A reader among them.
            let before = fills.get();
            assert!(fills.get() >= before && quote.sketch().count() <= (wave + 1) * AT_ONCE * TIMES);
        });
        assert_eq!((kept.get(), beside.snapshot().count()), (AT_ONCE * TIMES, AT_ONCE * TIMES));
        assert_eq!(beside.snapshot().sum, 1.5 * (AT_ONCE * TIMES) as f64);
    }
    let all = WAVES * AT_ONCE * TIMES;
    let sum = 1.5 * all as f64;
    assert_eq!((fills.get(), fees.get()), (all, sum));
    assert_eq!((ack.snapshot().count(), ack.snapshot().sum), (all, sum));
    assert_eq!(*ack.snapshot().counts, [all / 2, all / 4, all / 4]);
    assert_eq!((native.snapshot().count(), native.snapshot().sum), (all, sum));
    assert_eq!((quote.snapshot().count, quote.snapshot().sum), (all, sum));
}
