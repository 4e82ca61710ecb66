//! What each instrument takes, refuses and tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_core::{Labels, Unit};
use bellwether_metrics::{
    Buckets, Exemplar, NativeBuckets, Quantiles, RegistryConfig, RegistryError, SeriesSnapshot, Total, Value,
};

use crate::desk::{Desk, selector};

fn order(id: &str) -> Labels {
    Labels::new([("order_id", id)]).unwrap()
}

fn series(desk: &Desk, name: &str) -> SeriesSnapshot {
    let mut all = desk.values(&selector(name));
    assert_eq!(all.len(), 1);
    all.pop().unwrap()
}

#[test]
fn a_float_counter_takes_amounts_and_refuses_what_is_none() {
    let desk = Desk::new();
    let fees = desk.float_counter("fees_usd_total", Unit::Usd, "Fees.").unwrap();
    assert_eq!(desk.value(&selector("fees_usd_total")), Some(Value::Counter(Total::Real(0.0))));
    assert!(desk.text().contains("fees_usd_total 0\n"), "no negative zero");
    for amount in [0.25, 0.0, -0.0, 1.5] {
        fees.add(amount);
    }
    for amount in [-0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN] {
        fees.add(amount);
    }
    assert_eq!(fees.get(), 1.75);
    assert_eq!((desk.refused("negative"), desk.refused("not_finite")), (2.0, 3.0));
    fees.add(f64::MAX);
    fees.add(f64::MAX);
    assert_eq!((fees.get(), desk.refused("not_finite")), (f64::MAX, 4.0));
}

#[test]
fn whole_amounts_add_up_exactly_over_threads() {
    let desk = Desk::new();
    let notional = desk.float_counter("notional_usd_total", Unit::Usd, "Notional.").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let notional = &notional;
            scope.spawn(move || (0..10_000u32).for_each(|i| notional.add(f64::from(i * (thread + 1)))));
        }
    });
    assert_eq!(notional.get(), 36.0 * 49_995_000.0);
}

#[test]
fn two_kinds_of_counter_cannot_have_one_name() {
    let desk = Desk::new();
    desk.counter("fees_usd_total", Unit::Usd, "Fees.").unwrap();
    let error = desk.float_counter("fees_usd_total", Unit::Usd, "Fees.").unwrap_err();
    assert!(matches!(error, RegistryError::Conflict { .. }), "{error}");
}

#[test]
fn a_family_of_float_counters_has_a_series_per_label_set() {
    let desk = Desk::new();
    let fees = desk.float_counter_family("fees_usd_total", Unit::Usd, "Fees.", ["venue"]).unwrap();
    fees.with("XNYS").add(1.0);
    fees.with("XNYS").add(0.5);
    fees.with("XNAS").add(2.0);
    assert!(desk.text().contains("fees_usd_total{venue=\"XNYS\"} 1.5\n"));
    assert_eq!(fees.with("XNAS").get(), 2.0);
}

#[test]
fn what_counts_says_since_when() {
    let desk = Desk::new();
    desk.advance(5);
    let made = desk.now();
    desk.counter("a_total", Unit::None, "A.").unwrap();
    desk.float_counter("b_total", Unit::None, "B.").unwrap();
    desk.histogram("c", Unit::None, "C.", Buckets::latency()).unwrap();
    desk.native_histogram("d", Unit::None, "D.", NativeBuckets::latency()).unwrap();
    desk.summary("e", Unit::None, "E.", Quantiles::latency()).unwrap();
    desk.gauge("f", Unit::None, "F.").unwrap().set(1.0);
    desk.advance(60);
    for name in ["a_total", "b_total", "c", "d", "e"] {
        assert_eq!(series(&desk, name).created, Some(made), "{name}");
    }
    assert_eq!(series(&desk, "f").created, None);
}

#[test]
fn the_newest_exemplar_of_each_bucket_is_told_with_its_time() {
    let desk = Desk::new();
    let ack = desk.histogram("ack", Unit::None, "Ack.", Buckets::new([1.0, 2.0]).unwrap()).unwrap();
    assert_eq!(series(&desk, "ack").exemplars, []);
    ack.record_with_exemplar(0.5, &order("a"));
    desk.advance(1);
    ack.record_with_exemplar(0.75, &order("b"));
    ack.record_with_exemplar(9.0, &order("c"));
    ack.record(1.5);
    let now = desk.now();
    let exemplar = |value, id| Exemplar { labels: order(id), value, at: now };
    assert_eq!(series(&desk, "ack").exemplars, [(0, exemplar(0.75, "b")), (2, exemplar(9.0, "c"))]);
    assert_eq!(ack.snapshot().count(), 4);

    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    fills.add_with_exemplar(3, &order("d"));
    assert_eq!(series(&desk, "fills_total").exemplars, [(0, exemplar(3.0, "d"))]);
    let fees = desk.float_counter("fees_total", Unit::None, "Fees.").unwrap();
    fees.add_with_exemplar(0.5, &order("e"));
    fees.add_with_exemplar(-0.5, &order("f"));
    assert_eq!(series(&desk, "fees_total").exemplars, [(0, exemplar(0.5, "e"))]);
}

#[test]
fn an_exemplar_that_is_too_long_is_refused_and_its_observation_counted() {
    let desk = Desk::new();
    let ack = desk.histogram("ack", Unit::None, "Ack.", Buckets::new([1.0]).unwrap()).unwrap();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let native = desk.native_histogram("native", Unit::None, "N.", NativeBuckets::latency()).unwrap();
    ack.record_with_exemplar(0.5, &order(&"x".repeat(121)));
    fills.add_with_exemplar(1, &order(&"x".repeat(121)));
    native.record_with_exemplar(0.5, &order(&"x".repeat(121)));
    assert_eq!((ack.snapshot().count(), fills.get(), native.snapshot().count()), (1, 1, 1));
    assert_eq!(desk.refused("exemplar"), 3.0);
    ack.record_with_exemplar(0.5, &order(&"ü".repeat(120)));
    ack.record_with_exemplar(f64::NAN, &order("refused"));
    assert_eq!(series(&desk, "ack").exemplars.len(), 1);
    assert_eq!((desk.refused("exemplar"), desk.refused("not_finite")), (3.0, 1.0));
}

#[test]
fn a_native_histogram_counts_in_the_buckets_of_prometheus() {
    let desk = Desk::new();
    let buckets = NativeBuckets::new(0, 0.001, 100.0).unwrap().with_negatives().unwrap();
    let slip = desk.native_histogram("slip", Unit::None, "Slippage.", buckets).unwrap();
    for value in [0.0, 0.001, -0.0005, 1.0, 1.5, 2.0, 1e9, -3.0, f64::NAN, f64::INFINITY] {
        slip.record(value);
    }
    let Value::Native(told) = series(&desk, "slip").value else { panic!("no native histogram") };
    assert_eq!(told, slip.snapshot());
    assert_eq!((told.schema, told.zero_threshold, told.zero_count), (0, 0.001, 3));
    // 2^-1..=1, 1..=2, and beyond 64..=128, where 100 is.
    assert_eq!(*told.positive, [(0, 1), (1, 2), (8, 1)]);
    assert_eq!(*told.negative, [(2, 1)]);
    assert_eq!((told.count(), told.sum), (8, 0.001 - 0.0005 + 1.0 + 1.5 + 2.0 + 1e9 - 3.0));
    assert_eq!(desk.refused("not_finite"), 2.0);
    assert_eq!(slip.sketch().quantile(1.0), Some(100.0));
    let text = desk.text();
    assert!(text.contains("slip_bucket{le=\"+Inf\"} 8\n") && text.contains("slip_count 8\n"), "{text}");

    let ack = desk.native_histogram("ack", Unit::None, "Ack.", NativeBuckets::latency()).unwrap();
    ack.record(-0.5);
    ack.record(-0.0);
    assert_eq!((ack.snapshot().count(), desk.refused("negative")), (1, 1.0));
}

#[test]
fn exemplars_of_a_native_histogram_lie_over_its_whole_range() {
    let desk = Desk::new();
    let buckets = NativeBuckets::new(0, 1.0, 32_768.0).unwrap();
    let ack = desk.native_histogram("ack", Unit::None, "Ack.", buckets).unwrap();
    for exponent in 0..15 {
        ack.record_with_exemplar(f64::from(1u32 << exponent) * 1.5, &order(&exponent.to_string()));
    }
    let told: Vec<usize> = series(&desk, "ack").exemplars.iter().map(|(place, _)| *place).collect();
    assert_eq!(told, (0..8).collect::<Vec<_>>());
}

#[test]
fn a_definition_that_differs_in_shape_only_is_told_by_it() {
    let desk = Desk::new();
    let native = |error| NativeBuckets::with_relative_error(error, 0.001, 10.0).unwrap();
    desk.native_histogram("ack", Unit::None, "Ack.", native(0.05)).unwrap().record(1.0);
    let again = desk.native_histogram("ack", Unit::None, "Ack.", native(0.05)).unwrap();
    assert_eq!(again.snapshot().count(), 1);
    let error = desk.native_histogram("ack", Unit::None, "Ack.", native(0.01)).unwrap_err().to_string();
    assert!(error.contains("schema 6 from 0.001 to 10.0") && error.contains("schema 3 from"), "{error}");
    assert!(desk.histogram("ack", Unit::None, "Ack.", Buckets::latency()).is_err());

    desk.summary("quote", Unit::None, "Quote.", Quantiles::latency()).unwrap();
    let error = desk.summary("quote", Unit::None, "Quote.", Quantiles::new([0.5]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("quantiles [0.5] of 60s in 6 slices"), "{error}");
}

#[test]
fn a_gauge_asks_the_closure_it_follows_at_each_reading() {
    let desk = Desk::new();
    let asked = Arc::new(AtomicU64::new(0));
    let ask = Arc::clone(&asked);
    let depth = desk
        .gauge_fn("depth", Unit::None, "Depth.", move || {
            let nth = ask.fetch_add(1, Ordering::Relaxed) + 1;
            (nth != 2).then_some(nth as f64)
        })
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "lazy");
    assert!(desk.text().contains("depth 1\n"));
    assert!(!desk.text().contains("depth "), "no value the second time");
    desk.sample();
    assert_eq!((depth.get(), asked.load(Ordering::Relaxed)), (Some(4.0), 4));
    // What is set meanwhile is told afterwards.
    depth.set(7.0);
    assert_eq!(depth.get(), Some(5.0));
    depth.unfollow();
    assert_eq!((depth.get(), Arc::strong_count(&asked)), (Some(7.0), 1));
    depth.clear();
    assert!(!desk.text().contains("depth"));
}

#[test]
fn a_closure_that_panics_or_says_no_number_takes_the_value_away_and_stops_no_other() {
    let desk = Desk::new();
    desk.gauge_fn("a", Unit::None, "A.", || -> f64 { std::panic::resume_unwind(Box::new("no")) }).unwrap();
    desk.gauge_fn("b", Unit::None, "B.", || f64::NAN).unwrap();
    desk.gauge_fn("c", Unit::None, "C.", || 3.0).unwrap();
    let text = desk.text();
    assert!(text.contains("c 3\n") && !text.contains("\na ") && !text.contains("\nb "), "{text}");
    assert_eq!((desk.refused("callback"), desk.refused("not_finite")), (1.0, 1.0));
}

#[test]
fn a_closure_may_read_other_gauges_and_the_registry_but_not_itself_for_ever() {
    let desk = Desk::new();
    let a = desk.gauge_fn("a", Unit::None, "A.", || 2.0).unwrap();
    let b = desk.gauge("b", Unit::None, "B.").unwrap();
    b.follow(move || a.get());
    assert_eq!(b.get(), Some(2.0));
    let own = b.clone();
    b.follow(move || own.get());
    assert_eq!(b.get(), None);
    assert_eq!(desk.refused("nested"), 1.0);
    b.unfollow();
    let metrics = desk.metrics.clone();
    desk.gauge_fn("b", Unit::None, "B.", move || metrics.text().len() as f64).unwrap();
    assert!(desk.text().contains("b 0\n"));
}

#[test]
fn a_gauge_takes_lengths_and_instants() {
    let desk = Desk::new();
    let gauge = desk.gauge("lag_seconds", Unit::Seconds, "Lag.").unwrap();
    gauge.set_duration(std::time::Duration::from_millis(1_500));
    assert_eq!(gauge.get(), Some(1.5));
    gauge.set_to_now();
    assert_eq!(gauge.get(), Some(1_700_000_000.0));
}

#[test]
fn an_info_is_one_until_it_is_withdrawn() {
    let desk = Desk::new();
    let info = desk.info("feed_info", "Feed.", [("venue", "XNAS"), ("protocol", "itch")]).unwrap();
    desk.info("feed_info", "Feed.", [("venue", "XNYS"), ("protocol", "pillar")]).unwrap();
    let text = desk.text();
    assert!(text.contains("feed_info{protocol=\"itch\",venue=\"XNAS\"} 1\n"), "{text}");
    assert!(text.contains("feed_info{protocol=\"pillar\",venue=\"XNYS\"} 1\n"), "{text}");
    assert_eq!(info.labels().get("protocol"), Some("itch"));
    info.withdraw();
    assert_eq!(desk.values(&selector("feed_info")).len(), 1);
    assert!(matches!(desk.info("feed", "Feed.", [("a", "b")]), Err(RegistryError::NotInfo { .. })));
}

#[test]
fn of_a_state_set_one_state_holds() {
    let desk = Desk::new();
    let circuit = desk.state_set("circuit", "Circuit.", ["closed", "half_open", "open"]).unwrap();
    assert_eq!((circuit.get(), desk.values(&selector("circuit")).len()), (None, 0));
    circuit.set("open");
    let text = desk.text();
    for (state, value) in [("closed", 0), ("half_open", 0), ("open", 1)] {
        assert!(text.contains(&format!("circuit{{circuit=\"{state}\"}} {value}\n")), "{text}");
    }
    circuit.set("ajar");
    assert_eq!((circuit.get(), desk.refused("state")), (Some("open"), 1.0));
    // The same again is the same.
    let again = desk.state_set("circuit", "Circuit.", ["closed", "half_open", "open"]).unwrap();
    again.set("half_open");
    assert_eq!(circuit.get(), Some("half_open"));
    assert!(desk.text().contains("circuit{circuit=\"half_open\"} 1\n"));
    circuit.clear();
    assert_eq!(desk.values(&selector("circuit")).len(), 0);
}

#[test]
fn states_are_checked_when_they_are_defined() {
    let desk = Desk::new();
    let error = desk.state_set("circuit", "Circuit.", ["open", "open"]).unwrap_err();
    assert_eq!(error.to_string(), "state \"open\" of state set \"circuit\" stands there twice");
    assert!(matches!(desk.state_set("circuit", "C.", [""]), Err(RegistryError::State { .. })));
    assert!(matches!(
        desk.state_set::<_, 0>("circuit", "C.", [] as [&str; 0]),
        Err(RegistryError::State { .. })
    ));
    desk.state_set("circuit", "Circuit.", ["closed", "open"]).unwrap();
    let error = desk.state_set("circuit", "Circuit.", ["open", "closed"]).unwrap_err();
    assert!(error.to_string().contains("states [\"open\", \"closed\"]"), "{error}");
    let small = Desk::with(RegistryConfig::default().with_max_series(2));
    assert!(matches!(small.state_set("circuit", "C.", ["a", "b", "c"]), Err(RegistryError::Series(_))));
}
