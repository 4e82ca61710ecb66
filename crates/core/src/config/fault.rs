//! The first thing at which reading a value stopped, kept in its parts until it is known what may be shown.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::nearest::nearest;
use super::tree::NodeId;
use crate::human_duration::shortened;
use crate::secret::is_secret_advice;

/// Why reading stopped, and at which node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) node: Option<NodeId>,
    pub(super) kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum FaultKind {
    /// Something else was expected than was found.
    Unexpected { found: Found, expected: String },
    /// A list of the wrong length.
    Length { len: usize, expected: String },
    /// A key that the table does not have.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A word that is none of those that are allowed.
    UnknownWord { word: String, known: &'static [&'static str] },
    /// A key that the table must have.
    Missing(&'static str),
    /// A key that is given twice, under two names.
    Twice(&'static str),
    /// What a type says of its own.
    Custom(String),
    /// A part was taken out that cannot be passed over.
    Gap,
}

/// What was found: its kind, and its value if it is short to tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    kind: String,
    value: Option<String>,
}

impl Fault {
    pub(super) fn gap() -> Self {
        Self { node: None, kind: FaultKind::Gap }
    }

    /// This fault, at `node` unless it is known to be further inside.
    pub(super) fn at(mut self, node: NodeId) -> Self {
        self.node.get_or_insert(node);
        self
    }

    /// A sentence for people; without any part of the value if that is a secret.
    pub(super) fn message(&self, secret: bool) -> String {
        match &self.kind {
            FaultKind::Unexpected { found: Found { kind, value }, expected } => match value {
                Some(value) if !secret => format!("expected {expected}, found {kind} {value}"),
                _ => format!("expected {expected}, found {kind}"),
            },
            FaultKind::Length { len, expected } => format!("expected {expected}, found {len}"),
            FaultKind::UnknownKey { key, known } => unknown_key(key, known),
            FaultKind::UnknownWord { word, known } => {
                let expected = listed(known);
                if secret {
                    return format!("expected one of {expected}");
                }
                let meant = suggestion(nearest(word, known.iter().copied()));
                format!("expected one of {expected}, found {:?}{meant}", shortened(word))
            }
            FaultKind::Missing(_) => "missing, but required".to_owned(),
            FaultKind::Twice(key) => format!("{key} is given twice, under two names"),
            FaultKind::Custom(_) if secret && !self.is_secret_advice() => {
                "not valid; nothing of it is shown, because its name is that of a secret".to_owned()
            }
            FaultKind::Custom(text) => text.clone(),
            FaultKind::Gap => "incomplete".to_owned(),
        }
    }

    fn is_secret_advice(&self) -> bool {
        matches!(&self.kind, FaultKind::Custom(text) if is_secret_advice(text))
    }
}

/// What to say of a key that a table does not have.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(meant) => format!("unknown key{}", suggestion(Some(meant))),
        None if known.is_empty() => "unknown key; this table has none".to_owned(),
        None => format!("unknown key; known are {}", listed(known)),
    }
}

fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"))
}

fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 16;
    match words.split_at_checked(SHOWN) {
        Some((shown, more)) if !more.is_empty() => format!("{} and {} more", shown.join(", "), more.len()),
        _ => words.join(", "),
    }
}

impl From<Unexpected<'_>> for Found {
    fn from(found: Unexpected<'_>) -> Self {
        let (kind, value) = match found {
            Unexpected::Bool(value) => ("a boolean", Some(value.to_string())),
            Unexpected::Unsigned(value) => ("the number", Some(value.to_string())),
            Unexpected::Signed(value) => ("the number", Some(value.to_string())),
            Unexpected::Float(value) => ("the number", Some(format!("{value:?}"))),
            Unexpected::Char(value) => ("the text", Some(format!("{:?}", value.to_string()))),
            Unexpected::Str(value) => ("the text", Some(format!("{:?}", shortened(value)))),
            Unexpected::Bytes(_) => ("bytes", None),
            Unexpected::Unit | Unexpected::Option => ("nothing", None),
            Unexpected::Seq => ("a list", None),
            Unexpected::Map | Unexpected::NewtypeStruct => ("a table", None),
            Unexpected::UnitVariant => ("only a word", None),
            Unexpected::Enum
            | Unexpected::NewtypeVariant
            | Unexpected::TupleVariant
            | Unexpected::StructVariant => ("a table with one key", None),
            Unexpected::Other(kind) => (kind, None),
        };
        Self { kind: kind.to_owned(), value }
    }
}

/// What was expected, in the words of someone who writes TOML.
fn expectation(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let (low, number) = match text.strip_prefix("a nonzero ") {
        Some(number) => ("1", number),
        None => ("0", &*text),
    };
    let range = |low: &str, high: &str| format!("a whole number from {low} to {high}");
    match number {
        "u8" => range(low, "255"),
        "u16" => range(low, "65535"),
        "u32" => range(low, "4294967295"),
        "u64" | "u128" | "usize" => format!("a whole number from {low} on"),
        "i8" => range("-128", "127"),
        "i16" => range("-32768", "32767"),
        "i32" => range("-2147483648", "2147483647"),
        "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a string" | "a borrowed string" | "path string" => "a text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" | "newtype variant" | "struct variant" | "tuple variant" => "a table".to_owned(),
        "unit variant" => "only a word".to_owned(),
        text if text.starts_with("struct ") => "a table".to_owned(),
        text => match text.strip_prefix("a tuple of size ") {
            Some(size) => format!("a list of {size}"),
            None => text.to_owned(),
        },
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { node: None, kind: FaultKind::Custom(message.to_string()) }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let kind = FaultKind::Unexpected { found: found.into(), expected: expectation(expected) };
        Self { node: None, kind }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self { node: None, kind: FaultKind::Length { len, expected: expectation(expected) } }
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self { node: None, kind: FaultKind::UnknownWord { word: word.to_owned(), known } }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self { node: None, kind: FaultKind::UnknownKey { key: key.to_owned(), known } }
    }

    fn missing_field(key: &'static str) -> Self {
        Self { node: None, kind: FaultKind::Missing(key) }
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self { node: None, kind: FaultKind::Twice(key) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(true))
    }
}

impl std::error::Error for Fault {}
