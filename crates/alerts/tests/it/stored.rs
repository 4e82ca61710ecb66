//! What is stored is read back as it was, and checked again.
use bellwether_alerts::testing::{RecordingChannel, conformance, samples};
use bellwether_alerts::{
    Alert, AlertChannel, Category, ChannelName, GroupKey, Notification, Receipt, ReceiverName, SendError,
    async_trait,
};
use bellwether_core::{Labels, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::block_on;

#[test]
fn every_kind_of_message_survives_json() {
    for (what, message) in samples() {
        let text = serde_json::to_string(&message).unwrap();
        assert!(!text.contains('\n'), "{what} is one line");
        assert_eq!(serde_json::from_str::<Notification>(&text).unwrap(), message, "{what}");
    }
}

#[test]
fn a_message_in_json_reads_like_this() {
    let at = DateTime::from_timestamp(1_221_436_800, 0).unwrap();
    let alert = Alert::builder("DeskDrawdown", at)
        .label("strategy", "momentum")
        .severity(Severity::Critical)
        .category(Category::new("risk").unwrap())
        .annotation("summary", "down 12%")
        .value(0.12)
        .build()
        .unwrap();
    let labels = Labels::new([("alertname", "DeskDrawdown")]).unwrap();
    let group = GroupKey::new("{}", &labels);
    let receiver = ReceiverName::new("pager").unwrap();
    let message = Notification::alerts(receiver, group, labels, 1, at, vec![alert]);
    let expected = r#"{"kind":"alerts","key":"KEY","receiver":"pager",
        "group_key":"{}:{alertname=\"DeskDrawdown\"}","group_labels":{"alertname":"DeskDrawdown"},"sequence":1,
        "at":"2008-09-15T00:00:00Z","status":"firing","firing":[{
            "labels":{"alertname":"DeskDrawdown","severity":"critical","strategy":"momentum"},
            "severity":"critical","category":"risk","annotations":{"summary":"down 12%"},"value":0.12,
            "starts_at":"2008-09-15T00:00:00Z"}],
        "resolved":[],"truncated":{"firing":0,"resolved":0}}"#;
    let expected = expected.replace("KEY", &message.key().to_string());
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(serde_json::to_value(&message).unwrap(), expected);
}

#[test]
fn every_time_of_an_alert_is_utc_wherever_it_was_written_and_a_local_one_is_refused() {
    let start: fn(&Alert) -> DateTime<Utc> = Alert::starts_at;
    let end: fn(&Alert) -> Option<DateTime<Utc>> = Alert::resolved_at;
    let read = |starts: &str, resolved: &str| {
        let text =
            format!(r#"{{"labels":{{"alertname":"A"}},"starts_at":"{starts}","resolved_at":"{resolved}"}}"#);
        serde_json::from_str::<Alert>(&text)
    };
    // An hour apart by the clocks of Paris, which are set ahead in between; no time at all in truth.
    let alert = read("2020-03-29T01:59:59+01:00", "2020-03-29T03:00:00+02:00").unwrap();
    assert_eq!(start(&alert).to_rfc3339(), "2020-03-29T00:59:59+00:00");
    assert_eq!(end(&alert).unwrap() - start(&alert), TimeDelta::seconds(1));
    let text = serde_json::to_string(&alert).unwrap();
    assert!(
        text.contains(r#""starts_at":"2020-03-29T00:59:59Z","resolved_at":"2020-03-29T01:00:00Z""#),
        "{text}"
    );
    assert!(read("2020-03-29T01:59:59", "2020-03-29T03:00:00Z").is_err());
    assert!(read("2020-03-29T00:59:59Z", "2020-03-29T03:00:00").is_err());
}

#[test]
fn an_alert_that_ends_before_it_began_is_not_read() {
    let text = r#"{"labels":{"alertname":"A"},"starts_at":"2020-01-02T00:00:00Z","resolved_at":"2020-01-01T00:00:00Z"}"#;
    let error = serde_json::from_str::<Alert>(text).unwrap_err().to_string();
    assert!(error.contains("before it started at 2020-01-02"), "{error}");
    assert!(serde_json::from_str::<Alert>(r#"{"labels":{},"starts_at":"2020-01-02T00:00:00Z"}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_alert_survives_json(
        name in "[a-zA-Z]{1,8}", note in any::<String>(), severity in prop::option::of(0_usize..4), value in prop::option::of(-1e9_f64..1e9),
        lasted in prop::option::of(0_i64..1_000_000),
    ) {
        let start = DateTime::UNIX_EPOCH + TimeDelta::microseconds(1);
        let mut builder = Alert::builder(name, start).label("note", note.chars().take(900).collect::<String>()).annotation("text", note);
        if let Some(severity) = severity {
            builder = builder.severity(Severity::ALL[severity]);
        }
        if let Some(value) = value {
            builder = builder.value(value);
        }
        if let Some(lasted) = lasted {
            builder = builder.resolved_at(start + TimeDelta::microseconds(lasted));
        }
        let alert = builder.build().unwrap();
        prop_assert_eq!(serde_json::from_str::<Alert>(&serde_json::to_string(&alert).unwrap()).unwrap(), alert);
    }
}

/// A channel with nothing but what the trait requires.
struct Minimal(ChannelName);

#[async_trait]
impl AlertChannel for Minimal {
    fn name(&self) -> &ChannelName {
        &self.0
    }
    async fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
        Ok(Receipt::delivered())
    }
}

#[test]
fn a_channel_needs_only_a_name_and_an_attempt() {
    block_on(conformance(|| Minimal(ChannelName::new("minimal").unwrap())));
    block_on(conformance(|| RecordingChannel::new(ChannelName::new("recording").unwrap())));
}

#[test]
#[should_panic(
    expected = "channel picky did not take as many alerts as may be listed, with long texts the first time"
)]
fn the_kit_finds_a_channel_that_refuses_what_is_long() {
    struct Picky(ChannelName);
    #[async_trait]
    impl AlertChannel for Picky {
        fn name(&self) -> &ChannelName {
            &self.0
        }
        async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
            if notification.text().len() > 4_096 {
                return Err(SendError::permanent("message too long"));
            }
            Ok(Receipt::delivered())
        }
    }
    block_on(conformance(|| Picky(ChannelName::new("picky").unwrap())));
}
