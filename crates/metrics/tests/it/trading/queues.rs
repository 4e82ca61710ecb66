use std::panic::resume_unwind;
use std::time::Duration;

use bellwether_metrics::RegistryConfig;
use bellwether_metrics::trading::QueueMetrics;

use crate::desk::{Desk, selector};

fn gauge(desk: &Desk, name: &str, queue: &str) -> Option<f64> {
    let series = selector(name).equal("queue".try_into().unwrap(), queue);
    desk.value(&series).map(|value| value.as_f64().unwrap())
}

#[test]
fn the_depth_is_what_went_in_and_has_not_come_out() {
    let desk = Desk::new();
    let queue = QueueMetrics::register(&desk).unwrap().at("signals", Some(4));
    for _ in 0..4 {
        queue.pushed();
    }
    queue.dropped();
    queue.popped(Duration::from_millis(2));
    queue.overwritten();
    queue.popped_unmeasured();
    assert_eq!(gauge(&desk, "queue_depth", "signals"), Some(1.0));
    assert_eq!(gauge(&desk, "queue_utilisation_ratio", "signals"), Some(0.25));
    assert_eq!(gauge(&desk, "queue_dropped_total", "signals"), Some(2.0));
    assert_eq!(gauge(&desk, "queue_popped_total", "signals"), Some(3.0));
}

#[test]
fn a_queue_without_a_bound_has_no_capacity_and_no_utilisation() {
    let desk = Desk::new();
    let queues = QueueMetrics::register(&desk).unwrap();
    queues.watch("log", None, || 7);
    queues.watch("none fit", Some(0), || 0);
    assert_eq!(gauge(&desk, "queue_depth", "log"), Some(7.0));
    assert_eq!(gauge(&desk, "queue_capacity", "log"), None);
    assert_eq!(gauge(&desk, "queue_utilisation_ratio", "none fit"), None);
}

#[test]
fn a_depth_that_panics_takes_no_other_away_and_is_told() {
    let desk = Desk::new();
    let queues = QueueMetrics::register(&desk).unwrap();
    queues.watch("bad", Some(8), || resume_unwind(Box::new("poisoned")));
    queues.watch("good", Some(8), || 2);
    assert_eq!(gauge(&desk, "queue_depth", "good"), Some(2.0));
    assert_eq!(gauge(&desk, "queue_depth", "bad"), None);
    assert!(desk.own("bellwether_metrics_collector_failures_total", Some("error")) >= 1.0);
    queues.watch("bad", Some(8), || 1);
    assert_eq!(gauge(&desk, "queue_depth", "bad"), Some(1.0));
}

#[test]
fn a_depth_may_use_the_queues_that_it_is_watched_by() {
    let desk = Desk::new();
    let queues = QueueMetrics::register(&desk).unwrap();
    let again = queues.clone();
    queues.watch("signals", None, move || {
        again.watch("seen", None, || 5);
        3
    });
    assert_eq!(gauge(&desk, "queue_depth", "signals"), Some(3.0));
    assert_eq!(gauge(&desk, "queue_depth", "seen"), Some(5.0));
}

#[test]
fn watched_queues_are_bounded() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(3));
    let queues = QueueMetrics::register(&desk).unwrap();
    for id in 0..50 {
        queues.watch(&format!("queue {id}"), Some(10), || 1);
    }
    assert!(desk.values(&selector("queue_depth")).len() <= 4);
}
