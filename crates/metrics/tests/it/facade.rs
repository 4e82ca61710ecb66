use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bellwether_core::{Aggregate, Unit};
use bellwether_metrics::facade::{FacadeRecorder, metrics};
use bellwether_metrics::{Buckets, RegistryConfig, Value};
use metrics::{
    counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram, with_local_recorder,
};

use crate::allocations::allocations;
use crate::desk::{Desk, selector};
use crate::ear::Ear;
use crate::parser::parse;

fn recorder(desk: &Desk) -> FacadeRecorder {
    FacadeRecorder::new(desk).unwrap()
}

fn value(desk: &Desk, name: &str) -> Option<f64> {
    desk.value(&selector(name)).map(|value| value.as_f64().unwrap())
}

fn refused(desk: &Desk, reason: &str) -> f64 {
    desk.own("bellwether_facade_refused_total", Some(reason))
}

#[test]
fn what_a_library_records_is_on_the_page_and_in_the_history() {
    let desk = Desk::new();
    with_local_recorder(&recorder(&desk), || {
        let logins = counter!("gateway.logins", "venue" => "XNYS");
        logins.increment(2);
        counter!("gateway.logins", "venue" => "XNYS").increment(1);
        counter!("gateway.logins", "venue" => "XNAS", "session" => "A").increment(5);
        gauge!("depth").set(3.0);
        gauge!("depth").increment(2.0);
        gauge!("depth").decrement(1);
        histogram!("lag").record(0.02);
        histogram!("lag").record_many(0.3, 2);
    });
    let page = parse(&desk.text());
    assert_eq!(page.value("gateway_logins_total", &[("venue", "XNYS")]), Some(3.0));
    assert_eq!(page.value("gateway_logins_total", &[("session", "A"), ("venue", "XNAS")]), Some(5.0));
    assert_eq!(page.value("depth", &[]), Some(4.0));
    assert_eq!(page.value("lag_bucket", &[("le", "0.02")]), Some(1.0));
    assert_eq!(page.value("lag_count", &[]), Some(3.0));
    assert_eq!(page.value("bellwether_facade_metrics", &[]), Some(3.0));
    desk.sample();
    assert_eq!(desk.all("gateway_logins_total", Aggregate::Last).len(), 2);
}

#[test]
fn descriptions_before_the_first_record_are_heard() {
    let desk = Desk::new();
    with_local_recorder(&recorder(&desk), || {
        describe_histogram!("ack", metrics::Unit::Milliseconds, "Order to ack.");
        describe_counter!("sent", metrics::Unit::Bytes, "Sent.");
        histogram!("ack").record(2.0);
        counter!("sent").increment(1);
        gauge!("plain").set(1.0);
        describe_gauge!("plain", metrics::Unit::Seconds, "Too late.");
        gauge!("plain").set(2.0);
    });
    let snapshot = desk.snapshot();
    let told = |name: &str| {
        let family = snapshot.families.iter().find(|family| family.descriptor.name == *name).unwrap();
        (family.descriptor.unit.clone(), family.descriptor.help.to_string())
    };
    assert_eq!(told("ack"), (Unit::Other("milliseconds".into()), "Order to ack.".into()));
    assert_eq!(told("sent_total"), (Unit::Bytes, "Sent.".into()));
    assert_eq!(told("plain"), (Unit::None, "\"plain\" of the `metrics` facade.".into()));
    let Some(Value::Histogram(ack)) = desk.value(&selector("ack")) else { panic!("a histogram") };
    assert_eq!(ack.sum, 2.0, "values are as they were recorded");
}

#[test]
fn a_total_is_raised_and_never_lowered_also_by_many_at_once() {
    let desk = Desk::new();
    let recorder = recorder(&desk);
    let turn = Barrier::new(2);
    let wrong = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let pages = with_local_recorder(&recorder, || counter!("pages"));
                for total in 1..=5_000u32 {
                    turn.wait();
                    pages.absolute(total.into());
                    // Both are here: what is missing was added once.
                    if turn.wait().is_leader() && value(&desk, "pages_total") != Some(total.into()) {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(wrong.into_inner(), 0);
    with_local_recorder(&recorder, || {
        counter!("pages").absolute(5);
        counter!("pages").increment(1);
    });
    assert_eq!(value(&desk, "pages_total"), Some(5_001.0));
}

#[test]
fn one_name_of_two_kinds_is_refused_counted_and_told_once() {
    let desk = Desk::new();
    desk.gauge("pnl", Unit::Usd, "Ours.").unwrap().set(1.0);
    let ear = Ear::open();
    with_local_recorder(&recorder(&desk), || {
        gauge!("x").set(1.0);
        for _ in 0..3 {
            histogram!("x").record(1.0);
            gauge!("pnl").set(2.0);
        }
        counter!("x").increment(1);
        counter!("").increment(1);
        gauge!("a.b").set(1.0);
        gauge!("a_b").set(2.0);
    });
    let told = ear.lines();
    assert_eq!(told.len(), 5, "{told:#?}");
    let counts = ["conflict", "name", "collision", "bound"].map(|reason| {
        let series = selector("bellwether_facade_refused_total").equal("reason".try_into().unwrap(), reason);
        desk.value(&series).map_or(0.0, |value| value.as_f64().unwrap())
    });
    assert_eq!(counts, [7.0, 1.0, 1.0, 0.0]);
    assert_eq!(
        (value(&desk, "x"), value(&desk, "pnl"), value(&desk, "a_b")),
        (Some(1.0), Some(1.0), Some(1.0))
    );
}

#[test]
fn hostile_names_and_labels_are_told_as_near_as_ours_can_be() {
    let desk = Desk::new();
    with_local_recorder(&recorder(&desk), || {
        gauge!("http/latency p99", "http.method" => "GET", "__x" => "a\"b\\c\nd").set(1.0);
        gauge!("memory_total").set(2.0);
        counter!("orders_total").increment(3);
        // None of these can be a label set.
        gauge!("twice", "a.b" => "1", "a_b" => "2").set(1.0);
        gauge!("none", "" => "1").set(1.0);
        histogram!("bounds", "le" => "1").record(1.0);
    });
    let page = parse(&desk.text());
    assert_eq!(page.value("http_latency_p99", &[("http_method", "GET"), ("x__", "a\"b\\c\nd")]), Some(1.0));
    assert_eq!(page.value("memory_total_value", &[]), Some(2.0));
    assert_eq!(page.value("orders_total", &[]), Some(3.0));
    let overflow = [("overflow", "true")];
    assert_eq!(page.value("twice", &overflow), Some(1.0));
    assert_eq!(page.value("none", &overflow), Some(1.0));
    assert_eq!(page.value("bounds_count", &overflow), Some(1.0));
    assert_eq!(desk.refused("label"), 3.0);
}

#[test]
fn a_flood_of_labels_and_of_names_is_bounded_and_totals_stay_right() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(50).with_max_metrics(60));
    with_local_recorder(&recorder(&desk), || {
        for id in 0..2_000 {
            counter!("orders", "id" => id.to_string()).increment(1);
            gauge!(format!("gauge_{id}")).set(1.0);
        }
    });
    let orders = desk.values(&selector("orders_total"));
    assert_eq!(orders.len(), 51);
    assert_eq!(orders.iter().map(|series| series.value.as_f64().unwrap()).sum::<f64>(), 2_000.0);
    assert_eq!(refused(&desk, "bound"), 2_000.0 - 57.0, "two of the recorder's own, and one counter");
}

#[test]
fn buckets_are_those_of_the_longest_prefix() {
    let desk = Desk::new();
    let bounds = |bound| Buckets::new([bound]).unwrap();
    let recorder = recorder(&desk)
        .with_buckets("http.", bounds(1.0))
        .with_buckets("http.body.", bounds(2.0))
        .with_other_buckets(bounds(3.0));
    with_local_recorder(&recorder, || {
        for name in ["http.lag", "http.body.size", "ticks"] {
            histogram!(name).record(0.5);
        }
    });
    let bound = |name| match desk.value(&selector(name)) {
        Some(Value::Histogram(spread)) => spread.bounds[0],
        other => panic!("{other:?}"),
    };
    assert_eq!(["http_lag", "http_body_size", "ticks"].map(bound), [1.0, 2.0, 3.0]);
}

#[test]
fn two_recorders_feed_the_same_metrics() {
    let desk = Desk::new();
    for _ in 0..2 {
        with_local_recorder(&recorder(&desk), || counter!("fills").increment(1));
    }
    assert_eq!(value(&desk, "fills_total"), Some(2.0));
}

#[test]
fn a_handle_of_the_facade_allocates_nothing_and_a_macro_once() {
    let desk = Desk::new();
    with_local_recorder(&recorder(&desk), || {
        let fills = counter!("fills", "venue" => "XNYS");
        let lag = histogram!("lag");
        fills.increment(1);
        lag.record(0.1);
        let spent = allocations(|| {
            for total in 0..1_000u32 {
                fills.increment(1);
                fills.absolute(u64::from(total));
                lag.record(f64::from(total));
            }
        });
        assert_eq!(spent, 0);
        let spent = allocations(|| {
            for _ in 0..100 {
                counter!("fills", "venue" => "XNYS").increment(1);
            }
        });
        assert_eq!(spent, 100, "the handle");
    });
}
