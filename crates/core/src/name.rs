//! Names of metrics and labels, checked once.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

/// Longest name that is accepted, in bytes.
pub const MAX_NAME_LEN: usize = 255;

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
    #[error("{kind} name {name:?} has {found:?} at byte {at}; expected {expected}")]
    Character {
        /// What the name was for.
        kind: &'static str,
        /// The offending text.
        name: String,
        /// The first character that is not allowed.
        found: char,
        /// Where it stands.
        at: usize,
        /// The grammar.
        expected: &'static str,
    },
    /// The name begins with two underscores, which the exposition formats keep for themselves.
    #[error("label name {name:?} begins with `__`, which is reserved")]
    Reserved {
        /// The offending text.
        name: String,
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

fn check(kind: &'static str, text: &str, colons: bool) -> Result<(), NameError> {
    let Some(first) = text.chars().next() else { return Err(NameError::Empty { kind }) };
    if text.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong { kind, len: text.len(), begins: text.chars().take(32).collect() });
    }
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    let wrong = if letter(first) {
        text.char_indices().find(|&(_, c)| !(letter(c) || c.is_ascii_digit()))
    } else {
        Some((0, first))
    };
    match wrong {
        Some((at, found)) => Err(NameError::Character {
            kind,
            name: text.to_owned(),
            found,
            at,
            expected: if colons { "[a-zA-Z_:][a-zA-Z0-9_:]*" } else { "[a-zA-Z_][a-zA-Z0-9_]*" },
        }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $colons:literal, |$text:ident| $more:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// Checks `text` and keeps it.
            pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, NameError> {
                let text = text.into();
                check($kind, &text, $colons)?;
                let $text: &str = &text;
                $more?;
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
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// Name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`, at most [`MAX_NAME_LEN`] bytes.
    ///
    /// ```
    /// use bellwether_core::MetricName;
    /// assert_eq!(MetricName::new("orders_total").unwrap().as_str(), "orders_total");
    /// assert!(MetricName::new("orders total").unwrap_err().to_string().contains("' ' at byte 6"));
    /// ```
    MetricName, "metric", true, |_text| Ok::<(), NameError>(())
}

name! {
    /// Name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, at most [`MAX_NAME_LEN`] bytes, not beginning with `__`.
    ///
    /// ```
    /// use bellwether_core::LabelName;
    /// assert!(LabelName::new("venue").is_ok());
    /// assert!(LabelName::new("__name__").is_err());
    /// ```
    LabelName, "label", false, |text| {
        if text.starts_with("__") { Err(NameError::Reserved { name: text.to_owned() }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_are_for_metrics_only() {
        assert!(MetricName::new("job:orders:rate5m").is_ok());
        assert_eq!(
            LabelName::new("a:b").unwrap_err().to_string(),
            "label name \"a:b\" has ':' at byte 1; expected [a-zA-Z_][a-zA-Z0-9_]*"
        );
    }

    #[test]
    fn empty_digits_first_and_long_names_are_refused() {
        assert_eq!(MetricName::new("").unwrap_err(), NameError::Empty { kind: "metric" });
        assert!(matches!(MetricName::new("5xx"), Err(NameError::Character { at: 0, found: '5', .. })));
        assert!(matches!(LabelName::new("é"), Err(NameError::Character { at: 0, found: 'é', .. })));
        assert!(LabelName::new("a".repeat(MAX_NAME_LEN)).is_ok());
        assert!(matches!(LabelName::new("a".repeat(256)), Err(NameError::TooLong { len: 256, .. })));
    }
}
