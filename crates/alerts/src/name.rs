//! Names of channels, receivers and categories, checked once.
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

/// Longest name that is accepted, in bytes.
pub const MAX_NAME_LEN: usize = 64;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("{kind} name is empty")]
    Empty {
        /// What the name was for.
        kind: &'static str,
    },
    /// A character that the grammar does not allow stands in the name.
    #[error("{kind} name {name:?} has {found:?} at byte {at}; expected [a-zA-Z0-9][a-zA-Z0-9_.-]*")]
    Character {
        /// What the name was for.
        kind: &'static str,
        /// The offending text.
        name: String,
        /// The first character that is not allowed.
        found: char,
        /// Where it stands.
        at: usize,
    },
    /// The name is longer than [`MAX_NAME_LEN`].
    #[error("{kind} name of {len} bytes is longer than {MAX_NAME_LEN}: it begins {begins:?}")]
    TooLong {
        /// What the name was for.
        kind: &'static str,
        /// Its length in bytes.
        len: usize,
        /// Its first characters.
        begins: String,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if text.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong { kind, len: text.len(), begins: text.chars().take(32).collect() });
    }
    let allowed = |at: usize, c: char| c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '_' | '.' | '-'));
    match text.char_indices().find(|&(at, c)| !allowed(at, c)) {
        Some((at, found)) => Err(NameError::Character { kind, name: text.to_owned(), found, at }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// Checks `text` and keeps it.
            pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, NameError> {
                let text = text.into();
                check($kind, &text)?;
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text.to_owned())
            }
        }

        impl TryFrom<&'static str> for $name {
            type Error = NameError;
            fn try_from(text: &'static str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// Name of a channel: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most [`MAX_NAME_LEN`] bytes.
    ///
    /// ```
    /// use bellwether_alerts::ChannelName;
    /// assert_eq!(ChannelName::new("risk-pager")?, "risk-pager");
    /// assert!(ChannelName::new("risk pager").unwrap_err().to_string().contains("' ' at byte 4"));
    /// # Ok::<(), bellwether_alerts::NameError>(())
    /// ```
    ChannelName, "channel"
}

name! {
    /// Name of a receiver, which is one channel or several: what routes lead to.
    ReceiverName, "receiver"
}

name! {
    /// What part of the business an alert belongs to, such as `risk`, `feed` or `system`.
    ///
    /// Not a label, hence not part of an alert's identity; history and statistics are kept by it.
    Category, "category"
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
