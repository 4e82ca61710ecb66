use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bellwether_core::{Fingerprint, LabelName, Labels, LabelsError, MAX_LABELS};
use proptest::prelude::*;

/// Worked out with an independent implementation of SipHash-2-4-128, itself held against the reference vectors.
#[test]
fn fingerprints_are_the_same_on_every_machine_and_version() {
    let golden: [(&[(&str, &str)], &str); 4] = [
        (&[], "f4f2ced447ab02427de0a38047d74950"),
        (&[("venue", "XNYS")], "63d5c92c9b1d470df1c210a106e3008a"),
        (&[("venue", "XNYS"), ("strategy", "momentum")], "53e53ee24a15ea8013dd3ea16404a057"),
        (&[("note", "日経 \n\"x\""), ("a", "b")], "d0fba28552faadc1d52f41bf8d319962"),
    ];
    for (pairs, expected) in golden {
        let labels = Labels::new(pairs.iter().copied()).unwrap();
        assert_eq!(labels.fingerprint().to_string(), expected, "{labels}");
        assert_eq!(expected.parse::<Fingerprint>().unwrap(), labels.fingerprint());
    }
    assert!("f4f2".parse::<Fingerprint>().is_err());
    assert!(format!("+{}", "0".repeat(31)).parse::<Fingerprint>().is_err());
}

#[test]
fn an_empty_value_is_no_label() {
    let labels = Labels::new([("a", ""), ("b", "1")]).unwrap();
    assert_eq!(labels, Labels::new([("b", "1")]).unwrap());
    assert_eq!(labels.get("a"), None);
    assert_eq!(Labels::new([("a", "")]).unwrap(), Labels::empty());
}

#[test]
fn a_name_given_twice_is_refused_with_both_values() {
    let error = Labels::new([("side", "buy"), ("venue", "x"), ("side", "sell")]).unwrap_err();
    assert_eq!(error.to_string(), r#"label "side" is given twice: "buy" and "sell""#);
}

#[test]
fn names_values_and_their_number_are_bounded() {
    assert!(matches!(Labels::new([("1st", "x")]), Err(LabelsError::Name(_))));
    let many = (0..=MAX_LABELS).map(|i| (format!("l{i}"), "x"));
    assert!(matches!(Labels::new(many), Err(LabelsError::TooMany { got: 65 })));
    let long = Labels::new([("note", "x".repeat(5000))]).unwrap_err();
    assert_eq!(long.to_string(), "value of label \"note\" has 5000 bytes, more than 4096");
}

#[test]
fn labels_are_added_replaced_taken_away_and_merged() {
    let base = Labels::new([("a", "1"), ("b", "2")]).unwrap();
    let a = LabelName::new("a").unwrap();
    assert_eq!(base.with(a.clone(), "9").unwrap().to_string(), r#"{a="9",b="2"}"#);
    assert_eq!(base.with(a, "").unwrap().to_string(), r#"{b="2"}"#);
    let other = Labels::new([("b", "x"), ("c", "3")]).unwrap();
    assert_eq!(base.merged(&other).unwrap().to_string(), r#"{a="1",b="x",c="3"}"#);
    assert_eq!(base.retain(|name| name == "b").to_string(), r#"{b="2"}"#);
    assert_eq!(base.retain(|_| false), Labels::empty());
}

#[test]
fn text_is_escaped_as_in_the_prometheus_format() {
    let labels = Labels::new([("x", "a\"b\\c\nd")]).unwrap();
    assert_eq!(labels.to_string(), r#"{x="a\"b\\c\nd"}"#);
    assert_eq!(Labels::empty().to_string(), "");
}

#[test]
fn serde_reads_back_what_it_wrote_and_refuses_bad_names() {
    let labels = Labels::new([("side", "buy"), ("venue", "XNYS")]).unwrap();
    let text = serde_json::to_string(&labels).unwrap();
    assert_eq!(text, r#"{"side":"buy","venue":"XNYS"}"#);
    assert_eq!(serde_json::from_str::<Labels>(&text).unwrap(), labels);
    let error = serde_json::from_str::<Labels>(r#"{"a b":"1"}"#).unwrap_err();
    assert!(error.to_string().contains("label name \"a b\" has ' ' at byte 1"), "{error}");
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(
        "[a-c_]{1,3}".prop_filter("reserved", |n| !n.starts_with("__")),
        "[ab\"é]{0,2}",
        0..5,
    )
}

proptest! {
    #[test]
    fn values_behind_shared_names_are_the_same_set(
        pairs in prop::collection::btree_map("[a-c]{1,2}", "\\PC{0,3}|é{60,70}|x{120,140}|y{4090,4100}", 0..5)
    ) {
        let names: Arc<[LabelName]> = pairs.keys().map(|name| LabelName::new(name.clone()).unwrap()).collect();
        let shared = Labels::from_values(&names, pairs.values().map(String::as_str));
        prop_assert_eq!(&shared, &Labels::new(pairs.clone()));
        if let Ok(labels) = shared {
            let seen: BTreeMap<_, _> = labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(seen.len(), labels.len());
            prop_assert!(seen.iter().all(|(name, value)| labels.get(name) == Some(value) && pairs[name] == *value));
        }
    }

    #[test]
    fn equal_hash_order_and_look_up_agree_with_a_plain_map(a in pairs(), b in pairs()) {
        let present = |map: &BTreeMap<String, String>| {
            map.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.clone(), v.clone())).collect::<BTreeMap<_, _>>()
        };
        let (left, right) = (Labels::new(a.clone()).unwrap(), Labels::new(b.clone()).unwrap());
        let (plain_left, plain_right) = (present(&a), present(&b));
        prop_assert_eq!(left == right, plain_left == plain_right);
        prop_assert_eq!(left.cmp(&right), plain_left.iter().cmp(plain_right.iter()));
        if left == right {
            prop_assert_eq!(left.fingerprint(), right.fingerprint());
        } else {
            prop_assert_ne!(left.fingerprint(), right.fingerprint());
        }
        prop_assert_eq!(HashSet::from([left]).contains(&right), plain_left == plain_right);
    }
}
