//! Data feeds: gaps, lag, staleness.

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::Aggregate;
use bellwether_metrics::collectors::{Feed, FeedError, Feeds, MAX_FEEDS};
use proptest::prelude::*;

use crate::desk::{Desk, selector};

fn desk() -> (Desk, Feed) {
    let desk = Desk::new();
    let feeds = Feeds::new(desk.metrics.clock());
    desk.collect(feeds.clone()).unwrap();
    let feed = feeds.feed("trades").unwrap();
    (desk, feed)
}

fn value(desk: &Desk, name: &str) -> f64 {
    desk.value(&selector(name)).unwrap().as_f64().unwrap()
}

#[test]
fn gaps_duplicates_and_late_messages_are_told_apart() {
    let (desk, feed) = desk();
    for sequence in [100, 101, 105, 105, 103, 106] {
        feed.tick(sequence, desk.now());
    }
    feed.error();
    feed.restart();
    feed.tick(1, desk.now());
    let told = ["ticks", "gaps", "missed", "duplicates", "out_of_order", "errors"];
    let told = told.map(|what| value(&desk, &format!("feed_{what}_total")));
    assert_eq!(told, [7.0, 1.0, 3.0, 1.0, 1.0, 1.0]);
}

#[test]
fn lag_is_from_event_to_receipt_and_never_negative() {
    let (desk, feed) = desk();
    feed.tick_unnumbered(desk.now().saturating_sub(Duration::from_millis(40)));
    feed.tick_unnumbered(desk.now().saturating_add(Duration::from_secs(5)));
    let page = desk.text();
    assert!(page.contains("feed_lag_seconds_sum{feed=\"trades\"} 0.04\n"), "{page}");
    assert!(page.contains("feed_lag_seconds_count{feed=\"trades\"} 2\n"), "{page}");
    assert_eq!(value(&desk, "feed_ahead_total"), 1.0);
}

#[test]
fn a_feed_that_never_began_grows_stale_and_a_clock_set_back_keeps_none_fresh() {
    let (desk, feed) = desk();
    desk.advance(7);
    assert_eq!(value(&desk, "feed_staleness_seconds"), 7.0);
    feed.tick_unnumbered(desk.now());
    assert_eq!(value(&desk, "feed_staleness_seconds"), 0.0);
    desk.clock.step_wall(chrono::TimeDelta::hours(-1));
    desk.advance(3);
    assert_eq!(value(&desk, "feed_staleness_seconds"), 3.0);
}

#[test]
fn the_rate_of_a_feed_is_that_of_its_messages() {
    let (desk, feed) = desk();
    for second in 0..10 {
        for tick in 0..20 {
            feed.tick(second * 20 + tick, desk.now());
        }
        desk.sample();
        desk.advance(1);
    }
    assert_eq!(desk.one("feed_ticks_total", Aggregate::Rate), Some(20.0));
}

#[test]
fn feeds_are_bounded_and_a_name_is_one_feed() {
    let desk = Desk::new();
    let feeds = Feeds::new(desk.metrics.clock());
    for n in 0..MAX_FEEDS {
        feeds.feed(&n.to_string()).unwrap();
    }
    assert_eq!(feeds.feed("more").unwrap_err(), FeedError::TooMany { feed: "more".into() });
    feeds.feed("0").unwrap().error();
    desk.collect(feeds).unwrap();
    assert!(desk.text().contains("feed_errors_total{feed=\"0\"} 1\n"));
    assert!(matches!(Feeds::new(desk.metrics.clock()).feed(&"x".repeat(5_000)), Err(FeedError::Name(_))));
}

#[test]
fn messages_that_many_threads_tell_are_all_counted() {
    let (desk, feed) = desk();
    let at = desk.now();
    let next = Arc::new(std::sync::atomic::AtomicU64::new(1));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    feed.tick(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst), at);
                }
            });
        }
    });
    let of = |what: &str| value(&desk, &format!("feed_{what}_total"));
    assert_eq!((of("ticks"), of("duplicates")), (20_000.0, 0.0));
    assert_eq!(of("missed"), of("out_of_order"), "what was jumped over came later");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What a plain model of the sequence says.
    #[test]
    fn sequence_numbers_are_judged_as_a_plain_model_does(sequence in proptest::collection::vec(0_u64..30, 1..60)) {
        let (desk, feed) = desk();
        let (mut newest, mut gaps, mut missed, mut twice, mut late) = (None, 0, 0, 0, 0);
        for number in sequence {
            feed.tick(number, desk.now());
            match newest {
                Some(before) if number > before + 1 => (gaps, missed) = (gaps + 1, missed + number - before - 1),
                Some(before) if number == before => twice += 1,
                Some(before) if number < before => late += 1,
                _ => {}
            }
            newest = newest.max(Some(number));
        }
        let told = ["gaps", "missed", "duplicates", "out_of_order"].map(|what| value(&desk, &format!("feed_{what}_total")));
        prop_assert_eq!(told, [f64::from(gaps), missed as f64, f64::from(twice), f64::from(late)]);
    }
}
