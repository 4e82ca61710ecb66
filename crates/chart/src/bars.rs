//! Bar charts: one value, or a few side by side, per period or name, each measured from zero.

use std::ops::Range;

use crate::axis::{Baseline, ValueAxis};
use crate::drawing::{Chart, Drawing};
use crate::hatch::hatch;
use crate::heading::{Entry, Heading, Key, draw_notes};
use crate::label::{fit, width};
use crate::markup::{Anchor, Markup};
use crate::number::UNDEFINED;
use crate::palette::{Role, SERIES};
use crate::plot_area::PlotArea;
use crate::size::Size;
use crate::summary::{counted, spoken};
use crate::table::{Cell, DataTable};
use crate::unit::Unit;

/// Bars from zero.
///
/// The bars of one series are blue above zero and orange below; several series stand side by side in the colours of
/// the palette, five at most, the others are in the table only. A value that is not finite, or beyond 1e300 in
/// magnitude, is missing and shown as `–`.
///
/// ```
/// use bellwether_chart::{BarChart, Chart, Size, Unit};
///
/// let chart = BarChart::new("Return by year")
///     .unit(Unit::Percent)
///     .bars("Momentum", [("2006", 0.121), ("2007", 0.034), ("2008", -0.082)])
///     .unfinished_last();
/// assert!(chart.summary().contains("low −8.20 % in 2008"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct BarChart {
    heading: Heading,
    categories: Vec<String>,
    series: Vec<(String, Vec<f64>)>,
    is_last_unfinished: bool,
}

/// Where bars lie.
#[derive(Debug)]
struct Slots {
    left: f64,
    width: f64,
    count: usize,
    /// Categories in one slot.
    per_slot: usize,
    /// Bars beside each other in a slot.
    bars: usize,
}

impl BarChart {
    /// A chart without bars yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { heading: Heading { title: title.into(), ..Heading::default() }, ..Self::default() }
    }

    /// The unit of the values; plain numbers if not given.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.heading.unit = unit;
        self
    }

    /// Words for the axis in place of the unit's name.
    #[must_use]
    pub fn axis_label(mut self, words: impl Into<String>) -> Self {
        self.heading.axis_label = Some(words.into());
        self
    }

    /// Adds a series of bars, each with the name of its category. Categories stand in the order in which they first
    /// come; of two values for one category the later counts.
    #[must_use]
    pub fn bars<L: Into<String>>(
        mut self,
        name: impl Into<String>,
        bars: impl IntoIterator<Item = (L, f64)>,
    ) -> Self {
        let mut places: std::collections::HashMap<String, usize> =
            self.categories.iter().cloned().zip(0..).collect();
        let mut values = vec![f64::NAN; self.categories.len()];
        for (category, value) in bars {
            let category = category.into();
            let place = *places.entry(category).or_insert_with_key(|category| {
                self.categories.push(category.clone());
                values.push(f64::NAN);
                values.len() - 1
            });
            values[place] = if value.abs() <= 1e300 { value } else { f64::NAN };
        }
        self.series.push((name.into(), values));
        self
    }

    /// Hatches the last category: its period is not over.
    #[must_use]
    pub fn unfinished_last(mut self) -> Self {
        self.is_last_unfinished = true;
        self
    }

    /// Half the height: for a chart that stands under another.
    #[must_use]
    pub fn flat(mut self) -> Self {
        self.heading.is_flat = true;
        self
    }

    /// Leaves the title out of the picture (it stays its accessible name): for pages with headings of their own.
    #[must_use]
    pub fn hide_title(mut self) -> Self {
        self.heading.is_title_hidden = true;
        self
    }

    /// Why there may be no data yet, shown in the empty frame.
    #[must_use]
    pub fn when_empty(mut self, reason: impl Into<String>) -> Self {
        self.heading.when_empty = Some(reason.into());
        self
    }

    fn value(&self, series: usize, category: usize) -> Option<f64> {
        let values = &self.series.get(series)?.1;
        values.get(category).copied().filter(|value| value.is_finite())
    }

    fn finite(&self) -> impl Iterator<Item = f64> + '_ {
        self.drawn().flat_map(|(_, values)| values.iter().copied()).filter(|value| value.is_finite())
    }

    fn drawn(&self) -> impl Iterator<Item = &(String, Vec<f64>)> {
        self.series.iter().take(SERIES)
    }

    fn role(&self, series: usize, value: f64) -> Role {
        match (self.series.len(), value < 0.0) {
            (1, true) => Role::Loss,
            (1, false) => Role::Gain,
            _ => Role::Series(series),
        }
    }

    fn draw_bars(&self, out: &mut Markup, size: Size) -> f64 {
        let entry = |(index, (name, _)): (usize, &(String, Vec<f64>))| Entry {
            key: Key::Bar(Role::Series(index)),
            name: name.clone(),
            value: None,
        };
        let legend: Vec<Entry> = match self.series.len() {
            1 => Vec::new(),
            _ => self.drawn().enumerate().map(entry).collect(),
        };
        let top = self.heading.draw(out, size, None, &legend) + 6.0;
        let bottom = top + self.heading.plot_height(size);
        let range = (self.finite().fold(0.0, f64::min), self.finite().fold(0.0, f64::max));
        let intervals = Size::intervals(bottom - top);
        let axis = ValueAxis::new(&self.heading.unit, range, Baseline::Zero, intervals, (bottom, top));
        let area = PlotArea::new(axis, size, 12.0, (top, bottom));
        let slots = Slots::new(&area, self.categories.len(), self.drawn().count());

        area.draw_grid(out);
        let numbers = self.numbers(&area, &slots, size.font() - 2.0);
        for slot in 0..slots.count {
            self.draw_slot(out, &area, &slots, slot, &numbers, size.font());
        }
        area.draw_zero(out);
        self.draw_names(out, &slots, bottom, size);
        draw_notes(out, size, &self.notes(&slots), bottom + 5.0 + size.row()) + 6.0
    }

    /// The number at the end of each bar, where one series has room for all of them; else none.
    fn numbers(&self, area: &PlotArea, slots: &Slots, font: f64) -> Vec<String> {
        if self.series.len() != 1 || slots.per_slot > 1 {
            return Vec::new();
        }
        let is_whole = self.finite().all(|value| value.fract() == 0.0);
        let number = |category| self.value(0, category).map(|value| area.values.short(value, is_whole));
        let numbers: Vec<String> = (0..slots.count).map(|slot| number(slot).unwrap_or_default()).collect();
        let fits = numbers.iter().all(|number| width(number, font) + 4.0 <= slots.width);
        if fits { numbers } else { Vec::new() }
    }

    fn draw_slot(
        &self,
        out: &mut Markup,
        area: &PlotArea,
        slots: &Slots,
        slot: usize,
        numbers: &[String],
        font: f64,
    ) {
        let zero = area.values.y(0.0);
        let categories = slots.categories(slot, self.categories.len());
        let is_unfinished = self.is_last_unfinished && categories.end == self.categories.len();
        for series in 0..slots.bars {
            let (x, bar_width) = slots.bar(slot, series);
            let tips = self.tips(series, categories.clone());
            for &value in &tips {
                let y = area.values.y(value);
                let extent = (bar_width, (y - zero).abs());
                draw_bar(out, (x, y.min(zero)), extent, self.role(series, value), is_unfinished);
                if let Some(number) = numbers.get(slot) {
                    let baseline = if value < 0.0 { y + font - 1.0 } else { y - 4.0 };
                    let text = out.tag("text").px("x", x + bar_width / 2.0).px("y", baseline);
                    let text = text.px("font-size", font - 2.0).anchor(Anchor::Middle);
                    text.rim(Role::Ink).text(number);
                }
            }
            if tips.is_empty() && slots.width >= 8.0 {
                out.label((x + bar_width / 2.0, zero - 4.0), Anchor::Middle, Role::Muted, UNDEFINED);
            }
        }
    }

    /// What a slot shows of the values in it: the highest gain and the deepest loss.
    fn tips(&self, series: usize, categories: Range<usize>) -> Vec<f64> {
        let values = || categories.clone().filter_map(|category| self.value(series, category));
        let high = values().filter(|&value| value >= 0.0).reduce(f64::max);
        let low = values().filter(|&value| value < 0.0).reduce(f64::min);
        [high, low].into_iter().flatten().collect()
    }

    /// Names under the bars: all, or every second, fifth, tenth, so that they stand clear.
    fn draw_names(&self, out: &mut Markup, slots: &Slots, bottom: f64, size: Size) {
        const ROOM: f64 = 120.0;
        let font = size.font();
        let name = |slot: usize| fit(&self.categories[slot * slots.per_slot], font, ROOM);
        let longest = (0..slots.count).map(|slot| width(&name(slot), font)).fold(0.0, f64::max);
        let every = (0..6)
            .flat_map(|power| [1, 2, 5].map(|multiple| multiple * 10_usize.pow(power)))
            .find(|&every| slots.width * every as f64 >= longest + 8.0)
            .unwrap_or(slots.count);
        for slot in (0..slots.count).step_by(every.max(1)) {
            let name = name(slot);
            let half = width(&name, font) / 2.0;
            let x = slots.middle(slot).clamp(half, size.width() - 1.0 - half);
            out.label((x, bottom + 7.0 + font), Anchor::Middle, Role::Muted, &name);
        }
    }

    fn notes(&self, slots: &Slots) -> Vec<String> {
        let mut notes = Vec::new();
        if let (true, Some(last)) = (self.is_last_unfinished, self.categories.last()) {
            notes.push(format!("hatched: {} is not over", spoken(last)));
        }
        if slots.per_slot > 1 {
            notes.push(format!("1 bar = {} values, extremes kept", slots.per_slot));
        }
        let missing = (0..self.categories.len()).flat_map(|category| {
            (0..slots.bars).filter(move |&series| self.value(series, category).is_none())
        });
        notes.extend(counted(missing.count(), "missing value"));
        let hidden = self.series.len().saturating_sub(SERIES);
        // "series" is its own plural.
        notes.extend((hidden > 0).then(|| format!("{hidden} more series in the table only")));
        notes
    }
}

fn draw_bar(
    out: &mut Markup,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    role: Role,
    is_unfinished: bool,
) {
    let bar = out.tag("rect").px("x", x).px("y", y).px("width", width).px("height", height);
    if is_unfinished {
        bar.attr("fill-opacity", "0.12").paint(role, role, 1.0).empty();
        let lines = hatch((x, y), (width, height), 6.0);
        if !lines.is_empty() {
            out.tag("path").attr("d", &lines).stroke(role, 1.0).empty();
        }
    } else {
        bar.fill(role).empty();
    }
}

impl Slots {
    /// Slots for `categories` with `bars` each; several categories share one where a bar would be below 2 px.
    fn new(area: &PlotArea, categories: usize, bars: usize) -> Self {
        let most = (area.width() / 2.5 / bars.max(1) as f64).max(1.0) as usize;
        let per_slot = categories.div_ceil(most).max(1);
        let count = categories.div_ceil(per_slot).max(1);
        Self { left: area.left, width: area.width() / count as f64, count, per_slot, bars }
    }

    fn categories(&self, slot: usize, all: usize) -> Range<usize> {
        let from = (slot * self.per_slot).min(all);
        from..(from + self.per_slot).min(all)
    }

    fn middle(&self, slot: usize) -> f64 {
        self.left + self.width * (slot as f64 + 0.5)
    }

    /// Left edge and width of one bar.
    fn bar(&self, slot: usize, series: usize) -> (f64, f64) {
        let pitch = (self.width * 0.76 / self.bars as f64).min(44.0);
        let gap = if pitch > 6.0 && self.bars > 1 { 1.0 } else { 0.0 };
        let x = self.middle(slot) + pitch * (series as f64 - self.bars as f64 / 2.0);
        (x, pitch - gap)
    }
}

impl Chart for BarChart {
    fn title(&self) -> &str {
        &self.heading.title
    }

    fn summary(&self) -> String {
        let unit = &self.heading.unit;
        let mut parts = Vec::new();
        for (series, (name, _)) in self.drawn().enumerate() {
            let mut values = (0..self.categories.len())
                .filter_map(|category| self.value(series, category).map(|value| (category, value)));
            let Some(first) = values.next() else { continue };
            let (mut low, mut high, mut last) = (first, first, first);
            for bar in values {
                low = if bar.1 < low.1 { bar } else { low };
                high = if bar.1 > high.1 { bar } else { high };
                last = bar;
            }
            let part = |word: &str, (category, value): (usize, f64)| {
                format!("{word} {} in {}", unit.format(value), spoken(&self.categories[category]))
            };
            let words = [part("first", first), part("last", last), part("low", low), part("high", high)];
            parts.push(format!("{}: {}", spoken(name), words.join(", ")));
        }
        if parts.is_empty() {
            return format!("{}: {}.", spoken(&self.heading.title), self.heading.empty_words());
        }
        if self.is_last_unfinished {
            parts.push("the last is unfinished".to_owned());
        }
        format!("{}.", parts.join("; "))
    }

    fn tables(&self, rows: usize) -> Vec<DataTable> {
        let total = self.categories.len();
        // The latest periods are the ones asked for.
        let from = total.saturating_sub(rows);
        let title = spoken(&self.heading.title);
        let caption = if from > 0 {
            format!("{title}: the last {rows} of {total}")
        } else {
            format!("{title}: all {total}")
        };
        let names = self.series.iter().map(|(name, _)| name.clone());
        let cell = |series: usize, category: usize| {
            let value = self.value(series, category);
            Cell::Number(value.map_or_else(|| UNDEFINED.to_owned(), |value| self.heading.unit.format(value)))
        };
        let row = |category: usize| {
            let name = Cell::Words(self.categories[category].clone());
            std::iter::once(name).chain((0..self.series.len()).map(|series| cell(series, category))).collect()
        };
        vec![DataTable {
            caption,
            header: std::iter::once(String::new()).chain(names).collect(),
            rows: (from..total).map(row).collect(),
        }]
    }

    fn draw(&self, size: Size) -> Drawing {
        let mut out = Markup::default();
        let height = if self.finite().next().is_none() {
            self.heading.draw_empty(&mut out, size)
        } else {
            self.draw_bars(&mut out, size)
        };
        Drawing::new(size, height, &self.heading.title, self.summary(), out)
    }
}
