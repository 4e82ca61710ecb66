//! The Prometheus text format, version 0.0.4.

use std::sync::Arc;

use bellwether_core::{Descriptor, Kind};

use super::number::Numbers;
use super::page::{Page, Quotes, escape};
use super::room::Room;
use crate::gather::{SeriesView, Visit};
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// The content type of [`Registry::text`](crate::Registry::text).
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes families as they are visited. Numbers go through stack buffers: nothing is allocated but the text.
pub(crate) struct TextWriter<'a, P> {
    out: &'a mut P,
    family: Option<Arc<Descriptor>>,
    /// What the lines of all buckets or quantiles of one series begin with.
    line: &'a mut String,
    numbers: Numbers,
}

impl<'a, P: Page> TextWriter<'a, P> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'a mut P, room: &'a mut Room) -> Self {
        Self { out, family: None, line: &mut room.line, numbers: Numbers::new() }
    }

    /// `name_suffix{labels} `, without braces when there are no labels.
    fn start(&mut self, suffix: &str, labels: &str) {
        if let Some(family) = &self.family {
            self.out.text(family.name.as_str());
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
        self.line.clear();
        let name = self.family.as_ref().map_or("", |family| family.name.as_str());
        let comma = if labels.is_empty() { "" } else { "," };
        for text in [name, suffix, "{", labels, comma, part, "=\""] {
            self.line.push_str(text);
        }
    }

    /// The lines of the sum and the count.
    fn end_with_sum(&mut self, labels: &str, sum: f64, count: u64) {
        self.start("_sum", labels);
        self.end_real(sum);
        self.start("_count", labels);
        self.end_whole(count);
    }

    fn end_whole(&mut self, value: u64) {
        self.out.text(self.numbers.whole(value));
        self.out.text("\n");
    }

    fn end_real(&mut self, value: f64) {
        self.out.text(self.numbers.real(value));
        self.out.text("\n");
    }
}

impl<P: Page> Visit for TextWriter<'_, P> {
    fn family(&mut self, declared: &Declared) {
        let Descriptor { name, kind, help, .. } = &*declared.descriptor;
        self.out.text("# HELP ");
        self.out.text(name.as_str());
        self.out.text(" ");
        escape(help, Quotes::Bare, self.out);
        self.out.text("\n# TYPE ");
        self.out.text(name.as_str());
        self.out.text(match kind {
            Kind::Counter => " counter\n",
            Kind::Gauge | Kind::Info | Kind::StateSet => " gauge\n",
            Kind::Histogram => " histogram\n",
            Kind::Summary => " summary\n",
            _ => " untyped\n",
        });
        self.family = Some(Arc::clone(&declared.descriptor));
    }

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { prefix, reading, .. } = series;
        match reading {
            Reading::Counter(Total::Whole(total)) => {
                self.out.text(prefix);
                self.end_whole(total);
            }
            Reading::Counter(Total::Real(value)) | Reading::Gauge(value) => {
                self.out.text(prefix);
                self.end_real(value);
            }
            Reading::Histogram { buckets, counts, sum } => {
                self.begin_parts("_bucket", prefix, "le");
                let mut upto = 0u64;
                for (line_end, count) in buckets.line_ends().iter().zip(counts) {
                    upto = upto.wrapping_add(*count);
                    self.out.text(self.line);
                    self.out.text(line_end);
                    self.end_whole(upto);
                }
                self.end_with_sum(prefix, sum, upto);
            }
            // This format has no native buckets: what is left is the count.
            Reading::Native { sum, .. } => {
                let count = reading.count();
                self.begin_parts("_bucket", prefix, "le");
                self.out.text(self.line);
                self.out.text("+Inf\"} ");
                self.end_whole(count);
                self.end_with_sum(prefix, sum, count);
            }
            Reading::Summary { quantiles, count, sum } => {
                self.begin_parts("", prefix, "quantile");
                for &(q, value) in quantiles {
                    self.out.text(self.line);
                    self.numbers.canonical(q, self.out);
                    self.out.text("\"} ");
                    self.end_real(value);
                }
                self.end_with_sum(prefix, sum, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::by_hand::{page, show};

    #[test]
    fn a_page_by_hand_with_every_kind() {
        let mut out = String::new();
        show(&page(), &mut TextWriter::new(&mut out, &mut Room::default()));
        assert_eq!(
            out,
            "# HELP ack_seconds Ack.\n\
             # TYPE ack_seconds histogram\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"0.001\"} 2\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"1.0\"} 2\n\
             ack_seconds_bucket{venue=\"XNYS\",le=\"+Inf\"} 3\n\
             ack_seconds_sum{venue=\"XNYS\"} 3.001\n\
             ack_seconds_count{venue=\"XNYS\"} 3\n\
             # HELP build_info Build.\n\
             # TYPE build_info gauge\n\
             build_info{version=\"1.2.3\"} 1\n\
             # HELP desk_pnl Profit.\n\
             # TYPE desk_pnl gauge\n\
             desk_pnl -1250.25\n\
             # HELP feed_state Feed.\n\
             # TYPE feed_state gauge\n\
             feed_state{feed_state=\"closed\",venue=\"ARCX\"} 0\n\
             feed_state{feed_state=\"closed\",venue=\"XNYS\"} 1\n\
             feed_state{feed_state=\"open\",venue=\"ARCX\"} 1\n\
             feed_state{feed_state=\"open\",venue=\"XNYS\"} 0\n\
             # HELP fees_usd_total Fees.\n\
             # TYPE fees_usd_total counter\n\
             fees_usd_total 0.75\n\
             # HELP hold_seconds Hold.\n\
             # TYPE hold_seconds summary\n\
             hold_seconds{quantile=\"0.5\"} 0.25\n\
             hold_seconds{quantile=\"0.99\"} 2\n\
             hold_seconds_sum 2.5\n\
             hold_seconds_count 3\n\
             # HELP native_seconds Native.\n\
             # TYPE native_seconds histogram\n\
             native_seconds_bucket{venue=\"ARCX\",le=\"+Inf\"} 309\n\
             native_seconds_sum{venue=\"ARCX\"} 500.5\n\
             native_seconds_count{venue=\"ARCX\"} 309\n\
             # HELP orders_total A \"q\" \\\\ and\\nmore.\n\
             # TYPE orders_total counter\n\
             orders_total{note=\"a\\\"b\\\\c\\nd\",side=\"buy\"} 18446744073709551615\n"
        );
    }
}
