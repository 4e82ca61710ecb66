//! Samples by remote write, read back by queries.

use std::time::Duration;

use bellwether_core::{HumanDuration, SampleBatch, SecretProviders, SharedClock, Supervisor, SystemClock};
use bellwether_metrics::push::{RemoteWrite, RemoteWriteConfig};

use super::{HOSTILE, desk, until};
use crate::own_server::OwnServer;

/// Sends a desk's samples and looks for every one of them.
async fn is_read_back(server: &OwnServer) -> (SharedClock, SampleBatch, RemoteWrite, Supervisor) {
    let clock = SystemClock::shared();
    let tasks = Supervisor::new(&clock);
    let mut config = RemoteWriteConfig::new(server.url("/api/v1/write"));
    config.max_delay = HumanDuration::new(Duration::from_millis(10));
    config.external_labels = bellwether_core::Labels::new([("host", "nyc-3")]).unwrap();
    let writer = RemoteWrite::start(&config, &clock, &tasks.tasks(), &SecretProviders::none()).unwrap();
    let metrics = desk(&clock);
    let mut feed = writer.feed();
    let batch = metrics.sample();
    feed.push(&batch);
    for (query, value) in [
        ("fills_total{venue=\"XNYS\",host=\"nyc-3\"}", "7"),
        ("desk_pnl", "-1250.5"),
        ("ack_seconds_count", "3"),
        ("ack_seconds_sum", "3.55"),
    ] {
        server.query(query, |result| result.len() == 1 && result[0]["value"][1] == value).await;
    }
    let hostile = |result: &[serde_json::Value]| {
        result.iter().any(|series| series["metric"]["venue"] == HOSTILE && series["value"][1] == "3")
    };
    server.query("fills_total", |result| result.len() == 2 && hostile(result)).await;
    // Every sample bears the instant at which it was taken.
    let at = batch.at.as_micros().div_euclid(1_000) as f64 / 1_000.0;
    let is_at = move |result: &[serde_json::Value]| {
        result.len() == 1
            && (result[0]["value"][1].as_str().unwrap().parse::<f64>().unwrap() - at).abs() < 1e-3
    };
    server.query("timestamp(desk_pnl)", is_at).await;
    assert_eq!(writer.figures().sent(), batch.len() as u64);
    assert_eq!(writer.figures().dropped(), 0);
    drop(feed);
    (clock, batch, writer, tasks)
}

async fn prometheus() -> Option<OwnServer> {
    OwnServer::start("prometheus", "/-/ready", |folder, port| {
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, "global: {}\n").unwrap();
        vec![
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--web.enable-remote-write-receiver".into(),
            "--log.level=error".into(),
        ]
    })
    .await
}

#[tokio::test]
async fn prometheus_takes_it_and_reads_it_back() {
    let Some(prometheus) = prometheus().await else { return };
    let (clock, batch, writer, tasks) = is_read_back(&prometheus).await;
    // A series that has ended is gone at once, not after five minutes.
    let mut feed = writer.feed();
    let mut next = batch.clone();
    next.at = clock.timestamp();
    feed.push(&next);
    next.values.retain(|(series, _)| series.descriptor.name.as_str() != "desk_pnl");
    clock.sleep(Duration::from_millis(5)).await;
    next.at = clock.timestamp();
    feed.push(&next);
    prometheus.query("desk_pnl", <[_]>::is_empty).await;
    prometheus.query("fills_total", |result| result.len() == 2).await;
    tasks.shutdown(Duration::from_secs(10)).await.into_result().unwrap();
    assert_eq!(writer.figures().dropped(), 0);
}

#[tokio::test]
async fn victoria_metrics_takes_it_and_reads_it_back() {
    let victoria = OwnServer::start("victoria-metrics", "/health", |folder, port| {
        vec![
            format!("-storageDataPath={}", folder.path().join("data").display()),
            format!("-httpListenAddr=127.0.0.1:{port}"),
            "-search.latencyOffset=0s".into(),
            "-loggerLevel=ERROR".into(),
        ]
    });
    let Some(victoria) = victoria.await else { return };
    let (_, _, _, tasks) = is_read_back(&victoria).await;
    tasks.shutdown(Duration::from_secs(10)).await.into_result().unwrap();
}

#[tokio::test]
async fn what_prometheus_refuses_is_dropped_and_the_rest_goes_on() {
    let Some(prometheus) = prometheus().await else { return };
    let (clock, batch, writer, tasks) = is_read_back(&prometheus).await;
    let mut feed = writer.feed();
    let mut old = batch.clone();
    old.at = old.at.saturating_sub(Duration::from_mins(30));
    feed.push(&old);
    let figures = writer.figures();
    until(&clock, "it is refused", || figures.dropped() > 0).await;
    let mut next = batch.clone();
    next.at = clock.timestamp();
    feed.push(&next);
    until(&clock, "the next is sent", || figures.sent() == 2 * batch.len() as u64).await;
    assert_eq!(figures.dropped(), batch.len() as u64);
    tasks.shutdown(Duration::from_secs(10)).await.into_result().unwrap();
}
