//! Series and metrics that go: removed by the host, or idle.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bellwether_core::{Aggregate, Kind};
use bellwether_metrics::{Buckets, RegistryConfig, RegistryError, SeriesError, Unit};

use crate::desk::{Desk, selector};

const EXPIRY: Duration = Duration::from_mins(1);

fn expiring() -> Desk {
    Desk::with(RegistryConfig::default().with_idle_expiry(Some(EXPIRY)))
}

fn series_of(desk: &Desk, name: &str) -> Vec<String> {
    desk.values(&selector(name)).iter().map(|series| series.labels.to_string()).collect()
}

#[test]
fn a_removed_series_is_in_no_exposition_and_its_handle_keeps_its_count() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue"]).unwrap();
    let kept = orders.with("XNYS");
    kept.add(5);
    orders.add("XNAS", 2);
    desk.sample();
    assert!(orders.remove("XNYS"));
    assert!(!orders.remove("XNYS") && !orders.remove("ARCX"));
    assert_eq!(series_of(&desk, "orders_total"), [r#"{venue="XNAS"}"#]);
    kept.increment();
    assert_eq!(kept.get(), 6, "a handle that is kept counts for itself");
    assert!(!desk.text().contains("XNYS"));
    // A look-up makes another.
    orders.increment("XNYS");
    assert_eq!((orders.with("XNYS").get(), kept.get()), (1, 6));
    assert!(desk.text().contains("orders_total{venue=\"XNYS\"} 1\n"));
    // To the history it is the same series, that began again.
    desk.advance(1);
    desk.sample();
    let increase = desk.all("orders_total", Aggregate::Increase);
    assert_eq!(increase.iter().map(|series| series.value).sum::<f64>(), 1.0);
}

#[test]
fn the_past_of_what_was_removed_stays_in_the_history() {
    let desk = Desk::new();
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    depth.set("XNYS", 3.0);
    desk.sample();
    desk.advance(1);
    assert!(depth.remove("XNYS"));
    assert_eq!(desk.sample().values.iter().filter(|(key, _)| key.descriptor.name == "depth").count(), 0);
    assert_eq!(desk.one("depth", Aggregate::Last), Some(3.0));
}

#[test]
fn freed_places_count_against_the_bounds_again() {
    let desk = Desk::with(RegistryConfig::default().with_max_series(6).with_max_series_per_metric(3));
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    for id in ["1", "2", "3", "4"] {
        orders.increment(id);
    }
    assert!(orders.try_with("4").is_err());
    assert!(orders.remove("2"));
    orders.increment("4");
    assert_eq!(orders.try_with("4").unwrap().get(), 1);
    assert_eq!(orders.retain(|labels| labels.get("id") == Some("4")), 2);
    assert_eq!(series_of(&desk, "orders_total"), [r#"{id="4"}"#, r#"{overflow="true"}"#]);
    assert_eq!(desk.own("bellwether_metrics_series", None), 2.0);
    assert_eq!(orders.overflow().get(), 1);
}

#[test]
fn retain_may_use_the_family_itself() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    for id in 0..20 {
        orders.add(&id.to_string(), id);
    }
    let removed = orders.retain(|labels| {
        let id = labels.get("id").unwrap();
        orders.increment("new");
        orders.increment(&format!("{id} too"));
        orders.remove("0");
        id != "0" && orders.with(id).get().is_multiple_of(2)
    });
    // That of 0 was removed by then, and what was made meanwhile stays.
    assert_eq!(removed, 10);
    assert_eq!(series_of(&desk, "orders_total").len(), 9 + 20 + 1);
    assert_eq!(orders.with("new").get(), 20);
}

#[test]
fn a_removed_metric_frees_its_name_and_its_places() {
    let desk = Desk::with(RegistryConfig::default().with_max_metrics(2).with_max_series(3));
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let handle = orders.with("1");
    orders.increment("2");
    orders.increment("3");
    fills.increment();
    desk.sample();
    assert!(desk.remove("orders_total") && !desk.remove("orders_total"));
    assert!(!desk.remove("bellwether_metrics_series"), "what is collected stays");
    assert!(!desk.text().contains("orders_total"));
    assert_eq!(desk.own("bellwether_metrics_series", None), 1.0);
    handle.add(7);
    assert_eq!(handle.get(), 7);
    // Its family makes nothing any more, and says so.
    orders.increment("4");
    orders.increment("1");
    assert_eq!(desk.refused("removed"), 2.0);
    let error = orders.try_with("4").unwrap_err();
    assert!(matches!(error, SeriesError::Removed { .. }));
    assert_eq!(error.to_string(), "metric \"orders_total\" was removed: define it again");
    assert_eq!(desk.own("bellwether_metrics_series", None), 1.0);
    // The name is free, for another kind too.
    let orders = desk.counter_family("orders_total", Unit::None, "Others.", ["venue"]).unwrap();
    orders.increment("XNYS");
    assert!(desk.text().contains("orders_total{venue=\"XNYS\"} 1\n"));
    assert!(desk.remove("fills_total"));
    desk.gauge("fills", Unit::None, "Its line is free too.").unwrap().set(1.0);
    assert!(desk.text().contains("\nfills 1\n"));
}

#[test]
fn a_metric_that_is_defined_anew_has_none_of_the_past_of_another() {
    let desk = Desk::new();
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(3.0);
    desk.histogram("ack", Unit::None, "Ack.", Buckets::latency()).unwrap().record(1.0);
    desk.sample();
    assert!(desk.remove("depth") && desk.remove("ack"));
    // The same again goes on from where it was.
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(4.0);
    desk.advance(1);
    desk.sample();
    assert_eq!(desk.one("depth", Aggregate::Count), Some(2.0));
    assert!(desk.remove("depth"));
    desk.gauge("depth", Unit::Usd, "Another.").unwrap().set(5.0);
    desk.gauge("ack_sum", Unit::None, "Another.").unwrap().set(6.0);
    desk.advance(1);
    let batch = desk.sample();
    let depth = batch.values.iter().find(|(key, _)| key.descriptor.name == "depth").unwrap();
    assert_eq!((&depth.0.descriptor.unit, depth.1), (&Unit::Usd, 5.0));
    let sum = batch.values.iter().find(|(key, _)| key.descriptor.name == "ack_sum").unwrap();
    assert_eq!((sum.0.descriptor.kind, sum.1), (Kind::Gauge, 6.0));
    assert_eq!(
        (desk.one("depth", Aggregate::Count), desk.one("ack_sum", Aggregate::Count)),
        (Some(1.0), Some(1.0))
    );
}

#[test]
fn a_series_that_no_one_uses_leaves_exposition_and_bound() {
    let desk = expiring();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    orders.add("1", 3);
    orders.add("2", 4);
    desk.text();
    // Each look sees whether it was looked up since the one before.
    for _ in 0..5 {
        desk.advance(30);
        orders.increment("2");
        desk.text();
    }
    assert_eq!(series_of(&desk, "orders_total"), [r#"{id="2"}"#]);
    assert_eq!(desk.own("bellwether_metrics_series", None), 1.0);
    assert_eq!(desk.own("bellwether_metrics_expired_series_total", None), 1.0);
    orders.increment("1");
    assert_eq!(orders.with("1").get(), 1, "it begins again");
    assert_eq!(orders.with("2").get(), 9);
}

#[test]
fn a_series_is_not_gone_before_its_time_nor_without_a_look() {
    let desk = expiring();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    orders.increment("1");
    let shown = |seconds| {
        desk.advance(seconds);
        desk.text().contains("id=\"1\"")
    };
    assert!(shown(1_000), "the first look sees that it was looked up");
    assert!(shown(59));
    assert!(!shown(1), "a minute after it was last found in use");
    orders.increment("1");
    assert!(shown(1));
    assert!(shown(1_000), "the first look that finds it idle still tells it");
    assert!(!shown(1));
}

#[test]
fn a_series_whose_handle_is_held_stays_however_long_it_does_not_change() {
    let desk = expiring();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let acks =
        desk.histogram_family("ack_seconds", Unit::Seconds, "Ack.", ["id"], Buckets::latency()).unwrap();
    let (order, ack) = (orders.with("1"), acks.with("1"));
    for _ in 0..10 {
        desk.advance(100);
        desk.sample();
    }
    order.increment();
    ack.record(0.1);
    assert!(
        desk.text().contains("orders_total{id=\"1\"} 1\n")
            && desk.text().contains("ack_seconds_count{id=\"1\"} 1\n")
    );
    // Let go, it has its time from then on.
    drop((order, ack));
    for _ in 0..2 {
        desk.advance(29);
        assert!(desk.text().contains("orders_total{id=\"1\"} 1\n"));
    }
    desk.advance(2);
    assert!(!desk.text().contains("id=\"1\""));
}

#[test]
fn a_gauge_that_is_set_to_the_same_value_again_is_in_use() {
    let desk = expiring();
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    depth.set("XNAS", 1.0);
    for _ in 0..10 {
        depth.set("XNYS", 5.0);
        desk.advance(50);
        assert!(desk.text().contains("depth{venue=\"XNYS\"} 5\n"));
    }
    assert!(!desk.text().contains("XNAS"));
}

#[test]
fn a_metric_may_have_an_expiry_of_its_own() {
    let desk = expiring();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let fills = desk.counter_family("fills_total", Unit::None, "Fills.", ["id"]).unwrap();
    let rejects = desk.counter_family("rejects_total", Unit::None, "Rejects.", ["id"]).unwrap();
    let plain = desk.counter("plain_total", Unit::None, "Plain.").unwrap();
    orders.set_idle_expiry(Some(Duration::from_mins(10)));
    fills.set_idle_expiry(None);
    for family in [&orders, &fills, &rejects] {
        family.increment("1");
        family.overflow().increment();
    }
    drop(plain);
    let mut shown = Vec::new();
    for _ in 0..4 {
        desk.advance(200);
        let page = desk.text();
        shown.push(["orders", "fills", "rejects"].map(|name| page.contains(&format!("{name}_total{{id="))));
        assert!(page.contains("plain_total 0\n"), "it has no labels");
        assert!(page.contains("rejects_total{overflow=\"true\"} 1\n"), "what overflowed stays");
    }
    assert_eq!(shown, [[true; 3], [true; 3], [true, true, false], [false, true, false]]);
}

#[test]
fn series_that_come_and_go_in_number_leave_the_rest_as_it_was() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(50));
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let stays = orders.with("stays");
    for id in 0..5_000 {
        let text = id.to_string();
        orders.add(&text, 2);
        stays.increment();
        orders.increment("stays too");
        if id % 700 == 0 {
            desk.text();
        }
        assert!(orders.remove(&text));
    }
    assert_eq!(series_of(&desk, "orders_total"), [r#"{id="stays"}"#, r#"{id="stays too"}"#]);
    assert_eq!((stays.get(), orders.with("stays too").get()), (5_000, 5_000));
    assert_eq!(desk.own("bellwether_metrics_overflowed_total", None), 0.0);
}

#[test]
fn no_count_is_lost_among_threads_that_make_remove_expire_and_scrape() {
    let desk = Desk::with(
        RegistryConfig::default().with_idle_expiry(Some(Duration::from_secs(1))).with_max_series(40),
    );
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let held: Vec<_> = (0..8).map(|id| orders.with(&format!("held {id}"))).collect();
    let done = AtomicBool::new(false);
    const ROUNDS: u64 = 4_000;
    thread::scope(|scope| {
        let (desk, orders, held, done) = (&desk, &orders, &held, &done);
        let adders: Vec<_> = (0..3)
            .map(|adder| {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        // By handle, by label set, and one of many label sets.
                        held[(round % 4) as usize].increment();
                        orders.increment(&format!("held {}", 4 + round % 4));
                        orders.increment(&format!("{adder} {}", round % 60));
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            for round in 0.. {
                orders.remove(&format!("{} {}", round % 3, round % 60));
                orders.retain(|labels| !labels.get("id").unwrap().ends_with('7'));
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                desk.advance(1);
                let page = desk.text();
                assert!(page.contains("id=\"held 0\""));
                desk.sample();
            }
        });
        for adder in adders {
            adder.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    // "held 7" is removed again and again; the others never are, for they are held.
    let by_handle: u64 = held[..4].iter().map(bellwether_metrics::Counter::get).sum();
    assert_eq!(by_handle, 3 * ROUNDS);
    for counter in &held[4..7] {
        assert_eq!(counter.get(), 3 * ROUNDS / 4);
    }
    let of_instruments = desk.own("bellwether_metrics_series", None) as usize;
    assert_eq!(of_instruments, desk.values(&selector("orders_total")).len());
}

#[test]
fn readers_have_seen_all_that_a_series_counted_before_it_went() {
    const TIMES: u64 = 2_000;
    let desk = Desk::with(RegistryConfig::default().with_idle_expiry(Some(Duration::from_secs(1))));
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let looks = AtomicU64::new(0);
    let (mut seen_of_gone, mut seen, mut generations) = (0.0, 0.0, 0.0);
    thread::scope(|scope| {
        let (orders, looks) = (&orders, &looks);
        let add = move || {
            for time in 0..TIMES {
                match time % 2 {
                    0 => orders.increment("1"),
                    _ => orders.with("1").increment(),
                }
                if time % 20 == 0 {
                    // As long as it takes to be found idle, or nearly so.
                    let until = looks.load(Ordering::Relaxed) + time / 20 % 5;
                    while looks.load(Ordering::Relaxed) < until {
                        thread::yield_now();
                    }
                }
            }
        };
        let adders = [scope.spawn(add), scope.spawn(add)];
        loop {
            let is_last = adders.iter().all(thread::ScopedJoinHandle::is_finished);
            desk.advance(1);
            let page = desk.text();
            let gone = desk.own("bellwether_metrics_expired_series_total", None);
            if gone > generations {
                seen_of_gone += seen;
                generations = gone;
            }
            let line = page.lines().find_map(|line| line.strip_prefix("orders_total{id=\"1\"} "));
            seen = line.map_or(0.0, |value| value.parse().unwrap());
            looks.fetch_add(1, Ordering::Relaxed);
            if is_last {
                break;
            }
        }
    });
    assert_eq!(seen_of_gone + seen, (2 * TIMES) as f64);
    assert!(generations > 0.0);
}

#[test]
fn metrics_that_are_defined_and_removed_leave_nothing_behind() {
    let desk = Desk::with(RegistryConfig::default().with_max_metrics(3));
    for round in 0..200 {
        let name = format!("m{round}");
        let family = desk.gauge_family(name.clone(), Unit::None, "M.", ["a"]).unwrap();
        family.set("x", 1.0);
        if round % 7 == 0 {
            assert!(desk.text().contains(&name));
        }
        let again = desk.gauge_family(name.clone(), Unit::None, "M.", ["b"]);
        assert!(matches!(again, Err(RegistryError::Conflict { .. })));
        assert!(desk.remove(&name));
    }
    assert_eq!(
        desk.snapshot()
            .families
            .iter()
            .filter(|family| family.descriptor.name.as_str().starts_with('m'))
            .count(),
        0
    );
    assert_eq!(desk.own("bellwether_metrics_series", None), 0.0);
}
