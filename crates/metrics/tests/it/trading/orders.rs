use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Aggregate, Unit};
use bellwether_metrics::trading::{OrderMetrics, Preset, RejectReason};
use bellwether_metrics::{Buckets, RegistryConfig, RegistryError, Value};

use crate::desk::{Desk, selector};
use crate::parser::parse;

#[test]
fn three_lines_give_a_page_with_units_and_helps() {
    let desk = Desk::new();
    let orders = OrderMetrics::register(&desk).unwrap();
    orders.acked.record(Duration::from_micros(180));
    orders.rejected.with("price_band").increment();
    let page = parse(&desk.text());
    assert_eq!(page.value("order_ack_seconds_count", &[]), Some(1.0));
    assert_eq!(page.value("orders_rejected_total", &[("reason", "price_band")]), Some(1.0));
    let snapshot = desk.snapshot();
    let told: Vec<_> = snapshot.families.iter().map(|family| &family.descriptor).collect();
    for family in told.iter().filter(|family| !family.name.as_str().starts_with("bellwether_")) {
        assert!(family.help.ends_with('.') && family.help.len() > 10, "{family:?}");
        let name = family.name.as_str().trim_end_matches("_total");
        assert_eq!(name.ends_with("_seconds"), family.unit == Unit::Seconds, "{family:?}");
    }
}

#[test]
fn a_pair_that_was_never_used_is_on_no_page() {
    let desk = Desk::new();
    let orders = OrderMetrics::register(&desk).unwrap();
    orders.at("XNYS", "momentum").sent.increment();
    let sent = desk.values(&selector("orders_sent_total"));
    assert_eq!(sent.len(), 1, "no series without venue and strategy: {sent:?}");
    orders.sent.increment();
    assert_eq!(desk.values(&selector("orders_sent_total")).len(), 2);
}

#[test]
fn the_same_pair_has_the_same_handles_whoever_asks() {
    let desk = Desk::new();
    let orders = OrderMetrics::register(&desk).unwrap();
    let again = orders.clone();
    assert!(Arc::ptr_eq(&orders.at("XNYS", "a"), &again.at("XNYS", "a")));
    assert!(!Arc::ptr_eq(&orders.at("XNYS", "a"), &orders.at("XNYS", "b")));
    assert_eq!(orders.at("XNYS", "a").labels().to_string(), r#"{strategy="a",venue="XNYS"}"#);
}

#[test]
fn pairs_beyond_the_bound_share_one_series_and_no_order_is_lost() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(8));
    let orders = OrderMetrics::register(&desk).unwrap();
    for id in 0..100 {
        let orders = orders.at("XNYS", &format!("strategy {id}"));
        let mut order = orders.send(10.0);
        order.acked();
        order.filled(5.0);
        order.rejected("price_band");
        orders.send(10.0).cancelled();
    }
    let rest = selector("order_fill_ratio").equal("overflow".try_into().unwrap(), "true");
    assert_eq!(desk.value(&rest), Some(Value::Gauge(0.25)), "the rest has a ratio of its own");
    let too_long = "x".repeat(5_000);
    orders.at(&too_long, "a").sent.increment();
    for (name, expected, most) in [
        ("orders_sent_total", 201.0, 9),
        ("orders_rejected_total", 100.0, 9),
        ("order_executions_total", 100.0, 9),
        ("order_finished_quantity_total", 2_000.0, 9),
        ("order_filled_quantity_total", 500.0, 9),
    ] {
        let series = desk.values(&selector(name));
        let total: f64 = series.iter().map(|series| series.value.as_f64().unwrap()).sum();
        assert_eq!(total, expected, "{name}");
        assert!(series.len() <= most, "{name}: {} series", series.len());
    }
}

#[test]
fn the_fill_ratio_forgets_what_ended_long_ago() {
    let desk = Desk::new();
    let preset = Preset::new().with_prefix("desk").with_fill_ratio_window(Duration::from_mins(1));
    let orders = preset.orders(&desk).unwrap().at("XNYS", "a");
    let ratio = || desk.value(&selector("desk_order_fill_ratio"));
    assert_eq!(ratio(), None);
    let mut order = orders.send(100.0);
    order.filled(25.0);
    order.cancelled();
    assert_eq!(ratio(), Some(Value::Gauge(0.25)));
    for _ in 0..30 {
        desk.advance(1);
        desk.sample();
    }
    orders.send(100.0).filled(100.0);
    assert_eq!(ratio(), Some(Value::Gauge(0.625)));
    for _ in 0..50 {
        desk.advance(1);
        desk.sample();
    }
    assert_eq!(ratio(), Some(Value::Gauge(1.0)));
    for _ in 0..60 {
        desk.advance(1);
        desk.sample();
    }
    assert_eq!(ratio(), None);
    assert_eq!(desk.one("desk_order_filled_quantity_total", Aggregate::Last), Some(125.0));
}

#[test]
fn a_prefix_makes_room_for_two_desks_in_one_registry() {
    let desk = Desk::new();
    let equities = Preset::new().with_prefix("equities");
    let crypto =
        Preset::new().with_prefix("crypto").with_latency_buckets(Buckets::linear(0.1, 0.1, 5).unwrap());
    for preset in [&equities, &crypto] {
        preset.orders(&desk).unwrap();
        preset.feeds(&desk).unwrap();
        preset.positions(&desk).unwrap();
        preset.queues(&desk).unwrap();
    }
    let bad = Preset::new().with_prefix("the desk");
    assert!(matches!(bad.orders(&desk), Err(RegistryError::Name(_))));
    let other = Preset::new().with_prefix("crypto");
    assert!(matches!(other.orders(&desk), Err(RegistryError::Conflict { .. })), "other buckets");
}

#[test]
fn every_fix_reason_has_a_word() {
    for code in 0..40 {
        let word = RejectReason::from_fix(code).as_str();
        assert!(!word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    }
    assert_eq!(RejectReason::from_fix(18).to_string(), "tick_size");
}
