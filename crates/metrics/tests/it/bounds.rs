use bellwether_core::Aggregate;
use bellwether_metrics::{HistoryConfig, RegistryConfig, SeriesError, Unit};

use crate::desk::{Desk, selector};

#[test]
fn a_hundred_thousand_label_sets_at_a_bound_of_two_thousand() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    for id in 0..100_000 {
        orders.with(&id.to_string()).increment();
    }
    let all = desk.values(&selector("orders_total"));
    assert_eq!(all.len(), 2_001);
    let total: f64 = all.iter().map(|series| series.value.as_f64().unwrap()).sum();
    assert_eq!(total, 100_000.0);
    assert_eq!(orders.overflow().get(), 98_000);
    assert_eq!(desk.own("bellwether_metrics_overflowed_total", None), 98_000.0);
    // Those that were there before the bound keep their own series.
    orders.with("7").increment();
    assert_eq!(orders.with("7").get(), 2);
}

#[test]
fn the_bound_of_the_registry_holds_over_all_metrics() {
    let desk = Desk::with(RegistryConfig::default().with_max_series(25));
    let a = desk.counter_family("a_total", Unit::None, "A.", ["id"]).unwrap();
    let b = desk.gauge_family("b", Unit::None, "B.", ["id"]).unwrap();
    for id in 0..25 {
        a.with(&id.to_string()).increment();
        b.with(&id.to_string()).set(1.0);
    }
    assert_eq!(
        desk.own("bellwether_metrics_series", None),
        25.0 + 2.0,
        "each metric has its overflow series"
    );
    assert_eq!(desk.values(&selector("a_total")).len() + desk.values(&selector("b")).len(), 25 + 2);
    let error = a.try_with("new").unwrap_err();
    assert_eq!(
        error.to_string(),
        "metric \"a_total\": no series for {id=\"new\"}: the bound of 25 series is reached"
    );
    assert!(matches!(error, SeriesError::Bound { limit: 25, .. }));
}

#[test]
fn numbers_outside_of_their_range_are_brought_into_it() {
    let desk =
        Desk::with(RegistryConfig::default().with_max_metrics(0).with_max_series(0).with_history(
            HistoryConfig::default().with_max_samples(0).with_max_age(std::time::Duration::ZERO),
        ));
    assert_eq!((desk.config().max_metrics, desk.config().history.max_samples), (1, 2));
    assert_eq!(desk.config().history.max_age.get().as_secs(), 1);
}

#[test]
fn history_is_bounded_by_count_and_what_goes_is_counted() {
    let history = HistoryConfig::default().with_max_samples(100);
    let desk = Desk::with(RegistryConfig::default().with_history(history));
    let gauge = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    for i in 0..250 {
        gauge.set(f64::from(i));
        desk.sample();
        desk.advance(1);
    }
    assert_eq!(desk.one("depth", Aggregate::Count), Some(100.0));
    assert_eq!(desk.one("depth", Aggregate::First), Some(150.0));
    assert!(desk.evicted("count") >= 150.0);
    let held = desk.own("bellwether_metrics_history_held_samples", None);
    let taken = desk.own("bellwether_metrics_history_samples_total", None);
    assert_eq!(held, taken - desk.evicted("count"));
}

#[test]
fn history_is_bounded_by_age_on_append_and_on_read() {
    let history = HistoryConfig::default().with_max_age(std::time::Duration::from_secs(10));
    let desk = Desk::with(RegistryConfig::default().with_history(history));
    let gauge = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    for i in 0..30 {
        gauge.set(f64::from(i));
        desk.sample();
        desk.advance(1);
    }
    assert!(desk.evicted("age") > 0.0);
    // Ten seconds old is still in, and nothing has been sampled at this second.
    assert_eq!(desk.one("depth", Aggregate::Count), Some(10.0));
    desk.advance(5);
    assert_eq!(desk.one("depth", Aggregate::Count), Some(5.0), "a quiet series shows nothing stale");
    desk.advance(60);
    assert_eq!(desk.one("depth", Aggregate::Last), None);
}

#[test]
fn series_that_went_away_are_dropped_from_the_history_when_they_are_too_old() {
    let history = HistoryConfig::default().with_max_age(std::time::Duration::from_secs(100));
    let config = RegistryConfig::default().with_history(history);
    // Two alike, but that one had five gauges more for three samples.
    let (desk, other) = (Desk::with(config.clone()), Desk::with(config));
    let gauges = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    let venues = ["ARCX", "BATS", "IEXG", "XNAS", "XNYS"];
    for _ in 0..3 {
        for venue in venues {
            gauges.with(venue).set(1.0);
        }
        for desk in [&desk, &other] {
            desk.sample();
            desk.advance(1);
        }
    }
    for venue in venues {
        gauges.with(venue).clear();
    }
    let held = |desk: &Desk| desk.own("bellwether_metrics_history_held_samples", None);
    assert_eq!(held(&desk) - held(&other), 15.0);
    for _ in 0..64 {
        for desk in [&desk, &other] {
            desk.advance(10);
            desk.sample();
        }
    }
    assert_eq!(held(&desk) - held(&other), 0.0, "nothing is held for those that went away");
    assert_eq!(desk.evicted("age") - other.evicted("age"), 15.0);
    // They come back as if they had never been there.
    gauges.with("XNYS").set(2.0);
    for _ in 0..2 {
        desk.advance(1);
        desk.sample();
    }
    assert_eq!(desk.one("depth", Aggregate::Count), Some(2.0));
}
