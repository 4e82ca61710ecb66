//! Names of metrics and labels, and the pattern of every other name: checked once.

/// Longest name of a metric or label, in bytes.
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
    /// The name is longer than its kind may be.
    #[error("{kind} name of {len} bytes is longer than {max_len}: it begins {begins:?}")]
    TooLong {
        /// What the name was for.
        kind: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The most there may be.
        max_len: usize,
        /// Its first characters.
        begins: String,
    },
}

/// What names of a kind look like.
///
/// [`name_type!`](crate::name_type) shows one in use.
#[derive(Debug, Clone, Copy)]
pub struct NameGrammar {
    /// What is named, as errors call it: `metric`.
    pub kind: &'static str,
    /// The allowed characters, for people: `[a-z][a-z0-9]*`.
    pub expected: &'static str,
    /// The allowed characters: whether this one may stand at this byte.
    pub allowed: fn(usize, char) -> bool,
    /// Most bytes.
    pub max_len: usize,
}

impl NameGrammar {
    /// Whether a text is such a name: neither empty nor too long, of allowed characters. O(bytes).
    pub fn check(&self, text: &str) -> Result<(), NameError> {
        let Self { kind, expected, allowed, max_len } = *self;
        if text.is_empty() {
            return Err(NameError::Empty { kind });
        }
        if text.len() > max_len {
            let begins = text.chars().take(32).collect();
            return Err(NameError::TooLong { kind, len: text.len(), max_len, begins });
        }
        match text.char_indices().find(|&(at, c)| !allowed(at, c)) {
            Some((at, found)) => {
                Err(NameError::Character { kind, name: text.to_owned(), found, at, expected })
            }
            None => Ok(()),
        }
    }
}

/// Makes the type of a name: a text that is checked when it is built, and compared and looked up as a text.
///
/// What stands behind the `if` says whether a text is such a name: a `Fn(&str) -> Result<(), NameError>`. The type has `new` and
/// `as_str`; it is `Clone`, `Eq`, `Ord` and `Hash`; it is built from a text by `FromStr` and `TryFrom`, and compared with
/// one; it is `AsRef<str>` and `Borrow<str>`, so that a map of names is asked with a text; it prints as the text. Attributes are passed on:
/// with `derive(Serialize, Deserialize)` and `serde(try_from = "String")` it is read and written as a text, and checked when it is read.
///
/// ```
/// use bellwether_core::{NameError, NameGrammar, name_type};
///
/// const VENUE: NameGrammar =
///     NameGrammar { kind: "venue", expected: "[A-Z]*", allowed: |_, c| c.is_ascii_uppercase(), max_len: 4 };
///
/// name_type! {
///     /// Market identifier code, as of ISO 10383.
///     pub struct Venue if |text| VENUE.check(text);
/// }
///
/// assert_eq!(Venue::new("XNYS")?, "XNYS");
/// assert_eq!("XNys".parse::<Venue>().unwrap_err().to_string(), r#"venue name "XNys" has 'y' at byte 2; expected [A-Z]*"#);
/// # Ok::<(), NameError>(())
/// ```
#[macro_export]
macro_rules! name_type {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident if $check:expr;) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility struct $name(::std::borrow::Cow<'static, str>);

        impl $name {
            /// Checks `text` and keeps it.
            pub fn new(
                text: impl ::std::convert::Into<::std::borrow::Cow<'static, str>>,
            ) -> ::std::result::Result<Self, $crate::NameError> {
                let check: fn(&str) -> ::std::result::Result<(), $crate::NameError> = $check;
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::NameError;
            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::NameError> {
                Self::new(text.to_owned())
            }
        }

        impl ::std::convert::TryFrom<&'static str> for $name {
            type Error = $crate::NameError;
            fn try_from(text: &'static str) -> ::std::result::Result<Self, $crate::NameError> {
                Self::new(text)
            }
        }

        impl ::std::convert::TryFrom<::std::string::String> for $name {
            type Error = $crate::NameError;
            fn try_from(text: ::std::string::String) -> ::std::result::Result<Self, $crate::NameError> {
                Self::new(text)
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::cmp::PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl ::std::cmp::PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }
    };
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

const METRIC: NameGrammar = NameGrammar {
    kind: "metric",
    expected: "[a-zA-Z_:][a-zA-Z0-9_:]*",
    allowed: |at, c| is_letter(c) || c == ':' || (at > 0 && c.is_ascii_digit()),
    max_len: MAX_NAME_LEN,
};

const LABEL: NameGrammar = NameGrammar {
    kind: "label",
    expected: "[a-zA-Z_][a-zA-Z0-9_]*",
    allowed: |at, c| is_letter(c) || (at > 0 && c.is_ascii_digit()),
    max_len: MAX_NAME_LEN,
};

name_type! {
    /// Name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`, at most [`MAX_NAME_LEN`] bytes.
    ///
    /// ```
    /// use bellwether_core::MetricName;
    /// assert_eq!(MetricName::new("orders_total").unwrap().as_str(), "orders_total");
    /// assert!(MetricName::new("orders total").unwrap_err().to_string().contains("' ' at byte 6"));
    /// ```
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String"))]
    pub struct MetricName if |text| METRIC.check(text);
}

name_type! {
    /// Name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`, at most [`MAX_NAME_LEN`] bytes, not beginning with `__`.
    ///
    /// ```
    /// use bellwether_core::LabelName;
    /// assert!(LabelName::new("venue").is_ok());
    /// assert!(LabelName::new("__name__").is_err());
    /// ```
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "String"))]
    pub struct LabelName if |text| {
        LABEL.check(text)?;
        if text.starts_with("__") { Err(NameError::Reserved { name: text.to_owned() }) } else { Ok(()) }
    };
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
