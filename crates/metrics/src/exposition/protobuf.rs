//! The Prometheus protobuf format: `io.prometheus.client.MetricFamily`, each behind its length.

use bellwether_core::{Kind, Labels, Timestamp};

use super::openmetrics::family_unit;
use crate::exemplar::{Exemplar, Exemplars};
use crate::gather::{SeriesView, Visit};
use crate::instrument::{Declared, Reading};

/// Writes families as they are visited, straight into the page: lengths are put before what was written. The numbers of
/// fields are those of `io/prometheus/client/metrics.proto`.
///
/// The only format that has the buckets of native histograms.
pub(crate) struct ProtobufWriter<'a> {
    out: &'a mut Vec<u8>,
    family: Option<Open>,
}

/// A message that was begun: where its length will stand.
struct Open(usize);

/// Bytes of the payload of a field, as its tag says it.
const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const LENGTH: u64 = 2;

/// `MetricType`.
const COUNTER: u64 = 0;
const GAUGE: u64 = 1;
const SUMMARY: u64 = 2;
const UNTYPED: u64 = 3;
const HISTOGRAM: u64 = 4;

impl<'a> ProtobufWriter<'a> {
    /// Appends to `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, family: None }
    }

    /// Ends the last family.
    pub(crate) fn finish(mut self) {
        self.end_family();
    }

    fn end_family(&mut self) {
        if let Some(family) = self.family.take() {
            close(self.out, &family);
        }
    }
}

impl Visit for ProtobufWriter<'_> {
    fn family(&mut self, declared: &Declared) {
        self.end_family();
        self.family = Some(open(self.out));
        let descriptor = &*declared.descriptor;
        text(self.out, 1, descriptor.name.as_str());
        text(self.out, 2, &descriptor.help);
        let kind = match descriptor.kind {
            Kind::Counter => COUNTER,
            Kind::Gauge | Kind::Info | Kind::StateSet => GAUGE,
            Kind::Summary => SUMMARY,
            Kind::Histogram => HISTOGRAM,
            _ => UNTYPED,
        };
        whole(self.out, 3, kind);
        if let Some(unit) = family_unit(descriptor) {
            text(self.out, 5, unit);
        }
    }

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { key, reading, created, exemplars, .. } = series;
        message(self.out, 4, |metric| {
            labels(metric, &key.labels);
            match reading {
                Reading::Gauge(value) => message(metric, 2, |gauge| real(gauge, 1, value)),
                Reading::Counter(total) => message(metric, 3, |counter| {
                    real(counter, 1, total.as_f64());
                    if let Some(kept) = exemplars.and_then(|kept| kept.get(0)) {
                        exemplar(counter, 2, &kept);
                    }
                    if let Some(created) = created {
                        stamp(counter, 3, created);
                    }
                }),
                Reading::Summary { quantiles, count, sum } => message(metric, 4, |summary| {
                    whole(summary, 1, count);
                    real(summary, 2, sum);
                    for &(q, value) in quantiles {
                        message(summary, 3, |quantile| {
                            real(quantile, 1, q);
                            real(quantile, 2, value);
                        });
                    }
                    if let Some(created) = created {
                        stamp(summary, 4, created);
                    }
                }),
                Reading::Histogram { buckets, counts, sum } => message(metric, 7, |histogram| {
                    whole(histogram, 1, reading.count());
                    real(histogram, 2, sum);
                    let bounds = buckets.bounds().iter().copied().chain([f64::INFINITY]);
                    let mut upto = 0u64;
                    for (place, (bound, count)) in bounds.zip(counts).enumerate() {
                        upto = upto.wrapping_add(*count);
                        message(histogram, 3, |bucket| {
                            whole(bucket, 1, upto);
                            real(bucket, 2, bound);
                            if let Some(kept) = exemplars.and_then(|kept| kept.get(place)) {
                                exemplar(bucket, 3, &kept);
                            }
                        });
                    }
                    if let Some(created) = created {
                        stamp(histogram, 15, created);
                    }
                }),
                Reading::Native { .. } => {
                    message(metric, 7, |histogram| native(histogram, reading, created, exemplars));
                }
            }
        });
    }
}

fn native(
    histogram: &mut Vec<u8>,
    reading: Reading<'_>,
    created: Option<Timestamp>,
    exemplars: Option<&Exemplars>,
) {
    let Reading::Native { schema, zero_threshold, zero_count, positive, negative, sum } = reading else {
        return;
    };
    whole(histogram, 1, reading.count());
    real(histogram, 2, sum);
    whole(histogram, 5, zigzag(schema.into()));
    real(histogram, 6, zero_threshold);
    whole(histogram, 7, zero_count);
    sparse(histogram, 9, 10, negative);
    sparse(histogram, 12, 13, positive);
    if zero_threshold == 0.0 && zero_count == 0 && positive.is_empty() && negative.is_empty() {
        // A span without buckets: how a reader knows a native histogram that has counted nothing yet.
        message(histogram, 12, |span| {
            whole(span, 1, 0);
            whole(span, 2, 0);
        });
    }
    if let Some(created) = created {
        stamp(histogram, 15, created);
    }
    for kept in
        exemplars.iter().flat_map(|kept| (0..Exemplars::OF_NATIVE).filter_map(|place| kept.get(place)))
    {
        exemplar(histogram, 16, &kept);
    }
}

/// Buckets as spans of neighbours, each with the gap to the span before it, and as the difference of each count to the
/// one before.
fn sparse(histogram: &mut Vec<u8>, spans: u64, deltas: u64, buckets: &[(i32, u64)]) {
    let mut rest = buckets;
    let mut next = 0i64;
    while let Some(&(first, _)) = rest.first() {
        let first = i64::from(first);
        let neighbours = rest
            .iter()
            .zip(first..)
            .take_while(|((index, _), expected)| i64::from(*index) == *expected)
            .count();
        message(histogram, spans, |span| {
            whole(span, 1, zigzag(first - next));
            whole(span, 2, neighbours as u64);
        });
        next = first + neighbours as i64;
        rest = rest.get(neighbours..).unwrap_or_default();
    }
    if !buckets.is_empty() {
        message(histogram, deltas, |packed| {
            let mut before = 0u64;
            for &(_, count) in buckets {
                varint(packed, zigzag(count.wrapping_sub(before) as i64));
                before = count;
            }
        });
    }
}

fn labels(out: &mut Vec<u8>, labels: &Labels) {
    for (name, value) in labels.iter() {
        message(out, 1, |pair| {
            text(pair, 1, name);
            text(pair, 2, value);
        });
    }
}

fn exemplar(out: &mut Vec<u8>, field: u64, kept: &Exemplar) {
    message(out, field, |exemplar| {
        labels(exemplar, &kept.labels);
        real(exemplar, 2, kept.value);
        stamp(exemplar, 3, kept.at);
    });
}

/// A `google.protobuf.Timestamp`: seconds, which may be negative, and nanoseconds after them.
fn stamp(out: &mut Vec<u8>, field: u64, at: Timestamp) {
    let micros = at.as_micros();
    message(out, field, |stamp| {
        whole(stamp, 1, micros.div_euclid(1_000_000) as u64);
        whole(stamp, 2, micros.rem_euclid(1_000_000) as u64 * 1_000);
    });
}

fn text(out: &mut Vec<u8>, field: u64, text: &str) {
    varint(out, field << 3 | LENGTH);
    varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn whole(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, value);
}

fn real(out: &mut Vec<u8>, field: u64, value: f64) {
    varint(out, field << 3 | EIGHT);
    out.extend_from_slice(&value.to_le_bytes());
}

fn message(out: &mut Vec<u8>, field: u64, write: impl FnOnce(&mut Vec<u8>)) {
    varint(out, field << 3 | LENGTH);
    let open = open(out);
    write(out);
    close(out, &open);
}

/// Begins what stands behind its length: one byte is kept for it, as most are short.
fn open(out: &mut Vec<u8>) -> Open {
    out.push(0);
    Open(out.len() - 1)
}

/// Puts the length where it was kept a byte; what was written moves up where it takes more.
fn close(out: &mut Vec<u8>, open: &Open) {
    let start = open.0 + 1;
    let written = out.len();
    let mut length = [0; 10];
    let length = varint_bytes((written - start) as u64, &mut length);
    let more = length.len() - 1;
    if more > 0 {
        out.resize(written + more, 0);
        out.copy_within(start..written, start + more);
    }
    if let Some(place) = out.get_mut(open.0..open.0 + length.len()) {
        place.copy_from_slice(length);
    }
}

/// Small numbers of either sign become small ones.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[inline]
fn varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        out.extend_from_slice(varint_bytes(value, &mut [0; 10]));
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint_bytes(mut value: u64, bytes: &mut [u8; 10]) -> &[u8] {
    let mut length = 0;
    for byte in &mut *bytes {
        *byte = value as u8 & 0x7f;
        value >>= 7;
        length += 1;
        if value == 0 {
            break;
        }
        *byte |= 0x80;
    }
    bytes.get(..length).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::metric_family::{self as read, BucketSpan, MetricType, Stamp};
    use super::*;
    use crate::exposition::by_hand::{labels, page, show};
    use crate::{NativeSnapshot, Snapshot, Value};

    fn families(snapshot: &Snapshot) -> Vec<read::MetricFamily> {
        let mut out = Vec::new();
        let mut writer = ProtobufWriter::new(&mut out);
        show(snapshot, &mut writer);
        writer.finish();
        read::read(&out)
    }

    #[test]
    fn a_page_by_hand_with_every_kind_is_read_by_prost() {
        let families = families(&page());
        let names: Vec<_> = families.iter().map(read::MetricFamily::name).collect();
        assert_eq!(
            names,
            [
                "ack_seconds",
                "build_info",
                "desk_pnl",
                "feed_state",
                "fees_usd_total",
                "hold_seconds",
                "native_seconds",
                "orders_total"
            ]
        );
        let [ack, build, pnl, feed, fees, hold, native, orders] = &*families else { panic!() };
        assert_eq!((ack.kind(), ack.unit(), ack.help()), (MetricType::Histogram, "seconds", "Ack."));
        let histogram = ack.metric[0].histogram.clone().unwrap();
        let buckets: Vec<_> =
            histogram.bucket.iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count())).collect();
        assert_eq!(buckets, [(0.001, 2), (1.0, 2), (f64::INFINITY, 3)]);
        assert_eq!((histogram.sample_count(), histogram.sample_sum(), histogram.schema), (3, 3.001, None));
        assert_eq!(histogram.created_timestamp, Some(Stamp { seconds: 1_700_000_000, nanos: 0 }));
        let exemplar = histogram.bucket[2].exemplar.clone().unwrap();
        assert_eq!((exemplar.value(), read::map(&exemplar.label)["order_id"].as_str()), (3.0, "8\"\\"));
        assert_eq!(exemplar.timestamp, Some(Stamp { seconds: 1_700_000_000, nanos: 500_000_000 }));
        assert_eq!(histogram.bucket[1].exemplar, None);
        assert_eq!((build.kind(), build.metric[0].gauge.unwrap().value()), (MetricType::Gauge, 1.0));
        assert_eq!((pnl.metric[0].gauge.unwrap().value(), pnl.unit.as_deref()), (-1_250.25, None));
        assert_eq!((feed.kind(), feed.metric.len()), (MetricType::Gauge, 4));
        assert_eq!((fees.metric[0].counter.clone().unwrap().value(), fees.unit()), (0.75, "usd"));
        let summary = hold.metric[0].summary.clone().unwrap();
        assert_eq!((summary.sample_count(), summary.sample_sum(), summary.quantile.len()), (3, 2.5, 2));
        assert_eq!((summary.quantile[1].quantile(), summary.quantile[1].value()), (0.99, 2.0));
        let sparse = native.metric[0].histogram.clone().unwrap();
        assert_eq!((sparse.schema(), sparse.zero_threshold(), sparse.zero_count()), (3, 1e-9, 2));
        assert_eq!((sparse.sample_count(), sparse.bucket.len(), sparse.exemplars.len()), (309, 0, 2));
        let span = |offset, length| BucketSpan { offset: Some(offset), length: Some(length) };
        assert_eq!(sparse.positive_span, [span(-3, 2), span(6, 2)]);
        assert_eq!(sparse.positive_delta, [1, 3, -2, 298]);
        assert_eq!(sparse.negative_span, []);
        let counter = orders.metric[0].counter.clone().unwrap();
        assert_eq!(counter.value(), u64::MAX as f64);
        assert_eq!(read::map(&orders.metric[0].label)["note"], "a\"b\\c\nd");
        assert_eq!(counter.created_timestamp, Some(Stamp { seconds: 1_700_000_000, nanos: 1_000 }));
    }

    fn of_native(native: NativeSnapshot) -> read::Histogram {
        let mut page = page();
        page.families.retain(|family| family.descriptor.name == "native_seconds");
        page.families[0].series[0].value = Value::Native(native);
        families(&page).remove(0).metric.remove(0).histogram.unwrap()
    }

    #[test]
    fn a_native_histogram_without_values_is_still_known_as_one() {
        let empty = NativeSnapshot {
            schema: 0,
            zero_threshold: 0.0,
            zero_count: 0,
            positive: Box::default(),
            negative: Box::default(),
            sum: 0.0,
        };
        let read = of_native(empty);
        assert_eq!(read.positive_span, [BucketSpan { offset: Some(0), length: Some(0) }]);
    }

    #[test]
    fn times_before_1970_have_nanoseconds_after_the_second() {
        let mut out = Vec::new();
        stamp(&mut out, 1, Timestamp::from_micros(-1).unwrap());
        let inner = <Stamp as prost::Message>::decode(out.get(2..).unwrap()).unwrap();
        assert_eq!(inner, Stamp { seconds: -1, nanos: 999_999_000 });
    }

    fn buckets() -> impl Strategy<Value = Vec<(i32, u64)>> {
        let index = prop_oneof![-20i32..20, any::<i32>().prop_map(|index| index / 2)];
        let count = prop_oneof![1u64..1_000, 1u64..1 << 50];
        proptest::collection::btree_map(index, count, 0..40).prop_map(|buckets| buckets.into_iter().collect())
    }

    proptest! {
        #[test]
        fn sparse_buckets_read_back(positive in buckets(), negative in buckets(), schema in -4i8..=8) {
            let read = of_native(NativeSnapshot {
                schema,
                zero_threshold: 0.5,
                zero_count: 1,
                positive: positive.clone().into(),
                negative: negative.clone().into(),
                sum: 1.0,
            });
            prop_assert_eq!(read.sparse(false), positive);
            prop_assert_eq!(read.sparse(true), negative);
            prop_assert_eq!(read.schema(), i32::from(schema));
        }

        #[test]
        fn texts_of_any_length_read_back(value in ".{0,4}", times in 0usize..1_000) {
            let value = value.repeat(times);
            prop_assume!(!value.is_empty() && value.len() <= 4_096);
            let mut page = page();
            page.families[0].series[0].labels = labels([("note", &value)]);
            let read = families(&page);
            prop_assert_eq!(&read::map(&read[0].metric[0].label)["note"], &value);
        }
    }
}

/// The messages as `prost` reads them.
#[cfg(test)]
#[path = "../../tests/it/metric_family.rs"]
mod metric_family;
