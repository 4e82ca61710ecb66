//! Reading long lists a page at a time.

use std::fmt::{self, Write as _};
use std::num::NonZeroU32;

/// How many entries one page may hold: 1 to [`Limit::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(NonZeroU32);

/// A page was asked to hold nothing, or too much.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("page limit {got} is outside 1..={}", Limit::MAX)]
pub struct LimitError {
    /// What was asked for.
    pub got: u32,
}

impl Limit {
    /// Most entries of one page.
    pub const MAX: u32 = 10_000;
    /// Entries of a page when nobody says how many: 100.
    pub const DEFAULT: Self = Self(NonZeroU32::MIN.saturating_add(99));

    /// Checks the limit.
    pub fn new(limit: u32) -> Result<Self, LimitError> {
        NonZeroU32::new(limit)
            .filter(|limit| limit.get() <= Self::MAX)
            .map(Self)
            .ok_or(LimitError { got: limit })
    }

    /// The limit as a length.
    pub fn get(self) -> usize {
        self.0.get() as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which page to read: how long, and after what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Most entries.
    pub limit: Limit,
    /// Where the page before ended; nothing for the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first page.
    pub fn first(limit: Limit) -> Self {
        Self { limit, after: None }
    }

    /// The page after `cursor`.
    pub fn after(limit: Limit, cursor: Cursor) -> Self {
        Self { limit, after: Some(cursor) }
    }
}

/// Some entries of a list, and where the next begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Page<T> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; nothing after the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page after which there is nothing.
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// The page with each entry changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// A place in a list, for the one who made it. For all others a text without meaning.
///
/// Holds the key of the last entry that was read and a check of what was asked, so that a cursor of one
/// question cannot be used for another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

/// A text is not a cursor of this list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The text was not made here, or is damaged.
    #[error("cursor {text:?} was not made by this list")]
    Malformed {
        /// The offending text, shortened.
        text: String,
    },
    /// It belongs to another question.
    #[error("cursor belongs to another query: ask for the first page again")]
    OtherQuery,
}

const VERSION: &str = "1";

impl Cursor {
    /// A cursor after the entry with this key, for a question that `query` stands for (a hash of the filter).
    pub fn new(query: u64, key: &str) -> Self {
        let mut text = format!("{VERSION}{query:016x}");
        for byte in key.bytes() {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The key within, if the cursor was made for this question.
    pub fn key(&self, query: u64) -> Result<String, CursorError> {
        let malformed = || CursorError::Malformed { text: self.0.chars().take(40).collect() };
        let rest = self.0.strip_prefix(VERSION).ok_or_else(malformed)?;
        let (check, key) = rest.split_at_checked(16).ok_or_else(malformed)?;
        if u64::from_str_radix(check, 16).map_err(|_| malformed())? != query {
            return Err(CursorError::OtherQuery);
        }
        if key.len() % 2 != 0 {
            return Err(malformed());
        }
        let bytes = key.as_bytes().chunks_exact(2).map(|pair| {
            let digits = std::str::from_utf8(pair).ok().filter(|digits| !digits.starts_with('+'));
            digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(malformed)
        });
        String::from_utf8(bytes.collect::<Result<_, _>>()?).map_err(|_| malformed())
    }

    /// The cursor as text, for links and requests.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From text that came back from outside; checked when it is used.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", self.0)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}
