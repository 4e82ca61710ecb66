//! One message to one receiver.
use std::fmt::Write as _;

use bellwether_core::{Labels, Severity};
use chrono::{DateTime, Utc};
use hashbrown::{HashMap, HashSet};

use crate::alert::{ALERT_NAME, SEVERITY};
use crate::annotations::Annotations;
use crate::{Alert, AlertState, GroupKey, IdempotencyKey, ReceiverName};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum NotificationKind {
    /// Alerts of one group.
    Alerts,
    /// A text for people, such as the summary of a day.
    Digest,
    /// A trial, to see whether the channel works.
    Test,
}

/// One message to one receiver: immutable, stored before it is sent, the same at each attempt.
///
/// It lists at most [`Notification::MAX_ALERTS`] alerts, the worst first, and counts all.
///
/// ```
/// use bellwether_alerts::{Alert, GroupKey, Notification, ReceiverName};
/// use bellwether_core::{Labels, Severity};
/// use chrono::DateTime;
///
/// let at = DateTime::UNIX_EPOCH;
/// let alert = Alert::builder("FeedStale", at).label("feed", "itch").severity(Severity::Error).build()?;
/// let labels = Labels::new([("alertname", "FeedStale")])?;
/// let group = GroupKey::new("{}", &labels);
/// let message = Notification::alerts(ReceiverName::new("desk")?, group, labels, 1, at, vec![alert]);
/// assert_eq!(message.title(), "[FIRING 1] error FeedStale feed=itch");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Notification {
    kind: NotificationKind,
    key: IdempotencyKey,
    receiver: ReceiverName,
    group_key: GroupKey,
    group_labels: Labels,
    sequence: u64,
    at: DateTime<Utc>,
    status: AlertState,
    firing: Vec<Alert>,
    resolved: Vec<Alert>,
    /// Alerts that are counted but not listed.
    #[cfg_attr(feature = "serde", serde(default))]
    truncated: Truncated,
    /// Messages that it took the place of.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    superseded: u32,
    /// The worst severity that it or a message that it took the place of was to be delivered with.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    urgency: Option<Severity>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    oldest: Option<Oldest>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    written: Option<Written>,
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How many alerts of a message are counted but not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Truncated {
    /// Of those that fire.
    pub firing: u64,
    /// Of those that are resolved.
    pub resolved: u64,
}

impl Truncated {
    /// Both together.
    pub fn total(self) -> u64 {
        self.firing + self.resolved
    }
}

/// The message since which one waits: the oldest that it took the place of without anything firing anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Oldest {
    pub(crate) key: IdempotencyKey,
    pub(crate) at: DateTime<Utc>,
}

/// The text of a message that was written as such.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Written {
    title: String,
    body: String,
}

impl Notification {
    /// Most alerts that one message lists.
    pub const MAX_ALERTS: usize = 500;

    /// A group's alerts, firing and resolved. `sequence` must grow with each message of the group.
    ///
    /// Sorts them, the worst and oldest first, and leaves out what is beyond [`MAX_ALERTS`](Self::MAX_ALERTS): resolved before firing.
    pub fn alerts(
        receiver: ReceiverName,
        group_key: GroupKey,
        group_labels: Labels,
        sequence: u64,
        at: DateTime<Utc>,
        alerts: Vec<Alert>,
    ) -> Self {
        let (mut firing, mut resolved): (Vec<_>, Vec<_>) = alerts.into_iter().partition(Alert::is_firing);
        let listed_firing = firing.len().min(Self::MAX_ALERTS);
        let listed_resolved = resolved.len().min(Self::MAX_ALERTS - listed_firing);
        let truncated = Truncated {
            firing: (firing.len() - listed_firing) as u64,
            resolved: (resolved.len() - listed_resolved) as u64,
        };
        for (alerts, listed) in [(&mut firing, listed_firing), (&mut resolved, listed_resolved)] {
            alerts.sort_by(Alert::worst_first);
            alerts.truncate(listed);
        }
        Self {
            kind: NotificationKind::Alerts,
            key: IdempotencyKey::new(&receiver, &group_key, sequence),
            status: if firing.is_empty() { AlertState::Resolved } else { AlertState::Firing },
            receiver,
            group_key,
            group_labels,
            sequence,
            at,
            firing,
            resolved,
            truncated,
            superseded: 0,
            urgency: None,
            oldest: None,
            written: None,
        }
    }

    /// This message in the place of an older one of its group that was never delivered, or nothing if it must not take that place and waits
    /// for the older one instead. Both must be about alerts ([`NotificationKind::Alerts`]) of one group, for one receiver, in the order of their
    /// [sequence](Self::sequence), and list all that they count
    /// ([`truncated`](Self::truncated) leaves nothing out, of both together neither); and every alert that the older one says to fire must be mentioned by the newer one,
    /// as firing or as over. One that is not, because the receiver does not hear of ends, would never be heard of.
    ///
    /// A message says everything that fires in its group, so the newer one is right about that. What it need not repeat is what the older one
    /// was the only one to say: that alerts are over. Those which the newer one does not mention are added to it, and the count of messages that
    /// it [took the place of](Self::superseded) grows. It is as [urgent](Self::urgency) as the more urgent of both, and counts as waiting since the older one does,
    /// unless something [fires anew](Self::fires_anew): whoever gives up what could not be delivered for long counts from there. Key, sequence and time stay those
    /// of the newer one.
    ///
    /// ```
    /// use bellwether_alerts::{Alert, GroupKey, Notification, ReceiverName};
    /// use bellwether_core::Labels;
    /// use chrono::DateTime;
    ///
    /// let at = DateTime::UNIX_EPOCH;
    /// let feed = |name: &str| Alert::builder("FeedStale", at).label("feed", name);
    /// let message = |sequence, alerts| {
    ///     let (desk, group) = (ReceiverName::new("desk").unwrap(), GroupKey::from_text("{}:{}"));
    ///     Notification::alerts(desk, group, Labels::empty(), sequence, at, alerts)
    /// };
    /// let older = message(1, vec![feed("itch").resolved_at(at).build()?, feed("opra").build()?]);
    /// let newer = message(2, vec![feed("cta").build()?, feed("opra").build()?]);
    /// let both = newer.in_place_of(&older).unwrap();
    /// assert_eq!(both.title(), "[FIRING 2, RESOLVED 1] warning FeedStale");
    /// assert_eq!((both.key(), both.superseded()), (newer.key(), 1));
    /// assert_eq!(message(2, vec![feed("cta").build()?]).in_place_of(&older), None, "it does not say what became of opra");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_place_of(&self, older: &Self) -> Option<Self> {
        let whole =
            |message: &Self| message.kind == NotificationKind::Alerts && message.truncated.total() == 0;
        let of_one_group = self.group_key == older.group_key && self.receiver == older.receiver;
        let in_order = self.sequence >= older.sequence && self.key != older.key;
        if !whole(self) || !whole(older) || !of_one_group || !in_order {
            return None;
        }
        let mentioned: HashSet<_> = self.listed().map(Alert::labels).collect();
        if !older.firing.iter().all(|alert| mentioned.contains(alert.labels())) {
            return None;
        }
        let mut both = self.clone();
        both.resolved
            .extend(older.resolved.iter().filter(|alert| !mentioned.contains(alert.labels())).cloned());
        if both.firing.len() + both.resolved.len() > Self::MAX_ALERTS {
            return None;
        }
        both.resolved.sort_by(Alert::worst_first);
        both.superseded = self.superseded.saturating_add(older.superseded).saturating_add(1);
        both.urgency = Some(self.urgency().max(older.urgency()));
        if !self.fires_anew(older) {
            both.oldest = Some(older.oldest());
        }
        Some(both)
    }

    /// Whether it says of an alert that it fires that did not fire by `older`, or began later. If so, and it takes the place of that one, neither the age of
    /// that one nor the attempts made of it are its own: what is new is not given up for what was before it.
    pub fn fires_anew(&self, older: &Self) -> bool {
        let fired: HashMap<_, _> =
            older.firing.iter().map(|alert| (alert.labels(), alert.starts_at())).collect();
        let is_new = |alert: &Alert| fired.get(alert.labels()).is_none_or(|start| *start < alert.starts_at());
        self.firing.iter().any(is_new)
    }

    /// What is left to say of a message of its group after newer ones have arrived before it, or nothing: what none of them `mentioned`, under a key of
    /// its own.
    #[cfg(feature = "runtime")]
    pub(crate) fn left_after(&self, mentioned: impl Fn(&Alert) -> bool) -> Option<Self> {
        let left: Vec<_> = self.listed().filter(|alert| !mentioned(alert)).cloned().collect();
        if left.is_empty() {
            return None;
        }
        let (receiver, group) = (self.receiver.clone(), self.group_key.clone());
        let mut rest = Self::alerts(receiver, group, self.group_labels.clone(), self.sequence, self.at, left);
        rest.key = IdempotencyKey::of_words(&self.receiver, &self.group_key, self.sequence, ["rest"]);
        rest.truncated = self.truncated;
        rest.superseded = self.superseded;
        rest.oldest = Some(self.oldest());
        Some(rest)
    }

    /// The message since which it waits: the oldest that it took the place of without anything firing anew; itself if there is none.
    pub(crate) fn oldest(&self) -> Oldest {
        self.oldest.unwrap_or(Oldest { key: self.key, at: self.at })
    }

    /// A text for people, such as the summary of a day. `topic` says what it is about: digests of one topic come in order.
    pub fn digest(
        receiver: ReceiverName,
        topic: &str,
        title: impl Into<String>,
        body: impl Into<String>,
        at: DateTime<Utc>,
    ) -> Self {
        let written = Written { title: title.into(), body: body.into() };
        Self::written(NotificationKind::Digest, receiver, &format!("digest/{topic}"), written, at)
    }

    /// A trial, to see whether a receiver's channels work.
    pub fn test(receiver: ReceiverName, at: DateTime<Utc>) -> Self {
        let written = Written {
            title: "Bellwether test message".to_owned(),
            body: "This message was sent to see whether the channel works. Nothing is wrong.".to_owned(),
        };
        Self::written(NotificationKind::Test, receiver, "test", written, at)
    }

    fn written(
        kind: NotificationKind,
        receiver: ReceiverName,
        topic: &str,
        written: Written,
        at: DateTime<Utc>,
    ) -> Self {
        let group_key = GroupKey::from_text(topic);
        let sequence = at.timestamp_micros().max(0).unsigned_abs();
        // Two texts of one topic may be written within a microsecond; the same text is the same message, though.
        let words = [written.title.as_str(), written.body.as_str()];
        Self {
            kind,
            key: IdempotencyKey::of_words(&receiver, &group_key, sequence, words),
            receiver,
            group_key,
            group_labels: Labels::empty(),
            sequence,
            at,
            status: AlertState::Resolved,
            firing: Vec::new(),
            resolved: Vec::new(),
            truncated: Truncated::default(),
            superseded: 0,
            urgency: None,
            oldest: None,
            written: Some(written),
        }
    }

    /// What it is about.
    pub fn kind(&self) -> NotificationKind {
        self.kind
    }

    /// The same at each attempt; unique per receiver. With the channel's name it is unique per delivery. That of a digest follows from its words
    /// too: two of one topic that were written at the same instant are two messages, and the same one handed over twice is one.
    pub fn key(&self) -> IdempotencyKey {
        self.key
    }

    /// Whom the route names.
    pub fn receiver(&self) -> &ReceiverName {
        &self.receiver
    }

    /// Which group; the topic for digests and tests. Digests of one topic arrive in order; of the alerts of a group a newer message takes the
    /// place of an older one that could not be delivered.
    pub fn group_key(&self) -> &GroupKey {
        &self.group_key
    }

    /// The labels that the group is made by.
    pub fn group_labels(&self) -> &Labels {
        &self.group_labels
    }

    /// Grows with each message of the group, also over restarts.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it was made.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Firing when any of its alerts fires; resolved otherwise.
    pub fn status(&self) -> AlertState {
        self.status
    }

    /// The alerts that fire, the worst and oldest first.
    pub fn firing(&self) -> &[Alert] {
        &self.firing
    }

    /// The alerts that are over, the worst and oldest first.
    pub fn resolved(&self) -> &[Alert] {
        &self.resolved
    }

    /// All listed alerts, firing before resolved.
    pub fn listed(&self) -> impl Iterator<Item = &Alert> + Clone {
        self.firing.iter().chain(&self.resolved)
    }

    /// How many alerts are counted but not listed.
    pub fn truncated(&self) -> Truncated {
        self.truncated
    }

    /// How many older messages of its group, none of which was delivered, it took the place of: see [`in_place_of`](Self::in_place_of).
    pub fn superseded(&self) -> u32 {
        self.superseded
    }

    /// How many fire, listed or not.
    pub fn firing_count(&self) -> u64 {
        self.firing.len() as u64 + self.truncated.firing
    }

    /// How many are resolved, listed or not.
    pub fn resolved_count(&self) -> u64 {
        self.resolved.len() as u64 + self.truncated.resolved
    }

    /// The worst severity of those that fire, or of those resolved if none fires; info for digests and tests.
    pub fn severity(&self) -> Severity {
        let worst = |alerts: &[Alert]| alerts.iter().map(Alert::severity).max();
        worst(&self.firing).or_else(|| worst(&self.resolved)).unwrap_or(Severity::Info)
    }

    /// How urgent its delivery is: its [severity](Self::severity), or that of a message that it took the place of if that was worse.
    pub fn urgency(&self) -> Severity {
        let severity = self.severity();
        self.urgency.map_or(severity, |urgency| urgency.max(severity))
    }

    /// The labels that all listed alerts share.
    pub fn common_labels(&self) -> Labels {
        let mut alerts = self.listed();
        let Some(first) = alerts.next() else { return Labels::empty() };
        first.labels().retain(|name| {
            let value = first.labels().get(name);
            alerts.clone().all(|alert| alert.labels().get(name) == value)
        })
    }

    /// The annotations that all listed alerts share.
    pub fn common_annotations(&self) -> Annotations {
        let mut alerts = self.listed();
        let Some(first) = alerts.next() else { return Annotations::empty() };
        let shared = first
            .annotations()
            .iter()
            .filter(|(name, text)| alerts.clone().all(|alert| alert.annotations().get(name) == Some(text)));
        // A part of valid annotations is valid.
        Annotations::new(shared).unwrap_or_default()
    }

    /// One line for a subject, a heading, or a speaker. Free of control characters.
    pub fn title(&self) -> String {
        let mut title = String::new();
        if let Some(written) = &self.written {
            clean(&mut title, &written.title);
            return title;
        }
        let (firing, resolved) = (self.firing_count(), self.resolved_count());
        // Writing to a `String` cannot fail, here and below.
        let _ = match (firing, resolved) {
            (0, resolved) => write!(title, "[RESOLVED {resolved}] "),
            (firing, 0) => write!(title, "[FIRING {firing}] "),
            (firing, resolved) => write!(title, "[FIRING {firing}, RESOLVED {resolved}] "),
        };
        let _ = write!(title, "{}", self.severity());
        let common = self.common_labels();
        if let Some(name) = common.get(ALERT_NAME) {
            title.push(' ');
            clean(&mut title, name);
        }
        for (name, value) in common.iter().filter(|(name, _)| !matches!(*name, ALERT_NAME | SEVERITY)) {
            let _ = write!(title, " {name}=");
            clean(&mut title, value);
        }
        title
    }

    /// The whole message as plain text, a line for each alert and each of its annotations. Free of control characters but for the
    /// line breaks between lines (and those of a digest's own body).
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Some(written) = &self.written {
            for line in written.body.lines() {
                clean(&mut text, line);
                text.push('\n');
            }
            return text;
        }
        for (word, alerts, left_out) in [
            ("firing", &self.firing, self.truncated.firing),
            ("resolved", &self.resolved, self.truncated.resolved),
        ] {
            for alert in alerts {
                clean(&mut text, &alert.to_string());
                text.push('\n');
                for (name, annotation) in alert.annotations().iter() {
                    text.push_str("  ");
                    clean(&mut text, name);
                    text.push_str(": ");
                    clean(&mut text, annotation);
                    text.push('\n');
                }
            }
            if left_out > 0 {
                let _ = writeln!(text, "and {left_out} more {word}");
            }
        }
        text
    }
}

/// Appends a text with every control character (line breaks, escapes, direction marks) as a space.
fn clean(out: &mut String, text: &str) {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    out.extend(text.chars().map(|c| if hidden(c) { ' ' } else { c }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn message(alerts: Vec<Alert>) -> Notification {
        let receiver = ReceiverName::new("desk").unwrap();
        Notification::alerts(receiver, GroupKey::from_text("{}:{}"), Labels::empty(), 7, AT, alerts)
    }

    fn alert(symbol: &str, severity: Severity) -> Alert {
        Alert::builder("Gap", AT).label("symbol", symbol).severity(severity).build().unwrap()
    }

    #[test]
    fn the_worst_comes_first_and_counts_stay_exact() {
        let mut alerts: Vec<_> = (0..600).map(|i| alert(&format!("S{i}"), Severity::Info)).collect();
        alerts.push(alert("Z", Severity::Critical));
        alerts.push(alert("R", Severity::Error).ended(AT));
        let message = message(alerts);
        assert_eq!(message.firing().first().map(Alert::severity), Some(Severity::Critical));
        assert_eq!((message.firing().len(), message.resolved().len()), (500, 0));
        assert_eq!((message.firing_count(), message.resolved_count()), (601, 1));
        assert_eq!(message.title(), "[FIRING 601, RESOLVED 1] critical Gap");
        assert!(message.text().ends_with("and 101 more firing\nand 1 more resolved\n"));
    }

    #[test]
    fn hostile_labels_stay_on_their_line() {
        let hostile = Alert::builder("Gap", AT).label("symbol", "A\r\nBcc: x\u{202e}").build().unwrap();
        let message = message(vec![hostile]);
        assert_eq!(message.title(), "[FIRING 1] warning Gap symbol=A  Bcc: x ");
        assert_eq!(message.text().lines().count(), 1);
    }

    #[test]
    fn only_a_newer_message_takes_the_place_of_another() {
        let numbered = |sequence| {
            let receiver = ReceiverName::new("desk").unwrap();
            let group = GroupKey::from_text("{}:{}");
            let alerts = vec![alert("A", Severity::Info)];
            Notification::alerts(receiver, group, Labels::empty(), sequence, AT, alerts)
        };
        assert!(numbered(2).in_place_of(&numbered(1)).is_some());
        assert_eq!(numbered(1).in_place_of(&numbered(2)), None);
        assert_eq!(numbered(1).in_place_of(&numbered(1)), None);
    }

    #[test]
    fn a_digest_keeps_its_own_words() {
        let receiver = ReceiverName::new("mail").unwrap();
        let digest = Notification::digest(receiver, "daily", "Day\nclosed", "P&L up\nno alerts", AT);
        assert_eq!(
            (digest.title(), digest.text()),
            ("Day closed".to_owned(), "P&L up\nno alerts\n".to_owned())
        );
        assert_eq!((digest.kind(), digest.firing_count()), (NotificationKind::Digest, 0));
    }
}
