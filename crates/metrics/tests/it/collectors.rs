use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bellwether_core::{
    Aggregate, Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, Spread, SpreadSnapshot,
    Unit,
};
use bellwether_metrics::{Registry, RegistryConfig, RegistryError, Value};

use crate::desk::{Desk, selector};
use crate::parser::parse;

fn name(text: &'static str) -> MetricName {
    MetricName::new(text).unwrap()
}

/// A collector from a list of descriptors and a function.
struct Source<F> {
    descriptors: Vec<Descriptor>,
    collect: F,
}

impl<F> Collect for Source<F>
where
    F: Fn(&[Descriptor], &mut dyn SampleSink) -> Result<(), CollectError> + Send + Sync,
{
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        (self.collect)(&self.descriptors, out)
    }
}

fn source<F>(descriptors: Vec<Descriptor>, collect: F) -> Source<F>
where
    F: Fn(&[Descriptor], &mut dyn SampleSink) -> Result<(), CollectError> + Send + Sync,
{
    Source { descriptors, collect }
}

fn gauge(text: &'static str) -> Descriptor {
    Descriptor::gauge(name(text), Unit::None, "A gauge.")
}

#[test]
fn collected_figures_stand_among_instruments_in_text_history_and_snapshot() {
    let desk = Desk::new();
    desk.counter("b_total", Unit::None, "B.").unwrap().increment();
    let spread = Spread::new([1.0, 2.0]).unwrap();
    spread.record(1.5);
    let descriptors = vec![
        Descriptor::histogram(name("c"), Unit::None, "C."),
        Descriptor::counter(name("a_total"), Unit::None, "A."),
        gauge("d"),
    ];
    desk.collect(source(descriptors, move |descriptors, out| {
        out.histogram(&descriptors[0], &Labels::empty(), &spread.snapshot());
        out.counter(&descriptors[1], &Labels::new([("z", "2")]).unwrap(), 2.5);
        out.counter(&descriptors[1], &Labels::new([("z", "1")]).unwrap(), 1.0);
        out.gauge(&descriptors[2], &Labels::empty(), -1.0);
        Ok(())
    }))
    .unwrap();
    let page = parse(&desk.text());
    let names: Vec<&str> = page.families.iter().map(|family| &*family.name).collect();
    assert!(names.starts_with(&["a_total", "b_total"]) && names.is_sorted());
    assert_eq!(page.value("a_total", &[("z", "2")]), Some(2.5));
    assert_eq!(page.value("c_bucket", &[("le", "2.0")]), Some(1.0));
    assert_eq!(desk.value(&selector("d")), Some(Value::Gauge(-1.0)));
    desk.sample();
    assert_eq!(desk.one("c_count", Aggregate::Last), Some(1.0));
    assert_eq!(desk.one("c_sum", Aggregate::Last), Some(1.5));
    assert_eq!(desk.all("a_total", Aggregate::Last).len(), 2);
}

#[test]
fn a_name_that_is_taken_refuses_the_whole_collector() {
    let desk = Desk::new();
    desk.gauge("taken", Unit::None, "A gauge.").unwrap();
    let error = desk.collect(source(vec![gauge("free"), gauge("taken")], |_, _| Ok(()))).unwrap_err();
    let RegistryError::Conflict { requested, registered } = &error else { panic!("{error}") };
    assert!(requested.collector.is_some() && registered.collector.is_none());
    // What it had taken before is free again.
    desk.collect(source(vec![gauge("free")], |_, _| Ok(()))).unwrap();
    let other = Descriptor::gauge(name("free"), Unit::Seconds, "A gauge.");
    let differing = desk.collect(source(vec![other], |_, _| Ok(()))).unwrap_err();
    assert!(matches!(differing, RegistryError::Conflict { .. }));
    assert!(differing.to_string().contains("told by"), "{differing}");
    assert!(matches!(desk.gauge("free", Unit::None, "A gauge."), Err(RegistryError::Conflict { .. })));
}

#[test]
fn several_collectors_share_a_metric_each_with_labels_of_its_own() {
    let desk = Desk::with(RegistryConfig::default().with_max_metrics(2));
    let tells = |strategies: &'static [&'static str], value: f64| {
        source(vec![gauge("equity"), gauge("depth")], move |descriptors, out| {
            for (i, strategy) in strategies.iter().enumerate() {
                let labels = Labels::new([("strategy", *strategy)]).unwrap();
                out.gauge(&descriptors[0], &labels, value + i as f64);
            }
            out.gauge(&descriptors[1], &Labels::new([("strategy", strategies[0])]).unwrap(), -value);
            Ok(())
        })
    };
    desk.collect(tells(&["b", "d"], 10.0)).unwrap();
    desk.collect(tells(&["a", "d"], 20.0)).unwrap();
    let page = desk.text();
    let lines: Vec<_> = page.lines().filter(|line| line.contains("equity")).collect();
    assert_eq!(
        lines,
        [
            "# HELP equity A gauge.",
            "# TYPE equity gauge",
            "equity{strategy=\"a\"} 20",
            "equity{strategy=\"b\"} 10",
            "equity{strategy=\"d\"} 11",
        ],
        "one family in the order of labels; of the two series d the first collector's counts"
    );
    desk.sample();
    let values = desk.values(&selector("equity"));
    assert_eq!(values.len(), 3);
    assert_eq!(
        desk.value(&selector("depth").equal(bellwether_core::LabelName::new("strategy").unwrap(), "a")),
        Some(Value::Gauge(-20.0))
    );
    assert!(desk.refused("repeated") >= 3.0);
}

#[test]
fn one_collector_too_many_is_an_error() {
    let desk = Desk::with(RegistryConfig::default().with_max_collectors(1));
    desk.collect(source(vec![gauge("a")], |_, _| Ok(()))).unwrap();
    let error = desk.collect(source(vec![gauge("b")], |_, _| Ok(()))).unwrap_err();
    assert!(matches!(error, RegistryError::TooManyCollectors { limit: 1, .. }));
}

#[test]
fn errors_and_panics_are_counted_and_stop_no_other() {
    let desk = Desk::new();
    desk.collect(source(vec![gauge("a")], |descriptors, out| {
        out.gauge(&descriptors[0], &Labels::empty(), 1.0);
        Err(CollectError::new("half of it is missing"))
    }))
    .unwrap();
    desk.collect(source(vec![gauge("b")], |_, _| std::panic::resume_unwind(Box::new("gone")))).unwrap();
    desk.collect(source(vec![gauge("c")], |descriptors, out| {
        out.gauge(&descriptors[0], &Labels::empty(), 3.0);
        Ok(())
    }))
    .unwrap();
    for _ in 0..3 {
        desk.sample();
        desk.advance(1);
    }
    let page = parse(&desk.text());
    assert_eq!(page.value("a", &[]), Some(1.0), "what was told before the error stays");
    assert_eq!(page.value("c", &[]), Some(3.0));
    let failures = page.family("bellwether_metrics_collector_failures_total");
    let of = |reason| -> f64 {
        let lines = failures.lines.iter().filter(|line| line.labels["reason"] == reason);
        lines.map(|line| line.value).sum()
    };
    // The page's own run is one more, and the registry's figures are told first.
    assert_eq!((of("error"), of("panic")), (3.0, 3.0));
}

#[test]
fn a_panic_whose_message_panics_when_it_is_dropped_stays_within_its_collector() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("and another"));
        }
    }
    let desk = Desk::new();
    desk.collect(source(vec![gauge("b")], |_, _| std::panic::resume_unwind(Box::new(Bomb)))).unwrap();
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    assert!(desk.text().contains("\ndepth 1\n"));
    assert!(!desk.sample().is_empty());
    assert_eq!(desk.own("bellwether_metrics_collector_failures_total", Some("panic")), 2.0);
}

#[test]
fn what_does_not_fit_is_refused_and_counted() {
    let desk = Desk::new();
    let descriptors = vec![
        gauge("g"),
        Descriptor::counter(name("c_total"), Unit::None, "C."),
        Descriptor::histogram(name("h"), Unit::None, "H."),
    ];
    desk.collect(source(descriptors, |descriptors, out| {
        let [g, c, h] = descriptors else { panic!("three") };
        let none = Labels::empty();
        out.gauge(g, &none, f64::NAN);
        out.counter(c, &none, f64::INFINITY);
        out.counter(c, &none, -1.0);
        out.counter(g, &none, 1.0);
        out.gauge(&Descriptor { help: "Another.".into(), ..g.clone() }, &none, 1.0);
        out.gauge(g, &none, 1.0);
        out.gauge(g, &none, 2.0);
        let spread = |bounds: &[f64], counts: &[u64], sum| SpreadSnapshot {
            bounds: bounds.into(),
            counts: counts.into(),
            sum,
        };
        out.histogram(h, &Labels::new([("le", "1")]).unwrap(), &spread(&[1.0], &[1, 1], 2.0));
        out.histogram(h, &none, &spread(&[2.0, 1.0], &[1, 1, 1], 2.0));
        out.histogram(h, &none, &spread(&[1.0], &[1], 2.0));
        out.histogram(h, &none, &spread(&[1.0], &[1, 1], f64::NAN));
        out.histogram(h, &none, &spread(&[1.0], &[1, u64::MAX], 2.0));
        out.histogram(h, &none, &spread(&[1.0], &[1, 1], 2.0));
        Ok(())
    }))
    .unwrap();
    let page = parse(&desk.text());
    assert_eq!(page.value("g", &[]), Some(1.0), "the first of two stays");
    assert_eq!(page.value("h_count", &[]), Some(2.0));
    assert_eq!(page.value("c_total", &[]), None);
    let refused: Vec<f64> = ["not_finite", "negative", "undeclared", "repeated", "label", "buckets"]
        .map(|reason| desk.refused(reason))
        .into();
    assert_eq!(refused, [3.0, 1.0, 2.0, 1.0, 1.0, 3.0]);
}

#[test]
fn a_figure_that_is_left_out_is_in_no_page_and_no_sample() {
    let desk = Desk::new();
    let round = AtomicU32::new(0);
    desk.collect(source(vec![gauge("g")], move |descriptors, out| {
        let now = round.fetch_add(1, Ordering::Relaxed);
        if now.is_multiple_of(2) {
            out.gauge(&descriptors[0], &Labels::empty(), f64::from(now));
        }
        Ok(())
    }))
    .unwrap();
    assert_eq!(desk.value(&selector("g")), Some(Value::Gauge(0.0)));
    assert_eq!(desk.value(&selector("g")), None);
    assert!(desk.text().contains("\ng 2\n"));
    assert!(!desk.text().contains("\ng "));
}

#[test]
fn collected_label_sets_are_bounded_and_those_no_longer_told_make_room() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(10));
    let first = Arc::new(AtomicU32::new(0));
    let from = Arc::clone(&first);
    desk.collect(source(vec![gauge("g")], move |descriptors, out| {
        let from = from.load(Ordering::Relaxed);
        for id in from..from + 15 {
            let labels = Labels::new([("id", id.to_string())]).unwrap();
            out.gauge(&descriptors[0], &labels, f64::from(id));
        }
        Ok(())
    }))
    .unwrap();
    assert_eq!(desk.values(&selector("g")).len(), 10);
    assert_eq!(desk.own("bellwether_metrics_overflowed_total", None), 5.0);
    first.store(1_000, Ordering::Relaxed);
    for _ in 0..4 {
        desk.sample();
        desk.advance(5);
    }
    let told = desk.values(&selector("g"));
    assert_eq!(told.len(), 10);
    assert!(told.iter().all(|series| series.value.as_f64() >= Some(1_000.0)));
}

/// Tells `of.1` gauges per metric, with ids from `of.0`; both may be changed while it is registered.
fn ids(names: &'static [&'static str], of: &Arc<Mutex<(u32, u32)>>) -> impl Collect + 'static {
    let of = Arc::clone(of);
    source(names.iter().map(|name| gauge(name)).collect(), move |descriptors, out| {
        let (first, n) = *of.lock().unwrap();
        for descriptor in descriptors {
            for id in first..first + n {
                let labels = Labels::new([("id", id.to_string())]).unwrap();
                out.gauge(descriptor, &labels, f64::from(id));
            }
        }
        Ok(())
    })
}

/// The values of a metric after a few samples.
fn settled(desk: &Desk, name: &str) -> Vec<f64> {
    for _ in 0..4 {
        desk.sample();
        desk.advance(5);
    }
    desk.values(&selector(name)).iter().map(|series| series.value.as_f64().unwrap()).collect()
}

#[test]
fn one_full_metric_does_not_keep_another_from_making_room() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(10));
    let of = Arc::new(Mutex::new((0, 15)));
    desk.collect(ids(&["a", "b"], &of)).unwrap();
    settled(&desk, "a");
    *of.lock().unwrap() = (1_000, 15);
    for name in ["a", "b"] {
        let told = settled(&desk, name);
        assert_eq!(told.len(), 10, "{name}");
        assert!(told.iter().all(|&id| id >= 1_000.0), "{name}: {told:?}");
    }
}

#[test]
fn series_that_are_no_longer_told_make_room_when_the_registry_is_full() {
    let desk = Desk::with(RegistryConfig::default().with_max_series(10));
    let (first, second) = (Arc::new(Mutex::new((0, 8))), Arc::new(Mutex::new((0, 0))));
    desk.collect(ids(&["a"], &first)).unwrap();
    desk.collect(ids(&["b"], &second)).unwrap();
    assert_eq!(settled(&desk, "a").len(), 8);
    // Others of the same metric,
    *first.lock().unwrap() = (100, 8);
    assert_eq!(settled(&desk, "a"), (100..108).map(f64::from).collect::<Vec<_>>());
    // of another collector,
    *first.lock().unwrap() = (0, 0);
    *second.lock().unwrap() = (200, 9);
    assert_eq!(settled(&desk, "b"), (200..209).map(f64::from).collect::<Vec<_>>());
    // and of an instrument.
    *second.lock().unwrap() = (300, 2);
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    orders.with("1").increment();
    assert!(orders.try_with("2").is_err());
    assert_eq!(settled(&desk, "b"), [300.0, 301.0]);
    assert!((2..9).all(|id| orders.try_with(&id.to_string()).is_ok()), "8 of 10 are free again");
    assert_eq!(desk.own("bellwether_metrics_series", None), 10.0);
}

#[test]
fn series_that_are_told_keep_their_places_when_the_registry_is_full() {
    let desk = Desk::with(RegistryConfig::default().with_max_series(10));
    let (first, second) = (Arc::new(Mutex::new((0, 8))), Arc::new(Mutex::new((100, 8))));
    desk.collect(ids(&["a"], &first)).unwrap();
    desk.collect(ids(&["b"], &second)).unwrap();
    assert_eq!(settled(&desk, "a").len(), 8);
    assert_eq!(settled(&desk, "b"), [100.0, 101.0]);
    assert_eq!(desk.one_of("a", Aggregate::Count, 8), 8.0);
}

#[test]
fn the_history_of_series_that_come_and_go_is_bounded_in_number() {
    let desk = Desk::with(
        RegistryConfig::default()
            .with_max_series(50)
            .with_max_series_per_metric(10)
            .with_max_metrics(10)
            .with_max_collectors(1),
    );
    let round = AtomicU32::new(0);
    desk.collect(source(vec![gauge("g")], move |descriptors, out| {
        let now = round.fetch_add(1, Ordering::Relaxed);
        for id in 0..3 {
            let labels = Labels::new([("id", format!("{now}-{id}"))]).unwrap();
            out.gauge(&descriptors[0], &labels, 1.0);
        }
        Ok(())
    }))
    .unwrap();
    for _ in 0..1_000 {
        desk.sample();
        desk.advance(5);
    }
    let kept = desk.all("g", Aggregate::Last);
    assert!(kept.len() <= 300, "{} series", kept.len());
    assert!(desk.evicted("idle") > 2_000.0);
    let newest = kept.iter().map(|series| series.newest).max().unwrap();
    assert_eq!(newest, desk.now().saturating_sub(std::time::Duration::from_secs(5)), "the young ones stay");
}

#[test]
fn a_collector_that_reads_its_own_registry_finds_nothing_and_harms_nobody() {
    let desk = Desk::new();
    let registry: Arc<Mutex<Option<Registry>>> = Arc::default();
    let own = Arc::clone(&registry);
    desk.collect(source(vec![gauge("g")], move |descriptors, out| {
        let own = own.lock().unwrap();
        let registry = own.as_ref().unwrap();
        assert_eq!(registry.text(), "");
        assert!(registry.sample().is_empty());
        assert_eq!(registry.value(&selector("g")), None);
        // Registering, recording and windows are open to it.
        registry.counter("made_inside_total", Unit::None, "Made inside.").unwrap().increment();
        out.gauge(&descriptors[0], &Labels::empty(), 1.0);
        Ok(())
    }))
    .unwrap();
    *registry.lock().unwrap() = Some(desk.metrics.clone());
    assert_eq!(desk.value(&selector("g")), Some(Value::Gauge(1.0)));
    assert!(desk.text().contains("\nmade_inside_total "));
    assert!(desk.refused("nested") >= 3.0);
    registry.lock().unwrap().take();
}
