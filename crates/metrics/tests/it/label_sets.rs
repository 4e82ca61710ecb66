//! Label sets that are types of the host, and those that differ per series.

use bellwether_core::Labels;
use bellwether_metrics::{
    Buckets, Counter, FamilyOf, RegistryConfig, RegistryError, SeriesError, Unit, label_set, label_value,
};
use proptest::prelude::*;

use crate::desk::{Desk, selector};

label_value! {
    /// Side of an order.
    pub(crate) enum Side {
        Buy = "buy",
        /// Short too.
        Sell = "sell",
    }
}

label_set! {
    /// Who ordered where.
    pub(crate) struct OrderLabels<'a> {
        venue: &'a str,
        side: Side,
        kind as "type": Option<String>,
        dark: bool,
    }
}

fn limit(venue: &str) -> OrderLabels<'_> {
    OrderLabels { venue, side: Side::Buy, kind: Some("limit".to_owned()), dark: false }
}

#[test]
fn a_label_set_is_found_by_its_fields_whatever_their_order() {
    let desk = Desk::new();
    // A family outlives the texts that it is asked with.
    let orders: FamilyOf<Counter, OrderLabels<'static>> =
        desk.counter_family_of("orders_total", Unit::None, "Orders.").unwrap();
    {
        let venue = String::from("XNYS");
        orders.increment(&limit(&venue));
        orders.add(&OrderLabels { kind: None, dark: true, side: Side::Sell, venue: &venue }, 4);
    }
    let by_name = desk
        .counter_family("orders_total", Unit::None, "Orders.", ["type", "dark", "venue", "side"])
        .unwrap();
    assert_eq!(by_name.with(["limit", "false", "XNYS", "buy"]).get(), 1);
    assert_eq!(orders.try_with(&limit("XNYS")).unwrap().get(), 1);
    let labels = orders
        .with(&OrderLabels { kind: None, dark: true, side: Side::Sell, venue: "XNYS" })
        .labels()
        .to_string();
    assert_eq!(labels, r#"{dark="true",side="sell",venue="XNYS"}"#, "none is no label");
    assert!(orders.remove(&limit("XNYS")) && !orders.remove(&limit("XNYS")));
    assert_eq!(orders.retain(|labels| labels.get("side") == Some("buy")), 1);
    assert_eq!(Side::ALL.map(|side| side.to_string()), ["buy", "sell"]);
}

#[test]
fn label_sets_are_bounded_as_others_are() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(2));
    let acks = desk
        .histogram_family_of::<OrderLabels>("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency())
        .unwrap();
    for venue in ["1", "2", "3", "4"] {
        acks.record(&limit(venue), 0.1);
    }
    assert_eq!(acks.overflow().snapshot().count(), 2);
    assert!(matches!(acks.try_with(&limit("3")), Err(SeriesError::Bound { limit: 2, .. })));
    let long = "x".repeat(5_000);
    let depth = desk.gauge_family_of::<OrderLabels>("depth", Unit::None, "Depth.").unwrap();
    depth.set(&limit(&long), 1.0);
    let error = depth.try_with(&limit(&long)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "metric \"depth\": value of label \"venue\" has 5000 bytes, more than 4096"
    );
    assert_eq!((depth.overflow().get(), desk.refused("label")), (Some(1.0), 1.0));
}

#[test]
fn a_reserved_label_in_a_set_is_an_error_that_names_it() {
    label_set! { struct Wrong { overflow: bool } }
    label_set! { struct Le { le: bool } }
    let desk = Desk::new();
    let error = desk.counter_family_of::<Wrong>("x_total", Unit::None, "X.").unwrap_err();
    assert!(matches!(&error, RegistryError::ReservedLabel { label, .. } if *label == "overflow"), "{error}");
    let error = desk.histogram_family_of::<Le>("x", Unit::None, "X.", Buckets::latency()).unwrap_err();
    assert!(error.to_string().contains("label \"le\" of metric \"x\" is reserved"), "{error}");
    let le = desk.counter_family_of::<Le>("y_total", Unit::None, "Y.").unwrap();
    le.increment(&Le { le: true });
    let overflow = desk.counter_family_of::<Wrong>("5_total", Unit::None, "X.");
    assert!(matches!(overflow, Err(RegistryError::Name(_))));
    // Only to see that the fields are read.
    assert_eq!(format!("{:?}", Wrong { overflow: true }), "Wrong { overflow: true }");
}

#[test]
fn dynamic_labels_are_the_same_series_in_any_order() {
    let desk = Desk::new();
    let events = desk.dynamic_counter_family("events_total", Unit::None, "Events.").unwrap();
    events.increment(&[("venue", "XNYS"), ("kind", "trade"), ("note", "")]);
    events.increment(&[("kind", "trade"), ("venue", "XNYS")]);
    events.increment(&vec![("kind".to_owned(), "trade".to_owned()), ("venue".to_owned(), "XNYS".to_owned())]);
    events.increment(&Labels::new([("venue", "XNYS"), ("kind", "trade")]).unwrap());
    events.increment(&[("kind", "trade")]);
    events.add(&[("", ""); 0], 7);
    let all: Vec<_> = desk
        .values(&selector("events_total"))
        .iter()
        .map(|series| (series.labels.to_string(), series.value.as_f64().unwrap()))
        .collect();
    let expected = [("", 7.0), (r#"{kind="trade"}"#, 1.0), (r#"{kind="trade",venue="XNYS"}"#, 4.0)];
    assert_eq!(all, expected.map(|(labels, value)| (labels.to_owned(), value)));
    assert!(events.remove(&[("venue", "XNYS"), ("kind", "trade")]));
    assert_eq!(events.with(&[("kind", "trade"), ("venue", "XNYS")]).get(), 0);
}

#[test]
fn what_is_no_dynamic_label_set_is_an_error_that_names_metric_and_label() {
    let desk = Desk::new();
    let acks = desk.dynamic_histogram_family("ack", Unit::None, "Ack.", Buckets::latency()).unwrap();
    let message = |labels: &[(&str, &str)]| acks.try_with(labels).unwrap_err().to_string();
    assert_eq!(
        message(&[("a", "1"), ("b", ""), ("a", "2")]),
        "metric \"ack\": label \"a\" is given twice: \"1\" and \"2\""
    );
    assert!(
        message(&[("no label", "x")])
            .starts_with("metric \"ack\": label name \"no label\" has ' ' at byte 2")
    );
    assert_eq!(
        message(&[("le", "x")]),
        "label \"le\" of metric \"ack\" is reserved for the buckets of histograms"
    );
    assert!(message(&[("overflow", "true")]).contains("\"overflow\" of metric \"ack\" is reserved"));
    let long = "x".repeat(5_000);
    assert!(message(&[("a", &long)]).contains("label \"a\" has 5000 bytes, more than 4096"));
    let names: Vec<String> = (0..65).map(|n| format!("l{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name, "x")).collect();
    assert_eq!(acks.try_with(&many).unwrap_err().to_string(), "metric \"ack\": 65 labels are more than 64");
    assert!(acks.try_with(&many[..64]).is_ok());
    assert_eq!(desk.refused("label"), 0.0, "an error that is returned is not counted too");
    for wrong in [&[("a", "1"), ("a", "1")][..], &[("no label", "x")], &[("le", "x")], &[("a", &long)]] {
        acks.record(wrong, 1.0);
    }
    acks.record(&many, 1.0);
    assert_eq!((acks.overflow().snapshot().count(), desk.refused("label")), (5, 5.0));
    assert_eq!(desk.own("bellwether_metrics_series", None), 2.0);
}

#[test]
fn metrics_of_fixed_and_of_any_labels_are_different_definitions() {
    let desk = Desk::new();
    desk.dynamic_gauge_family("depth", Unit::None, "Depth.").unwrap().set(&[("a", "b")], 1.0);
    let error = desk.gauge("depth", Unit::None, "Depth.").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot define gauge \"depth\" (no unit, help \"Depth.\"): gauge \"depth\" (no unit, any labels, help \"Depth.\") \
         is there already"
    );
    let same = desk.dynamic_gauge_family("depth", Unit::None, "Depth.").unwrap();
    assert_eq!(same.with(&[("a", "b")]).get(), Some(1.0));
}

proptest! {
    /// Names and values that are easily taken for one another.
    #[test]
    fn dynamic_look_ups_agree_with_label_sets(
        sets in prop::collection::vec(prop::collection::vec(("[ab]{1,2}", "[ab]{0,2}"), 0..4), 1..40)
    ) {
        let desk = Desk::new();
        let events = desk.dynamic_counter_family("events_total", Unit::None, "Events.").unwrap();
        let mut expected = std::collections::BTreeMap::new();
        let mut wrong = 0u64;
        for set in &sets {
            events.increment(set);
            // An empty value is no label, so that it cannot be given twice either.
            let given = set.iter().filter(|(_, value)| !value.is_empty());
            match Labels::new(given.map(|(name, value)| (name, value.as_str()))) {
                Ok(labels) => *expected.entry(labels).or_insert(0.0) += 1.0,
                Err(_) => wrong += 1,
            }
        }
        prop_assert_eq!(events.overflow().get(), wrong);
        prop_assert_eq!(desk.refused("label"), wrong as f64);
        let seen: std::collections::BTreeMap<_, _> = desk
            .values(&selector("events_total"))
            .into_iter()
            .filter(|series| series.labels.get("overflow").is_none())
            .map(|series| (series.labels, series.value.as_f64().unwrap()))
            .collect();
        prop_assert_eq!(seen, expected);
    }
}
