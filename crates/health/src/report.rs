//! A report: one model, rendered as HTML, Markdown and JSON.

mod block;
mod chart;
mod file;
mod html;
mod markdown;
mod table;
mod value;

use std::borrow::Cow;

use bellwether_core::{TimeRange, Timestamp};
use serde::Serialize;

pub use self::block::{Block, Fact};
pub use self::chart::{Bars, Chart, ChartKind, Marker, Series};
pub use self::file::{FileError, write_files};
pub use self::table::{Column, Table};
pub use self::value::Value;

use crate::Status;

/// The version of the model that is written into each JSON form.
pub const SCHEMA: &str = "bellwether.report/1";

/// A report for a period. HTML, Markdown and JSON are renderings of this value, so that their numbers cannot differ.
///
/// ```
/// use bellwether_core::{TimeRange, Timestamp};
/// use bellwether_health::{Status, report::{Block, Fact, Report, Section, Value}};
///
/// let period = TimeRange::until(Timestamp::EPOCH);
/// let report = Report::new("Desk", period, Timestamp::EPOCH, Status::Pass)
///     .section(Section::new("risk", "Risk").block(Block::facts([Fact::new("VaR 95 %", Value::text("1.9 %"))])));
/// assert!(report.to_markdown().contains("| VaR 95 % | 1.9 % |"));
/// assert!(report.to_html().starts_with("<!DOCTYPE html>"));
/// assert_eq!(report.to_json()["schema"], "bellwether.report/1");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    schema: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<String>,
    #[serde(serialize_with = "range")]
    period: TimeRange,
    made_at: Timestamp,
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headline: Vec<Fact>,
    sections: Vec<Section>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

fn range<S: serde::Serializer>(period: &TimeRange, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct as _;
    let mut out = serializer.serialize_struct("TimeRange", 2)?;
    out.serialize_field("from", &period.start())?;
    out.serialize_field("to", &period.end())?;
    out.end()
}

impl Report {
    /// Without sections so far.
    pub fn new(title: impl Into<String>, period: TimeRange, made_at: Timestamp, status: Status) -> Self {
        Self {
            schema: SCHEMA,
            title: title.into(),
            subtitle: None,
            period,
            made_at,
            status,
            headline: Vec::new(),
            sections: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// With a line under the title.
    #[must_use]
    pub fn subtitle(mut self, text: impl Into<String>) -> Self {
        self.subtitle = Some(text.into());
        self
    }

    /// With the few figures that are read first.
    #[must_use]
    pub fn headline(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.headline.extend(facts);
        self
    }

    /// With one more section.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// With a note at the end: a source, a convention.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// The sections, in order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The model itself.
    pub fn to_json(&self) -> serde_json::Value {
        // Every part serialises, and no number in the model is other than finite.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// One file that needs nothing else: styles inside, charts as inline SVG, no script, nothing loaded from elsewhere.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// CommonMark with tables; no raw HTML.
    pub fn to_markdown(&self) -> String {
        markdown::page(self)
    }
}

/// A part of a report about one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    id: String,
    title: String,
    blocks: Vec<Block>,
}

impl Section {
    /// Without content so far. `id` names the section within the file: letters, digits and hyphens are kept, everything
    /// else becomes a hyphen.
    pub fn new(id: impl Into<Cow<'static, str>>, title: impl Into<String>) -> Self {
        let name: Cow<'static, str> = id.into();
        let id = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
        Self { id: id.collect(), title: title.into(), blocks: Vec::new() }
    }

    /// With one more block.
    #[must_use]
    pub fn block(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its content, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}
