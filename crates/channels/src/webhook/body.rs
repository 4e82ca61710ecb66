//! What a webhook sends: the body of Alertmanager's webhooks, and a few fields more.
use std::borrow::Cow;

use bellwether_alerts::{
    Alert, AlertState, Annotations, Category, IdempotencyKey, Notification, NotificationKind,
};
use bellwether_core::{Fingerprint, Labels};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::share::{Share, Texts, fit};

/// Version of Alertmanager's body.
const VERSION: &str = "4";

/// What Alertmanager writes where an alert has no end.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// The body as JSON of at most `max_bytes`, listing at most `max_alerts`.
pub(super) fn body(
    notification: &Notification,
    external_url: &str,
    max_alerts: usize,
    max_bytes: usize,
) -> Result<Vec<u8>, serde_json::Error> {
    let listed = notification.listed().count().min(max_alerts);
    fit(listed, max_bytes, |share| Body::new(notification, external_url, share))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    version: &'static str,
    group_key: Cow<'a, str>,
    truncated_alerts: u64,
    status: AlertState,
    receiver: &'a str,
    group_labels: Labels,
    common_labels: Labels,
    common_annotations: Texts,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    alerts: Listed<'a>,
    // From here on ours.
    idempotency_key: IdempotencyKey,
    kind: NotificationKind,
    sequence: u64,
    at: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    firing_alerts: u64,
    resolved_alerts: u64,
}

impl<'a> Body<'a> {
    fn new(notification: &'a Notification, external_url: &'a str, share: Share) -> Self {
        let all = notification.firing_count() + notification.resolved_count();
        let written = notification.kind() != NotificationKind::Alerts;
        let (group_labels, common_labels, common_annotations) = if share.group {
            let labels = notification.group_labels().clone();
            (labels, notification.common_labels(), notification.common_annotations())
        } else {
            (Labels::empty(), Labels::empty(), Annotations::empty())
        };
        Self {
            version: VERSION,
            group_key: share.group_key(notification),
            truncated_alerts: all - share.alerts as u64,
            status: notification.status(),
            receiver: notification.receiver().as_str(),
            group_labels,
            common_labels,
            common_annotations: share.annotations(common_annotations),
            external_url,
            alerts: Listed { notification, share },
            idempotency_key: notification.key(),
            kind: notification.kind(),
            sequence: notification.sequence(),
            at: time(notification.at()),
            title: share.title(notification),
            text: written.then(|| share.text(notification)),
            firing_alerts: notification.firing_count(),
            resolved_alerts: notification.resolved_count(),
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
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    status: AlertState,
    labels: &'a Labels,
    annotations: Texts,
    starts_at: String,
    ends_at: Cow<'static, str>,
    #[serde(rename = "generatorURL")]
    generator_url: &'static str,
    fingerprint: Fingerprint,
    category: &'a Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

impl<'a> Entry<'a> {
    fn new(alert: &'a Alert, share: Share) -> Self {
        Self {
            status: alert.state(),
            labels: alert.labels(),
            annotations: share.annotations(alert.annotations().clone()),
            starts_at: time(alert.starts_at()),
            ends_at: alert.resolved_at().map_or(NO_END.into(), |at| time(at).into()),
            generator_url: "",
            fingerprint: alert.fingerprint(),
            category: alert.category(),
            value: alert.value(),
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
