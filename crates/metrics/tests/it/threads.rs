use std::sync::Barrier;
use std::thread;

use bellwether_metrics::{Buckets, Unit};

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
