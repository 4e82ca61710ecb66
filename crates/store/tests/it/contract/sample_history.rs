//! The contract of a sample history, against a model in plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Aggregate, CursorError, HistoryError, HistoryQuery, LabelName, Labels, PageRequest, SampleBatch,
    SampleHistory, Selector, SeriesKey, SeriesSample, TimeRange, Timestamp,
};
use proptest::prelude::*;

use crate::fixture::{all_samples, counter, limit, metric, series, stamp};

/// What was written: batches in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// Runs of ticks: the first second, seconds between ticks, how many, which series, what value.
    pub(crate) runs: Vec<(i64, i64, i64, u8, i32)>,
}

/// Runs that go on, leave gaps, come late, overlap, and are sent twice.
pub(crate) fn written() -> impl Strategy<Value = Written> {
    let run = (0i64..3_000, 1i64..4, 1i64..700, 1u8..8, -50i32..50);
    prop::collection::vec(run, 1..6).prop_map(|runs| Written { runs })
}

const SYMBOLS: [&str; 3] = ["CLZ6", "ESZ6", "NQZ6 \"\n\\'; DROP TABLE chunks; --"];
/// Whose series is a counter; the others are gauges.
const COUNTED: &str = SYMBOLS[0];

impl Written {
    pub(crate) fn series() -> Vec<Arc<SeriesKey>> {
        let key = |symbol| if symbol == COUNTED { counter("price", symbol) } else { series("price", symbol) };
        SYMBOLS.map(key).into()
    }

    /// The batches, run by run.
    pub(crate) fn batches(&self) -> Vec<Vec<SampleBatch>> {
        let keys = Self::series();
        let run = |&(first, step, count, which, value): &(i64, i64, i64, u8, i32)| {
            let batch = |i: i64| {
                let of = |place: usize| f64::from(value) + (i * (place as i64 + 1) % 97) as f64 * 0.25;
                let keys = keys.iter().enumerate().filter(|(place, _)| which & (1 << place) != 0);
                let values = keys.map(|(place, key)| (Arc::clone(key), of(place))).collect();
                SampleBatch { at: stamp(first + i * step), values }
            };
            (0..count).map(batch).collect()
        };
        self.runs.iter().map(run).collect()
    }

    /// What is there in the end: of one series and instant the last.
    pub(crate) fn model(&self) -> BTreeMap<Labels, BTreeMap<Timestamp, f64>> {
        let mut model: BTreeMap<Labels, BTreeMap<Timestamp, f64>> = BTreeMap::new();
        for batch in self.batches().into_iter().flatten() {
            for (key, value) in batch.values {
                model.entry(key.labels.clone()).or_default().insert(batch.at, value);
            }
        }
        model
    }
}

/// The history holds what was written, and keeps all promises of the trait.
pub(crate) async fn keeps_the_sample_history_contract(history: &impl SampleHistory, written: &Written) {
    let model = written.model();
    let everything = TimeRange::until(Timestamp::MAX);
    let middle = TimeRange::new(stamp(200), stamp(1_500)).unwrap();
    let symbol = LabelName::new("symbol").unwrap();
    let price = || Selector::metric(metric("price"));
    for (range, per_page) in [(everything, 10_000), (everything, 997), (middle, 10_000), (middle, 143)] {
        let selectors = [
            price(),
            price().equal(symbol.clone(), SYMBOLS[1]),
            price().not_equal(symbol.clone(), SYMBOLS[1]),
            price().equal(symbol.clone(), SYMBOLS[2]),
            Selector::metric(metric("unknown")),
        ];
        for selector in selectors {
            let expected = plain(&model, &selector, range);
            let read = all_samples(history, &HistoryQuery::new(selector, range), per_page).await;
            assert!(read == expected, "{} of {} samples, by {per_page}", read.len(), expected.len());
        }
    }
    let aggregates = [
        Aggregate::Last,
        Aggregate::First,
        Aggregate::Count,
        Aggregate::Sum,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::Mean,
        Aggregate::StdDev,
        Aggregate::Quantile(0.9),
        Aggregate::Increase,
        Aggregate::Rate,
        Aggregate::Slope,
    ];
    for aggregate in aggregates {
        for (step, per_page) in [(7, 10_000), (500, 3), (100_000, 10)] {
            let range = TimeRange::new(stamp(-10), stamp(2_500)).unwrap();
            let query = HistoryQuery::new(price(), range).every(Duration::from_secs(step), aggregate);
            let read = all_samples(history, &query, per_page).await;
            let expected = stepped(&model, range, step as i64, aggregate);
            assert_eq!(read.len(), expected.len(), "{aggregate:?} every {step} s");
            for (read, expected) in read.iter().zip(&expected) {
                assert_eq!((&read.labels, read.sample.at), (&expected.labels, expected.sample.at));
                let (found, wanted) = (read.sample.value, expected.sample.value);
                let scale = wanted.abs().max(1.0);
                assert!((found - wanted).abs() <= 1e-9 * scale, "{aggregate:?} {found} {wanted}");
            }
        }
    }
    let query = HistoryQuery::new(price(), everything);
    let no_step = query.clone().every(Duration::ZERO, Aggregate::Last);
    let refused = history.read(&no_step, &PageRequest::default()).await;
    assert_eq!(refused, Err(HistoryError::Step(Duration::ZERO)));
    let first = history.read(&query, &PageRequest::first(limit(1))).await.unwrap();
    if let Some(next) = first.next {
        let other = HistoryQuery::new(price(), middle);
        let refused = history.read(&other, &PageRequest::after(limit(1), next)).await;
        assert_eq!(refused, Err(HistoryError::Cursor(CursorError::OtherQuery)));
    }
}

type Model = BTreeMap<Labels, BTreeMap<Timestamp, f64>>;

fn point(labels: &Labels, at: Timestamp, value: f64) -> SeriesSample {
    SeriesSample { labels: labels.clone(), sample: bellwether_core::Sample::new(at, value) }
}

fn plain(model: &Model, selector: &Selector, range: TimeRange) -> Vec<SeriesSample> {
    let meant = model
        .iter()
        .filter(|(labels, _)| selector.metric_name() == &metric("price") && selector.matches(labels));
    meant
        .flat_map(|(labels, samples)| {
            let samples = samples.iter().filter(|(at, _)| range.contains(**at));
            samples.map(|(at, value)| point(labels, *at, *value)).collect::<Vec<_>>()
        })
        .collect()
}

fn stepped(model: &Model, range: TimeRange, step: i64, aggregate: Aggregate) -> Vec<SeriesSample> {
    let mut points = Vec::new();
    for (labels, samples) in model {
        let mut buckets: BTreeMap<Timestamp, Vec<(f64, f64)>> = BTreeMap::new();
        for (at, value) in samples.iter().filter(|(at, _)| range.contains(**at)) {
            let since = (at.as_micros() - range.start().as_micros()) / 1_000_000;
            let end =
                range.start().saturating_add(Duration::from_secs(((since + step - 1) / step * step) as u64));
            let seconds = (at.as_micros() - stamp(0).as_micros()) as f64 / 1e6;
            buckets.entry(end.min(range.end())).or_default().push((seconds, *value));
        }
        let is_counter = labels.get("symbol") == Some(COUNTED);
        for (end, bucket) in buckets {
            points.extend(aggregated(&bucket, is_counter, aggregate).map(|value| point(labels, end, value)));
        }
    }
    points
}

/// The textbook's formula, sample by sample.
fn aggregated(bucket: &[(f64, f64)], is_counter: bool, aggregate: Aggregate) -> Option<f64> {
    let values = || bucket.iter().map(|sample| sample.1);
    let (n, first, last) = (bucket.len() as f64, bucket[0], bucket[bucket.len() - 1]);
    let mean = values().sum::<f64>() / n;
    let increase = bucket.windows(2).map(|pair| {
        let (a, b) = (pair[0].1, pair[1].1);
        if is_counter && b < a { b } else { b - a }
    });
    let increase = (n >= 2.0).then(|| increase.sum::<f64>());
    match aggregate {
        Aggregate::Last => Some(last.1),
        Aggregate::First => Some(first.1),
        Aggregate::Count => Some(n),
        Aggregate::Sum => Some(values().sum()),
        Aggregate::Min => values().min_by(f64::total_cmp),
        Aggregate::Max => values().max_by(f64::total_cmp),
        Aggregate::Mean => Some(mean),
        Aggregate::StdDev => {
            (n >= 2.0).then(|| (values().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
        }
        Aggregate::Quantile(q) => {
            let mut sorted: Vec<f64> = values().collect();
            sorted.sort_by(f64::total_cmp);
            let rank = q * (n - 1.0);
            let (low, part) = (rank.floor() as usize, rank.fract());
            Some(sorted[low] + (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low]) * part)
        }
        Aggregate::Increase => increase,
        Aggregate::Rate => increase.map(|increase| increase / (last.0 - first.0)),
        Aggregate::Slope => {
            let mean_time = bucket.iter().map(|sample| sample.0).sum::<f64>() / n;
            let spread: f64 = bucket.iter().map(|sample| (sample.0 - mean_time).powi(2)).sum();
            let shared: f64 = bucket.iter().map(|sample| (sample.0 - mean_time) * (sample.1 - mean)).sum();
            (spread > 0.0).then(|| shared / spread)
        }
        other => panic!("{other:?} has no model"),
    }
}
