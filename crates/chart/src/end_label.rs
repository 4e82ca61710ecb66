//! Names and last values where lines end, in place of a legend, when all of them fit.

use crate::heading::{Heading, KEY, Key, draw_key};
use crate::label::{spread, width};
use crate::markup::{Anchor, Markup};
use crate::palette::{Role, SERIES};
use crate::plot_area::PlotArea;
use crate::plotted::Plotted;
use crate::size::Size;
use crate::time_axis::TimeAxis;

/// The labels of one drawing. A line alone needs no name: the title says what it is.
#[derive(Debug)]
pub(crate) struct EndLabels {
    names: Vec<String>,
    values: Vec<String>,
    widest: f64,
    font: f64,
    row: f64,
}

impl EndLabels {
    /// The labels, if all of them fit beside the plot.
    pub(crate) fn new(heading: &Heading, size: Size, shown: &[Plotted<'_>]) -> Option<Self> {
        let font = size.font();
        let is_alone = shown.len() == 1;
        let name = |line: &Plotted<'_>| if is_alone { String::new() } else { line.name.to_owned() };
        let names: Vec<String> = shown.iter().map(name).collect();
        let values: Vec<String> =
            shown.iter().map(|line| heading.unit.format_compact(line.found.last.1)).collect();
        let beside = |(name, value): (&String, &String)| {
            let key = if name.is_empty() { 0.0 } else { KEY + width(name, font) + 6.0 };
            key + width(value, font)
        };
        let widest = names.iter().zip(&values).map(beside).fold(0.0, f64::max);
        let limit = if size.is_narrow() { 92.0 } else { size.width() * 0.27 };
        let is_short = names.iter().all(|name| name.chars().count() <= 40);
        let fits_height = shown.len() as f64 * size.row() <= heading.plot_height(size);
        let fits = shown.len() <= SERIES && widest <= limit && is_short && fits_height;
        fits.then(|| Self { names, values, widest, font, row: size.row() })
    }

    /// Room that the labels take beside the plot.
    pub(crate) fn margin(&self, size: Size) -> f64 {
        size.right_margin(self.widest)
    }

    pub(crate) fn draw(&self, out: &mut Markup, shown: &[Plotted<'_>], area: &PlotArea, times: &TimeAxis) {
        let ends: Vec<f64> = shown.iter().map(|line| area.values.y(line.found.last.1)).collect();
        let reach = (area.top + self.font * 0.3, area.bottom - self.font * 0.3);
        let placed = spread(&ends, self.row, reach);
        for (index, line) in shown.iter().enumerate() {
            let dot = out.tag("circle").px("cx", times.scale.at(line.found.last.0)).px("cy", ends[index]);
            dot.px("r", 3.0).paint(line.role, Role::Panel, 1.0).empty();
            let baseline = placed[index] + self.font * 0.35;
            let mut x = area.right + 10.0;
            let name = &self.names[index];
            if !name.is_empty() {
                draw_key(out, Key::Line(line.role), (x, baseline));
                x += KEY;
                out.label((x, baseline), Anchor::Start, Role::Ink, name);
                x += width(name, self.font) + 6.0;
            }
            let role = if name.is_empty() { Role::Ink } else { Role::Muted };
            out.label((x, baseline), Anchor::Start, role, &self.values[index]);
        }
    }
}
