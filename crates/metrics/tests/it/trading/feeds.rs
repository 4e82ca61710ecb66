use std::time::Duration;

use bellwether_core::{Aggregate, Monotonic};
use bellwether_metrics::trading::{Arrival, FeedMetrics};
use bellwether_metrics::{RegistryConfig, Value};

use crate::desk::{Desk, selector};

fn staleness(desk: &Desk) -> Option<f64> {
    match desk.value(&selector("feed_staleness_seconds")) {
        Some(Value::Gauge(seconds)) => Some(seconds),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn count(desk: &Desk, name: &str) -> f64 {
    desk.values(&selector(name)).iter().map(|series| series.value.as_f64().unwrap()).sum()
}

#[test]
fn a_feed_that_never_speaks_grows_stale_from_when_it_was_opened() {
    let desk = Desk::new();
    let feeds = FeedMetrics::register(&desk).unwrap();
    desk.advance(100);
    let _feed = feeds.open("itch-a");
    assert_eq!(staleness(&desk), Some(0.0));
    desk.advance(60);
    assert_eq!(staleness(&desk), Some(60.0));
    desk.sample();
    assert_eq!(desk.one("feed_staleness_seconds", Aggregate::Last), Some(60.0));
}

#[test]
fn any_sign_of_life_makes_a_feed_fresh_and_a_step_of_the_wall_clock_none() {
    let desk = Desk::new();
    let feeds = FeedMetrics::register(&desk).unwrap();
    let mut feed = feeds.open("itch-a");
    desk.advance(10);
    feed.heartbeat();
    desk.advance(3);
    desk.clock.step_wall(chrono::TimeDelta::hours(5));
    assert_eq!(staleness(&desk), Some(3.0));
    feed.received_unnumbered();
    assert_eq!(staleness(&desk), Some(0.0));
    desk.advance(3);
    feed.received_at(7, Monotonic::after_origin(Duration::from_secs(1)));
    assert_eq!(staleness(&desk), Some(3.0), "what is told late makes no feed older or fresher");
}

#[test]
fn a_paused_feed_has_no_staleness_until_it_speaks_again() {
    let desk = Desk::new();
    let feeds = FeedMetrics::register(&desk).unwrap();
    let mut feed = feeds.open("itch-a");
    feed.paused();
    desk.advance(60_000);
    assert_eq!(staleness(&desk), None);
    feed.resumed();
    desk.advance(2);
    assert_eq!(staleness(&desk), Some(2.0));
    feed.paused();
    feed.received(1);
    assert_eq!(staleness(&desk), Some(0.0));
}

#[test]
fn gaps_late_double_and_old_messages_are_told_apart() {
    let desk = Desk::new();
    let feeds = FeedMetrics::register(&desk).unwrap();
    let mut feed = feeds.open("itch-a");
    for (sequence, expected) in [
        (1, Arrival::InOrder),
        (2, Arrival::InOrder),
        (6, Arrival::Gap { missed: 3 }),
        (4, Arrival::Late),
        (4, Arrival::Duplicate),
        (500, Arrival::Gap { missed: 493 }),
        (5, Arrival::Old),
    ] {
        assert_eq!(feed.received(sequence), expected);
    }
    assert_eq!(feed.heartbeat_before(503), 2);
    feed.failed("checksum");
    feed.restarted();
    assert_eq!(feed.received(1), Arrival::InOrder);
    let counts = [
        "feed_messages_total",
        "feed_gaps_total",
        "feed_missed_messages_total",
        "feed_recovered_messages_total",
        "feed_duplicates_total",
        "feed_old_messages_total",
        "feed_restarts_total",
        "feed_errors_total",
    ]
    .map(|name| count(&desk, name));
    assert_eq!(counts, [8.0, 3.0, 498.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn lag_is_measured_by_the_wall_clock_and_a_stamp_ahead_of_it_is_counted() {
    let desk = Desk::new();
    let feeds = FeedMetrics::register(&desk).unwrap();
    let feed = feeds.open("itch-a");
    feed.stamped(desk.now().saturating_sub(Duration::from_millis(4)));
    feed.stamped(desk.now().saturating_add(Duration::from_millis(1)));
    desk.sample();
    assert_eq!(desk.one("feed_lag_seconds_sum", Aggregate::Last), Some(0.004));
    assert_eq!(count(&desk, "feed_stamps_ahead_total"), 1.0);
}

#[test]
fn feeds_beyond_the_bound_share_a_staleness_and_count_all_the_same() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(4));
    let feeds = FeedMetrics::register(&desk).unwrap();
    let mut open: Vec<_> = (0..20).map(|id| feeds.open(&format!("feed {id}"))).collect();
    for feed in &mut open {
        feed.received(1);
    }
    assert_eq!(count(&desk, "feed_messages_total"), 20.0);
    assert!(desk.values(&selector("feed_staleness_seconds")).len() <= 5);
}
