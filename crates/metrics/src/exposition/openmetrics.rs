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
            && Exemplar::check_labels(&labels).is_ok()
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

#[cfg(test)]
mod tests {
    use bellwether_core::{MetricName, SpreadSnapshot, SummarySnapshot};

    use super::*;
    use crate::exposition::by_hand::{at, labels, page, show};
    use crate::{FamilySnapshot, SeriesSnapshot, Snapshot, Value};

    fn text(snapshot: &Snapshot) -> String {
        let mut out = String::new();
        let mut room = Room::default();
        let mut writer = OpenMetricsWriter::new(&mut out, &mut room);
        show(snapshot, &mut writer);
        writer.finish(true);
        out
    }

    #[test]
    fn a_page_by_hand_with_every_kind() {
        assert_eq!(
            text(&page()),
            "# TYPE ack_seconds histogram\n\
             # UNIT ack_seconds seconds\n\
             # HELP ack_seconds Ack.\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"0.001\"} 2 # {order_id=\"7\"} 0.0005 1700000000.25\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"1.0\"} 2\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"+Inf\"} 3 # {order_id=\"8\\\"\\\\\"} 3 1700000000.5\n\
             ack_seconds_count{venue=\"XNYS\"} 3\n\
             ack_seconds_sum{venue=\"XNYS\"} 3.001\n\
             ack_seconds_created{venue=\"XNYS\"} 1700000000\n\
             # TYPE build info\n\
             # HELP build Build.\n\
             build_info{version=\"1.2.3\"} 1\n\
             # TYPE desk_pnl gauge\n\
             # HELP desk_pnl Profit.\n\
             desk_pnl -1250.25\n\
             # TYPE feed_state stateset\n\
             # HELP feed_state Feed.\n\
             feed_state{feed_state=\"closed\",venue=\"ARCX\"} 0\n\
             feed_state{feed_state=\"open\",venue=\"ARCX\"} 1\n\
             feed_state{feed_state=\"closed\",venue=\"XNYS\"} 1\n\
             feed_state{feed_state=\"open\",venue=\"XNYS\"} 0\n\
             # TYPE fees_usd counter\n\
             # UNIT fees_usd usd\n\
             # HELP fees_usd Fees.\n\
             fees_usd_total 0.75\n\
             # TYPE hold_seconds summary\n\
             # UNIT hold_seconds seconds\n\
             # HELP hold_seconds Hold.\n\
             hold_seconds{quantile=\"0.5\"} 0.25\n\
             hold_seconds{quantile=\"0.99\"} 2\n\
             hold_seconds_count 3\n\
             hold_seconds_sum 2.5\n\
             hold_seconds_created 1700000000\n\
             # TYPE native_seconds histogram\n\
             # UNIT native_seconds seconds\n\
             # HELP native_seconds Native.\n\
             native_seconds_bucket{venue=\"ARCX\",le=\"+Inf\"} 309 # {order_id=\"10\"} 0.2 1700000000.000002\n\
             native_seconds_count{venue=\"ARCX\"} 309\n\
             native_seconds_sum{venue=\"ARCX\"} 500.5\n\
             native_seconds_created{venue=\"ARCX\"} 1700000000\n\
             # TYPE orders counter\n\
             # HELP orders A \\\"q\\\" \\\\ and\\nmore.\n\
             orders_total{note=\"a\\\"b\\\\c\\nd\",side=\"buy\"} 18446744073709551615 # {order_id=\"12\"} 1 1700000001\n\
             orders_created{note=\"a\\\"b\\\\c\\nd\",side=\"buy\"} 1700000000.000001\n\
             # EOF\n"
        );
    }

    fn only(descriptor: Descriptor, value: Value, exemplars: Vec<(usize, Exemplar)>) -> String {
        let series = vec![SeriesSnapshot { labels: Labels::empty(), value, created: None, exemplars }];
        text(&Snapshot {
            at: at(0),
            families: vec![FamilySnapshot { descriptor: Arc::new(descriptor), series }],
        })
    }

    #[test]
    fn a_sum_that_may_fall_is_left_out_with_its_count() {
        let histogram = |bounds: &[f64], counts: &[u64], sum| {
            let descriptor = Descriptor::histogram(MetricName::new("h").unwrap(), Unit::None, "H.");
            only(
                descriptor,
                Value::Histogram(SpreadSnapshot { bounds: bounds.into(), counts: counts.into(), sum }),
                Vec::new(),
            )
        };
        let buckets = "# TYPE h histogram\n# HELP h H.\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 3\n";
        assert_eq!(histogram(&[1.0], &[1, 2], -0.5), format!("{buckets}# EOF\n"));
        assert_eq!(histogram(&[1.0], &[1, 2], 5.0), format!("{buckets}h_count 3\nh_sum 5\n# EOF\n"));
        assert!(!histogram(&[-1.0], &[1, 2], 5.0).contains("_sum"));
        let descriptor = Descriptor::summary(MetricName::new("s").unwrap(), Unit::None, "S.");
        let summary = SummarySnapshot { quantiles: [(0.0, -1.0), (1.0, 2.0)].into(), count: 2, sum: -0.5 };
        assert_eq!(
            only(descriptor, Value::Summary(summary), Vec::new()),
            "# TYPE s summary\n# HELP s S.\ns{quantile=\"1.0\"} 2\n# EOF\n"
        );
    }

    #[test]
    fn an_exemplar_of_more_than_128_characters_is_left_out() {
        let counter = |chars: usize| {
            let exemplar =
                Exemplar { labels: labels([("id", &*"漢".repeat(chars - 2))]), value: 1.0, at: at(0) };
            let descriptor = Descriptor::counter(MetricName::new("c_total").unwrap(), Unit::None, "C.");
            only(descriptor, Value::Counter(Total::Whole(1)), vec![(0, exemplar)])
        };
        assert!(counter(128).contains(" # {id=\"漢"));
        assert_eq!(counter(129), "# TYPE c counter\n# HELP c C.\nc_total 1\n# EOF\n");
    }

    #[test]
    fn a_unit_is_told_only_if_the_name_ends_in_it() {
        let unit = |name: &'static str, unit| {
            family_unit(&Descriptor::counter(MetricName::new(name).unwrap(), unit, "")).map(str::to_owned)
        };
        assert_eq!(unit("ack_seconds_total", Unit::Seconds).as_deref(), Some("seconds"));
        assert_eq!(unit("lots_total", Unit::Other("lots".into())), None, "it must be behind a line");
        assert_eq!(unit("ack_total", Unit::Seconds), None);
        assert_eq!(unit("ack_total", Unit::None), None);
    }
}
