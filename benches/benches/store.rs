//! What does it cost to keep samples and alerts durably? Beside plain rows by sqlx in the same run, and in multiples of
//! F, the time of one synchronised write of 8 kB to the same disk.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a benchmark measures real time and tells F"
)]

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bellwether_alerts::{
    Alert, ChannelName, Delivery, DeliveryOutcome, GroupKey, Notification, NotificationLog,
    NotificationRecord, Outbox, Receipt, ReceiverName,
};
use bellwether_core::{
    Aggregate, Descriptor, HistoryQuery, Labels, Limit, MetricName, PageRequest, SampleBatch, SampleHistory,
    SeriesKey, SystemClock, TimeRange, Timestamp, Unit,
};
use bellwether_store::{SampleConfig, Store, StoreConfig};
use chrono::DateTime;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::runtime::Runtime;

const SERIES: usize = 40;
const TICKS: i64 = 100;
const CALLERS: u64 = 32;
const PUT_ROW: &str = "INSERT INTO samples (series_id, ts, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
const WINDOW: &str =
    "SELECT ts, value FROM samples WHERE series_id = ?1 AND ts > ?2 AND ts <= ?3 ORDER BY ts";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The median time of a synchronised write of 8 kB.
fn probe(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("probe")).unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            let began = Instant::now();
            file.rewind().unwrap();
            file.write_all(&[0x5a; 8_192]).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[150]
}

async fn open(folder: &Path) -> Store {
    let samples = SampleConfig::default().with_flush_batches(100_000);
    let config = StoreConfig::file(folder.join("desk.db")).with_samples(samples);
    Store::open(&config, &SystemClock::shared()).await.unwrap()
}

async fn rows(folder: &Path) -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("rows.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    let table = "CREATE TABLE samples (series_id INTEGER, ts INTEGER, value REAL NOT NULL, PRIMARY KEY (series_id, ts)) STRICT, WITHOUT ROWID";
    sqlx::query(table).execute(&mut connection).await.unwrap();
    connection
}

fn keys() -> Vec<Arc<SeriesKey>> {
    let name = MetricName::new("bench_value").unwrap();
    let descriptor = Arc::new(Descriptor::gauge(name, Unit::None, "A value."));
    let key = |i| SeriesKey {
        descriptor: Arc::clone(&descriptor),
        labels: Labels::new([("n", format!("{i}"))]).unwrap(),
    };
    (0..SERIES).map(|i| Arc::new(key(i))).collect()
}

/// A quarter of the series each: prices on a grid, whole numbers, gauges that seldom change, noise.
fn value(series: usize, tick: i64) -> f64 {
    let noise = (tick * 7_919 + series as i64 * 104_729) % 1_009;
    match series % 4 {
        0 => 4_000.0 + noise as f64 * 0.25,
        1 => (tick * 3 + noise % 2) as f64,
        2 => ((tick / 5) % 7) as f64 * 0.1,
        _ => noise as f64 / 97.0 + tick as f64 / 3.0,
    }
}

fn at(tick: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000_000 + tick).unwrap()
}

fn batch(keys: &[Arc<SeriesKey>], tick: i64) -> SampleBatch {
    let values = keys.iter().enumerate().map(|(i, key)| (Arc::clone(key), value(i, tick))).collect();
    SampleBatch { at: at(tick), values }
}

fn ingest(c: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    eprintln!("F = {:?}", probe(folder.path()));
    let mut group = c.benchmark_group("one durable flush of 100 ticks of 40 series");
    group.throughput(Throughput::Elements(TICKS as u64 * SERIES as u64)).sample_size(20);
    let (store, keys) = (runtime.block_on(open(folder.path())), keys());
    let samples = store.samples();
    let mut next = 0;
    group.bench_function("store, sealing included", |b| {
        b.iter(|| {
            for tick in next..next + TICKS {
                samples.push(batch(&keys, tick));
            }
            next += TICKS;
            runtime.block_on(samples.flush()).unwrap();
        });
    });
    runtime.block_on(store.close(Duration::from_secs(60))).into_result().unwrap();
    let bytes = std::fs::metadata(folder.path().join("desk.db")).unwrap().len();
    eprintln!("store: {:.2} bytes a sample on the disk", bytes as f64 / (next as f64 * SERIES as f64));

    let mut connection = runtime.block_on(rows(folder.path()));
    let mut next = 0;
    group.bench_function("a row for each sample by sqlx, one transaction", |b| {
        b.iter(|| {
            runtime.block_on(async {
                sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                for tick in next..next + TICKS {
                    for series in 0..SERIES {
                        sqlx::query(PUT_ROW)
                            .bind(series as i64)
                            .bind(at(tick).as_micros())
                            .bind(value(series, tick))
                            .execute(&mut connection)
                            .await
                            .unwrap();
                    }
                }
                sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
            });
            next += TICKS;
        });
    });
    group.finish();
}

fn whole_history(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("7,000 ticks of 40 series, durable every 100 ticks, opened and closed");
    group.throughput(Throughput::Elements(7_000 * SERIES as u64)).sample_size(10);
    group.bench_function("store", |b| {
        b.iter(|| {
            let (folder, keys) = (tempfile::tempdir().unwrap(), keys());
            runtime.block_on(async {
                let store = open(folder.path()).await;
                for tick in 0..7_000 {
                    store.samples().push(batch(&keys, tick));
                    if tick % TICKS == TICKS - 1 {
                        store.samples().flush().await.unwrap();
                    }
                }
                store.close(Duration::from_secs(60)).await.into_result().unwrap();
            });
        });
    });
    group.finish();
}

fn read(c: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let keys = keys();
    let (store, mut connection) = runtime.block_on(async {
        let store = open(folder.path()).await;
        let mut connection = rows(folder.path()).await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        for tick in 0..8_000 {
            store.samples().push(batch(&keys, tick));
            if tick % TICKS == TICKS - 1 {
                store.samples().flush().await.unwrap();
            }
            for series in 0..4 {
                let row = sqlx::query(PUT_ROW)
                    .bind(series)
                    .bind(at(tick).as_micros())
                    .bind(value(series as usize, tick));
                row.execute(&mut connection).await.unwrap();
            }
        }
        sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        (store, connection)
    });
    let selector = bellwether_core::Selector::metric(MetricName::new("bench_value").unwrap());
    let selector = selector.equal(bellwether_core::LabelName::new("n").unwrap(), "0");
    let hour = TimeRange::new(at(3_000), at(6_600)).unwrap();
    let page = PageRequest::first(Limit::new(10_000).unwrap());
    let query = HistoryQuery::new(selector, hour);
    let mut group = c.benchmark_group("an hour of one series at one second");
    group.bench_function("store, all samples", |b| {
        b.iter(|| runtime.block_on(store.samples().read(&query, &page)).unwrap().items.len());
    });
    let minutes = query.clone().every(Duration::from_secs(60), Aggregate::Max);
    group.bench_function("store, one maximum a minute", |b| {
        b.iter(|| runtime.block_on(store.samples().read(&minutes, &page)).unwrap().items.len());
    });
    group.bench_function("rows by sqlx, all samples", |b| {
        b.iter(|| {
            let (from, to) = (hour.start().as_micros(), hour.end().as_micros());
            let read = sqlx::query_as::<_, (i64, f64)>(WINDOW)
                .bind(0i64)
                .bind(from)
                .bind(to)
                .fetch_all(&mut connection);
            runtime.block_on(read).unwrap().len()
        });
    });
    group.finish();
}

fn delivery(sequence: u64) -> Delivery {
    let at = DateTime::UNIX_EPOCH;
    let alert = Alert::builder("DeskDrawdown", at)
        .label("desk", "eq")
        .annotation("summary", "down 12 %")
        .build()
        .unwrap();
    let labels = Labels::new([("alertname", format!("G{sequence}"))]).unwrap();
    let receiver = ReceiverName::new("desk").unwrap();
    let group = GroupKey::new("{}", &labels);
    let notification = Notification::alerts(receiver, group, labels, sequence, at, vec![alert]);
    Delivery::new(ChannelName::new("pager").unwrap(), Arc::new(notification))
}

fn raise(c: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    eprintln!("F = {:?}", probe(folder.path()));
    let mut config = StoreConfig::file(folder.path().join("desk.db"));
    config.alerts.open_deliveries = 10_000_000;
    let store = runtime.block_on(Store::open(&config, &SystemClock::shared())).unwrap();
    let (outbox, now) = (store.alerts(), DateTime::UNIX_EPOCH);
    let pager = ChannelName::new("pager").unwrap();
    // As a courier keeps it: settled as fast as it is put.
    let settle = async |claims: usize| {
        for claim in outbox.claim(&pager, now, claims, Duration::from_secs(30)).await.unwrap() {
            outbox.delivered(&claim, &Receipt::delivered(), now).await.unwrap();
        }
    };
    let mut next = 0;
    let mut group = c.benchmark_group("put one delivery durably");
    group.bench_function("1 caller", |b| {
        b.iter_custom(|n| {
            let mut took = Duration::ZERO;
            for _ in 0..n {
                let put = [delivery(next)];
                next += 1;
                let began = Instant::now();
                runtime.block_on(outbox.put(&put, now)).unwrap();
                took += began.elapsed();
                runtime.block_on(settle(1));
            }
            took
        });
    });
    group.throughput(Throughput::Elements(CALLERS)).sample_size(20);
    group.bench_function("32 callers at once", |b| {
        b.iter_custom(|n| {
            let mut took = Duration::ZERO;
            for _ in 0..n {
                let puts: Vec<_> = (next..next + CALLERS).map(|sequence| [delivery(sequence)]).collect();
                next += CALLERS;
                let began = Instant::now();
                let put = runtime.block_on(join_all(puts.iter().map(|put| outbox.put(put, now))));
                took += began.elapsed();
                assert!(put.iter().all(Result::is_ok));
                runtime.block_on(settle(CALLERS as usize));
            }
            took
        });
    });
    group.finish();
}

/// What a courier asks of a store for one notification, one after the other: put, claimed, logged, settled. The file system's time
/// for F says how often that waits for the disk.
fn life(c: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    eprintln!("F = {:?}", probe(folder.path()));
    let config = StoreConfig::file(folder.path().join("desk.db"));
    let store = runtime.block_on(Store::open(&config, &SystemClock::shared())).unwrap();
    let (alerts, now) = (store.alerts(), DateTime::UNIX_EPOCH);
    let pager = ChannelName::new("pager").unwrap();
    let mut next = 0;
    c.bench_function("the life of one notification: put, claimed, logged, settled", |b| {
        b.iter(|| {
            let put = [delivery(next)];
            next += 1;
            runtime.block_on(async {
                alerts.put(&put, now).await.unwrap();
                let claims = alerts.claim(&pager, now, 1, Duration::from_secs(30)).await.unwrap();
                let record = NotificationRecord {
                    at: now,
                    channel: pager.clone(),
                    notification: Arc::clone(put[0].notification()),
                    attempts: 1,
                    outcome: DeliveryOutcome::Delivered { receipt: Receipt::delivered() },
                };
                NotificationLog::append(&alerts, &[record]).await.unwrap();
                alerts.delivered(&claims[0], &Receipt::delivered(), now).await.unwrap();
            });
        });
    });
}

criterion_group!(benches, ingest, whole_history, read, raise, life);
criterion_main!(benches);
