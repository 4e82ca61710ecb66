//! Values as JSON.

use std::fmt::{self, Write as _};

use bellwether_core::{Labels, Timestamp};

use super::number::Numbers;
use super::page::Page;
use crate::exemplar::{Exemplar, Exemplars};
use crate::gather::{SeriesView, Visit};
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// What [`Format::Json`](crate::Format::Json) says of itself: the number grows with every change that a reader of the one
/// before would stumble over.
pub(crate) const SCHEMA: &str = "bellwether.metrics/1";

/// Writes one document; see [`Format::Json`](crate::Format::Json) for what is in it.
pub(crate) struct JsonWriter<'a, P> {
    out: &'a mut P,
    numbers: Numbers,
    families: usize,
    series: usize,
}

impl<'a, P: Page> JsonWriter<'a, P> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'a mut P, at: Timestamp) -> Self {
        let mut writer = Self { out, numbers: Numbers::new(), families: 0, series: 0 };
        writer.out.text("{\"schema\":\"");
        writer.out.text(SCHEMA);
        writer.out.text("\",\"at\":");
        writer.stamp(at);
        writer.out.text(",\"families\":[");
        writer
    }

    pub(crate) fn finish(mut self) {
        self.end_family();
        self.out.text("]}\n");
    }

    fn end_family(&mut self) {
        if self.families > 0 {
            self.out.text("]}");
        }
    }

    fn string(&mut self, text: &str) {
        self.out.text("\"");
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
            let (before, from) = rest.split_at(at);
            self.out.text(before);
            match from.as_bytes() {
                [b'"', ..] => self.out.text("\\\""),
                [b'\\', ..] => self.out.text("\\\\"),
                [b'\n', ..] => self.out.text("\\n"),
                [control, ..] => {
                    let _ = write!(Lines(self.out), "\\u{control:04x}");
                }
                [] => {}
            }
            // What was found is one byte long.
            rest = from.get(1..).unwrap_or("");
        }
        self.out.text(rest);
        self.out.text("\"");
    }

    fn labels(&mut self, labels: &Labels) {
        self.out.text("{");
        for (at, (name, value)) in labels.iter().enumerate() {
            self.comma(at);
            self.string(name);
            self.out.text(":");
            self.string(value);
        }
        self.out.text("}");
    }

    fn stamp(&mut self, at: Timestamp) {
        let _ = write!(Lines(self.out), "\"{at}\"");
    }

    fn field(&mut self, name: &str) {
        self.out.text(",\"");
        self.out.text(name);
        self.out.text("\":");
    }

    fn whole(&mut self, value: u64) {
        self.out.text(self.numbers.whole(value));
    }

    fn real(&mut self, value: f64) {
        self.out.text(self.numbers.real(value));
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.text(",");
        }
    }

    /// An array, of which `write` writes each item.
    fn array<T>(&mut self, name: &str, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.field(name);
        self.out.text("[");
        for (at, item) in items.enumerate() {
            self.comma(at);
            write(self, item);
        }
        self.out.text("]");
    }

    fn buckets(&mut self, name: &str, buckets: &[(i32, u64)]) {
        self.array(name, buckets.iter(), |writer, &(index, count)| {
            writer.out.text("[");
            writer.out.text(writer.numbers.signed(index.into()));
            writer.out.text(",");
            writer.whole(count);
            writer.out.text("]");
        });
    }

    fn count_and_sum(&mut self, count: u64, sum: f64) {
        self.field("count");
        self.whole(count);
        self.field("sum");
        self.real(sum);
    }

    fn exemplars(&mut self, kept: &Exemplars, places: usize, with_bucket: bool) {
        let mut any = false;
        for (place, Exemplar { labels, value, at }) in
            (0..places).filter_map(|place| Some((place, kept.get(place)?)))
        {
            if any {
                self.out.text(",{");
            } else {
                any = true;
                self.field("exemplars");
                self.out.text("[{");
            }
            self.out.text("\"labels\":");
            self.labels(&labels);
            if with_bucket {
                self.field("bucket");
                self.whole(place as u64);
            }
            self.field("value");
            self.real(value);
            self.field("at");
            self.stamp(at);
            self.out.text("}");
        }
        if any {
            self.out.text("]");
        }
    }
}

impl<P: Page> Visit for JsonWriter<'_, P> {
    fn family(&mut self, declared: &Declared) {
        self.end_family();
        self.comma(self.families);
        self.families += 1;
        self.series = 0;
        let descriptor = &*declared.descriptor;
        self.out.text("\n{\"name\":");
        self.string(descriptor.name.as_str());
        self.field("kind");
        let _ = write!(Lines(self.out), "\"{}\"", descriptor.kind);
        self.field("unit");
        self.string(descriptor.unit.as_str());
        self.field("help");
        self.string(&descriptor.help);
        self.out.text(",\"series\":[");
    }

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { key, reading, created, exemplars, .. } = series;
        self.comma(self.series);
        self.series += 1;
        self.out.text("\n{\"labels\":");
        self.labels(&key.labels);
        let places = match reading {
            Reading::Counter(Total::Whole(total)) => {
                self.field("value");
                self.whole(total);
                1
            }
            Reading::Counter(Total::Real(total)) => {
                self.field("value");
                self.real(total);
                1
            }
            Reading::Gauge(value) => {
                self.field("value");
                self.real(value);
                0
            }
            Reading::Histogram { buckets, counts, sum } => {
                self.count_and_sum(reading.count(), sum);
                self.array("bounds", buckets.bounds().iter(), |writer, &bound| writer.real(bound));
                self.array("counts", counts.iter(), |writer, &count| writer.whole(count));
                counts.len()
            }
            Reading::Native { schema, zero_threshold, zero_count, positive, negative, sum } => {
                self.count_and_sum(reading.count(), sum);
                self.field("schema");
                self.out.text(self.numbers.signed(schema.into()));
                self.field("zero_threshold");
                self.real(zero_threshold);
                self.field("zero_count");
                self.whole(zero_count);
                self.buckets("positive", positive);
                self.buckets("negative", negative);
                Exemplars::OF_NATIVE
            }
            Reading::Summary { quantiles, count, sum } => {
                self.count_and_sum(count, sum);
                self.array("quantiles", quantiles.iter(), |writer, &(q, value)| {
                    writer.out.text("[");
                    writer.real(q);
                    writer.out.text(",");
                    writer.real(value);
                    writer.out.text("]");
                });
                0
            }
        };
        if let Some(created) = created {
            self.field("created");
            self.stamp(created);
        }
        if let Some(kept) = exemplars {
            self.exemplars(kept, places, matches!(reading, Reading::Histogram { .. }));
        }
        self.out.text("}");
    }
}

/// What formats itself, onto a page.
struct Lines<'a, P>(&'a mut P);

impl<P: Page> fmt::Write for Lines<'_, P> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.text(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::by_hand::{page, show};

    fn json() -> String {
        let page = page();
        let mut out = String::new();
        let mut writer = JsonWriter::new(&mut out, page.at);
        show(&page, &mut writer);
        writer.finish();
        out
    }

    #[test]
    fn a_page_by_hand_with_every_kind() {
        let expected = serde_json::json!({
            "schema": "bellwether.metrics/1",
            "at": "2023-11-14T22:13:22Z",
            "families": [
                {"name": "ack_seconds", "kind": "histogram", "unit": "seconds", "help": "Ack.", "series": [{
                    "labels": {"venue": "XNYS"}, "count": 3, "sum": 3.001,
                    "bounds": [0.001, 1], "counts": [2, 0, 1],
                    "created": "2023-11-14T22:13:20Z",
                    "exemplars": [
                        {"labels": {"order_id": "7"}, "bucket": 0, "value": 0.0005, "at": "2023-11-14T22:13:20.250Z"},
                        {"labels": {"order_id": "8\"\\"}, "bucket": 2, "value": 3, "at": "2023-11-14T22:13:20.500Z"},
                    ],
                }]},
                {"name": "build_info", "kind": "info", "unit": "", "help": "Build.", "series": [
                    {"labels": {"version": "1.2.3"}, "value": 1},
                ]},
                {"name": "desk_pnl", "kind": "gauge", "unit": "usd", "help": "Profit.", "series": [
                    {"labels": {}, "value": -1250.25},
                ]},
                {"name": "feed_state", "kind": "state_set", "unit": "", "help": "Feed.", "series": [
                    {"labels": {"feed_state": "closed", "venue": "ARCX"}, "value": 0},
                    {"labels": {"feed_state": "closed", "venue": "XNYS"}, "value": 1},
                    {"labels": {"feed_state": "open", "venue": "ARCX"}, "value": 1},
                    {"labels": {"feed_state": "open", "venue": "XNYS"}, "value": 0},
                ]},
                {"name": "fees_usd_total", "kind": "counter", "unit": "usd", "help": "Fees.", "series": [
                    {"labels": {}, "value": 0.75},
                ]},
                {"name": "hold_seconds", "kind": "summary", "unit": "seconds", "help": "Hold.", "series": [{
                    "labels": {}, "count": 3, "sum": 2.5, "quantiles": [[0.5, 0.25], [0.99, 2]],
                    "created": "2023-11-14T22:13:20Z",
                }]},
                {"name": "native_seconds", "kind": "histogram", "unit": "seconds", "help": "Native.", "series": [{
                    "labels": {"venue": "ARCX"}, "count": 309, "sum": 500.5,
                    "schema": 3, "zero_threshold": 1e-9, "zero_count": 2,
                    "positive": [[-3, 1], [-2, 4], [5, 2], [6, 300]], "negative": [],
                    "created": "2023-11-14T22:13:20Z",
                    "exemplars": [
                        {"labels": {"order_id": "9"}, "value": 0.1, "at": "2023-11-14T22:13:20.000001Z"},
                        {"labels": {"order_id": "10"}, "value": 0.2, "at": "2023-11-14T22:13:20.000002Z"},
                    ],
                }]},
                {"name": "orders_total", "kind": "counter", "unit": "", "help": "A \"q\" \\ and\nmore.", "series": [{
                    "labels": {"note": "a\"b\\c\nd", "side": "buy"}, "value": u64::MAX,
                    "created": "2023-11-14T22:13:20.000001Z",
                    "exemplars": [{"labels": {"order_id": "12"}, "value": 1, "at": "2023-11-14T22:13:21Z"}],
                }]},
            ],
        });
        let read: serde_json::Value = serde_json::from_str(&json()).unwrap();
        assert_eq!(read, expected);
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in proptest::prelude::any::<String>()) {
            let mut out = String::new();
            let mut writer = JsonWriter { out: &mut out, numbers: Numbers::new(), families: 0, series: 0 };
            writer.string(&text);
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
