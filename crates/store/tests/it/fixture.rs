//! A desk: a store in a folder of its own, on a clock that the test moves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bellwether_alerts::{Alert, Category, ChannelName, Delivery, GroupKey, Notification, ReceiverName};
use bellwether_core::{
    Collect, Descriptor, HistoryQuery, Labels, Limit, ManualClock, MetricName, Page, PageRequest,
    SampleBatch, SampleHistory, SampleSink, SeriesKey, SeriesSample, Severity, SpreadSnapshot,
    SummarySnapshot, TimeRange, Timestamp, Unit,
};
use bellwether_store::{Store, StoreConfig};
use chrono::{DateTime, TimeDelta, Utc};

/// When the clock of every test begins.
pub(crate) const START: i64 = 1_700_000_000;

pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) config: StoreConfig,
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|config| config).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(StoreConfig) -> StoreConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = change(StoreConfig::file(folder.path().join("desk.db")));
        let clock = ManualClock::starting_at(time(0));
        let store = Store::open(&config, &clock.shared()).await.unwrap();
        Self { store, clock, config, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("desk.db")
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(self) -> Self {
        self.store.close(Duration::from_secs(10)).await.into_result().unwrap();
        let store = Store::open(&self.config, &self.clock.shared()).await.unwrap();
        Self { store, ..self }
    }

    /// The value of one of the store's own figures.
    pub(crate) fn figure(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = Labels::new(labels.iter().copied()).unwrap();
        let told = told(&self.store);
        told.iter().find(|figure| figure.0 == name && figure.1 == labels).map(|figure| figure.2)
    }
}

/// Every figure that is told: name, labels, value (of a histogram its count).
pub(crate) fn told(collect: &impl Collect) -> Vec<(String, Labels, f64)> {
    #[derive(Default)]
    struct Told(Vec<(String, Labels, f64)>);
    impl SampleSink for Told {
        fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
            self.gauge(descriptor, labels, total);
        }
        fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
            self.0.push((descriptor.name.to_string(), labels.clone(), value));
        }
        fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot) {
            self.gauge(descriptor, labels, spread.count() as f64);
        }
        fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
            self.gauge(descriptor, labels, summary.count as f64);
        }
    }
    let mut told = Told::default();
    collect.collect(&mut told).unwrap();
    told.0
}

/// A connection of somebody else to the same file.
pub(crate) async fn stranger(path: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions as _;
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .connect()
        .await
        .unwrap()
}

pub(crate) fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) fn stamp(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds).unwrap()
}

pub(crate) fn range(from: i64, to: i64) -> TimeRange {
    TimeRange::new(stamp(from), stamp(to)).unwrap()
}

pub(crate) fn channel(name: &str) -> ChannelName {
    ChannelName::new(name.to_owned()).unwrap()
}

pub(crate) fn alert(name: &str, severity: Severity, seconds: i64) -> Alert {
    Alert::builder(name, time(seconds))
        .label("desk", "eq")
        .severity(severity)
        .category(Category::new("risk").unwrap())
        .annotation("summary", format!("{name} \"at\" {seconds}\n\u{1F4A5}"))
        .value(0.1 + seconds as f64 / 3.0)
        .build()
        .unwrap()
}

/// A message of a group; `sequence` makes it another one.
pub(crate) fn message(group: &str, sequence: u64, severity: Severity) -> Arc<Notification> {
    let alerts = vec![alert(group, severity, sequence as i64)];
    let labels = Labels::new([("alertname", group)]).unwrap();
    let receiver = ReceiverName::new("desk").unwrap();
    Arc::new(Notification::alerts(receiver, GroupKey::new("{}", &labels), labels, sequence, time(0), alerts))
}

pub(crate) fn delivery(to: &str, group: &str, sequence: u64, severity: Severity) -> Delivery {
    Delivery::new(channel(to), message(group, sequence, severity))
}

pub(crate) fn metric(name: &str) -> MetricName {
    MetricName::new(name.to_owned()).unwrap()
}

pub(crate) fn series(name: &str, symbol: &str) -> Arc<SeriesKey> {
    of_symbol(Descriptor::gauge(metric(name), Unit::Usd, "Last price"), symbol)
}

pub(crate) fn counter(name: &str, symbol: &str) -> Arc<SeriesKey> {
    of_symbol(Descriptor::counter(metric(name), Unit::Usd, "Turnover"), symbol)
}

fn of_symbol(descriptor: Descriptor, symbol: &str) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        descriptor: Arc::new(descriptor),
        labels: Labels::new([("symbol", symbol)]).unwrap(),
    })
}

pub(crate) fn batch(seconds: i64, values: &[(&Arc<SeriesKey>, f64)]) -> SampleBatch {
    let values = values.iter().map(|(key, value)| (Arc::clone(key), *value)).collect();
    SampleBatch { at: stamp(seconds), values }
}

pub(crate) fn limit(limit: u32) -> Limit {
    Limit::new(limit).unwrap()
}

/// Every page, joined.
pub(crate) async fn all_samples(
    history: &impl SampleHistory,
    query: &HistoryQuery,
    per_page: u32,
) -> Vec<SeriesSample> {
    let mut page = PageRequest::first(limit(per_page));
    let mut all = Vec::new();
    loop {
        let Page { items, next } = history.read(query, &page).await.unwrap();
        assert!(items.len() <= per_page as usize);
        all.extend(items);
        match next {
            Some(next) => page = PageRequest::after(limit(per_page), next),
            None => return all,
        }
    }
}

/// Seconds after the start, and value, of every sample of a metric.
pub(crate) async fn values(history: &impl SampleHistory, name: &str) -> Vec<(i64, f64)> {
    let query = HistoryQuery::new(metric(name).into(), TimeRange::until(Timestamp::MAX));
    let all = all_samples(history, &query, 1_000).await;
    all.iter().map(|point| (point.sample.at.as_micros() / 1_000_000 - START, point.sample.value)).collect()
}
