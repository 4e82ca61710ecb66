use std::time::Duration;

use bellwether_core::{Labels, Unit};
use bellwether_metrics::tracing_layer::{SpanTime, SpanTiming};
use bellwether_metrics::{Buckets, Registry, RegistryConfig, RegistryError, Value};
use tracing::subscriber::with_default;
use tracing::{Level, debug_span, info_span, span, trace_span};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::allocations::allocations;
use crate::desk::{Desk, selector};

fn timed(timing: SpanTiming, metrics: &Registry, call: impl FnOnce()) {
    with_default(tracing_subscriber::registry().with(timing.register(metrics).unwrap()), call);
}

fn ms(desk: &Desk, millis: u64) {
    desk.clock.advance(Duration::from_millis(millis));
}

/// Labels, count and sum of each series.
fn seen(desk: &Desk) -> Vec<(String, u64, f64)> {
    let values = desk.values(&selector("span_duration_seconds"));
    let histogram = |labels: &Labels, value: &Value| match value {
        Value::Histogram(spread) => (labels.to_string(), spread.count(), spread.sum),
        other => panic!("{other:?}"),
    };
    values.iter().map(|series| histogram(&series.labels, &series.value)).collect()
}

fn span(name: &str, count: u64, sum: f64) -> (String, u64, f64) {
    (format!("{{span={name:?}}}"), count, sum)
}

#[test]
fn the_total_time_has_the_waits_and_the_busy_time_has_not() {
    for (time, expected) in [(SpanTime::Total, 0.111), (SpanTime::Busy, 0.011)] {
        let desk = Desk::new();
        timed(SpanTiming::new().with_time(time), &desk, || {
            let order = info_span!("order");
            order.in_scope(|| ms(&desk, 1));
            ms(&desk, 100);
            order.in_scope(|| {
                // Again within itself: this time counts once.
                order.in_scope(|| ms(&desk, 10));
            });
            assert_eq!(seen(&desk).len(), 0, "it is still open");
        });
        assert_eq!(seen(&desk), [span("order", 1, expected)]);
    }
}

#[test]
fn fields_are_labels_also_when_they_are_recorded_later() {
    let desk = Desk::new();
    timed(SpanTiming::new().with_fields(["http.venue", "side", "tries"]), &desk, || {
        let order =
            info_span!("order", http.venue = "XNYS", side = tracing::field::Empty, tries = 1, id = 4_711);
        order.record("side", tracing::field::debug("buy"));
        order.record("tries", 2u64);
        order.record("id", 4_712);
        ms(&desk, 5);
        drop(order);
        info_span!("order", http.venue = %"XNAS").in_scope(|| ms(&desk, 1));
    });
    let told: Vec<_> = seen(&desk).into_iter().map(|(labels, ..)| labels).collect();
    assert_eq!(
        told,
        [
            r#"{http_venue="XNAS",span="order"}"#,
            r#"{http_venue="XNYS",side="\"buy\"",span="order",tries="2"}"#
        ]
    );
}

#[test]
fn only_the_spans_that_are_meant_are_timed() {
    let desk = Desk::new();
    let timing = SpanTiming::new()
        .with_targets(["engine", "feed"])
        .with_spans(["tick", "order"])
        .with_max_level(Level::DEBUG);
    timed(timing, &desk, || {
        span!(target: "engine::risk", Level::ERROR, "order").in_scope(|| ms(&desk, 1));
        debug_span!(target: "feed", "tick").in_scope(|| ms(&desk, 2));
        trace_span!(target: "feed", "tick").in_scope(|| ms(&desk, 4));
        info_span!(target: "engineering", "order").in_scope(|| ms(&desk, 8));
        info_span!(target: "engine", "other").in_scope(|| ms(&desk, 16));
    });
    assert_eq!(seen(&desk), [span("order", 1, 0.001), span("tick", 1, 0.002)]);
}

#[test]
fn two_layers_time_the_same_span_each_for_itself() {
    let desk = Desk::new();
    let total = SpanTiming::new().register(&desk).unwrap();
    let busy =
        SpanTiming::new().with_name("span_busy_seconds").with_time(SpanTime::Busy).with_fields(["venue"]);
    let subscriber = tracing_subscriber::registry().with(total).with(busy.register(&desk).unwrap());
    with_default(subscriber, || {
        let order = info_span!("order", venue = "XNYS");
        ms(&desk, 10);
        order.in_scope(|| ms(&desk, 1));
    });
    assert_eq!(seen(&desk), [span("order", 1, 0.011)]);
    let busy = desk.values(&selector("span_busy_seconds"));
    assert_eq!(busy[0].labels.to_string(), r#"{span="order",venue="XNYS"}"#);
    assert!(matches!(&busy[0].value, Value::Histogram(spread) if spread.sum == 0.001));
}

#[test]
fn a_span_that_moves_between_threads_is_busy_once() {
    let desk = Desk::new();
    let timing = SpanTiming::new().with_time(SpanTime::Busy).register(&desk).unwrap();
    let subscriber: tracing::Dispatch = tracing_subscriber::registry().with(timing).into();
    tracing::dispatcher::with_default(&subscriber, || {
        let order = info_span!("order");
        let here = order.enter();
        ms(&desk, 2);
        std::thread::scope(|scope| {
            scope
                .spawn(|| tracing::dispatcher::with_default(&subscriber, || order.in_scope(|| ms(&desk, 3))));
        });
        drop(here);
        ms(&desk, 50);
    });
    assert_eq!(seen(&desk), [span("order", 1, 0.005)]);
}

#[test]
fn values_without_end_are_bounded_in_number_and_length() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(10));
    timed(SpanTiming::new().with_fields(["id"]), &desk, || {
        for id in 0..1_000 {
            info_span!("order", id, other = "x".repeat(10_000)).in_scope(|| ms(&desk, 1));
        }
    });
    let series = seen(&desk);
    assert_eq!((series.len(), series.iter().map(|(_, count, _)| count).sum::<u64>()), (11, 1_000));
    let desk = Desk::new();
    timed(SpanTiming::new().with_fields(["text"]), &desk, || {
        drop(info_span!("order", text = "é".repeat(10_000)));
    });
    assert_eq!(seen(&desk)[0].0.len(), r#"{span="order",text=""}"#.len() + 128);
}

#[test]
fn a_layer_is_refused_for_names_that_cannot_be() {
    let desk = Desk::new();
    let refused = |timing: SpanTiming| timing.register(&desk).unwrap_err();
    assert!(matches!(refused(SpanTiming::new().with_fields(["span"])), RegistryError::RepeatedLabel { .. }));
    assert!(matches!(
        refused(SpanTiming::new().with_fields(["a.b", "a_b"])),
        RegistryError::RepeatedLabel { .. }
    ));
    assert!(matches!(refused(SpanTiming::new().with_fields(["le"])), RegistryError::ReservedLabel { .. }));
    assert!(matches!(refused(SpanTiming::new().with_fields([""])), RegistryError::Name(_)));
    assert!(matches!(refused(SpanTiming::new().with_name("no name")), RegistryError::Name(_)));
    desk.gauge("span_duration_seconds", Unit::Seconds, "Taken.").unwrap();
    let other = SpanTiming::new().with_buckets(Buckets::linear(1.0, 1.0, 3).unwrap());
    assert!(matches!(refused(other), RegistryError::Conflict { .. }));
}

#[test]
fn nothing_is_kept_of_a_span_that_has_closed() {
    let desk = Desk::new();
    timed(SpanTiming::new().with_fields(["venue"]), &desk, || {
        let day = || (0..100).for_each(|_| drop(info_span!("order", venue = "XNYS")));
        day();
        // What is kept with the span, the list it stands in, its fields and the one that has a value.
        assert!(allocations(day) <= 100 * 5);
    });
}
