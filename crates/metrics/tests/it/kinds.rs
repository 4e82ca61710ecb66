//! Summaries, infos and state sets, as collectors tell them.

use bellwether_core::{
    Aggregate, Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, SummarySnapshot, Unit,
};
use bellwether_metrics::{Format, RegistryError, Value};

use crate::desk::{Desk, selector};
use crate::{openmetrics_parser, parser};

pub(crate) fn name(text: &'static str) -> MetricName {
    MetricName::new(text).unwrap()
}

pub(crate) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    Labels::new(pairs).unwrap()
}

pub(crate) struct Source<F> {
    pub(crate) descriptors: Vec<Descriptor>,
    pub(crate) tell: F,
}

impl<F: Fn(&[Descriptor], &mut dyn SampleSink) + Send + Sync> Collect for Source<F> {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        (self.tell)(&self.descriptors, out);
        Ok(())
    }
}

/// A registry with a collector that tells through `tell`.
pub(crate) fn told(
    descriptors: Vec<Descriptor>,
    tell: impl Fn(&[Descriptor], &mut dyn SampleSink) + Send + Sync + 'static,
) -> Desk {
    let desk = Desk::new();
    desk.collect(Source { descriptors, tell }).unwrap();
    desk
}

fn hold() -> SummarySnapshot {
    SummarySnapshot { quantiles: [(0.5, 0.25), (0.99, 2.0)].into(), count: 3, sum: 2.5 }
}

fn with_a_summary() -> Desk {
    told(vec![Descriptor::summary(name("hold_seconds"), Unit::Seconds, "Hold.")], |told, out| {
        out.summary(&told[0], &labels([("venue", "XNYS")]), &hold());
        let none = SummarySnapshot { quantiles: [].into(), ..SummarySnapshot::default() };
        out.summary(&told[0], &labels([("venue", "ARCX")]), &none);
    })
}

#[test]
fn a_summary_is_in_text_snapshot_and_samples() {
    let desk = with_a_summary();
    let page = parser::parse(&desk.text());
    assert_eq!(page.family("hold_seconds").kind, "summary");
    let value = |line, labels: &[_]| page.value(line, labels);
    assert_eq!(value("hold_seconds", &[("venue", "XNYS"), ("quantile", "0.99")]), Some(2.0));
    assert_eq!(value("hold_seconds_count", &[("venue", "XNYS")]), Some(3.0));
    assert_eq!(value("hold_seconds_sum", &[("venue", "XNYS")]), Some(2.5));
    assert_eq!(value("hold_seconds_count", &[("venue", "ARCX")]), Some(0.0));
    let xnys = selector("hold_seconds").equal("venue".try_into().unwrap(), "XNYS");
    assert_eq!(desk.value(&xnys), Some(Value::Summary(hold())));
    desk.sample();
    let kept = |name: &str| -> Vec<(String, f64)> {
        let all = desk.all(name, Aggregate::Last);
        let mut all: Vec<_> = all.iter().map(|series| (series.labels.to_string(), series.value)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let of = |labels: &str, value| (labels.to_owned(), value);
    assert_eq!(
        kept("hold_seconds"),
        [of(r#"{quantile="0.5",venue="XNYS"}"#, 0.25), of(r#"{quantile="0.99",venue="XNYS"}"#, 2.0),]
    );
    assert_eq!(kept("hold_seconds_count"), [of(r#"{venue="ARCX"}"#, 0.0), of(r#"{venue="XNYS"}"#, 3.0)]);
    assert_eq!(kept("hold_seconds_sum"), [of(r#"{venue="ARCX"}"#, 0.0), of(r#"{venue="XNYS"}"#, 2.5)]);
}

fn with_infos_and_states() -> Desk {
    let descriptors = vec![
        Descriptor::info(name("build_info"), "Build."),
        Descriptor::state_set(name("feed_state"), "Feed."),
    ];
    told(descriptors, |told, out| {
        out.gauge(&told[0], &labels([("version", "1.2.3")]), 1.0);
        for (venue, open) in [("XNYS", 1.0), ("ARCX", 0.0)] {
            out.gauge(&told[1], &labels([("feed_state", "open"), ("venue", venue)]), open);
            out.gauge(&told[1], &labels([("feed_state", "closed"), ("venue", venue)]), 1.0 - open);
        }
    })
}

#[test]
fn infos_and_state_sets_are_gauges_in_text_and_kinds_of_their_own_in_openmetrics() {
    let desk = with_infos_and_states();
    let page = parser::parse(&desk.text());
    assert_eq!(page.family("build_info").kind, "gauge");
    assert_eq!(page.family("feed_state").kind, "gauge");
    assert_eq!(page.value("feed_state", &[("feed_state", "open"), ("venue", "XNYS")]), Some(1.0));
    let page = openmetrics_parser::parse(&String::from_utf8(desk.encode(Format::OpenMetrics)).unwrap());
    assert_eq!((&*page.family("build").kind, &*page.family("feed_state").kind), ("info", "stateset"));
    assert_eq!(page.value("build_info", &[("version", "1.2.3")]), Some(1.0));
    assert_eq!(page.value("feed_state", &[("feed_state", "closed"), ("venue", "ARCX")]), Some(1.0));
}

#[test]
fn a_state_has_a_past_and_an_info_has_none() {
    let desk = with_infos_and_states();
    desk.sample();
    assert_eq!(desk.value(&selector("build_info")), Some(Value::Gauge(1.0)));
    assert!(desk.all("build_info", Aggregate::Last).is_empty());
    assert_eq!(desk.all("feed_state", Aggregate::Last).len(), 4);
}

#[test]
fn what_is_no_summary_info_or_state_is_refused_and_counted() {
    let descriptors = vec![
        Descriptor::summary(name("s"), Unit::None, "S."),
        Descriptor::info(name("i_info"), "I."),
        Descriptor::state_set(name("state"), "State."),
        Descriptor::gauge(name("g"), Unit::None, "G."),
    ];
    let desk = told(descriptors, |told, out| {
        let none = Labels::empty();
        let [s, i, state, g] = told else { panic!() };
        let summary =
            |quantiles: &[(f64, f64)], sum| SummarySnapshot { quantiles: quantiles.into(), count: 1, sum };
        let good = summary(&[(0.5, 1.0)], 1.0);
        out.summary(s, &labels([("quantile", "0.5")]), &good);
        out.summary(s, &none, &summary(&[(0.5, 1.0), (0.5, 2.0)], 1.0));
        out.summary(s, &none, &summary(&[(0.9, 1.0), (0.5, 2.0)], 1.0));
        out.summary(s, &none, &summary(&[(1.5, 1.0)], 1.0));
        out.summary(s, &none, &summary(&[(0.5, f64::NAN)], 1.0));
        out.summary(s, &none, &summary(&[], f64::INFINITY));
        out.summary(g, &none, &good);
        out.gauge(s, &none, 1.0);
        out.gauge(i, &none, 2.0);
        out.counter(i, &none, 1.0);
        out.gauge(state, &labels([("state", "open")]), 0.5);
        out.gauge(state, &labels([("venue", "XNYS")]), 1.0);
    });
    let page = parser::parse(&desk.text());
    for family in ["s", "i_info", "state", "g"] {
        assert!(page.families.iter().all(|found| found.name != family), "{family}");
    }
    let refused =
        ["label", "buckets", "not_finite", "undeclared", "state"].map(|reason| desk.refused(reason));
    // Each of the five figures was read by a run of its own, of the registry's metrics alone.
    assert_eq!(refused, [2.0, 3.0, 2.0, 3.0, 2.0]);
}

#[test]
fn names_say_the_kind() {
    let refuse = |descriptor: Descriptor| {
        let source =
            Source { descriptors: vec![descriptor], tell: |_: &[Descriptor], _: &mut dyn SampleSink| {} };
        Desk::new().collect(source).unwrap_err()
    };
    assert!(matches!(refuse(Descriptor::info(name("build"), "B.")), RegistryError::NotInfo { .. }));
    for descriptor in [
        Descriptor::gauge(name("g_info"), Unit::None, "G."),
        Descriptor::state_set(name("s_info"), "S."),
        Descriptor::summary(name("s_total"), Unit::None, "S."),
        Descriptor::summary(name("s_bucket"), Unit::None, "S."),
    ] {
        let error = refuse(descriptor);
        assert!(matches!(error, RegistryError::Suffix { .. }), "{error}");
    }
}

#[test]
fn no_two_metrics_share_a_name_in_any_format() {
    let summary = || Descriptor::summary(name("x"), Unit::None, "X.");
    let info = || Descriptor::info(name("x_info"), "X.");
    let gauge = |text| Descriptor::gauge(name(text), Unit::None, "X.");
    let pairs = [
        (summary(), gauge("x_count")),
        (summary(), gauge("x_sum")),
        (summary(), gauge("x_created")),
        (info(), gauge("x")),
        (info(), summary()),
    ];
    for (a, b) in pairs {
        for (first, second) in [(a.clone(), b.clone()), (b, a)] {
            let desk = Desk::new();
            let source = |descriptor| Source {
                descriptors: vec![descriptor],
                tell: |_: &[Descriptor], _: &mut dyn SampleSink| {},
            };
            desk.collect(source(first)).unwrap();
            let error = desk.collect(source(second)).unwrap_err();
            assert!(matches!(error, RegistryError::SharedLine { .. }), "{error}");
        }
    }
    // A summary has no buckets.
    let desk = told(vec![summary()], |_, _| {});
    desk.gauge("x_max", Unit::None, "X.").unwrap();
}
