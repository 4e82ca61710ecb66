//! Samples by remote write: what is sent, and what follows from the answers.
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::resilience::Jitter;
use bellwether_core::{
    Descriptor, HumanDuration, Labels, ManualClock, MetricName, SampleBatch, SecretProviders, SecretSource,
    Selector, SeriesKey, Supervisor, Timestamp, Unit,
};
use bellwether_http::testing::{Received, Reply, Server};
use bellwether_metrics::push::{PushError, RemoteWrite, RemoteWriteConfig};
use bellwether_metrics::{Registry, RegistryConfig};

use super::{NOW, between, clock, patient, to_next_wait, until, url};
use crate::protobuf::Message;

struct Desk {
    server: Server,
    clock: ManualClock,
    tasks: Supervisor,
    writer: RemoteWrite,
}

impl Desk {
    async fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with(replies, |_| {}).await
    }

    async fn with(
        replies: impl IntoIterator<Item = Reply>,
        adjust: impl FnOnce(&mut RemoteWriteConfig),
    ) -> Self {
        let server = Server::start(replies).await;
        let clock = clock();
        let tasks = Supervisor::new(&clock.shared());
        let mut config = RemoteWriteConfig::new(url(&server));
        patient(&mut config.target);
        adjust(&mut config);
        let secrets = SecretProviders::none();
        let writer = RemoteWrite::start_with_jitter(
            &config,
            &clock.shared(),
            &tasks.tasks(),
            &secrets,
            Jitter::seeded(7),
        );
        Self { server, clock, tasks, writer: writer.unwrap() }
    }

    /// Sends what waits, without any wait for more.
    async fn flush(&mut self) -> Received {
        assert_eq!(to_next_wait(&self.clock).await, Duration::from_secs(5));
        self.server.request().await
    }

    fn dropped(&self, reason: &str) -> f64 {
        self.figure("bellwether_push_dropped_total", Some(reason))
    }

    fn figure(&self, name: &'static str, reason: Option<&str>) -> f64 {
        let metrics = Registry::new(&self.clock.shared(), RegistryConfig::default());
        metrics.collect(self.writer.figures()).unwrap();
        let selector = Selector::metric(MetricName::new(name).unwrap());
        let values = metrics.values(&selector);
        let of = |series: &&bellwether_metrics::SeriesSnapshot| {
            reason.is_none() || series.labels.get("reason") == reason
        };
        let found = values.iter().find(of).unwrap();
        assert_eq!(found.labels.get("pusher"), Some("remote_write"));
        found.value.as_f64().unwrap()
    }
}

fn series(name: &'static str, venue: &str) -> Arc<SeriesKey> {
    let descriptor =
        Arc::new(Descriptor::counter(MetricName::new(name).unwrap(), Unit::None, "Fills received."));
    Arc::new(SeriesKey { descriptor, labels: Labels::new([("venue", venue)]).unwrap() })
}

fn batch(second: i64, values: &[(&Arc<SeriesKey>, f64)]) -> SampleBatch {
    let mut batch = SampleBatch::new(Timestamp::from_seconds(second).unwrap());
    batch.values.extend(values.iter().map(|(series, value)| (Arc::clone(series), *value)));
    batch
}

/// Unpacked by the library of snappy itself, read by the encoding of protobuf.
fn read(received: &Received) -> Message {
    Message::read(&snap::raw::Decoder::new().decompress_vec(&received.body).unwrap())
}

/// Each series with its labels as text, and its samples.
fn told(received: &Received) -> Vec<(String, Vec<(f64, u64)>)> {
    let series = read(received).messages(1).into_iter().map(|series| {
        let labels: Vec<_> =
            series.messages(1).iter().map(|l| format!("{}={}", l.text(1), l.text(2))).collect();
        (labels.join(","), series.messages(2).iter().map(|s| (s.real(1), s.whole(2))).collect())
    });
    series.collect()
}

#[tokio::test]
async fn samples_that_come_within_the_delay_go_as_one_request_in_the_order_of_time() {
    let mut desk = Desk::with([Reply::status(204)], |config| {
        config.external_labels = Labels::new([("host", "nyc-3")]).unwrap();
    })
    .await;
    let (fills, acks) = (series("fills_total", "XNYS"), series("acks_total", "XNYS"));
    let mut feed = desk.writer.feed();
    feed.push(&batch(NOW, &[(&acks, 1.0), (&fills, 10.0)]));
    feed.push(&batch(NOW + 1, &[(&acks, 2.0), (&fills, 11.5)]));
    let request = desk.flush().await;
    assert_eq!(request.asked(), "POST /hook");
    for (header, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(request.header(header), value);
    }
    let (now, then) = (NOW as u64 * 1_000, NOW as u64 * 1_000 + 1_000);
    assert_eq!(
        told(&request),
        [
            ("__name__=acks_total,host=nyc-3,venue=XNYS".into(), vec![(1.0, now), (2.0, then)]),
            ("__name__=fills_total,host=nyc-3,venue=XNYS".into(), vec![(10.0, now), (11.5, then)]),
        ]
    );
    let metadata = read(&request).messages(3);
    let metadata: Vec<_> = metadata.iter().map(|m| (m.whole(1), m.text(2), m.text(4))).collect();
    assert_eq!(
        metadata,
        [
            (1, "acks_total".into(), "Fills received.".into()),
            (1, "fills_total".into(), "Fills received.".into())
        ]
    );
    let figures = desk.writer.figures();
    until("all are sent", || figures.sent() == 4).await;
    assert_eq!((figures.queued(), figures.dropped()), (0, 0));
    // What a metric is, is told once a minute.
    feed.push(&batch(NOW + 6, &[(&acks, 3.0), (&fills, 12.0)]));
    assert_eq!(read(&desk.flush().await).messages(3), []);
}

#[tokio::test]
async fn a_full_request_does_not_wait() {
    let mut desk = Desk::with([Reply::status(204)], |config| config.max_samples_per_request = 2).await;
    let (a, b, c) = (series("a_total", "X"), series("b_total", "X"), series("c_total", "X"));
    desk.writer.feed().push(&batch(NOW, &[(&a, 1.0), (&b, 2.0), (&c, 3.0)]));
    assert_eq!(told(&desk.server.request().await).len(), 2);
    assert_eq!(told(&desk.flush().await).len(), 1);
}

#[tokio::test]
async fn what_may_mend_itself_is_sent_again_with_the_same_bytes() {
    let replies = [
        Reply::status(503),
        Reply::head(429, "Retry-After: 17\r\n"),
        Reply::bytes(""),
        Reply::status(500),
        Reply::status(204),
    ];
    let mut desk = Desk::new(replies).await;
    let fills = series("fills_total", "XNYS");
    desk.writer.feed().push(&batch(NOW, &[(&fills, 1.0)]));
    let first = desk.flush().await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        waits.push(to_next_wait(&desk.clock).await);
        assert_eq!(desk.server.request().await.body, first.body);
    }
    let figures = desk.writer.figures();
    until("it is sent", || figures.sent() == 1).await;
    // 250 ms, 500 ms, 1 s, 2 s, each spread by half of it; the receiver asked for 17 s once.
    let about = |wait: Duration, middle: u64| {
        let middle = Duration::from_millis(middle);
        (middle / 2..=middle * 3 / 2).contains(&wait)
    };
    assert!(about(waits[0], 250) && about(waits[2], 1_000) && about(waits[3], 2_000), "{waits:?}");
    assert_eq!(waits[1], Duration::from_secs(17));
    assert_eq!((figures.dropped(), desk.figure("bellwether_push_retries_total", None)), (0, 4.0));
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_the_next_goes_on() {
    for status in [400, 401, 404, 413] {
        let mut desk = Desk::new([Reply::status(status), Reply::status(204)]).await;
        let fills = series("fills_total", "XNYS");
        let mut feed = desk.writer.feed();
        feed.push(&batch(NOW, &[(&fills, 1.0)]));
        desk.flush().await;
        let figures = desk.writer.figures();
        until("it is dropped", || figures.dropped() == 1).await;
        assert_eq!(desk.dropped("refused"), 1.0, "{status}");
        feed.push(&batch(NOW + 1, &[(&fills, 2.0)]));
        assert_eq!(told(&desk.flush().await)[0].1[0].0, 2.0);
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_in_time_is_dropped_as_too_old() {
    let mut desk = Desk::with([Reply::status(503)], |config| {
        config.max_age = HumanDuration::new(Duration::from_mins(1));
    })
    .await;
    let fills = series("fills_total", "XNYS");
    desk.writer.feed().push(&batch(NOW, &[(&fills, 1.0)]));
    desk.flush().await;
    let figures = desk.writer.figures();
    let mut spent = Duration::from_secs(5);
    loop {
        until("a wait between requests, or the end", || {
            between(&desk.clock).is_some() || figures.dropped() > 0
        })
        .await;
        if figures.dropped() > 0 {
            break;
        }
        spent += to_next_wait(&desk.clock).await;
        desk.server.request().await;
    }
    assert!(spent <= Duration::from_mins(1), "{spent:?}");
    assert!(spent > Duration::from_secs(15), "{spent:?}");
    assert_eq!(desk.dropped("age"), 1.0);
}

#[tokio::test]
async fn beyond_the_bound_the_oldest_are_dropped_and_counted() {
    let mut desk = Desk::with([Reply::status(204)], |config| {
        config.max_samples_per_request = 3;
        config.max_queued_samples = 3;
    })
    .await;
    let fills = series("fills_total", "XNYS");
    let mut feed = desk.writer.feed();
    for second in 0..5 {
        feed.push(&batch(NOW + second, &[(&fills, second as f64)]));
    }
    let samples = told(&desk.server.request().await).remove(0).1;
    assert_eq!(samples.iter().map(|(value, _)| *value).collect::<Vec<_>>(), [2.0, 3.0, 4.0]);
    assert_eq!(desk.dropped("queue_full"), 2.0);
}

#[tokio::test]
async fn a_series_that_is_no_longer_there_is_told_as_ended() {
    let mut desk = Desk::new([Reply::status(204)]).await;
    let (a, b) = (series("a_total", "X"), series("b_total", "X"));
    let mut feed = desk.writer.feed();
    feed.push(&batch(NOW, &[(&a, 1.0), (&b, 2.0)]));
    // The same series by another pointer has not ended.
    feed.push(&batch(NOW + 1, &[(&series("a_total", "X"), 3.0)]));
    feed.push(&batch(NOW + 2, &[(&a, 4.0)]));
    // Nor do the series of another source.
    desk.writer.feed().push(&batch(NOW + 2, &[(&series("c_total", "X"), 5.0)]));
    let told = told(&desk.flush().await);
    let bits = |at: usize| told[at].1.iter().map(|(value, _)| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(told.len(), 3);
    assert_eq!(bits(0), [1.0_f64, 3.0, 4.0].map(f64::to_bits));
    // As `StaleNaN` in Prometheus' model/value/value.go.
    assert_eq!(bits(1), [2.0_f64.to_bits(), 0x7ff0_0000_0000_0002]);
    assert_eq!(bits(2), [5.0_f64.to_bits()]);
}

#[tokio::test]
async fn at_the_end_what_waits_is_sent_once_more() {
    let mut desk = Desk::new([Reply::status(204)]).await;
    let fills = series("fills_total", "XNYS");
    desk.writer.feed().push(&batch(NOW, &[(&fills, 1.0)]));
    let (report, request) = tokio::join!(desk.tasks.shutdown(Duration::from_mins(1)), desk.server.request());
    report.into_result().unwrap();
    assert_eq!(told(&request).len(), 1);
    assert_eq!(desk.writer.figures().sent(), 1);
}

#[tokio::test]
async fn at_the_end_a_receiver_that_fails_is_tried_once() {
    let mut desk = Desk::with([Reply::status(503)], |config| config.max_samples_per_request = 1).await;
    let fills = series("fills_total", "XNYS");
    let mut feed = desk.writer.feed();
    feed.push(&batch(NOW, &[(&fills, 1.0)]));
    feed.push(&batch(NOW + 1, &[(&fills, 2.0)]));
    desk.server.request().await;
    let clock = desk.clock.clone();
    until("the wait for the second attempt", || between(&clock).is_some()).await;
    desk.tasks.shutdown(Duration::from_mins(1)).await.into_result().unwrap();
    desk.server.request().await;
    assert!(desk.server.received().is_none(), "the second batch is not tried");
    assert_eq!(desk.dropped("shutdown"), 2.0);
    assert_eq!(desk.writer.figures().queued(), 0);
}

#[tokio::test]
async fn credentials_are_sent_and_not_told() {
    let folder = std::env::temp_dir().join(format!("bellwether-push-{}", std::process::id()));
    std::fs::write(&folder, "MARKER").unwrap();
    let mut desk = Desk::with([Reply::status(204)], |config| {
        config.target.bearer_token = Some(SecretSource::File(folder.clone()));
    })
    .await;
    let _ = std::fs::remove_file(&folder);
    desk.writer.feed().push(&batch(NOW, &[(&series("fills_total", "X"), 1.0)]));
    assert_eq!(desk.flush().await.header("authorization"), "Bearer MARKER");
    assert!(!format!("{:?} {:?}", desk.writer, desk.writer.figures()).contains("MARKER"));
}

#[tokio::test]
async fn wrong_settings_are_told_at_once() {
    let server = Server::start([Reply::status(204)]).await;
    let mut config = RemoteWriteConfig::new(url(&server));
    assert_eq!(config.check(), Ok(()));
    config.name = String::new();
    config.max_samples_per_request = 0;
    config.max_age = HumanDuration::new(Duration::ZERO);
    config.target.timeout = HumanDuration::new(Duration::ZERO);
    let clock = clock().shared();
    let tasks = Supervisor::new(&clock);
    let error = RemoteWrite::start(&config, &clock, &tasks.tasks(), &SecretProviders::none()).unwrap_err();
    assert!(matches!(error, PushError::Config(_)));
    for expected in ["name: 0 bytes", "max_samples_per_request: 0", "max_age: 0s", "target.timeout: 0s"] {
        assert!(error.to_string().contains(expected), "{expected} is not in\n{error}");
    }
}
