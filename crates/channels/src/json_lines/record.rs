//! One notification as one line of JSON.
use std::borrow::Cow;

use bellwether_alerts::{Alert, AlertState, Category, IdempotencyKey, Notification, NotificationKind};
use bellwether_core::{Fingerprint, Labels, Severity};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::share::{Share, Texts};

/// Version of the line's schema; a new field does not change it.
pub(super) const VERSION: u32 = 1;

/// A line; [`JsonLinesFile`](crate::JsonLinesFile) tells what its fields mean.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    version: u32,
    at: String,
    channel: &'a str,
    kind: NotificationKind,
    key: IdempotencyKey,
    receiver: &'a str,
    group_key: Cow<'a, str>,
    sequence: u64,
    status: AlertState,
    severity: Severity,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    firing: u64,
    resolved: u64,
    not_listed: u64,
    group_labels: Labels,
    alerts: Listed<'a>,
}

impl<'a> Record<'a> {
    pub(super) fn new(channel: &'a str, notification: &'a Notification, share: Share) -> Self {
        let all = notification.firing_count() + notification.resolved_count();
        let written = notification.kind() != NotificationKind::Alerts;
        Self {
            version: VERSION,
            at: time(notification.at()),
            channel,
            kind: notification.kind(),
            key: notification.key(),
            receiver: notification.receiver().as_str(),
            group_key: share.group_key(notification),
            sequence: notification.sequence(),
            status: notification.status(),
            severity: notification.severity(),
            title: share.title(notification),
            text: written.then(|| share.text(notification)),
            firing: notification.firing_count(),
            resolved: notification.resolved_count(),
            not_listed: all - share.alerts as u64,
            group_labels: if share.group { notification.group_labels().clone() } else { Labels::empty() },
            alerts: Listed { notification, share },
        }
    }
}

struct Listed<'a> {
    notification: &'a Notification,
    share: Share,
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listed = self.notification.listed().take(self.share.alerts);
        serializer.collect_seq(listed.map(|alert| Entry::new(alert, self.share)))
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    status: AlertState,
    severity: Severity,
    category: &'a Category,
    labels: &'a Labels,
    annotations: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    starts_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    fingerprint: Fingerprint,
}

impl<'a> Entry<'a> {
    fn new(alert: &'a Alert, share: Share) -> Self {
        Self {
            status: alert.state(),
            severity: alert.severity(),
            category: alert.category(),
            labels: alert.labels(),
            annotations: share.annotations(alert.annotations().clone()),
            value: alert.value(),
            starts_at: time(alert.starts_at()),
            resolved_at: alert.resolved_at().map(time),
            fingerprint: alert.fingerprint(),
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
