use bellwether_core::{Kind, Labels};
use bellwether_metrics::{Buckets, RegistryConfig, RegistryError, SeriesError, Unit};

use crate::desk::{Desk, selector};

#[test]
fn the_same_definition_gives_the_same_counter() {
    let desk = Desk::new();
    let define = || desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    define().add(2);
    define().increment();
    assert_eq!(define().get(), 3);
}

#[test]
fn the_same_family_may_name_its_labels_in_another_order() {
    let desk = Desk::new();
    let one = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    let other = desk.counter_family("orders_total", Unit::None, "Orders.", ["side", "venue"]).unwrap();
    one.with(["XNYS", "buy"]).increment();
    other.with(["buy", "XNYS"]).increment();
    assert_eq!(one.with(["XNYS", "buy"]).get(), 2);
    assert_eq!(desk.values(&selector("orders_total")).len(), 1);
}

#[test]
fn every_difference_in_a_definition_is_an_error_that_names_both() {
    let desk = Desk::new();
    desk.histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency()).unwrap();
    let differing = [
        desk.gauge("ack_seconds", Unit::Seconds, "Ack.").unwrap_err(),
        desk.histogram("ack_seconds", Unit::None, "Ack.", Buckets::latency()).unwrap_err(),
        desk.histogram("ack_seconds", Unit::Seconds, "Other.", Buckets::latency()).unwrap_err(),
        desk.histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::new([1.0]).unwrap()).unwrap_err(),
        desk.histogram_family("ack_seconds", Unit::Seconds, "Ack.", ["venue"], Buckets::latency())
            .unwrap_err(),
    ];
    for error in &differing {
        let RegistryError::Conflict { requested, registered } = error else { panic!("{error}") };
        assert_ne!(requested, registered);
    }
    assert_eq!(
        differing[0].to_string(),
        "cannot define gauge \"ack_seconds\" (unit seconds, help \"Ack.\"): histogram \"ack_seconds\" \
         (unit seconds, 19 bounds 0.00001..10, help \"Ack.\") is there already"
    );
}

#[test]
fn a_counter_must_be_named_as_one_and_nothing_is_appended() {
    let desk = Desk::new();
    let error = desk.counter("orders", Unit::None, "Orders.").unwrap_err();
    assert_eq!(error.to_string(), "counter \"orders\" must end in \"_total\": name it \"orders_total\"");
    desk.counter("orders_total", Unit::None, "Orders.").unwrap().increment();
    assert!(desk.text().contains("\norders_total 1\n"));
}

#[test]
fn other_kinds_must_not_be_named_as_counters_or_buckets() {
    let desk = Desk::new();
    for name in ["depth_total", "depth_bucket"] {
        let error = desk.gauge(name, Unit::None, "Depth.").unwrap_err();
        assert!(matches!(error, RegistryError::Suffix { kind: Kind::Gauge, .. }), "{error}");
    }
    assert!(desk.histogram("x_total", Unit::None, "X.", Buckets::latency()).is_err());
}

#[test]
fn the_lines_of_a_histogram_are_no_names_for_others() {
    let desk = Desk::new();
    desk.histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency()).unwrap();
    let error = desk.gauge("ack_seconds_count", Unit::None, "Count.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot define metric \"ack_seconds_count\": the name \"ack_seconds_count\" would be its own and that of \
         \"ack_seconds\""
    );
    desk.gauge("fill_seconds_sum", Unit::Seconds, "Sum.").unwrap();
    let error = desk.histogram("fill_seconds", Unit::Seconds, "Fill.", Buckets::latency()).unwrap_err();
    assert!(
        matches!(error, RegistryError::SharedLine { ref line, .. } if line == "fill_seconds_sum"),
        "{error}"
    );
}

#[test]
fn a_counter_without_its_ending_is_no_name_for_others() {
    let desk = Desk::new();
    desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let error = desk.gauge("fills", Unit::None, "Fills.").unwrap_err();
    assert!(matches!(error, RegistryError::SharedLine { ref line, .. } if line == "fills"), "{error}");
    desk.gauge("orders", Unit::None, "Orders.").unwrap();
    assert!(desk.counter("orders_total", Unit::None, "Orders.").is_err());
    // What was refused has taken no name.
    desk.gauge("orders_created", Unit::None, "Orders.").unwrap();
}

#[test]
fn illegal_and_reserved_labels_are_refused() {
    let desk = Desk::new();
    let family = |labels| desk.counter_family("x_total", Unit::None, "X.", labels);
    assert!(matches!(family(["__name__"]), Err(RegistryError::Name(_))));
    assert!(matches!(family(["venue code"]), Err(RegistryError::Name(_))));
    assert!(matches!(family(["overflow"]), Err(RegistryError::ReservedLabel { .. })));
    assert!(family(["le"]).is_ok());
    let histogram = desk.histogram_family("y", Unit::None, "Y.", ["le"], Buckets::latency());
    assert!(matches!(histogram, Err(RegistryError::ReservedLabel { .. })));
    let twice = desk.counter_family("z_total", Unit::None, "Z.", ["a", "a"]);
    assert!(matches!(twice, Err(RegistryError::RepeatedLabel { .. })));
}

#[test]
fn illegal_names_are_refused_and_leave_nothing_behind() {
    let desk = Desk::new();
    assert!(matches!(desk.counter("5xx_total", Unit::None, "X."), Err(RegistryError::Name(_))));
    assert!(matches!(desk.gauge("a b", Unit::None, "X."), Err(RegistryError::Name(_))));
    // The name of a line would be too long.
    let long = "h".repeat(250);
    assert!(matches!(
        desk.histogram(long.clone(), Unit::None, "X.", Buckets::latency()),
        Err(RegistryError::Name(_))
    ));
    assert!(desk.gauge(long, Unit::None, "X.").is_ok());
}

#[test]
fn one_metric_too_many_is_an_error_and_known_ones_stay_reachable() {
    let desk = Desk::with(RegistryConfig::default().with_max_metrics(1));
    desk.counter("a_total", Unit::None, "A.").unwrap();
    let error = desk.counter("b_total", Unit::None, "B.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "metric \"b_total\" is one too many: the registry is bounded to 1 (`max_metrics`)"
    );
    assert!(desk.counter("a_total", Unit::None, "A.").is_ok());
}

#[test]
fn a_value_that_is_too_long_is_an_error_that_names_metric_and_label() {
    let desk = Desk::new();
    let family = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue"]).unwrap();
    let long = "x".repeat(5_000);
    let error = family.try_with(&long).unwrap_err();
    assert!(matches!(error, SeriesError::Label { .. }));
    assert_eq!(
        error.to_string(),
        "metric \"orders_total\": value of label \"venue\" has 5000 bytes, more than 4096"
    );
    family.with(&long).add(3);
    assert_eq!(family.overflow().get(), 3);
    assert_eq!(desk.refused("label"), 1.0);
}

#[test]
fn an_empty_value_is_no_label() {
    let desk = Desk::new();
    let family = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    family.with(["", "buy"]).increment();
    assert_eq!(*family.with(["", "buy"]).labels(), Labels::new([("side", "buy")]).unwrap());
    assert!(desk.text().contains("orders_total{side=\"buy\"} 1\n"));
}

#[test]
fn two_registries_never_see_each_other() {
    let (one, other) = (Desk::new(), Desk::new());
    let counter = one.counter("fills_total", Unit::None, "Fills.").unwrap();
    counter.add(5);
    let namesake = other.gauge("rate", Unit::Usd, "Another thing.").unwrap();
    namesake.set(f64::NAN);
    assert_eq!(other.values(&selector("fills_total")), []);
    assert_eq!(other.counter("fills_total", Unit::Usd, "Others.").unwrap().get(), 0);
    assert_eq!((one.refused("not_finite"), other.refused("not_finite")), (0.0, 1.0));
    one.sample();
    assert_eq!(other.all("fills_total", bellwether_core::Aggregate::Last), []);
}

#[test]
fn a_metric_without_room_for_its_one_series_is_an_error_and_leaves_its_name_free() {
    let desk = Desk::with(RegistryConfig::default().with_max_series(1).with_max_metrics(2));
    desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    for _ in 0..3 {
        let error = desk.gauge("depth", Unit::None, "Depth.").unwrap_err();
        assert!(matches!(error, RegistryError::Series(SeriesError::Bound { limit: 1, .. })), "{error}");
    }
    // The name is free for another definition, and the place among the metrics too.
    let family = desk.histogram_family("depth", Unit::None, "Depth.", ["venue"], Buckets::latency()).unwrap();
    family.with("XNYS").record(1.0);
    assert_eq!(family.overflow().snapshot().count(), 1);
    assert!(desk.counter("fills_total", Unit::None, "Fills.").is_ok());
}

#[test]
fn a_definition_with_more_labels_than_a_series_may_have_is_refused() {
    let desk = Desk::new();
    let labels = |n: usize| (0..n).map(|i| format!("l{i}")).collect::<Vec<_>>();
    let most: [String; 64] = labels(64).try_into().unwrap();
    let family = desk.counter_family("a_total", Unit::None, "A.", most).unwrap();
    assert!(family.try_with([""; 64]).is_ok());
    let more: [String; 65] = labels(65).try_into().unwrap();
    let error = desk.counter_family("b_total", Unit::None, "B.", more).unwrap_err();
    assert_eq!(error.to_string(), "metric \"b_total\" has 65 labels, more than 64");
    assert!(desk.gauge("b", Unit::None, "B.").is_ok(), "what was refused has taken no name");
}
