use bellwether_core::{CollectError, LabelName, MetricName, Supervisor};
use bellwether_metrics::{OWN_METRICS, Unit, async_collector};

use crate::desk::Desk;
use crate::parser::parse;

#[tokio::test]
async fn the_list_of_own_metrics_is_what_a_registry_tells() {
    let desk = Desk::new();
    // A collector, so that its failures are told, and one with an interval of its own for its age.
    desk.collect(silent_collector()).unwrap();
    desk.collect(async_collector("desk", "1s", |out| std::future::ready(Ok::<_, CollectError>(out))))
        .unwrap();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.start_collectors(&tasks.tasks()).unwrap();
    desk.clock.advance_through(std::time::Duration::from_millis(1)).await;
    let page = parse(&desk.text());
    let told: Vec<_> =
        page.families.iter().filter(|family| family.name.starts_with("bellwether_metrics_")).collect();
    assert_eq!(told.len(), OWN_METRICS.len());
    for (family, own) in told.iter().zip(&OWN_METRICS) {
        assert_eq!(
            (&*family.name, &*family.kind, &*family.help),
            (own.name, &*own.kind.to_string(), own.help)
        );
        for line in family.lines.iter().filter(|line| line.name == own.name) {
            assert_eq!(line.labels.keys().map(String::as_str).collect::<Vec<_>>(), own.labels);
        }
    }
}

#[test]
fn own_metrics_have_valid_names_in_order() {
    assert!(OWN_METRICS.is_sorted_by_key(|own| own.name));
    for own in &OWN_METRICS {
        assert!(
            MetricName::new(own.name).is_ok()
                && own.labels.iter().all(|label| LabelName::new(*label).is_ok())
        );
    }
}

#[test]
fn own_metrics_take_no_place_from_the_host() {
    let desk =
        Desk::with(bellwether_metrics::RegistryConfig::default().with_max_metrics(1).with_max_collectors(1));
    assert!(desk.counter("a_total", Unit::None, "A.").is_ok());
    assert!(desk.gauge("bellwether_metrics_series", Unit::None, "Mine.").is_err());
}

#[test]
fn collectors_whose_names_end_alike_are_told_apart() {
    struct AVeryLongNameSoThatAFewOfThemNestedAreLongerThanALabelOfACollectorMayBe<T>(T);
    use AVeryLongNameSoThatAFewOfThemNestedAreLongerThanALabelOfACollectorMayBe as Nested;
    struct Failing<A, B>(A, B);
    impl<A: Send + Sync, B: Send + Sync> bellwether_core::Collect for Failing<A, B> {
        fn descriptors(&self) -> &[bellwether_core::Descriptor] {
            &[]
        }
        fn collect(&self, _: &mut dyn bellwether_core::SampleSink) -> Result<(), CollectError> {
            Err(CollectError::new("always"))
        }
    }
    let desk = Desk::new();
    let end = || Nested(Nested(Nested(Nested(1u8))));
    desk.collect(Failing(1u8, end())).unwrap();
    desk.collect(Failing(1u16, end())).unwrap();
    desk.collect(Failing(1u16, end())).unwrap();
    let page = parse(&desk.text());
    let failures = page.family("bellwether_metrics_collector_failures_total");
    assert_eq!(failures.lines.len(), 6, "an error line and a panic line each");
    assert_eq!(desk.refused("repeated"), 0.0);
}

/// A collector without figures.
fn silent_collector() -> impl bellwether_core::Collect + 'static {
    struct Nothing;
    impl bellwether_core::Collect for Nothing {
        fn descriptors(&self) -> &[bellwether_core::Descriptor] {
            &[]
        }
        fn collect(&self, _: &mut dyn bellwether_core::SampleSink) -> Result<(), CollectError> {
            Ok(())
        }
    }
    Nothing
}
