//! The blocks that a section is made of.

use serde::Serialize;

use super::{Bars, Chart, Table, Value};

/// A part of a section.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Block {
    /// Named figures.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// A chart of series over time.
    Chart(Chart),
    /// Bars, one per category.
    Bars(Bars),
    /// A paragraph.
    Text(String),
    /// Preformatted lines.
    Lines(String),
    /// What should stand here and does not.
    Missing {
        /// What is missing.
        what: String,
        /// Why.
        reason: String,
    },
}

impl Block {
    /// Named figures.
    pub fn facts(facts: impl IntoIterator<Item = Fact>) -> Self {
        Self::Facts(facts.into_iter().collect())
    }

    /// A paragraph.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// What should stand here and does not.
    pub fn missing(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Missing { what: what.into(), reason: reason.into() }
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<Chart> for Block {
    fn from(chart: Chart) -> Self {
        Self::Chart(chart)
    }
}

impl From<Bars> for Block {
    fn from(bars: Bars) -> Self {
        Self::Bars(bars)
    }
}

/// A named figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

impl Fact {
    /// A name and its value.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into(), note: None }
    }

    /// With a few words that say more: a convention, a date.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
