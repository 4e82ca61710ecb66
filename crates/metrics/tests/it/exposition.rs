use std::time::Duration;

use bellwether_metrics::{Buckets, Unit};
use proptest::prelude::*;

use crate::desk::Desk;
use crate::parser::parse;

#[test]
fn a_page_by_hand() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders sent.", ["venue", "side"]).unwrap();
    orders.with(["XNYS", "sell"]).add(2);
    orders.with(["XNYS", "buy"]).add(18_446_744_073_709_551_615);
    orders.with(["ARCX", "buy"]).increment();
    desk.gauge("desk_pnl", Unit::Usd, "Profit.").unwrap().set(-1_250.25);
    desk.gauge("depth", Unit::None, "Never set.").unwrap();
    let ack = desk
        .histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::new([0.001, 0.1, 1.0]).unwrap())
        .unwrap();
    ack.record(0.5);
    ack.record(0.001);
    ack.record(Duration::from_secs(2));
    let text = desk.text();
    let hosts: Vec<&str> = text.lines().filter(|line| !line.contains("bellwether_metrics_")).collect();
    assert_eq!(
        hosts.join("\n"),
        "# HELP ack_seconds Ack.\n\
         # TYPE ack_seconds histogram\n\
         ack_seconds_bucket{le=\"0.001\"} 1\n\
         ack_seconds_bucket{le=\"0.1\"} 1\n\
         ack_seconds_bucket{le=\"1.0\"} 2\n\
         ack_seconds_bucket{le=\"+Inf\"} 3\n\
         ack_seconds_sum 2.501\n\
         ack_seconds_count 3\n\
         # HELP desk_pnl Profit.\n\
         # TYPE desk_pnl gauge\n\
         desk_pnl -1250.25\n\
         # HELP orders_total Orders sent.\n\
         # TYPE orders_total counter\n\
         orders_total{side=\"buy\",venue=\"ARCX\"} 1\n\
         orders_total{side=\"buy\",venue=\"XNYS\"} 18446744073709551615\n\
         orders_total{side=\"sell\",venue=\"XNYS\"} 2"
    );
    parse(&text);
}

#[test]
fn hostile_labels_and_help_are_the_bytes_that_the_prometheus_crate_writes() {
    const VALUES: [&str; 10] =
        ["plain", "new\nline", "quo\"te", "back\\slash", "\\n", "\\\"", "\t\u{7f}", "ä漢🦀", "{},=", "end\\"];
    let desk = Desk::new();
    let help = "A \\ backslash, a \"quote\",\na second line and \ttab, ä 漢.";
    let hostile = desk.counter_family("hostile_total", Unit::None, help, ["a", "b"]).unwrap();
    for (i, (a, b)) in VALUES.iter().zip(VALUES.iter().rev()).enumerate() {
        hostile.with([a, b]).add(i as u64 + 1);
    }
    let level = desk.gauge_family("level", Unit::None, "Level.", ["at"]).unwrap();
    let numbers = [0.0, -1.0, 0.1 + 0.2, 123_456.789, 9_007_199_254_740_992.0, 1e-3, -0.5];
    for (at, number) in numbers.iter().enumerate() {
        level.with(&at.to_string()).set(*number);
    }
    let text = desk.text();
    let hosts = text.split_inclusive('\n').filter(|line| !line.contains("bellwether_metrics_"));
    assert_eq!(hosts.collect::<String>(), include_str!("../data/prometheus_0_14.txt"));
}

#[test]
fn the_same_values_give_the_same_bytes_whatever_the_order_of_registration() {
    let page = |turned: bool| {
        let desk = Desk::new();
        let mut names = ["b_total", "a_total", "c_total"];
        let mut values = ["2", "10", "1"];
        if turned {
            names.reverse();
            values.reverse();
        }
        for name in names {
            let family = desk.counter_family(name, Unit::None, "X.", ["i"]).unwrap();
            for value in values {
                family.with(value).increment();
            }
        }
        desk.text()
    };
    assert_eq!(page(false), page(true));
}

#[test]
fn text_is_appended_to_a_page_of_the_host() {
    let desk = Desk::new();
    let mut page = String::from("# the host's own\n");
    desk.write_text(&mut page);
    assert!(page.starts_with("# the host's own\n# HELP "));
}

#[test]
fn families_are_ordered_by_name_and_whole() {
    let desk = Desk::new();
    for name in ["z", "a", "m"] {
        desk.gauge(name, Unit::None, "X.").unwrap().set(1.0);
    }
    let page = parse(&desk.text());
    assert!(page.families.is_sorted_by_key(|family| &family.name));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn hostile_labels_and_help_come_back_as_they_were(
        value in any::<String>().prop_filter("an empty value is no label", |value| !value.is_empty()),
        other in "[\\\\\"\n{},= ]{1,12}",
        help in prop_oneof![any::<String>(), "[\\\\\"\n ]{1,12}"],
        number in prop_oneof![any::<f64>(), Just(0.1 + 0.2), Just(1e300), Just(-0.0), Just(5e-324)],
    ) {
        let desk = Desk::new();
        let family = desk.gauge_family("hostile", Unit::None, help.clone(), ["a", "b"]).unwrap();
        family.with([&value, &other]).set(number);
        let page = parse(&desk.text());
        if number.is_finite() {
            prop_assert_eq!(&page.family("hostile").help, &help);
            prop_assert_eq!(page.value("hostile", &[("a", &value), ("b", &other)]), Some(number));
        } else {
            prop_assert_eq!(page.value("hostile", &[("a", &value), ("b", &other)]), None);
        }
    }
}
