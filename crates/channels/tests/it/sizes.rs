//! Whatever a notification holds, its message is valid, small enough, and counts right.
use std::collections::BTreeSet;
use std::fs;

use bellwether_alerts::{Alert, GroupKey, Notification, NotificationKind};
use bellwether_channels::{Console, JsonLinesConfig, JsonLinesFile, SyncPolicy, Webhook};
use bellwether_core::{Labels, SystemClock};
use proptest::prelude::*;
use serde_json::Value;

use crate::any_notification::any_notification;
use crate::notifications::{at, deliver, many, name};
use crate::server::{Hook as _, Reply, Server};

/// What the webhook sends, and what the file holds.
async fn messages(notification: &Notification, max_body: usize) -> (Vec<u8>, Vec<u8>) {
    let mut server = Server::start([Reply::status(200)]).await;
    let mut config = server.config();
    config.max_body_bytes = max_body;
    let hook = Webhook::new(name("hook"), config, &SystemClock::shared()).unwrap();
    deliver(&hook, notification).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let config = JsonLinesConfig::new(&path).with_max_bytes(64 << 10).with_sync(SyncPolicy::WhenClosed);
    deliver(&JsonLinesFile::new(name("audit"), config).unwrap(), notification).await;
    (server.request().await.body, fs::read(path).unwrap())
}

/// What is in both kinds of message must be there, be right, and add up.
fn check(notification: &Notification, body: &[u8], line: &[u8], max_body: usize) -> (Value, Value) {
    assert!(body.len() <= max_body, "{} bytes", body.len());
    assert!(line.len() <= 64 << 10, "{} bytes", line.len());
    assert!(line.ends_with(b"\n") && line.split(|byte| *byte == b'\n').count() == 2);
    let (body, line): (Value, Value) =
        (serde_json::from_slice(body).unwrap(), serde_json::from_slice(line).unwrap());
    let all = notification.firing_count() + notification.resolved_count();
    for (message, firing, resolved, left_out, key) in [
        (&body, "firingAlerts", "resolvedAlerts", "truncatedAlerts", "idempotencyKey"),
        (&line, "firing", "resolved", "not_listed", "key"),
    ] {
        assert_eq!(message[firing], notification.firing_count());
        assert_eq!(message[resolved], notification.resolved_count());
        assert_eq!(message[key], notification.key().to_string());
        let listed = message["alerts"].as_array().unwrap();
        assert_eq!(listed.len() as u64 + message[left_out].as_u64().unwrap(), all);
        for (told, alert) in listed.iter().zip(notification.listed()) {
            assert_eq!(told["status"], alert.state().as_str());
            let labels = told["labels"].as_object().unwrap();
            let expected: Vec<_> = alert.labels().iter().map(|(name, value)| (name, Some(value))).collect();
            let found: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, expected, "labels are never cut");
            assert_eq!(told["fingerprint"], alert.fingerprint().to_string());
            assert_eq!(told["value"].as_f64(), alert.value());
            let names: BTreeSet<_> =
                told["annotations"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, alert.annotations().iter().map(|(name, _)| name).collect());
        }
        assert_eq!(message.get("text").is_some(), notification.kind() != NotificationKind::Alerts);
    }
    (body, line)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_is_valid_small_enough_and_exact(
        notification in any_notification(),
        max_body in prop_oneof![Just(16 << 10), 16_usize << 10..256 << 10],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (body, line) = runtime.block_on(messages(&notification, max_body));
        check(&notification, &body, &line, max_body);
    }
}

#[tokio::test]
async fn five_thousand_alerts_with_long_annotations_fit_everywhere() {
    for text in ["x".repeat(4_096), "警".repeat(1_365), "\"\u{0}🚨".repeat(680)] {
        let notification = many(5_000, &text);
        for max_body in [16 << 10, 256 << 10, 16 << 20] {
            let (body, line) = messages(&notification, max_body).await;
            let (body, _) = check(&notification, &body, &line, max_body);
            let listed = body["alerts"].as_array().unwrap();
            assert_eq!(listed[0]["labels"]["severity"], "critical", "the worst comes first");
            assert_eq!(listed.len() == 500, max_body > 16 << 10, "{} of {max_body}", listed.len());
            let summary = listed[0]["annotations"]["summary"].as_str().unwrap();
            match max_body {
                0x100_0000 => assert_eq!(summary, text),
                _ => assert!(
                    summary.ends_with('…') && text.starts_with(summary.trim_end_matches('…')),
                    "{summary}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn labels_that_alone_are_too_large_leave_what_it_is_about() {
    let huge = |i: usize| (format!("label_{i:02}"), "\u{1}".repeat(4_096));
    let labels = Labels::new((0..60).map(huge)).unwrap();
    let alert = Alert::from_labels(labels.clone(), at()).label("alertname", "Huge").build().unwrap();
    let key = GroupKey::new("{}/{severity=\"critical\"}", &labels);
    let notification = Notification::alerts("desk".parse().unwrap(), key, labels, 1, at(), vec![alert]);
    let (body, line) = messages(&notification, 16 << 10).await;
    let (body, line) = check(&notification, &body, &line, 16 << 10);
    assert_eq!((body["truncatedAlerts"].as_u64(), line["not_listed"].as_u64()), (Some(1), Some(1)));
    for key in [&body["groupKey"], &line["group_key"]] {
        let key = key.as_str().unwrap();
        assert!(key.starts_with("{}/{severity=\"critical\"}:{label_00=\""), "{key}");
        assert!(key.ends_with(&notification.group_labels().fingerprint().to_string()), "{key}");
    }
}

#[tokio::test]
async fn the_console_takes_them_too() {
    let console = Console::to(name("console"), std::io::sink());
    deliver(&console, &many(5_000, &"🚨".repeat(1_024))).await;
}
