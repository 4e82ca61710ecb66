//! A report as one HTML file.

use std::collections::BTreeSet;

use bellwether_core::{TimeRange, Timestamp};
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Block, Fact, Report, Section, Table, Value};
use crate::Status;
use crate::health::reorders;

pub(super) fn page(report: &Report) -> String {
    let anchors = anchors(&report.sections);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
                title { (clean(&report.title)) }
                style { (PreEscaped(bellwether_chart::stylesheet())) (PreEscaped(include_str!("report.css"))) }
            }
            body {
                a.skip href="#content" { "Skip to the report" }
                header {
                    h1 { (clean(&report.title)) }
                    @if let Some(subtitle) = &report.subtitle { p.subtitle { (clean(subtitle)) } }
                    p.meta {
                        (pill(report.status))
                        span { (period(report.period)) }
                    }
                    @if !report.headline.is_empty() {
                        dl.headline { @for fact in &report.headline { (card(fact)) } }
                    }
                    @if report.sections.len() > 2 {
                        nav aria-label="Sections" {
                            @for (section, anchor) in report.sections.iter().zip(&anchors) {
                                a href={ "#" (anchor) } { (clean(&section.title)) }
                            }
                        }
                    }
                }
                main #content {
                    @for (section, anchor) in report.sections.iter().zip(&anchors) { (part(section, anchor)) }
                }
                footer {
                    @if !report.notes.is_empty() {
                        ul { @for note in &report.notes { li { (clean(note)) } } }
                    }
                    p { "As of " time datetime=(report.made_at) { (report.made_at) } ". Made by Bellwether." }
                }
            }
        }
    };
    page.into_string()
}

fn period(period: TimeRange) -> Markup {
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
    html! {
        @if period.start() == Timestamp::MIN {
            "until "
        } @else {
            time datetime=(period.start()) { (day(period.start().into())) }
            " to "
        }
        time datetime=(period.end()) { (day(period.end().into())) }
        " UTC"
    }
}

fn pill(status: Status) -> Markup {
    let (class, shape) = match status {
        Status::Pass => ("ok", "●"),
        Status::Warn => ("warn", "▲"),
        Status::Fail => ("bad", "■"),
    };
    html! { span class={ "pill " (class) } { span aria-hidden="true" { (shape) } " " (status) } }
}

fn card(fact: &Fact) -> Markup {
    html! {
        div.card {
            dt { (clean(&fact.name)) }
            dd class=[sign(&fact.value)] { (value(&fact.value)) }
            @if let Some(note) = &fact.note { dd.note { (clean(note)) } }
        }
    }
}

/// Numbers that people read as gain or loss begin with their sign.
fn sign(value: &Value) -> Option<&'static str> {
    match value.as_text().chars().next() {
        Some('+') => Some("gain"),
        Some('−') => Some("loss"),
        _ => None,
    }
}

fn value(value: &Value) -> Markup {
    html! {
        @match value.reason() {
            Some(reason) => span.undefined { "–" span.reason { " " (clean(reason)) } },
            None => (clean(value.as_text())),
        }
    }
}

/// What links to each section: its id, with a number behind it when another element of the page is called so.
fn anchors(sections: &[Section]) -> Vec<String> {
    let mut taken = BTreeSet::from(["content".to_owned()]);
    let mut anchors = Vec::with_capacity(sections.len());
    for section in sections {
        let id = if section.id.is_empty() { "section" } else { section.id.as_str() };
        let mut anchor = id.to_owned();
        let mut number = 2;
        while !taken.insert(anchor.clone()) {
            anchor = format!("{id}-{number}");
            number += 1;
        }
        anchors.push(anchor);
    }
    anchors
}

fn part(section: &Section, anchor: &str) -> Markup {
    html! {
        section id=(anchor) {
            h2 { (clean(&section.title)) }
            @for block in &section.blocks {
                @match block {
                    Block::Facts(facts) => dl.facts {
                        @for fact in facts {
                            div {
                                dt { (clean(&fact.name)) }
                                dd class=[sign(&fact.value)] {
                                    (value(&fact.value))
                                    @if let Some(note) = &fact.note { span.note { " " (clean(note)) } }
                                }
                            }
                        }
                    },
                    Block::Table(table) => (rows(table)),
                    Block::Chart(chart) => (PreEscaped(chart.to_figure())),
                    Block::Bars(bars) => (PreEscaped(bars.to_figure())),
                    Block::Text(text) => p { (clean(text)) },
                    Block::Lines(text) => pre { (clean(text)) },
                    Block::Missing { what, reason } => p.missing { (clean(what)) ": " (clean(reason)) },
                }
            }
        }
    }
}

fn rows(table: &Table) -> Markup {
    let heat = table.heat();
    html! {
        div.scroll tabindex="0" role="region" aria-label=(clean(&table.caption)) {
            table class=[table.has_heat().then_some("heat")] {
                caption { (clean(&table.caption)) }
                thead {
                    tr {
                        @for column in &table.columns {
                            th scope="col" class=[column.numeric.then_some("number")] { (clean(&column.title)) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (i, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                                @if i == 0 {
                                    th scope="row" class=[column.numeric.then_some("number")] { (value(cell)) }
                                } @else {
                                    @let tint = cell.as_number().filter(|_| column.heat).map(|n| heat.tint(n));
                                    td class={
                                        @if column.numeric { "number" }
                                        @if let Some(tint) = tint {
                                            " " (tint_class(tint))
                                        }
                                    } { (value(cell)) }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if table.left_out > 0 { p.note { "and " (table.left_out) " more" } }
    }
}

fn tint_class(tint: i8) -> &'static str {
    match tint {
        ..=-3 => "down3",
        -2 => "down2",
        -1 => "down1",
        0 => "level",
        1 => "up1",
        2 => "up2",
        3.. => "up3",
    }
}

/// Text without the control characters that HTML does not allow, and without those that reorder what stands beside them; the
/// template escapes the rest.
fn clean(text: &str) -> String {
    text.chars().filter(|&c| (!c.is_control() || c == '\n' || c == '\t') && !reorders(c)).collect()
}
