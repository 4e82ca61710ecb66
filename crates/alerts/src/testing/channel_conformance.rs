//! The kit that every channel should pass.
use std::time::Duration;

use bellwether_core::{Labels, Severity};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Alert, AlertChannel, GroupKey, Notification, ReceiverName, SendError};

/// How long one attempt of a channel under test may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Checks that a channel keeps the promises of [`AlertChannel`]. `make` makes a channel that can reach its service, or a
/// stand-in for it.
///
/// * Its name does not change, and it is enabled.
/// * It takes every kind of message: alerts that fire, that are over, both; none listed, as many as may be listed; a digest, a test.
/// * It takes texts of any script and size, with quotes, markup, line breaks and control characters in them: what does not fit is cut,
///   never refused for good.
/// * It takes the same message twice.
/// * An attempt whose future is dropped leaves it usable.
/// * It can be closed.
///
/// # Panics
///
/// With what the channel does wrong.
///
/// ```
/// use bellwether_alerts::{ChannelName, testing};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let name = ChannelName::new("speaker")?;
/// testing::conformance(|| testing::RecordingChannel::new(name.clone())).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[allow(clippy::panic, reason = "a test tells by panicking")]
#[allow(clippy::disallowed_methods, reason = "a channel under test answers in real time")]
pub async fn conformance<C: AlertChannel>(make: impl Fn() -> C) {
    let channel = make();
    let name = channel.name().clone();
    assert!(channel.enabled(), "a channel under test must be enabled");
    for (what, notification) in samples() {
        for time in ["first", "second"] {
            if let Err(reason) = in_time(channel.send(&notification)).await {
                panic!("channel {name} did not take {what} the {time} time: {reason}");
            }
        }
        assert_eq!(*channel.name(), name, "the name changed");
    }
    let (_, notification) = samples().remove(0);
    // Polled once at most, then dropped.
    let _ = tokio::time::timeout(Duration::ZERO, channel.send(&notification)).await;
    if let Err(reason) = in_time(channel.send(&notification)).await {
        panic!("channel {name} takes nothing more after an attempt was dropped: {reason}");
    }
    if let Err(reason) = in_time(channel.close()).await {
        panic!("channel {name} cannot be closed: {reason}");
    }
    if let Err(reason) = in_time(make().close()).await {
        panic!("channel {name} cannot be closed unused: {reason}");
    }
}

/// Whether an attempt went well within the limit, or why not.
#[allow(clippy::disallowed_methods, reason = "a channel under test answers in real time")]
async fn in_time<T>(attempt: impl Future<Output = Result<T, SendError>>) -> Result<(), String> {
    match tokio::time::timeout(LIMIT, attempt).await {
        Ok(result) => result.map(drop).map_err(|error| error.to_string()),
        Err(elapsed) => Err(format!("no answer within {LIMIT:?}: {elapsed}")),
    }
}

/// Messages of every kind, the odd ones included, each with what it is.
pub fn samples() -> Vec<(&'static str, Notification)> {
    let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
    let receiver = || ReceiverName::CONFORMANCE;
    let message = |number: u64, alerts: Vec<Alert>| {
        Notification::alerts(receiver(), GroupKey::from_text("{}:{}"), Labels::empty(), number, at, alerts)
    };
    let alert = |i: usize, text: &str| {
        Alert::builder("Conformance", at)
            .label("instance", i.to_string())
            .label("note", text.chars().take(500).collect::<String>())
            .severity(if i == 0 { Severity::Critical } else { Severity::Info })
            .annotation("summary", text)
            .value(i as f64)
            .build()
    };
    let firing =
        |count: usize, text: &str| -> Vec<Alert> { (0..count).filter_map(|i| alert(i, text).ok()).collect() };
    let over = |count: usize, text: &str| -> Vec<Alert> {
        firing(count, text).iter().map(|alert| alert.ended(at)).collect()
    };
    let both = || firing(2, "still so").into_iter().chain(over(5, "no more").into_iter().skip(2)).collect();
    let hostile = "\u{0}\u{7}\u{1b}[31m\r\n.\r\nBcc: x@example.org\r\n<script>alert(1)</script> & \"quoted\" 'single' \\ `code` \
                   *bold* _it_ {{ $value }} ${HOME} %s %n @everyone <!channel> \u{202e}drowssap \u{feff}";
    vec![
        ("one firing alert", message(1, firing(1, "something is wrong"))),
        ("one resolved alert", message(2, over(1, "nothing is wrong"))),
        ("firing and resolved alerts", message(3, both())),
        (
            "as many alerts as may be listed, with long texts",
            message(4, firing(Notification::MAX_ALERTS + 100, &"long text ".repeat(200))),
        ),
        ("a message that lists no alert", message(5, Vec::new())),
        ("hostile texts", message(6, firing(3, hostile))),
        ("texts of wide characters", message(7, firing(40, &"警報🚨é".repeat(400)))),
        (
            "a digest",
            Notification::digest(receiver(), "daily", "The day", "All is well.\nNothing happened.", at),
        ),
        (
            "a long and hostile digest",
            Notification::digest(receiver(), "weekly", hostile.repeat(20), hostile.repeat(2_000), at),
        ),
        ("an empty digest", Notification::digest(receiver(), "monthly", "", "", at)),
        ("a test message", Notification::test(receiver(), at)),
    ]
}
