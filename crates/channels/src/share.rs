//! How much of a notification fits into a message of limited size.
use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use bellwether_alerts::{Annotations, Notification};
use serde::{Serialize, Serializer};

/// What is put after a text that was cut.
const CUT: &str = "…";

/// Least number of bytes that [`fit`] can keep any message within.
pub(crate) const MIN_MESSAGE: usize = 16 * 1024;

/// Longest title of a message that does not hold everything.
const CUT_TITLE: usize = 512;

/// Longest key of a group in the smallest message.
const CUT_GROUP_KEY: usize = 512;

/// What part of a notification a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// How many alerts are listed.
    pub(crate) alerts: usize,
    /// Most bytes of one annotation.
    pub(crate) annotation: usize,
    /// Most bytes of the title.
    pub(crate) title: usize,
    /// Most bytes of the text of a digest.
    pub(crate) text: usize,
    /// Whether labels and annotations of the group are told, and its key in full.
    pub(crate) group: bool,
}

impl Share {
    fn whole(alerts: usize) -> Self {
        Self { alerts, annotation: usize::MAX, title: usize::MAX, text: usize::MAX, group: true }
    }

    /// The key of the group; in the smallest message its beginning, and what stands for its labels.
    pub(crate) fn group_key<'a>(&self, notification: &'a Notification) -> Cow<'a, str> {
        let key = notification.group_key().as_str();
        if self.group || key.len() <= CUT_GROUP_KEY {
            return key.into();
        }
        format!("{}#{}", cut(key, CUT_GROUP_KEY), notification.group_labels().fingerprint()).into()
    }

    /// The title.
    pub(crate) fn title(&self, notification: &Notification) -> String {
        cut(&notification.title(), self.title).into_owned()
    }

    /// The words of a message that was written as such.
    pub(crate) fn text(&self, notification: &Notification) -> String {
        cut(&notification.text(), self.text).into_owned()
    }

    /// Annotations, each shortened.
    pub(crate) fn annotations(&self, annotations: Annotations) -> Texts {
        Texts { annotations, longest: self.annotation }
    }
}

/// Annotations of which each may be shortened.
#[derive(Debug)]
pub(crate) struct Texts {
    annotations: Annotations,
    longest: usize,
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.annotations.iter().map(|(name, text)| (name, cut(text, self.longest))))
    }
}

/// The text, or as much of its beginning as `longest` bytes hold, and a mark that it goes on.
fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return text.into();
    }
    let kept = text.get(..text.floor_char_boundary(longest)).unwrap_or_default();
    format!("{kept}{CUT}").into()
}

/// The message as JSON of at most `max_bytes` (at least [`MIN_MESSAGE`]), with as much of up to `alerts` alerts as fits.
///
/// First annotations are shortened, as far as 64 bytes each; then fewer alerts are listed, the mildest left out first; in the
/// last resort, which only hostile labels need, nothing is told but what it is about and how many there are. Counts are no part
/// of this: they are always those of the whole notification. O(`max_bytes` log `alerts`).
pub(crate) fn fit<M: Serialize>(
    alerts: usize,
    max_bytes: usize,
    message: impl Fn(Share) -> M,
) -> Result<Vec<u8>, serde_json::Error> {
    let max_bytes = max_bytes.max(MIN_MESSAGE);
    let shortened = |annotation, part: usize| Share {
        annotation,
        title: CUT_TITLE,
        text: max_bytes / part,
        ..Share::whole(alerts)
    };
    let shortest = shortened(64, 8);
    let shares = [Share::whole(alerts), shortened(1024, 2), shortened(256, 4), shortest];
    if let Some(json) = shares.into_iter().find_map(|share| within(max_bytes, &message(share))) {
        return Ok(json);
    }
    let (mut fits, mut too_many) = (None, alerts);
    let mut at_least = 0;
    while at_least < too_many {
        let middle = at_least.midpoint(too_many);
        match within(max_bytes, &message(Share { alerts: middle, ..shortest })) {
            Some(json) => {
                fits = Some(json);
                at_least = middle + 1;
            }
            None => too_many = middle,
        }
    }
    match fits {
        Some(json) => Ok(json),
        None => serde_json::to_vec(&message(Share { alerts: 0, annotation: 0, group: false, ..shortest })),
    }
}

/// The message as JSON, unless it is too long; stops as soon as that is known.
fn within(max_bytes: usize, message: &impl Serialize) -> Option<Vec<u8>> {
    let mut bounded = Bounded { bytes: Vec::new(), max_bytes };
    serde_json::to_writer(&mut bounded, message).ok()?;
    Some(bounded.bytes)
}

struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if part.len() > self.max_bytes - self.bytes.len() {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a known size: `[share, "x" * alerts * 100]`.
    fn sized(share: Share) -> (usize, usize, String) {
        (share.alerts, share.annotation.min(9_999), "x".repeat(share.alerts * share.annotation.min(4_096)))
    }

    fn fitted(alerts: usize) -> (usize, usize) {
        let json = fit(alerts, MIN_MESSAGE, sized).unwrap();
        assert!(json.len() <= MIN_MESSAGE, "{}", json.len());
        let (listed, annotation, _): (usize, usize, String) = serde_json::from_slice(&json).unwrap();
        (listed, annotation)
    }

    #[test]
    fn texts_are_shortened_before_alerts_are_left_out() {
        assert_eq!(fitted(3), (3, 9_999));
        assert_eq!(fitted(15), (15, 1_024));
        assert_eq!(fitted(60), (60, 256));
        assert_eq!(fitted(255), (255, 64));
    }

    #[test]
    fn as_many_alerts_as_fit_are_listed() {
        // 255 alerts of 64 bytes and 13 bytes around them make 16,333; one more is too much.
        assert_eq!(fitted(256), (255, 64));
        assert_eq!(fitted(5_000), (255, 64));
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut("Größe", 3), "Gr…");
        assert_eq!(cut("Größe", 7), "Größe");
    }
}
