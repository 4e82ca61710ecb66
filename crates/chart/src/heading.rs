//! What stands above and below every plot: title, unit, legend, notes; and the frame of a chart without data.

use crate::label::{fit, width};
use crate::marker::MarkerKind;
use crate::markup::{Anchor, Markup};
use crate::palette::Role;
use crate::size::Size;
use crate::unit::Unit;

/// The words of a chart and how it is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heading {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) axis_label: Option<String>,
    pub(crate) is_title_hidden: bool,
    pub(crate) is_flat: bool,
    pub(crate) when_empty: Option<String>,
}

/// The sample of a legend entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Key {
    Line(Role),
    Area(Role),
    Bar(Role),
    Mark(MarkerKind),
}

/// An entry of the legend: sample, name, and a value in muted ink.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// Room for a key before its words.
pub(crate) const KEY: f64 = 20.0;

impl Heading {
    /// Height of the plot at a size.
    pub(crate) fn plot_height(&self, size: Size) -> f64 {
        if self.is_flat { (size.plot_height() * 0.5).max(72.0) } else { size.plot_height() }
    }

    /// Draws title, unit and legend; gives the y at which the plot may start.
    pub(crate) fn draw(&self, out: &mut Markup, size: Size, remark: Option<&str>, legend: &[Entry]) -> f64 {
        let font = size.font();
        let room = size.width() - 4.0;
        let unit = self.axis_label.as_deref().unwrap_or(self.unit.name());
        let subtitle = [Some(unit), remark].into_iter().flatten().filter(|part| !part.is_empty());
        let subtitle = fit(&subtitle.collect::<Vec<_>>().join(" · "), font, room);
        let mut y = 0.0;
        let mut x = 2.0;
        if !self.is_title_hidden {
            let font = font + 1.0;
            let title = fit(&self.title, font, room);
            y += font + 4.0;
            let tag = out.tag("text").px("x", x).px("y", y).px("font-size", font).attr("font-weight", "600");
            tag.fill(Role::Ink).text(&title);
            // Heavy type is wider than the estimate.
            x += width(&title, font) * 1.08 + 10.0;
        }
        if !subtitle.is_empty() {
            if y == 0.0 || x + width(&subtitle, font) > size.width() {
                y += size.row();
                x = 2.0;
            }
            out.label((x, y), Anchor::Start, Role::Muted, &subtitle);
        }
        y = draw_legend(out, size, legend, y);
        y + 14.0
    }

    /// A frame that says that there is nothing to draw, and why if the caller knows.
    pub(crate) fn draw_empty(&self, out: &mut Markup, size: Size) -> f64 {
        let top = self.draw(out, size, None, &[]);
        let height = self.plot_height(size);
        let frame =
            out.tag("rect").px("x", 1.0).px("y", top).px("width", size.width() - 2.0).px("height", height);
        frame.attr("stroke-dasharray", "4 4").stroke(Role::Grid, 1.0).empty();
        let middle = (size.width() / 2.0, top + height / 2.0 + size.font() * 0.35);
        out.label(
            middle,
            Anchor::Middle,
            Role::Muted,
            &fit(&self.empty_words(), size.font(), size.width() - 24.0),
        );
        top + height + 4.0
    }

    pub(crate) fn empty_words(&self) -> String {
        self.when_empty.as_ref().map_or_else(|| "no data".to_owned(), |reason| format!("no data: {reason}"))
    }
}

/// Notes in small type under the axis, as many in a row as fit; gives the y of the last row.
pub(crate) fn draw_notes(out: &mut Markup, size: Size, notes: &[String], mut y: f64) -> f64 {
    let font = size.font() - 1.0;
    let room = size.width() - 4.0;
    let mut rows: Vec<String> = Vec::new();
    for note in notes {
        match rows.last_mut() {
            Some(row) if width(row, font) + width(note, font) + width(" · ", font) <= room => {
                row.push_str(" · ");
                row.push_str(note);
            }
            _ => rows.push(fit(note, font, room)),
        }
    }
    for row in rows {
        y += size.row();
        out.tag("text").px("x", 2.0).px("y", y).px("font-size", font).fill(Role::Muted).text(&row);
    }
    y
}

/// A sample of a line, an area, a bar or a mark, left of words at a baseline.
pub(crate) fn draw_key(out: &mut Markup, key: Key, (x, baseline): (f64, f64)) {
    let middle = baseline - 4.5;
    match key {
        Key::Line(role) => {
            let line = out.tag("line").px("x1", x).px("x2", x + 14.0).px("y1", middle).px("y2", middle);
            line.stroke(role, 3.0).empty();
        }
        Key::Area(role) | Key::Bar(role) => {
            let opacity = if matches!(key, Key::Area(_)) { "0.35" } else { "1" };
            let area =
                out.tag("rect").px("x", x + 1.0).px("y", middle - 5.0).px("width", 12.0).px("height", 10.0);
            area.attr("fill-opacity", opacity).paint(role, role, 1.0).empty();
        }
        Key::Mark(kind) => kind.draw(out, (x + 7.0, middle), None),
    }
}

fn draw_legend(out: &mut Markup, size: Size, legend: &[Entry], mut y: f64) -> f64 {
    let font = size.font();
    let room = size.width() - 4.0;
    let mut x = f64::INFINITY;
    for entry in legend {
        let value = entry.value.as_deref().unwrap_or_default();
        let value_width = if value.is_empty() { 0.0 } else { width(value, font) + 6.0 };
        let name = fit(&entry.name, font, (room - KEY - value_width).max(40.0));
        let name_width = width(&name, font);
        if x + KEY + name_width + value_width > room {
            x = 2.0;
            y += size.row();
        }
        draw_key(out, entry.key, (x, y));
        out.label((x + KEY, y), Anchor::Start, Role::Ink, &name);
        x += KEY + name_width;
        if !value.is_empty() {
            out.label((x + 6.0, y), Anchor::Start, Role::Muted, value);
            x += value_width;
        }
        x += 18.0;
    }
    y
}
