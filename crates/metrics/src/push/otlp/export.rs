//! From a snapshot to the points of OTLP.
use std::collections::HashMap;

use bellwether_core::{Descriptor, Labels, MetricName, SpreadSnapshot, Timestamp, Unit};

use super::message::{
    Data, ExponentialBuckets, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, KeyValue, Metric, Number, NumberDataPoint, Sum, Summary, SummaryDataPoint,
    Temporality, ValueAtQuantile,
};
use crate::{FamilySnapshot, NativeSnapshot, SeriesSnapshot, Snapshot, Total, Value};

/// Since when the totals of each series count.
///
/// A total that was there at the first look counts since pushing began; one that appeared later, or began anew, since the look before.
#[derive(Debug)]
pub(super) struct Starts {
    looked: Timestamp,
    series: HashMap<(MetricName, Labels), Start>,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    since: Timestamp,
    total: f64,
    seen: Timestamp,
}

impl Starts {
    pub(super) fn new(began: Timestamp) -> Self {
        Self { looked: began, series: HashMap::new() }
    }

    fn of(&mut self, name: &MetricName, labels: &Labels, total: f64, at: Timestamp) -> Timestamp {
        let looked = self.looked;
        let fresh = Start { since: looked, total, seen: at };
        let start = self.series.entry((name.clone(), labels.clone())).or_insert(fresh);
        if total < start.total {
            *start = fresh;
        }
        (start.total, start.seen) = (total, at);
        // A clock that was set back makes no point that ends before it begins.
        start.since.min(at)
    }

    /// Forgets the series that were not met at the look.
    fn looked(&mut self, at: Timestamp) {
        self.series.retain(|_, start| start.seen == at);
        self.looked = at;
    }
}

/// Every metric, in pieces of at most `most` points.
pub(super) fn pieces(snapshot: &Snapshot, starts: &mut Starts, most: usize) -> Vec<(Vec<Metric>, usize)> {
    let mut pieces: Vec<(Vec<Metric>, usize)> = Vec::new();
    for family in &snapshot.families {
        let mut rest = family.series.as_slice();
        while !rest.is_empty() {
            if pieces.last().is_none_or(|(_, points)| *points >= most) {
                pieces.push((Vec::new(), 0));
            }
            let Some((metrics, points)) = pieces.last_mut() else { break };
            let (now, later) = rest.split_at(rest.len().min(most - *points));
            metrics.push(metric(family, now, starts, snapshot.at));
            *points += now.len();
            rest = later;
        }
    }
    starts.looked(snapshot.at);
    pieces
}

fn metric(family: &FamilySnapshot, series: &[SeriesSnapshot], starts: &mut Starts, at: Timestamp) -> Metric {
    let Descriptor { name, unit, help, .. } = &*family.descriptor;
    let (mut numbers, mut totals, mut histograms) = (Vec::new(), Vec::new(), Vec::new());
    let (mut natives, mut summaries) = (Vec::new(), Vec::new());
    for SeriesSnapshot { labels, value, created, .. } in series {
        let attributes = || labels.iter().map(|(name, value)| KeyValue::new(name, value)).collect();
        // Where it is known since when a total counts, nothing has to be guessed.
        let mut since = |total| match created {
            Some(created) => (*created).min(at),
            None => starts.of(name, labels, total, at),
        };
        match value {
            Value::Gauge(value) => numbers.push(NumberDataPoint {
                start_time_unix_nano: 0,
                time_unix_nano: nanos(at),
                value: Some(Number::AsDouble(*value)),
                attributes: attributes(),
            }),
            Value::Counter(total) => totals.push(NumberDataPoint {
                start_time_unix_nano: nanos(since(total.as_f64())),
                time_unix_nano: nanos(at),
                value: Some(number(*total)),
                attributes: attributes(),
            }),
            Value::Histogram(spread) => {
                histograms.push(histogram(spread, since(spread.count() as f64), at, attributes()));
            }
            Value::Native(native) => {
                natives.push(exponential(native, since(native.count() as f64), at, attributes()));
            }
            Value::Summary(summary) => summaries.push(SummaryDataPoint {
                start_time_unix_nano: nanos(since(summary.count as f64)),
                time_unix_nano: nanos(at),
                count: summary.count,
                sum: summary.sum,
                quantile_values: summary
                    .quantiles
                    .iter()
                    .map(|&(quantile, value)| ValueAtQuantile { quantile, value })
                    .collect(),
                attributes: attributes(),
            }),
        }
    }
    let aggregation_temporality = Temporality::Cumulative as i32;
    let data = if !totals.is_empty() {
        Data::Sum(Sum { data_points: totals, aggregation_temporality, is_monotonic: true })
    } else if !histograms.is_empty() {
        Data::Histogram(Histogram { data_points: histograms, aggregation_temporality })
    } else if !natives.is_empty() {
        Data::ExponentialHistogram(ExponentialHistogram { data_points: natives, aggregation_temporality })
    } else if !summaries.is_empty() {
        Data::Summary(Summary { data_points: summaries })
    } else {
        Data::Gauge(Gauge { data_points: numbers })
    };
    Metric {
        name: name.to_string(),
        description: help.to_string(),
        unit: ucum(unit).to_owned(),
        data: Some(data),
    }
}

fn number(total: Total) -> Number {
    match total {
        Total::Whole(total) => i64::try_from(total).map_or(Number::AsDouble(total as f64), Number::AsInt),
        Total::Real(total) => Number::AsDouble(total),
    }
}

/// OTLP's buckets are closed above as ours are: the count of each alone, not of all below.
fn histogram(
    spread: &SpreadSnapshot,
    since: Timestamp,
    at: Timestamp,
    attributes: Vec<KeyValue>,
) -> HistogramDataPoint {
    // "If there can be negative values, sum should be left out": it would not be monotonic.
    let may_fall = spread.bounds.first().is_some_and(|&first| first < 0.0);
    HistogramDataPoint {
        start_time_unix_nano: nanos(since),
        time_unix_nano: nanos(at),
        count: spread.count(),
        sum: (!may_fall).then_some(spread.sum),
        bucket_counts: spread.counts.to_vec(),
        explicit_bounds: spread.bounds.to_vec(),
        attributes,
    }
}

fn exponential(
    native: &NativeSnapshot,
    since: Timestamp,
    at: Timestamp,
    attributes: Vec<KeyValue>,
) -> ExponentialHistogramDataPoint {
    ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: nanos(since),
        time_unix_nano: nanos(at),
        count: native.count(),
        sum: native.negative.is_empty().then_some(native.sum),
        scale: native.schema.into(),
        zero_count: native.zero_count,
        positive: side_by_side(&native.positive),
        negative: side_by_side(&native.negative),
        zero_threshold: native.zero_threshold,
    }
}

/// OTLP numbers buckets by their lower bound, Prometheus by their upper one; and it names empty ones between others, too.
fn side_by_side(buckets: &[(i32, u64)]) -> Option<ExponentialBuckets> {
    let (&(first, _), &(last, _)) = (buckets.first()?, buckets.last()?);
    let length = last.checked_sub(first).and_then(|length| usize::try_from(length).ok())?;
    let mut bucket_counts = vec![0; length + 1];
    for &(index, count) in buckets {
        let place = index.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(slot) = place.and_then(|place| bucket_counts.get_mut(place)) {
            *slot = count;
        }
    }
    Some(ExponentialBuckets { offset: first - 1, bucket_counts })
}

/// Nanoseconds since the epoch; 0 before it.
fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0).saturating_mul(1_000)
}

/// The unit as UCUM writes it, with what it does not know in braces.
fn ucum(unit: &Unit) -> &str {
    match unit {
        Unit::Seconds => "s",
        Unit::Bytes => "By",
        Unit::Ratio => "1",
        Unit::BasisPoints => "{bps}",
        Unit::Usd => "{usd}",
        Unit::None => "",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    #[test]
    fn buckets_are_numbered_by_their_lower_bound_and_lie_side_by_side() {
        let buckets = side_by_side(&[(-2, 5), (1, 7)]);
        assert_eq!(buckets, Some(ExponentialBuckets { offset: -3, bucket_counts: vec![5, 0, 0, 7] }));
        assert_eq!(side_by_side(&[]), None);
    }

    #[test]
    fn a_total_counts_since_pushing_began_or_since_the_look_before_it_appeared() {
        let name = MetricName::new("x_total").unwrap();
        let labels = |venue: &str| Labels::new([("venue", venue)]).unwrap();
        let mut starts = Starts::new(at(100));
        assert_eq!(starts.of(&name, &labels("a"), 5.0, at(110)), at(100));
        starts.looked(at(110));
        assert_eq!(starts.of(&name, &labels("a"), 6.0, at(120)), at(100));
        assert_eq!(starts.of(&name, &labels("b"), 1.0, at(120)), at(110), "appeared");
        starts.looked(at(120));
        assert_eq!(starts.of(&name, &labels("a"), 2.0, at(130)), at(120), "began anew");
        starts.looked(at(130));
        assert_eq!(starts.of(&name, &labels("a"), 3.0, at(140)), at(120));
        assert_eq!(starts.of(&name, &labels("b"), 1.0, at(140)), at(130), "was away");
    }
}
