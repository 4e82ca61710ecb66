//! Notifications of every kind, with whatever texts there are.
use bellwether_alerts::{Alert, GroupKey, Notification};
use bellwether_core::{Labels, MAX_LABEL_VALUE_LEN, Severity};
use chrono::TimeDelta;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::notifications::{at, digest};

/// Any text, often one that is written longer than it is.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\PC\\n\\t\u{0}\u{1b}\"\\\\é警🚨]{0,60}",
        (1_usize..2_000, prop::sample::select(vec!["x", "\u{0}", "\"", "é", "🚨"]))
            .prop_map(|(times, part)| part.repeat(times)),
    ]
}

/// A text that a label can hold.
fn value() -> impl Strategy<Value = String> {
    text().prop_map(|mut text| {
        text.truncate(text.floor_char_boundary(MAX_LABEL_VALUE_LEN));
        text
    })
}

fn alert() -> impl Strategy<Value = Alert> {
    let labels = btree_map("[a-z][a-z0-9_]{0,20}", value(), 0..6);
    let annotations = btree_map("\\PC{1,30}", text(), 0..6);
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let value = prop::option::of(-1e300..1e300);
    (labels, annotations, severity, value, 0_i64..100_000, any::<bool>()).prop_map(
        |(mut labels, annotations, severity, value, age, over)| {
            labels.remove("severity");
            labels.remove("alertname");
            let labels = Labels::new(labels).unwrap();
            let mut alert = Alert::from_labels(labels, at() - TimeDelta::milliseconds(age));
            alert = alert.label("alertname", "Any").severity(severity);
            for (name, text) in annotations {
                alert = alert.annotation(name, text);
            }
            if let Some(value) = value {
                alert = alert.value(value);
            }
            if over {
                alert = alert.resolved_at(at());
            }
            alert.build().unwrap()
        },
    )
}

/// Any notification.
pub(crate) fn any_notification() -> impl Strategy<Value = Notification> {
    let alerts = (vec(alert(), 0..8), 1_usize..24, value(), any::<u64>()).prop_map(
        |(alerts, times, group, sequence)| {
            // The same texts again under other labels, so that there are many.
            let alerts = (0..times).flat_map(|time| {
                alerts.iter().map(move |alert| {
                    let again = Alert::from_labels(alert.labels().clone(), alert.starts_at())
                        .label("time", time.to_string());
                    let again = alert
                        .annotations()
                        .iter()
                        .fold(again, |again, (name, text)| again.annotation(name, text));
                    alert.resolved_at().map_or(again.clone(), |at| again.resolved_at(at)).build().unwrap()
                })
            });
            let labels = Labels::new([("group", group)]).unwrap();
            let receiver = "desk".parse().unwrap();
            Notification::alerts(
                receiver,
                GroupKey::new("{}", &labels),
                labels,
                sequence,
                at(),
                alerts.collect(),
            )
        },
    );
    let digest =
        (text(), text(), 1_usize..40).prop_map(|(title, text, times)| digest(&title, &text.repeat(times)));
    prop_oneof![3 => alerts, 1 => digest]
}
