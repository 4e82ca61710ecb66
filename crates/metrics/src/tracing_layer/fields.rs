//! The fields of a span that are labels.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

/// Longest value of a field as a label, in bytes: what is longer is cut.
pub(super) const MAX_VALUE_LEN: usize = 128;

/// The values of the chosen fields of one span; empty where there is none yet.
#[derive(Debug)]
pub(super) struct Fields(Box<[String]>);

impl Fields {
    /// None known yet, of `n`.
    pub(super) fn new(n: usize) -> Self {
        Self((0..n).map(|_| String::new()).collect())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }

    /// Takes the values that are recorded now, of fields with these names.
    pub(super) fn visitor<'a>(&'a mut self, names: &'a [Cow<'static, str>]) -> FieldVisitor<'a> {
        FieldVisitor { names, fields: self }
    }
}

/// Keeps the values of chosen fields. A later value replaces an earlier one.
pub(super) struct FieldVisitor<'a> {
    names: &'a [Cow<'static, str>],
    fields: &'a mut Fields,
}

impl FieldVisitor<'_> {
    fn keep(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let at = self.names.iter().position(|name| name == field.name());
        if let Some(kept) = at.and_then(|at| self.fields.0.get_mut(at)) {
            kept.clear();
            // It ends where there is no more room: whatever is behind it is not even formatted.
            let _ = Bounded(kept).write_fmt(value);
        }
    }
}

impl Visit for FieldVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, format_args!("{value}"));
    }
}

/// Takes up to [`MAX_VALUE_LEN`] bytes.
struct Bounded<'a>(&'a mut String);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_VALUE_LEN - self.0.len().min(MAX_VALUE_LEN);
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        // Not within a character.
        let end = (0..=room).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.0.push_str(text.get(..end).unwrap_or(""));
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let mut text = "x".repeat(MAX_VALUE_LEN - 1);
        assert!(Bounded(&mut text).write_str("éé").is_err());
        assert_eq!(text.len(), MAX_VALUE_LEN - 1);
        assert!(Bounded(&mut text).write_str("y").is_ok() && Bounded(&mut text).write_str("z").is_err());
        assert_eq!(text.len(), MAX_VALUE_LEN);
    }
}
