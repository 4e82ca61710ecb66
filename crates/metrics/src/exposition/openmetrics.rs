//! The OpenMetrics text format, version 1.0.0.

use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, Labels, Timestamp, Unit};

use super::number::Numbers;
use super::page::{Page, Quotes, escape};
use super::room::Room;
use crate::exemplar::{Exemplar, Exemplars};
use crate::gather::{SeriesView, Visit};
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// Most characters that the labels of one exemplar may have together, names and values.
const MOST_EXEMPLAR_CHARS: usize = 128;

/// Writes families as they are visited, from the text of OpenMetrics 1.0. Nothing is allocated but the text.
///
/// What that text forbids is left out, and the rest of the series told: the sum and count of a histogram or summary whose
/// sum is not that of values above zero only, negative quantiles, exemplars with more than 128 characters, a unit that the
/// name does not end in.
pub(crate) struct OpenMetricsWriter<'a, P> {
    out: &'a mut P,
    family: Option<Arc<Descriptor>>,
    room: &'a mut Room,
    numbers: Numbers,
}

/// The name of a family: that of its metric without the suffix that says its kind.
pub(crate) fn family_name(descriptor: &Descriptor) -> &str {
    let name = descriptor.name.as_str();
    match descriptor.kind {
        Kind::Counter => name.strip_suffix("_total").unwrap_or(name),
        Kind::Info => name.strip_suffix("_info").unwrap_or(name),
        _ => name,
    }
}

/// The unit, if the name of the family ends in it: otherwise it must not be told.
pub(crate) fn family_unit(descriptor: &Descriptor) -> Option<&str> {
    match (&descriptor.unit, descriptor.kind) {
        (Unit::None, _) | (_, Kind::Info | Kind::StateSet) => None,
        (unit, _) => {
            let unit = unit.as_str();
            let rest = family_name(descriptor).strip_suffix(unit)?;
            rest.ends_with('_').then_some(unit)
        }
    }
}

impl<'a, P: Page> OpenMetricsWriter<'a, P> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'a mut P, room: &'a mut Room) -> Self {
        room.states.clear();
        room.lines.clear();
        Self { out, family: None, room, numbers: Numbers::new() }
    }

    /// Ends the last family. After `# EOF` nothing may stand on the page.
    pub(crate) fn finish(mut self, eof: bool) {
        self.end_family();
        if eof {
            self.out.text("# EOF\n");
        }
    }

    /// The lines of a state set: what differs in the state only must stand together.
    fn end_family(&mut self) {
        if self.room.states.is_empty() {
            return;
        }
        let state = self.family.as_ref().map_or("", |family| family.name.as_str());
        // No two have the same labels, so that the order is the same whatever it was.
        self.room.states.sort_unstable_by(|(a, _), (b, _)| {
            pairs_without(a, state).cmp(pairs_without(b, state)).then_with(|| a.cmp(b))
        });
        for (_, line) in self.room.states.drain(..) {
            self.out.text(self.room.lines.get(line).unwrap_or(""));
        }
        self.room.lines.clear();
    }

    /// `family_suffix{labels} `, without braces when there are no labels.
    fn start(&mut self, suffix: &str, labels: &str) {
        if let Some(family) = &self.family {
            self.out.text(family_name(family));
        }
        self.out.text(suffix);
        if !labels.is_empty() {
            self.out.text("{");
            self.out.text(labels);
            self.out.text("}");
        }
        self.out.text(" ");
    }

    /// What the lines of the parts of one series begin with: `name_suffix{labels,part="`.
    fn begin_parts(&mut self, suffix: &str, labels: &str, part: &str) {
        let line = &mut self.room.line;
        line.clear();
        let name = self.family.as_ref().map_or("", |family| family.name.as_str());
        let comma = if labels.is_empty() { "" } else { "," };
        for text in [name, suffix, "{", labels, comma, part, "=\""] {
            line.push_str(text);
        }
    }

    /// Count, sum and start. A sum that may fall is no counter: OpenMetrics forbids it, and a count without it.
    fn end_with_sum(&mut self, labels: &str, sum: Sum, count: u64, created: Option<Timestamp>) {
        if let Sum::Grows(sum) = sum {
            self.start("_count", labels);
            self.end_whole(count);
            self.start("_sum", labels);
            self.out.text(self.numbers.real(sum));
            self.out.text("\n");
        }
        if let Some(created) = created {
            self.start("_created", labels);
            self.numbers.seconds(created, self.out);
            self.out.text("\n");
        }
    }

    fn end_whole(&mut self, value: u64) {
        self.out.text(self.numbers.whole(value));
        self.out.text("\n");
    }

    /// The end of a line that may have an exemplar.
    fn end_with_exemplar(&mut self, exemplar: Option<Exemplar>) {
        if let Some(Exemplar { labels, value, at }) = exemplar
            && labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum::<usize>()
                <= MOST_EXEMPLAR_CHARS
        {
            self.out.text(" # {");
            let mut comma = "";
            for (name, value) in labels.iter() {
                for text in [comma, name, "=\""] {
                    self.out.text(text);
                }
                escape(value, Quotes::Escaped, self.out);
                self.out.text("\"");
                comma = ",";
            }
            self.out.text("} ");
            self.out.text(self.numbers.real(value));
            self.out.text(" ");
            self.numbers.seconds(at, self.out);
        }
        self.out.text("\n");
    }

    fn counter(&mut self, series: &SeriesView<'_>, total: Total) {
        self.out.text(series.prefix);
        self.out.text(match total {
            Total::Whole(total) => self.numbers.whole(total),
            Total::Real(total) => self.numbers.real(total),
        });
        self.end_with_exemplar(series.exemplars.and_then(|kept| kept.get(0)));
        if let (Some(created), Some(family)) = (series.created, &self.family) {
            self.out.text(family_name(family));
            self.out.text("_created");
            // The labels, and the space after them.
            self.out.text(series.prefix.get(family.name.as_str().len()..).unwrap_or(" "));
            self.numbers.seconds(created, self.out);
            self.out.text("\n");
        }
    }
}

/// A sum as OpenMetrics has it.
#[derive(Clone, Copy)]
enum Sum {
    /// Of values that are not negative: a counter.
    Grows(f64),
    /// It may fall.
    Falls,
}

impl Sum {
    fn new(sum: f64, negative: bool) -> Self {
        if negative || sum < 0.0 { Self::Falls } else { Self::Grows(sum) }
    }
}

/// All labels but one, in order.
fn pairs_without<'a>(labels: &'a Labels, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    labels.iter().filter(move |(label, _)| *label != name)
}

/// The newest of the exemplars of a native histogram.
fn newest(kept: &Exemplars) -> Option<Exemplar> {
    (0..Exemplars::OF_NATIVE).filter_map(|place| kept.get(place)).max_by_key(|exemplar| exemplar.at)
}

impl<P: Page> Visit for OpenMetricsWriter<'_, P> {
    fn family(&mut self, declared: &Declared) {
        self.end_family();
        let descriptor = &declared.descriptor;
        let name = family_name(descriptor);
        let kind = match descriptor.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
            Kind::Info => "info",
            Kind::StateSet => "stateset",
            _ => "unknown",
        };
        for text in ["# TYPE ", name, " ", kind, "\n"] {
            self.out.text(text);
        }
        if let Some(unit) = family_unit(descriptor) {
            for text in ["# UNIT ", name, " ", unit, "\n"] {
                self.out.text(text);
            }
        }
        for text in ["# HELP ", name, " "] {
            self.out.text(text);
        }
        escape(&descriptor.help, Quotes::Escaped, self.out);
        self.out.text("\n");
        self.family = Some(Arc::clone(descriptor));
    }

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { prefix, reading, created, exemplars, .. } = series;
        let exemplar = |place| exemplars.and_then(|kept| kept.get(place));
        match reading {
            Reading::Counter(total) => self.counter(&series, total),
            Reading::Gauge(value) if series.key.descriptor.kind == Kind::StateSet => {
                let Room { lines, states, .. } = &mut *self.room;
                let start = lines.len();
                for text in [prefix, self.numbers.real(value), "\n"] {
                    lines.push_str(text);
                }
                states.push((series.key.labels.clone(), start..lines.len()));
            }
            Reading::Gauge(value) => {
                self.out.text(prefix);
                self.out.text(self.numbers.real(value));
                self.out.text("\n");
            }
            Reading::Histogram { buckets, counts, sum } => {
                self.begin_parts("_bucket", prefix, "le");
                let mut upto = 0u64;
                for (place, (line_end, count)) in buckets.line_ends().iter().zip(counts).enumerate() {
                    upto = upto.wrapping_add(*count);
                    self.out.text(&self.room.line);
                    self.out.text(line_end);
                    self.out.text(self.numbers.whole(upto));
                    self.end_with_exemplar(exemplar(place));
                }
                let sum = Sum::new(sum, buckets.are_for_negatives());
                self.end_with_sum(prefix, sum, upto, created);
            }
            // This format has no native buckets: what is left is the count.
            Reading::Native { negative, sum, .. } => {
                let count = reading.count();
                self.begin_parts("_bucket", prefix, "le");
                self.out.text(&self.room.line);
                self.out.text("+Inf\"} ");
                self.out.text(self.numbers.whole(count));
                self.end_with_exemplar(exemplars.and_then(newest));
                self.end_with_sum(prefix, Sum::new(sum, !negative.is_empty()), count, created);
            }
            Reading::Summary { quantiles, count, sum } => {
                self.begin_parts("", prefix, "quantile");
                for &(q, value) in quantiles.iter().filter(|(_, value)| *value >= 0.0) {
                    self.out.text(&self.room.line);
                    self.numbers.canonical(q, self.out);
                    self.out.text("\"} ");
                    self.out.text(self.numbers.real(value));
                    self.out.text("\n");
                }
                self.end_with_sum(prefix, Sum::new(sum, false), count, created);
            }
        }
    }
}
