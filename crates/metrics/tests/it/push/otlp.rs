//! Figures by OTLP: what is sent, and what follows from the answers.
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::{ManualClock, SecretProviders, Supervisor, Unit};
use bellwether_http::testing::{Received, Reply, Server};
use bellwether_metrics::push::{Otlp, OtlpConfig};
use bellwether_metrics::{Buckets, Registry, RegistryConfig};

use super::{NOW, clock, patient, to_next_wait, until, url};
use crate::protobuf::Message;

const INTERVAL: Duration = Duration::from_secs(15);

struct Desk {
    server: Server,
    clock: ManualClock,
    tasks: Supervisor,
    metrics: Registry,
    otlp: Otlp,
}

impl Desk {
    async fn new(replies: impl IntoIterator<Item = Reply>, adjust: impl FnOnce(&mut OtlpConfig)) -> Self {
        let server = Server::start(replies).await;
        let clock = clock();
        let tasks = Supervisor::new(&clock.shared());
        let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
        let mut config = OtlpConfig::new(url(&server), "index-desk");
        patient(&mut config.target);
        adjust(&mut config);
        let otlp = Otlp::start(&config, &metrics, &tasks.tasks(), &SecretProviders::none()).unwrap();
        Self { server, clock, tasks, metrics, otlp }
    }

    async fn round(&mut self) -> Received {
        to_next_wait(&self.clock).await;
        self.server.request().await
    }
}

/// The metrics of a request by name, those that the registry tells about itself left out.
fn metrics(received: &Received) -> Vec<Message> {
    let resource = Message::read(&received.body).message(1);
    let mut metrics = resource.message(2).messages(2);
    metrics.retain(|metric| !metric.text(1).starts_with("bellwether_"));
    metrics
}

fn attributes(of: &Message, field: u64) -> Vec<(String, String)> {
    of.messages(field).iter().map(|pair| (pair.text(1), pair.message(2).text(1))).collect()
}

#[tokio::test]
async fn every_kind_of_figure_is_told_in_the_messages_of_otlp() {
    let mut desk = Desk::new([Reply::status(200)], |config| {
        config.attributes.insert("deployment.environment.name".into(), "test".into());
    })
    .await;
    let fills = desk.metrics.counter_family("fills_total", Unit::None, "Fills received.", ["venue"]).unwrap();
    let pnl = desk.metrics.gauge("desk_pnl", Unit::Usd, "Profit.").unwrap();
    let buckets = Buckets::new([0.1, 1.0]).unwrap();
    let acks = desk.metrics.histogram("ack_seconds", Unit::Seconds, "Order to ack.", buckets).unwrap();
    fills.with("XNYS").add(7);
    pnl.set(-2.5);
    for seconds in [0.05, 0.1, 0.5, 3.0] {
        acks.record(seconds);
    }
    let request = desk.round().await;
    assert_eq!(request.header("content-type"), "application/x-protobuf");
    let resource = Message::read(&request.body).message(1);
    let told = [("service.name", "index-desk"), ("deployment.environment.name", "test")];
    assert_eq!(attributes(&resource.message(1), 1), told.map(|(key, value)| (key.into(), value.into())));
    assert_eq!(resource.message(2).message(1).text(1), "bellwether-metrics");

    let metrics = metrics(&request);
    let [ack, profit, fill] = metrics.as_slice() else { panic!("{metrics:?}") };
    let (start, now) = (NOW as u64 * 1_000_000_000, (NOW as u64 + 15) * 1_000_000_000);
    // Metric: name 1, description 2, unit 3, gauge 5, sum 7, histogram 9.
    assert_eq!(
        (ack.text(1), ack.text(2), ack.text(3)),
        ("ack_seconds".into(), "Order to ack.".into(), "s".into())
    );
    let histogram = ack.message(9);
    assert_eq!(histogram.whole(2), 2, "cumulative");
    let point = histogram.message(1);
    assert_eq!((point.whole(2), point.whole(3), point.whole(4), point.real(5)), (start, now, 4, 3.65));
    assert_eq!(point.packed(6), [2, 1, 1]);
    assert_eq!(point.packed(7).iter().map(|&bits| f64::from_bits(bits)).collect::<Vec<_>>(), [0.1, 1.0]);

    assert_eq!((profit.text(1), profit.text(3)), ("desk_pnl".into(), "{usd}".into()));
    let point = profit.message(5).message(1);
    assert_eq!((point.whole(3), point.real(4)), (now, -2.5));

    let sum = fill.message(7);
    assert_eq!((fill.text(1), sum.whole(2), sum.whole(3)), ("fills_total".into(), 2, 1));
    let point = sum.message(1);
    assert_eq!((point.whole(2), point.whole(3), point.whole(6)), (start, now, 7));
    assert_eq!(attributes(&point, 7), [("venue".to_owned(), "XNYS".to_owned())]);
}

#[tokio::test]
async fn figures_are_sent_once_per_interval_in_requests_of_bounded_size() {
    let mut desk = Desk::new([Reply::status(200)], |config| config.max_points_per_request = 3).await;
    let family = desk.metrics.gauge_family("depth", Unit::None, "Queue.", ["book"]).unwrap();
    for book in ["a", "b", "c", "d", "e", "f", "g"] {
        family.with(book).set(1.0);
    }
    let figures = desk.otlp.figures();
    for round in 1..=2 {
        assert_eq!(to_next_wait(&desk.clock).await, INTERVAL);
        let mut points = 0;
        while points < 7 {
            let request = desk.server.request().await;
            let of_request: usize =
                metrics(&request).iter().map(|metric| metric.message(5).messages(1).len()).sum();
            assert!(of_request <= 3);
            points += of_request;
        }
        assert_eq!(points, 7);
        until("all are sent", || figures.queued() == 0).await;
        assert!(figures.sent() >= 7 * round);
        while desk.server.received().is_some() {}
    }
}

#[tokio::test]
async fn points_that_a_receiver_refuses_of_a_request_it_took_are_counted() {
    // ExportMetricsServiceResponse { partial_success { rejected_data_points: 2, error_message: "no" } }
    let body = b"\x0a\x06\x08\x02\x12\x02no";
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut desk = Desk::new([Reply::Bytes([head.as_bytes(), body].concat())], |_| {}).await;
    let figures = desk.otlp.figures();
    desk.round().await;
    until("it is settled", || figures.sent() > 0).await;
    assert_eq!(figures.dropped(), 2);
}

#[tokio::test]
async fn what_may_mend_itself_is_sent_again_within_the_interval() {
    for status in [429, 502, 503, 504] {
        let mut desk = Desk::new([Reply::status(status), Reply::status(200)], |_| {}).await;
        let first = desk.round().await;
        let figures = desk.otlp.figures();
        assert!(to_next_wait(&desk.clock).await < Duration::from_secs(1));
        assert_eq!(desk.server.request().await.body, first.body, "{status}");
        until("it is sent", || figures.sent() > 0).await;
        assert_eq!(figures.dropped(), 0);
    }
    for status in [400, 404, 500, 501] {
        let mut desk = Desk::new([Reply::status(status), Reply::status(200)], |_| {}).await;
        desk.round().await;
        let figures = desk.otlp.figures();
        until("it is dropped", || figures.dropped() > 0).await;
        assert_eq!(to_next_wait(&desk.clock).await, INTERVAL, "{status}");
    }
}

#[tokio::test]
async fn what_was_not_delivered_within_the_interval_gives_way_to_the_next() {
    let mut desk = Desk::new([Reply::head(503, "Retry-After: 3600\r\n"), Reply::status(200)], |_| {}).await;
    let fills = desk.metrics.counter("fills_total", Unit::None, "Fills.").unwrap();
    fills.add(1);
    desk.round().await;
    let figures = desk.otlp.figures();
    until("it is dropped", || figures.dropped() > 0).await;
    fills.add(1);
    let request = desk.round().await;
    assert_eq!(metrics(&request)[0].message(7).message(1).whole(6), 2);
}

#[tokio::test]
async fn at_the_end_the_figures_are_sent_once_more() {
    let mut desk = Desk::new([Reply::status(200)], |_| {}).await;
    desk.metrics.counter("fills_total", Unit::None, "Fills.").unwrap().add(3);
    let (report, request) = tokio::join!(desk.tasks.shutdown(Duration::from_mins(1)), desk.server.request());
    report.into_result().unwrap();
    assert_eq!(metrics(&request)[0].message(7).message(1).whole(6), 3);
}

#[tokio::test]
async fn wrong_settings_are_told_at_once() {
    let server = Server::start([Reply::status(200)]).await;
    let mut config = OtlpConfig::new(url(&server), "");
    config.interval = bellwether_core::HumanDuration::new(Duration::from_millis(1));
    config.attributes.insert("service.name".into(), "x".into());
    let problems = config.check().unwrap_err().to_string();
    for expected in
        ["service_name: is empty", "interval: 1ms is outside of [1s, 1h]", "is said by service_name"]
    {
        assert!(problems.contains(expected), "{expected} is not in\n{problems}");
    }
}
