use std::collections::HashMap;
use std::time::Duration;

use bellwether_core::{Aggregate, Kind, Unit};
use bellwether_metrics::prometheus_bridge::{PrometheusBridge, PrometheusExport};
use bellwether_metrics::{Buckets, RegistryConfig, RegistryError, Value};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Metric, MetricFamily, MetricType, Quantile, Summary};
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, TextEncoder,
};

use crate::desk::{Desk, selector};
use crate::ear::Ear;
use crate::parser::parse;

fn registered<C: Collector + Clone + 'static>(theirs: &prometheus::Registry, collector: C) -> C {
    theirs.register(Box::new(collector.clone())).unwrap();
    collector
}

#[test]
fn what_is_there_has_a_history_and_stands_in_the_text() {
    let desk = Desk::new();
    let common = HashMap::from([("host".into(), "a".into())]);
    let theirs = prometheus::Registry::new_custom(Some("gw".into()), Some(common)).unwrap();
    let logins = IntCounterVec::new(Opts::new("logins", "Logins."), &["venue"]).unwrap();
    let logins = registered(&theirs, logins).with_label_values(&["XNYS"]);
    logins.inc_by(4);
    let lag = HistogramVec::new(HistogramOpts::new("lag_seconds", "Lag.").buckets(vec![0.1, 0.2]), &["feed"])
        .unwrap();
    theirs.register(Box::new(lag.clone())).unwrap();
    for value in [0.05, 0.15, 0.16, 9.0] {
        lag.with_label_values(&["x"]).observe(value);
    }
    PrometheusBridge::attach(theirs, &desk).unwrap();
    let page = parse(&desk.text());
    let host = ("host", "a");
    assert_eq!(page.value("gw_logins_total", &[host, ("venue", "XNYS")]), Some(4.0));
    let bucket = |le| page.value("gw_lag_seconds_bucket", &[("feed", "x"), host, ("le", le)]);
    assert_eq!(["0.1", "0.2", "+Inf"].map(bucket), [Some(1.0), Some(3.0), Some(4.0)]);
    desk.sample();
    desk.advance(10);
    logins.inc_by(20);
    desk.sample();
    assert_eq!(desk.one("gw_logins_total", Aggregate::Increase), Some(20.0));
    assert_eq!(desk.one("gw_lag_seconds_count", Aggregate::Last), Some(4.0));
    let snapshot = desk.snapshot();
    let lag = snapshot.families.iter().find(|family| family.descriptor.name == "gw_lag_seconds").unwrap();
    assert_eq!((lag.descriptor.kind, &lag.descriptor.unit), (Kind::Histogram, &Unit::Seconds));
}

#[test]
fn a_family_that_appears_later_is_adopted() {
    let desk = Desk::new();
    let theirs = prometheus::Registry::new();
    let look = || {
        desk.advance(1);
        desk.sample();
    };
    let _bridge = PrometheusBridge::attach(theirs.clone(), &desk).unwrap();
    look();
    let orders = registered(&theirs, IntCounterVec::new(Opts::new("orders", "Orders."), &["venue"]).unwrap());
    look();
    assert_eq!(desk.value(&selector("orders_total")), None, "it has no series yet");
    orders.with_label_values(&["XNYS"]).inc();
    look();
    orders.with_label_values(&["XNAS"]).inc();
    assert_eq!(desk.values(&selector("orders_total")).len(), 2);
    let depth = registered(&theirs, IntGauge::new("depth", "Depth.").unwrap());
    depth.set(7);
    look();
    assert_eq!(desk.value(&selector("depth")), Some(Value::Gauge(7.0)));
    depth.set(8);
    assert_eq!(desk.value(&selector("depth")), Some(Value::Gauge(8.0)), "asked alone it is as of now");
    assert_eq!(desk.refused("repeated"), 0.0);
}

#[test]
fn several_collectors_of_one_look_gather_once() {
    struct Counting(Desc, IntCounter);
    impl Collector for Counting {
        fn desc(&self) -> Vec<&Desc> {
            vec![&self.0]
        }
        fn collect(&self) -> Vec<MetricFamily> {
            self.1.inc();
            self.1.collect()
        }
    }
    let desk = Desk::new();
    let theirs = prometheus::Registry::new();
    let desc = Desc::new("gathers".into(), "Gathers.".into(), vec![], HashMap::new()).unwrap();
    let gathers = IntCounter::new("gathers", "Gathers.").unwrap();
    theirs.register(Box::new(Counting(desc, gathers.clone()))).unwrap();
    PrometheusBridge::attach(theirs.clone(), &desk).unwrap();
    for round in 0..5 {
        registered(&theirs, IntGauge::new(format!("late_{round}"), "Late.").unwrap());
        desk.sample();
        desk.advance(1);
    }
    let before = gathers.get();
    desk.sample();
    assert_eq!(gathers.get(), before + 1);
}

#[test]
fn what_cannot_be_told_is_listed_counted_and_told_once_and_keeps_no_other_away() {
    let desk = Desk::new();
    desk.gauge("taken", Unit::None, "Ours.").unwrap().set(1.0);
    let theirs = prometheus::Registry::new();
    registered(&theirs, Gauge::new("taken", "Theirs.").unwrap());
    registered(&theirs, IntCounter::new("a", "One.").unwrap());
    registered(&theirs, IntCounter::new("a_total", "Comes to the same name.").unwrap());
    registered(&theirs, Gauge::new("memory_total", "A gauge.").unwrap()).set(3.0);
    registered(&theirs, Gauge::new("build_info", "An info.").unwrap()).set(1.0);
    let ear = Ear::open();
    let bridge = PrometheusBridge::attach(theirs, &desk).unwrap();
    for _ in 0..3 {
        desk.sample();
        desk.advance(1);
    }
    let mut untold = bridge.untold();
    untold.sort_by(|a, b| a.family.cmp(&b.family));
    let untold: Vec<_> = untold.iter().map(|untold| (untold.family.as_str(), &untold.reason)).collect();
    assert!(
        matches!(
            untold[..],
            [("a_total", RegistryError::SharedLine { .. }), ("taken", RegistryError::Conflict { .. })]
        ),
        "{untold:?}"
    );
    assert_eq!(ear.lines().len(), 2);
    let page = parse(&desk.text());
    assert_eq!(page.value("bellwether_prometheus_untold_families", &[]), Some(2.0));
    assert_eq!(page.value("taken", &[]), Some(1.0));
    assert_eq!(page.value("a_total", &[]), Some(0.0));
    assert_eq!(page.value("memory_total_value", &[]), Some(3.0));
    assert_eq!(page.value("build_info", &[]), Some(1.0));
}

#[test]
fn a_full_registry_refuses_families_and_stays_as_it_is() {
    let desk = Desk::with(RegistryConfig::default().with_max_metrics(3));
    let theirs = prometheus::Registry::new();
    for name in ["a", "b", "c", "d"] {
        registered(&theirs, Gauge::new(name, "G.").unwrap()).set(1.0);
    }
    let bridge = PrometheusBridge::attach(theirs, &desk).unwrap();
    assert_eq!(bridge.untold().len(), 2);
    assert_eq!(parse(&desk.text()).value("bellwether_prometheus_untold_families", &[]), Some(2.0));
}

#[test]
fn a_summary_has_the_quantiles_that_have_a_value() {
    struct Sketch(Desc);
    impl Collector for Sketch {
        fn desc(&self) -> Vec<&Desc> {
            vec![&self.0]
        }
        fn collect(&self) -> Vec<MetricFamily> {
            let quantile = |q, value| {
                let mut quantile = Quantile::default();
                quantile.set_quantile(q);
                quantile.set_value(value);
                quantile
            };
            let mut summary = Summary::default();
            summary.set_quantile(vec![quantile(0.99, 7.0), quantile(0.5, 2.0), quantile(0.9, f64::NAN)]);
            summary.set_sample_count(3);
            summary.set_sample_sum(10.0);
            let mut metric = Metric::default();
            metric.set_summary(summary);
            let mut family = MetricFamily::default();
            family.set_name("ack_seconds".into());
            family.set_field_type(MetricType::SUMMARY);
            family.set_metric(vec![metric]);
            vec![family]
        }
    }
    let desk = Desk::new();
    let theirs = prometheus::Registry::new();
    let desc = Desc::new("ack_seconds".into(), "Ack.".into(), vec![], HashMap::new()).unwrap();
    theirs.register(Box::new(Sketch(desc))).unwrap();
    PrometheusBridge::attach(theirs, &desk).unwrap();
    let Some(Value::Summary(summary)) = desk.value(&selector("ack_seconds")) else { panic!("a summary") };
    assert_eq!(&*summary.quantiles, [(0.5, 2.0), (0.99, 7.0)]);
    assert_eq!((summary.count, summary.sum), (3, 10.0));
}

#[test]
fn the_bridge_does_not_keep_our_registry_alive() {
    let theirs = prometheus::Registry::new();
    let gauge = registered(&theirs, IntGauge::new("depth", "Depth.").unwrap());
    let desk = Desk::new();
    let kept = PrometheusBridge::attach(theirs, &desk).unwrap();
    let clock = std::sync::Arc::downgrade(desk.metrics.clock());
    drop(desk);
    gauge.set(1);
    assert!(format!("{kept:?}").contains("families: 1"));
    drop(kept);
    assert!(clock.upgrade().is_none(), "the registry was dropped, and its clock with it");
}

#[test]
fn everything_of_ours_comes_out_of_their_encoder_as_out_of_our_own() {
    let desk = Desk::new();
    let acked =
        desk.histogram_family("ack_seconds", Unit::Seconds, "Ack.", ["venue"], Buckets::latency()).unwrap();
    acked.with("XNYS").record(Duration::from_micros(70));
    acked.with("a \"quoted\" \\ value\n").record(20.0);
    desk.counter("fills_total", Unit::None, "Fills.").unwrap().add(3);
    desk.gauge("pnl", Unit::Usd, "P&L.").unwrap().set(-1.5);
    let theirs = prometheus::Registry::new();
    theirs.register(Box::new(PrometheusExport::new(&desk).unwrap())).unwrap();
    let again = theirs.register(Box::new(PrometheusExport::new(&desk).unwrap()));
    assert!(again.is_err());
    let (ours, other) =
        (parse(&desk.text()), parse(&TextEncoder::new().encode_to_string(&theirs.gather()).unwrap()));
    assert_eq!(ours.families.len(), other.families.len());
    for (name, labels) in [
        ("ack_seconds_sum", vec![("venue", "XNYS")]),
        ("ack_seconds_count", vec![("venue", "a \"quoted\" \\ value\n")]),
        ("fills_total", vec![]),
        ("pnl", vec![]),
    ] {
        assert_eq!(other.value(name, &labels), ours.value(name, &labels), "{name}");
        assert!(ours.value(name, &labels).is_some(), "{name}");
    }
    assert_eq!(other.value("ack_seconds_bucket", &[("le", "0.0001"), ("venue", "XNYS")]), Some(1.0));
}
