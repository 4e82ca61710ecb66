//! The reference page of the configuration: every key, kept true by a test.
use bellwether_core::config::{KeyDoc, Section};

use super::{AlertsConfig, DeliveryConfig, RouteConfig};

const fn key(path: &'static str, help: &'static str) -> KeyDoc {
    KeyDoc::new(path, help)
}

impl Section for AlertsConfig {
    const NAME: &'static str = "alerts";

    fn keys() -> Vec<KeyDoc> {
        vec![
            key(
                "route",
                "who is told of which alerts; every channel of every alert, by `alertname`, if not set",
            ),
            key(
                "receivers",
                "receivers of several channels, by name: `channels`, and `send_resolved` (default true)",
            ),
            key("evaluation_interval", "how often rules are judged").unit("duration").range("1ms to 1d"),
            key(
                "resolve_timeout",
                "how long an alert lives that is raised without an end and not raised again",
            )
            .unit("duration")
            .range("1s to 30d"),
            key("max_alerts", "most alerts that fire at a time; beyond it the mildest give way")
                .range("1 to 1000000"),
            key("max_groups", "most groups at a time; beyond it alerts of one route are told together")
                .range("1 to 100000"),
            key("max_raised", "most raised alerts that wait to be taken up; beyond it the mildest give way")
                .range("16 to 65536"),
            key("max_pending", "most deliveries that wait in memory").range("1 to 1000000"),
            key("max_history", "most changes that the history in memory keeps").range("1 to 10000000"),
            key("history_age", "how long the history in memory keeps changes")
                .unit("duration")
                .range("1s to 3653d"),
        ]
        .into_iter()
        .chain(DELIVERY.iter().map(|delivery| delivery.nested))
        .chain([key(
            "channels",
            "how single channels are sent to, by name: the keys of `delivery`, all said anew",
        )])
        .collect()
    }
}

impl Section for DeliveryConfig {
    const NAME: &'static str = "alerts.channels.*";

    fn keys() -> Vec<KeyDoc> {
        DELIVERY.iter().map(|delivery| delivery.own).collect()
    }
}

/// A key of [`DeliveryConfig`], by itself and as a part of [`AlertsConfig`].
struct Delivery {
    own: KeyDoc,
    nested: KeyDoc,
}

macro_rules! delivery {
    ($($path:literal, $help:literal, $unit:literal, $range:literal;)+) => {
        &[$(Delivery {
            own: KeyDoc::new($path, $help).unit($unit).range($range),
            nested: KeyDoc::new(concat!("delivery.", $path), $help).unit($unit).range($range),
        }),+]
    };
}

const DELIVERY: &[Delivery] = delivery! {
    "timeout", "how long one attempt may take", "duration", "1ms to 10m";
    "first_retry", "how long after the first failure the second attempt is made, about", "duration", "1ms to 1h";
    "retry_factor", "what each wait is multiplied by to give the next", "", "1 to 10";
    "longest_retry", "longest wait between attempts", "duration", "`first_retry` to 1d";
    "jitter", "how far waits are spread, as a fraction of each", "ratio", "0 to 0.99";
    "max_attempts", "most attempts, the first included, and those of messages whose place it took unless an alert fires anew by it; as many as fit into `give_up_after` if not set", "", "1 to 1000000";
    "give_up_after", "how long after a message was made its last attempt may begin; after the oldest was made whose place it took, unless an alert fires anew by it", "duration", "1s to 30d";
    "rate.permits", "how many messages may be sent in `rate.per`", "", "1 to 65536";
    "rate.per", "the time in which they are counted", "duration", "1ms to 1d";
    "rate.reserved_for_critical", "how many of them are for critical messages alone", "", "0 to one less than `rate.permits`";
    "breaker.failures", "failures in a row that open the circuit", "", "1 to 1000";
    "breaker.open_for", "how long it stays open the first time; twice as long each time after", "duration", "1ms to 1d";
    "breaker.open_at_most", "longest time it stays open", "duration", "`breaker.open_for` to 1d";
    "close_timeout", "how long closing the channel may take", "duration", "1ms to 10m";
};

impl Section for RouteConfig {
    const NAME: &'static str = "alerts.route";

    fn keys() -> Vec<KeyDoc> {
        vec![
            key("receiver", "a receiver, or a channel by its name; inherited. The root needs one"),
            key(
                "matchers",
                "which alerts: `name=\"value\"`, `!=`, `=~`, `!~`; all must match. The root has none",
            ),
            key("continue", "whether later siblings are asked too although this route took the alert"),
            key("group_by", "labels whose alerts are told together, or `[\"...\"]` for all; inherited"),
            key(
                "group_wait",
                "how long a new group waits before its first message; inherited, 30s at the root",
            )
            .unit("duration")
            .range("0s to 1d"),
            key(
                "group_interval",
                "how long between messages of a group about changes; inherited, 5m at the root",
            )
            .unit("duration")
            .range("1ms to 7d"),
            key(
                "repeat_interval",
                "how long until an unchanged group is told again; inherited, 4h at the root",
            )
            .unit("duration")
            .range("1ms to 366d"),
            key("routes", "children, each with these keys, in the order in which they are asked"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::config::{check_section, reference_table};

    use super::*;

    #[test]
    fn every_key_is_listed_and_every_default_is_valid() {
        check_section::<DeliveryConfig>().unwrap();
        check_section::<RouteConfig>().unwrap();
        check_section::<AlertsConfig>().unwrap();
        let table = reference_table::<AlertsConfig>().unwrap();
        assert!(table.contains("| `alerts.delivery.rate.permits` | `60` |  | 1 to 65536 |"), "{table}");
    }
}
