//! Names of channels, receivers and categories, checked once.
use std::borrow::Cow;

use bellwether_core::{NameGrammar, name_type};

pub use bellwether_core::NameError;

/// Longest name that is accepted, in bytes.
pub const MAX_NAME_LEN: usize = 64;

const fn grammar(kind: &'static str) -> NameGrammar {
    NameGrammar {
        kind,
        expected: "[a-zA-Z0-9][a-zA-Z0-9_.-]*",
        allowed: |at, c| c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '_' | '.' | '-')),
        max_len: MAX_NAME_LEN,
    }
}

name_type! {
    /// Name of a channel: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most [`MAX_NAME_LEN`] bytes.
    ///
    /// ```
    /// use bellwether_alerts::ChannelName;
    /// assert_eq!(ChannelName::new("risk-pager")?, "risk-pager");
    /// assert!(ChannelName::new("risk pager").unwrap_err().to_string().contains("' ' at byte 4"));
    /// # Ok::<(), bellwether_alerts::NameError>(())
    /// ```
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String"))]
    pub struct ChannelName if |text| grammar("channel").check(text);
}

name_type! {
    /// Name of a receiver, which is one channel or several: what routes lead to.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String"))]
    pub struct ReceiverName if |text| grammar("receiver").check(text);
}

name_type! {
    /// What part of the business an alert belongs to, such as `risk`, `feed` or `system`.
    ///
    /// Not a label, hence not part of an alert's identity; history and statistics are kept by it.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String"))]
    pub struct Category if |text| grammar("category").check(text);
}

impl Category {
    /// The category of an alert that names none.
    pub const GENERAL: Self = Self(Cow::Borrowed("general"));
}

impl ReceiverName {
    /// Who is told when no route says whom.
    pub(crate) const UNROUTED: Self = Self(Cow::Borrowed("unrouted"));
    /// Every channel: who is told where there are no routes.
    #[cfg(feature = "runtime")]
    pub(crate) const EVERYONE: Self = Self(Cow::Borrowed("everyone"));
    /// Who is told in the kit for channels.
    #[cfg(feature = "testing")]
    pub(crate) const CONFORMANCE: Self = Self(Cow::Borrowed("conformance"));
}

impl Default for Category {
    fn default() -> Self {
        Self::GENERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_long_and_odd_names_are_refused() {
        assert_eq!(ChannelName::new("").unwrap_err(), NameError::Empty { kind: "channel" });
        assert!(matches!(ReceiverName::new("-a"), Err(NameError::Character { at: 0, found: '-', .. })));
        assert!(matches!(Category::new("é"), Err(NameError::Character { at: 0, .. })));
        assert!(Category::new("a".repeat(MAX_NAME_LEN)).is_ok());
        assert!(matches!(ChannelName::new("a".repeat(65)), Err(NameError::TooLong { len: 65, .. })));
        assert_eq!(Category::default(), "general");
    }
}
