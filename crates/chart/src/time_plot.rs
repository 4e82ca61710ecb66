//! The plot that line and area charts share: series over time, bands behind them, marks on them.

use crate::axis::{Baseline, ValueAxis};
use crate::band::Band;
use crate::calendar::moment;
use crate::drawing::Drawing;
use crate::end_label::EndLabels;
use crate::gaps::Interval;
use crate::heading::{Entry, Heading, Key, draw_notes};
use crate::marker::{Marker, draw_marks};
use crate::markup::Markup;
use crate::number::{Sign, duration};
use crate::palette::{Role, SERIES};
use crate::plot_area::PlotArea;
use crate::plotted::Plotted;
use crate::series::Series;
use crate::size::Size;
use crate::stretch::{Stretch, stretches};
use crate::summary::{counted, of_line, spoken};
use crate::table::{self, DataTable};
use crate::time_axis::TimeAxis;

/// Lines beyond the fifth that are still drawn, in grey; the rest is in the table only.
const MOST_OTHERS: usize = 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct TimePlot {
    pub(crate) heading: Heading,
    pub(crate) series: Vec<Series>,
    /// How many series, from the first, are filled down to zero.
    pub(crate) filled: usize,
    pub(crate) baseline: Baseline,
    pub(crate) interval: Interval,
    pub(crate) range: Option<(i64, i64)>,
    pub(crate) bands: Vec<Band>,
    pub(crate) markers: Vec<Marker>,
}

/// How many points there were, and how many the picture needed.
#[derive(Debug, Default)]
struct Tally {
    points: usize,
    drawn: usize,
}

impl TimePlot {
    /// Adds a mark; marks are in time order from here on.
    pub(crate) fn mark(&mut self, mark: Marker) {
        let place = self.markers.partition_point(|earlier| earlier.at <= mark.at);
        self.markers.insert(place, mark);
    }

    pub(crate) fn draw(&self, size: Size) -> Drawing {
        let mut out = Markup::default();
        let shown = self.shown();
        let height = if shown.is_empty() {
            self.heading.draw_empty(&mut out, size)
        } else {
            self.draw_shown(&mut out, size, &shown)
        };
        Drawing::new(size, height, &self.heading.title, self.describe(&shown), out)
    }

    pub(crate) fn summary(&self) -> String {
        self.describe(&self.shown())
    }

    pub(crate) fn tables(&self, rows: usize) -> Vec<DataTable> {
        let heading = &self.heading;
        let values = table::of_series(&spoken(&heading.title), &heading.unit, &self.series, self.range, rows);
        let marks = table::of_marks(&self.markers, rows);
        std::iter::once(values).chain(marks).collect()
    }

    fn shown(&self) -> Vec<Plotted<'_>> {
        Plotted::select(&self.series, self.range, self.filled, self.interval, self.baseline == Baseline::Log)
    }

    fn describe(&self, shown: &[Plotted<'_>]) -> String {
        let unit = &self.heading.unit;
        if shown.is_empty() {
            return format!("{}: {}.", spoken(&self.heading.title), self.heading.empty_words());
        }
        let coloured = shown.iter().filter(|line| line.is_coloured());
        let mut parts: Vec<String> =
            coloured.map(|line| format!("{}: {}", spoken(line.name), of_line(&line.found, unit))).collect();
        parts.extend(counted(shown.len().saturating_sub(SERIES), "other line"));
        parts.extend(holes(shown));
        parts.extend(counted(self.markers.len(), "mark"));
        format!("{}.", parts.join("; "))
    }

    fn draw_shown(&self, out: &mut Markup, size: Size, shown: &[Plotted<'_>]) -> f64 {
        let unit = &self.heading.unit;
        let labels = EndLabels::new(&self.heading, size, shown);
        let legend = self.legend(shown, labels.is_none());
        let remark = (self.baseline == Baseline::Log).then_some("log axis");
        let top = self.heading.draw(out, size, remark, &legend);
        let bottom = top + self.heading.plot_height(size);

        let (domain, bands) = self.domain(shown);
        let values =
            ValueAxis::new(unit, domain, self.baseline, Size::intervals(bottom - top), (bottom, top));
        let margin = labels.as_ref().map_or(12.0, |labels| labels.margin(size));
        let area = PlotArea::new(values, size, margin, (top, bottom));
        let first = shown.iter().map(|line| line.found.first.0).min().unwrap_or(0);
        let last = shown.iter().map(|line| line.found.last.0).max().unwrap_or(0);
        let times = TimeAxis::new(self.range.unwrap_or((first, last)), (area.left, area.right), size.font());

        area.draw_grid(out);
        for band in &bands {
            band.draw(out, &area);
        }
        area.draw_zero(out);
        let mut tally = Tally::default();
        for line in shown.iter().filter(|line| !line.is_coloured()).take(MOST_OTHERS) {
            draw_line(out, line, &area, &times, &mut tally);
        }
        // The first series is the one the chart is about: it lies on top.
        for line in shown.iter().rev().filter(|line| line.is_coloured()) {
            draw_line(out, line, &area, &times, &mut tally);
        }
        if let Some(labels) = &labels {
            labels.draw(out, shown, &area, &times);
        }
        let marks_out = draw_marks(out, &self.markers, shown, self.interval, &area, &times);
        for band in &bands {
            band.draw_words(out, &area, size, unit);
        }
        times.draw(out, bottom, size);

        let mut notes = self.notes(shown, &area, &times, &tally);
        let hidden = self.bands.iter().filter(|band| !bands.contains(band));
        notes.extend(hidden.map(|band| format!("{}: outside the axis", band.words(unit))));
        notes.extend(counted(marks_out, "mark").map(|marks| format!("{marks} outside the time shown")));
        let axis_end = bottom + 5.0 + size.row() * times.rows() as f64;
        draw_notes(out, size, &notes, axis_end) + 6.0
    }

    /// The range of values, of the data and of those bands that do not squeeze them; and these bands.
    fn domain(&self, shown: &[Plotted<'_>]) -> ((f64, f64), Vec<&Band>) {
        let low = shown.iter().map(|line| line.found.low.1).fold(f64::INFINITY, f64::min);
        let high = shown.iter().map(|line| line.found.high.1).fold(f64::NEG_INFINITY, f64::max);
        let data = match self.baseline {
            Baseline::Zero => (low.min(0.0), high.max(0.0)),
            Baseline::Free | Baseline::Log => (low, high),
        };
        let mut bands = Vec::new();
        let mut domain = data;
        for band in &self.bands {
            if let Some(wider) = band.widen(data, self.baseline == Baseline::Log) {
                domain = (domain.0.min(wider.0), domain.1.max(wider.1));
                bands.push(band);
            }
        }
        (domain, bands)
    }

    fn legend(&self, shown: &[Plotted<'_>], names_lines: bool) -> Vec<Entry> {
        let mut legend = Vec::new();
        if names_lines {
            legend.extend(shown.iter().filter(|line| line.is_coloured()).map(|line| Entry {
                key: if line.is_filled { Key::Area(line.role) } else { Key::Line(line.role) },
                name: line.name.to_owned(),
                value: Some(self.heading.unit.format_compact(line.found.last.1)),
            }));
        }
        let others = shown.len().saturating_sub(SERIES);
        if others > 0 {
            let name = format!("other ({others})");
            legend.push(Entry { key: Key::Line(Role::Other), name, value: None });
        }
        let mut kinds: Vec<_> = self.markers.iter().map(|mark| mark.kind).collect();
        kinds.sort_unstable_by(|a, b| b.cmp(a));
        for same in kinds.chunk_by(|a, b| a == b) {
            let value = Some(format!("({})", same.len()));
            legend.push(Entry { key: Key::Mark(same[0]), name: same[0].word().to_owned(), value });
        }
        legend
    }

    /// What a reader must know to read the picture right.
    fn notes(&self, shown: &[Plotted<'_>], area: &PlotArea, times: &TimeAxis, tally: &Tally) -> Vec<String> {
        let mut notes = Vec::new();
        if self.baseline == Baseline::Free && !area.values.has_zero() {
            notes.push("axis does not start at zero".to_owned());
        }
        if tally.drawn < tally.points {
            let px = duration(times.scale.micros_per_px() / 1e6, Sign::Negative);
            notes.push(format!("1 px = {px}, extremes kept"));
        }
        notes.extend(holes(shown));
        let moments = shown.iter().flat_map(|line| [line.found.first.0, line.found.last.0]);
        if let (Some(first), Some(last)) = (moments.clone().min(), moments.max())
            && first == last
        {
            notes.push(format!("one moment only: {}", moment(first)));
        }
        for series in &self.series {
            if !shown.iter().any(|line| std::ptr::eq(line.name, series.name.as_str())) {
                notes.push(format!("no data: {}", spoken(&series.name)));
            }
        }
        let hidden = shown.len().saturating_sub(SERIES + MOST_OTHERS);
        notes.extend(counted(hidden, "more line").map(|lines| format!("{lines} in the table only")));
        notes
    }
}

/// Missing values and gaps, in words.
fn holes(shown: &[Plotted<'_>]) -> Vec<String> {
    let missing = shown.iter().map(Plotted::missing).sum();
    let gaps = shown.iter().map(Plotted::gaps).sum();
    counted(missing, "missing value").into_iter().chain(counted(gaps, "gap")).collect()
}

fn draw_line(out: &mut Markup, line: &Plotted<'_>, area: &PlotArea, times: &TimeAxis, tally: &mut Tally) {
    let pieces = stretches(&line.points, &line.runs, |at| times.scale.at(at).floor() as i64);
    tally.points += line.finite();
    tally.drawn += pieces.iter().map(|piece| piece.points.len()).sum::<usize>();
    let at = |point: (i64, f64)| (times.scale.at(point.0), area.values.y(point.1));
    if line.is_filled {
        let outline = Stretch::outline(&pieces, at, area.values.y(0.0));
        if !outline.is_empty() {
            let surface = out.tag("path").attr("d", &outline).attr("fill-opacity", "0.18");
            surface.fill(line.role).empty();
        }
    }
    let (lines, dots) = Stretch::lines(&pieces, at);
    if !lines.is_empty() {
        let width = if line.is_coloured() { 1.7 } else { 1.0 };
        let path = out.tag("path").attr("d", &lines).attr("stroke-linejoin", "round");
        path.stroke(line.role, width).empty();
    }
    if !dots.is_empty() {
        let path = out.tag("path").attr("d", &dots).attr("stroke-linecap", "round");
        path.stroke(line.role, 5.0).empty();
    }
}
