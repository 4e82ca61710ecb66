//! A figure in a report.

use serde::Serialize;

/// A figure in a report: the number, and the text that people read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Number {
        /// The number; always finite.
        value: f64,
        /// How it reads: rounded, with its unit.
        text: String,
    },
    /// A text.
    Text {
        /// What it says.
        text: String,
    },
    /// There is no value.
    Undefined {
        /// Always null.
        value: (),
        /// Why there is none.
        reason: String,
    },
}

impl Value {
    /// A number and how it reads. A number that is not finite has no value; the reason says so.
    pub fn number(value: f64, text: impl Into<String>) -> Self {
        if value.is_finite() {
            Self::Number { value, text: text.into() }
        } else {
            Self::undefined("not a finite number")
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// No value, for a reason.
    pub fn undefined(reason: impl Into<String>) -> Self {
        Self::Undefined { value: (), reason: reason.into() }
    }

    /// What people read; an en dash for what is undefined.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Number { text, .. } | Self::Text { text } => text,
            Self::Undefined { .. } => "–",
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number { value, .. } => Some(*value),
            Self::Text { .. } | Self::Undefined { .. } => None,
        }
    }

    /// Why there is no value.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Undefined { reason, .. } => Some(reason),
            Self::Number { .. } | Self::Text { .. } => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text { text }
    }
}
