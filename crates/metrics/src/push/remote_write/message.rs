//! The message of remote write 1.0, and how samples are put into one.
//!
//! Fields and numbers are those of Prometheus' `prompb/remote.proto` and `prompb/types.proto`.
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, Labels, SeriesKey};
use prost::Message as _;

use super::queue::Queued;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    pub(super) metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MetricMetadata {
    #[prost(enumeration = "MetricType", tag = "1")]
    pub(super) r#type: i32,
    #[prost(string, tag = "2")]
    pub(super) metric_family_name: String,
    #[prost(string, tag = "4")]
    pub(super) help: String,
    #[prost(string, tag = "5")]
    pub(super) unit: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MetricType {
    Unknown = 0,
    Counter = 1,
    Gauge = 2,
    Histogram = 3,
}

/// The samples as a message, and how many of them are not in it because another of their series is stamped in the same millisecond.
///
/// Series are in the order of name and labels, the samples of each in that of time: of two in one millisecond the later one stays.
pub(super) fn message(mut samples: Vec<Queued>, external: &Labels) -> (WriteRequest, u64) {
    let order = |queued: &Queued| queued.millis;
    // Stable: of equal stamps the one that came later is behind.
    samples.sort_by(|a, b| by_series(&a.series, &b.series).then(order(a).cmp(&order(b))));
    let mut request = WriteRequest::default();
    let mut duplicates = 0;
    let mut current: Option<&Arc<SeriesKey>> = None;
    for queued in &samples {
        let sample = Sample { value: queued.value, timestamp: queued.millis };
        match request.timeseries.last_mut() {
            Some(series) if current.is_some_and(|key| is_same(key, &queued.series)) => {
                match series.samples.last_mut().filter(|last| last.timestamp == sample.timestamp) {
                    Some(last) => {
                        *last = sample;
                        duplicates += 1;
                    }
                    None => series.samples.push(sample),
                }
            }
            _ => {
                let labels = labels(&queued.series, external);
                request.timeseries.push(TimeSeries { labels, samples: vec![sample] });
            }
        }
        current = Some(&queued.series);
    }
    (request, duplicates)
}

fn by_series(a: &Arc<SeriesKey>, b: &Arc<SeriesKey>) -> std::cmp::Ordering {
    if Arc::ptr_eq(a, b) {
        return std::cmp::Ordering::Equal;
    }
    a.descriptor.name.cmp(&b.descriptor.name).then_with(|| a.labels.cmp(&b.labels))
}

fn is_same(a: &Arc<SeriesKey>, b: &Arc<SeriesKey>) -> bool {
    by_series(a, b).is_eq()
}

/// The name among the labels, sorted by bytes: capital letters stand before the underscore.
fn labels(series: &SeriesKey, external: &Labels) -> Vec<Label> {
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    let own = series.labels.iter();
    let others = external.iter().filter(|(name, _)| series.labels.get(name).is_none());
    let mut labels = vec![label("__name__", series.descriptor.name.as_str())];
    labels.extend(own.chain(others).map(|(name, value)| label(name, value)));
    labels.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    labels
}

/// What a metric is.
pub(super) fn metadata(descriptor: &Descriptor) -> MetricMetadata {
    let kind = match descriptor.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
        _ => MetricType::Unknown,
    };
    MetricMetadata {
        r#type: kind as i32,
        metric_family_name: descriptor.name.to_string(),
        help: descriptor.help.to_string(),
        unit: descriptor.unit.to_string(),
    }
}

/// As it is sent: protobuf in snappy's block format.
pub(super) fn encode(request: &WriteRequest) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use bellwether_core::{MetricName, Unit};

    use super::*;

    fn series(name: &'static str, labels: &[(&str, &str)]) -> Arc<SeriesKey> {
        let name = MetricName::new(name).unwrap();
        let descriptor = Arc::new(Descriptor::counter(name, Unit::None, "Orders."));
        Arc::new(SeriesKey { descriptor, labels: Labels::new(labels.iter().copied()).unwrap() })
    }

    fn queued(series: &Arc<SeriesKey>, millis: i64, value: f64) -> Queued {
        Queued { series: Arc::clone(series), millis, value }
    }

    #[test]
    fn the_bytes_are_those_of_the_protocol() {
        let orders = series("a_total", &[("v", "x")]);
        let (request, _) = message(vec![queued(&orders, 1_000, 1.5)], &Labels::empty());
        // Written by hand from the .proto files and the encoding of protobuf.
        let mut expected = vec![0x0a, 42];
        expected.extend([0x0a, 19, 0x0a, 8]);
        expected.extend(b"__name__");
        expected.extend([0x12, 7]);
        expected.extend(b"a_total");
        expected.extend([0x0a, 6, 0x0a, 1, b'v', 0x12, 1, b'x']);
        expected.extend([0x12, 12, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xe8, 0x07]);
        expected[1] = (expected.len() - 2) as u8;
        assert_eq!(request.encode_to_vec(), expected);
        // Snappy's block format begins with the length; a text of this size may stand as one literal.
        let packed = encode(&request).unwrap();
        assert_eq!(usize::from(packed[0]), expected.len());
        assert_eq!(snap::raw::Decoder::new().decompress_vec(&packed).unwrap(), expected);
    }

    #[test]
    fn labels_are_sorted_by_bytes_and_own_ones_win() {
        let key = series("x_total", &[("Zone", "ny"), ("a", "own")]);
        let external = Labels::new([("a", "external"), ("host", "nyc-3")]).unwrap();
        let (request, _) = message(vec![queued(&key, 0, 0.0)], &external);
        let labels: Vec<_> = request.timeseries[0]
            .labels
            .iter()
            .map(|label| (label.name.as_str(), label.value.as_str()))
            .collect();
        assert_eq!(labels, [("Zone", "ny"), ("__name__", "x_total"), ("a", "own"), ("host", "nyc-3")]);
    }

    #[test]
    fn each_series_is_there_once_with_its_samples_in_the_order_of_time() {
        let (a, b) = (series("a_total", &[]), series("b_total", &[]));
        // The same series by another pointer, as after it was defined anew.
        let again = series("a_total", &[]);
        let samples = vec![
            queued(&b, 2, 20.0),
            queued(&a, 3, 3.0),
            queued(&again, 1, 1.0),
            queued(&a, 2, 2.0),
            queued(&again, 2, 2.5),
        ];
        let (request, duplicates) = message(samples, &Labels::empty());
        let told: Vec<Vec<_>> = request
            .timeseries
            .iter()
            .map(|series| series.samples.iter().map(|sample| (sample.timestamp, sample.value)).collect())
            .collect();
        assert_eq!(told, [vec![(1, 1.0), (2, 2.5), (3, 3.0)], vec![(2, 20.0)]]);
        assert_eq!(duplicates, 1);
    }
}
