//! Notifications to send.
use bellwether_alerts::{Alert, AlertChannel, ChannelName, GroupKey, Notification, Receipt, ReceiverName};
use bellwether_core::{Labels, Severity};
use chrono::{DateTime, TimeDelta, Utc};

/// 2008-10-10T14:30:00Z.
pub(crate) fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_223_649_000, 0).unwrap()
}

pub(crate) fn name(name: &'static str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

pub(crate) fn message(sequence: u64, alerts: Vec<Alert>) -> Notification {
    let labels = Labels::new([("alertname", "Drawdown")]).unwrap();
    let receiver = ReceiverName::new("desk").unwrap();
    Notification::alerts(receiver, GroupKey::new("{}", &labels), labels, sequence, at(), alerts)
}

/// One that fires and one that is over.
pub(crate) fn drawdowns() -> Notification {
    let index = Alert::builder("Drawdown", at() - TimeDelta::minutes(1))
        .label("desk", "index")
        .severity(Severity::Critical)
        .annotation("summary", "12 % below the \"peak\"")
        .value(0.12)
        .build()
        .unwrap();
    let crude = Alert::builder("Drawdown", at() - TimeDelta::minutes(5))
        .label("desk", "crude")
        .severity(Severity::Warning)
        .resolved_at(at())
        .build()
        .unwrap();
    message(7, vec![crude, index])
}

/// As many alerts as asked for, each with an annotation of this text.
pub(crate) fn many(alerts: usize, text: &str) -> Notification {
    let alert = |i: usize| {
        let severity = if i == alerts / 2 { Severity::Critical } else { Severity::Warning };
        let alert = Alert::builder("Drawdown", at()).label("desk", i.to_string()).severity(severity);
        alert.annotation("summary", text).build().unwrap()
    };
    message(1, (0..alerts).map(alert).collect())
}

pub(crate) fn digest(title: &str, text: &str) -> Notification {
    Notification::digest(ReceiverName::new("desk").unwrap(), "daily", title, text, at())
}

/// Sends, and expects that it arrives.
pub(crate) async fn deliver(channel: &impl AlertChannel, notification: &Notification) {
    assert_eq!(channel.send(notification).await, Ok(Receipt::delivered()));
}
