//! A report as Markdown.

use std::fmt::Write as _;

use bellwether_core::Timestamp;

use super::{Block, Fact, Report, Table, Value};
use crate::health::reorders;

pub(super) fn page(report: &Report) -> String {
    let mut out = format!("# {}\n\n", escape(&report.title));
    if let Some(subtitle) = &report.subtitle {
        let _ = writeln!(out, "{}\n", escape(subtitle));
    }
    let (from, to) = (report.period.start(), report.period.end());
    let period = if from == Timestamp::MIN { format!("until {to}") } else { format!("{from} to {to}") };
    let _ = writeln!(out, "{} · {period} · as of {}\n", report.status, report.made_at);
    if !report.headline.is_empty() {
        facts(&mut out, &report.headline);
    }
    for section in &report.sections {
        let _ = writeln!(out, "## {}\n", escape(&section.title));
        for block in &section.blocks {
            match block {
                Block::Facts(list) => facts(&mut out, list),
                Block::Table(table) => rows(&mut out, table),
                Block::Chart(chart) => list(&mut out, chart.sentences()),
                Block::Bars(bars) => list(&mut out, [bars.sentence()]),
                Block::Text(text) => {
                    let _ = writeln!(out, "{}\n", escape(text));
                }
                Block::Lines(text) => {
                    for line in text.lines() {
                        let line: String =
                            line.chars().filter(|&c| !c.is_control() && !reorders(c)).collect();
                        let _ = writeln!(out, "    {line}");
                    }
                    out.push('\n');
                }
                Block::Missing { what, reason } => {
                    let _ = writeln!(out, "*{}: {}*\n", escape(what), escape(reason));
                }
            }
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "- {}", escape(note));
    }
    out
}

fn facts(out: &mut String, facts: &[Fact]) {
    out.push_str("| | |\n| --- | ---: |\n");
    for fact in facts {
        let note = fact.note.as_deref().map(|note| format!(" ({})", escape(note))).unwrap_or_default();
        let _ = writeln!(out, "| {} | {}{note} |", escape(&fact.name), cell(&fact.value));
    }
    out.push('\n');
}

fn rows(out: &mut String, table: &Table) {
    let _ = writeln!(out, "{}\n", escape(&table.caption));
    for column in &table.columns {
        let _ = write!(out, "| {} ", escape(&column.title));
    }
    out.push_str("|\n");
    for column in &table.columns {
        out.push_str(if column.numeric { "| ---: " } else { "| --- " });
    }
    out.push_str("|\n");
    for row in &table.rows {
        for value in row {
            let _ = write!(out, "| {} ", cell(value));
        }
        out.push_str("|\n");
    }
    if table.left_out > 0 {
        let _ = writeln!(out, "\nand {} more", table.left_out);
    }
    out.push('\n');
}

fn list(out: &mut String, sentences: impl IntoIterator<Item = String>) {
    for sentence in sentences {
        let _ = writeln!(out, "- {}", escape(&sentence));
    }
    out.push('\n');
}

fn cell(value: &Value) -> String {
    match value.reason() {
        Some(reason) => format!("– ({})", escape(reason)),
        None => escape(value.as_text()),
    }
}

/// Makes text that Markdown shows as it is: on one line, with everything that could be markup escaped.
fn escape(text: &str) -> String {
    // First what is not shown goes: it would hide the mark that a line begins with.
    let shown = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    let shown: String = shown.filter(|&c| !c.is_control() && !reorders(c)).collect();
    let text = shown.trim_start();
    let mut out = String::with_capacity(text.len());
    // A line that begins with a mark or a number and a point would be a list, a rule or a heading.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in text.char_indices() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&'
            | '$' => {
                out.push('\\');
                out.push(c);
            }
            '-' | '+' | '=' | ':' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')'
                if at == digits
                    && digits > 0
                    && !text[at + 1..].starts_with(|c: char| !c.is_whitespace()) =>
            {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
