use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Clock, Monotonic};
use bellwether_metrics::trading::{LiveOrder, OrderMetrics, Orders, RejectReason};
use bellwether_metrics::{Histogram, Value};
use proptest::prelude::*;

use crate::desk::{Desk, selector};

fn momentum(desk: &Desk) -> (OrderMetrics, Arc<Orders>) {
    let orders = OrderMetrics::register(desk).unwrap();
    let momentum = orders.at("XNYS", "momentum");
    (orders, momentum)
}

fn seen(histogram: &Histogram) -> (u64, f64) {
    let seen = histogram.snapshot();
    (seen.count(), seen.sum)
}

fn unexpected(desk: &Desk, event: &str) -> f64 {
    let events = selector("order_unexpected_events_total").equal("event".try_into().unwrap(), event);
    desk.values(&events).iter().map(|series| series.value.as_f64().unwrap()).sum()
}

/// All events that did not fit.
fn all_unexpected(desk: &Desk) -> f64 {
    desk.values(&selector("order_unexpected_events_total"))
        .iter()
        .map(|series| series.value.as_f64().unwrap())
        .sum()
}

fn ms(desk: &Desk, millis: u64) {
    desk.clock.advance(Duration::from_millis(millis));
}

#[test]
fn an_order_that_is_filled_in_parts_is_measured_at_each_step() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(100.0);
    assert_eq!((orders.sent.get(), orders.open.get()), (1, Some(1.0)));
    ms(&desk, 10);
    order.acked();
    ms(&desk, 20);
    order.filled(40.0);
    assert_eq!((order.has_ended(), order.open_quantity()), (false, 60.0));
    ms(&desk, 30);
    order.filled(60.0);
    assert!(order.has_ended());
    assert_eq!(seen(&orders.acked), (1, 0.01));
    assert_eq!(seen(&orders.first_filled), (1, 0.02));
    assert_eq!(seen(&orders.filled), (1, 0.05));
    assert_eq!((orders.executions.get(), orders.finished.filled.get()), (2, 1));
    drop(order);
    assert_eq!((orders.open.get(), orders.finished.abandoned.get()), (Some(0.0), 0));
    assert_eq!(all_unexpected(&desk), 0.0);
}

#[test]
fn a_fill_that_overtakes_the_acknowledgement_is_counted_and_both_count() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(100.0);
    ms(&desk, 5);
    order.filled(100.0);
    ms(&desk, 5);
    order.acked();
    assert_eq!(orders.finished.filled.get(), 1);
    assert_eq!(seen(&orders.acked), (1, 0.01));
    assert_eq!((seen(&orders.first_filled).0, seen(&orders.filled).0), (0, 0), "nobody knows these times");
    assert_eq!((unexpected(&desk, "out_of_order"), all_unexpected(&desk)), (1.0, 1.0));
}

#[test]
fn a_fill_after_the_cancel_is_a_fill() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(100.0);
    order.acked();
    order.cancel_requested();
    ms(&desk, 3);
    order.cancelled();
    assert_eq!(seen(&orders.cancelled), (1, 0.003));
    order.filled(30.0);
    assert_eq!((orders.executions.get(), orders.finished.cancelled.get()), (1, 1));
    assert_eq!(unexpected(&desk, "out_of_order"), 1.0);
    assert_eq!(orders.open.get(), Some(0.0));
    assert_eq!(desk.value(&selector("order_fill_ratio")), Some(Value::Gauge(0.3)));
}

#[test]
fn only_a_cancel_that_was_asked_for_has_a_length() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    orders.send(1.0).cancelled();
    let mut order = orders.send(1.0);
    order.cancel_requested();
    order.cancel_rejected(RejectReason::TooLate);
    ms(&desk, 100);
    order.cancelled();
    assert_eq!((orders.finished.cancelled.get(), seen(&orders.cancelled).0), (2, 0));
    assert_eq!(orders.cancels_rejected.with("too_late").get(), 1);
}

#[test]
fn a_replace_is_timed_and_changes_what_is_a_whole_fill() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(100.0);
    order.acked();
    order.filled(40.0);
    order.replace_requested();
    ms(&desk, 7);
    order.replaced(200.0);
    assert_eq!((seen(&orders.replaced), order.open_quantity()), ((1, 0.007), 160.0));
    order.filled(60.0);
    assert!(!order.has_ended());
    order.replaced(100.0);
    assert!(order.has_ended(), "filled up to its new quantity");
    assert_eq!((orders.finished.filled.get(), seen(&orders.replaced).0), (1, 1));
}

#[test]
fn a_reject_counts_by_reason_and_not_as_finished() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    orders.send(5.0).rejected(RejectReason::PriceBand);
    orders.send(5.0).rejected("price_band");
    assert_eq!((orders.rejected.with("price_band").get(), orders.open.get()), (2, Some(0.0)));
    let finished = desk.values(&selector("orders_finished_total"));
    assert!(finished.iter().all(|series| series.value.as_f64() == Some(0.0)), "{finished:?}");
    assert_eq!(desk.value(&selector("order_fill_ratio")), None, "a reject says nothing about fills");
}

#[test]
fn what_does_not_fit_is_counted_by_what_it_is() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(f64::NAN);
    order.acked();
    order.acked();
    order.filled(0.0);
    order.filled(f64::INFINITY);
    order.replaced(-1.0);
    order.replaced(10.0);
    order.filled(11.0);
    order.cancelled();
    order.expired();
    order.rejected("late");
    order.cancel_requested();
    order.replace_requested();
    order.replaced(1.0);
    let events = ["out_of_order", "duplicate", "after_end", "overfill", "invalid", "clock"];
    assert_eq!(events.map(|event| unexpected(&desk, event)), [0.0, 1.0, 6.0, 1.0, 4.0, 0.0]);
    assert_eq!(orders.rejected.with("late").get(), 0);
}

#[test]
fn an_instant_before_the_one_it_is_measured_from_is_counted_and_not_recorded() {
    let desk = Desk::new();
    ms(&desk, 100);
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(1.0);
    let early = Monotonic::after_origin(Duration::from_millis(99));
    order.acked_at(early);
    order.filled(1.0);
    assert_eq!((seen(&orders.acked).0, unexpected(&desk, "clock")), (0, 1.0));
    assert_eq!(seen(&orders.filled), (1, 0.001), "from the instant that was told");
}

#[test]
fn a_dropped_order_is_abandoned_and_not_open_for_ever() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    drop(orders.send(1.0));
    assert_eq!((orders.finished.abandoned.get(), orders.open.get()), (1, Some(0.0)));
}

#[test]
fn parts_that_do_not_add_up_in_binary_fill_an_order() {
    let desk = Desk::new();
    let (_metrics, orders) = momentum(&desk);
    let mut order = orders.send(0.3);
    for _ in 0..3 {
        order.filled(0.1);
    }
    assert!(order.has_ended());
    assert_eq!(unexpected(&desk, "overfill"), 0.0);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Acked,
    Filled(u8),
    CancelRequested,
    Cancelled,
    CancelRejected,
    ReplaceRequested,
    Replaced(u8),
    Rejected,
    Expired,
}

fn tell(order: &mut LiveOrder, event: Event) {
    match event {
        Event::Acked => order.acked(),
        Event::Filled(quantity) => order.filled(quantity.into()),
        Event::CancelRequested => order.cancel_requested(),
        Event::Cancelled => order.cancelled(),
        Event::CancelRejected => order.cancel_rejected("late"),
        Event::ReplaceRequested => order.replace_requested(),
        Event::Replaced(quantity) => order.replaced(quantity.into()),
        Event::Rejected => order.rejected("price_band"),
        Event::Expired => order.expired(),
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Acked),
        (0u8..30).prop_map(Event::Filled),
        Just(Event::CancelRequested),
        Just(Event::Cancelled),
        Just(Event::CancelRejected),
        Just(Event::ReplaceRequested),
        (0u8..60).prop_map(Event::Replaced),
        Just(Event::Rejected),
        Just(Event::Expired),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_every_order_ends_once_and_every_fill_counts(
        lives in prop::collection::vec((0u8..60, prop::collection::vec(event(), 0..12)), 1..12),
    ) {
        let desk = Desk::new();
        let (_metrics, orders) = momentum(&desk);
        let (mut executions, mut filled) = (0, 0.0);
        let sent = lives.len() as u64;
        let mut open: Vec<_> = lives.iter().map(|(quantity, _)| orders.send((*quantity).into())).collect();
        for step in 0..12 {
            for ((_, events), order) in lives.iter().zip(&mut open) {
                if let Some(&event) = events.get(step) {
                    if let Event::Filled(quantity @ 1..) = event {
                        executions += 1;
                        filled += f64::from(quantity);
                    }
                    tell(order, event);
                    prop_assert!(order.open_quantity() >= 0.0);
                }
            }
            ms(&desk, 1);
        }
        drop(open);
        prop_assert_eq!(orders.open.get(), Some(0.0));
        let finished = &orders.finished;
        let ended = finished.filled.get() + finished.cancelled.get() + finished.expired.get()
            + finished.abandoned.get() + orders.rejected.with("price_band").get();
        prop_assert_eq!(ended, sent);
        prop_assert_eq!(orders.executions.get(), executions);
        let total = desk.value(&selector("order_filled_quantity_total")).unwrap().as_f64().unwrap();
        prop_assert_eq!(total, filled);
        for histogram in [&orders.acked, &orders.first_filled, &orders.filled, &orders.cancelled] {
            prop_assert!(histogram.snapshot().count() <= sent);
        }
        let now = desk.clock.monotonic().since_origin().as_secs_f64();
        prop_assert!(orders.acked.snapshot().sum <= now * sent as f64);
    }
}
