//! Figures to a push gateway: what is asked of it.
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::{ManualClock, MaskedUrl, SecretProviders, Supervisor, Unit, UrlSource};
use bellwether_http::testing::{Reply, Server};
use bellwether_metrics::push::{AtEnd, PushGateway, PushGatewayConfig, Replace};
use bellwether_metrics::{Registry, RegistryConfig, TEXT_CONTENT_TYPE};

use super::{clock, patient, to_next_wait, until, url};

struct Desk {
    server: Server,
    clock: ManualClock,
    tasks: Supervisor,
    metrics: Registry,
    gateway: PushGateway,
}

impl Desk {
    async fn new(
        replies: impl IntoIterator<Item = Reply>,
        adjust: impl FnOnce(&mut PushGatewayConfig),
    ) -> Self {
        let server = Server::start(replies).await;
        let clock = clock();
        let tasks = Supervisor::new(&clock.shared());
        let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
        metrics.counter("fills_total", Unit::None, "Fills.").unwrap().add(3);
        let base = UrlSource::Plain(MaskedUrl::parse(server.url().replace("/hook", "")).unwrap());
        let mut config = PushGatewayConfig::new(base, "end_of_day");
        config.grouping.insert("desk".into(), "index/eu".into());
        patient(&mut config.target);
        adjust(&mut config);
        let gateway =
            PushGateway::start(&config, &metrics, &tasks.tasks(), &SecretProviders::none()).unwrap();
        Self { server, clock, tasks, metrics, gateway }
    }
}

#[tokio::test]
async fn the_text_of_the_registry_is_put_to_the_path_of_its_group() {
    let mut desk = Desk::new([Reply::status(200)], |_| {}).await;
    let text = desk.metrics.text();
    assert_eq!(to_next_wait(&desk.clock).await, Duration::from_secs(15));
    let request = desk.server.request().await;
    // `printf index/eu | base64`
    assert_eq!(request.asked(), "PUT /metrics/job/end_of_day/desk@base64/aW5kZXgvZXU=");
    assert_eq!(request.header("content-type"), TEXT_CONTENT_TYPE);
    assert_eq!(String::from_utf8(request.body).unwrap(), text);
    let figures = desk.gateway.figures();
    let samples = text.lines().filter(|line| !line.starts_with('#')).count() as u64;
    until("it is settled", || figures.sent() == samples).await;
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let replies = [Reply::status(500), Reply::status(200), Reply::status(400)];
    let mut desk = Desk::new(replies, |config| config.replace = Replace::Metrics).await;
    to_next_wait(&desk.clock).await;
    assert!(desk.server.request().await.asked().starts_with("POST /metrics/job/"));
    assert!(to_next_wait(&desk.clock).await < Duration::from_secs(1));
    desk.server.request().await;
    let figures = desk.gateway.figures();
    until("it is settled", || figures.sent() > 0).await;
    to_next_wait(&desk.clock).await;
    desk.server.request().await;
    until("it is refused", || figures.dropped() > 0).await;
}

#[tokio::test]
async fn at_the_end_the_group_is_kept_or_deleted() {
    for (at_end, method) in [(AtEnd::Keep, "PUT "), (AtEnd::Delete, "DELETE ")] {
        let mut desk = Desk::new([Reply::status(202)], |config| config.at_end = at_end).await;
        let (report, request) =
            tokio::join!(desk.tasks.shutdown(Duration::from_mins(1)), desk.server.request());
        report.into_result().unwrap();
        assert!(request.asked().starts_with(method), "{}", request.asked());
        assert_eq!(request.body.is_empty(), at_end == AtEnd::Delete);
    }
}

#[tokio::test]
async fn wrong_settings_are_told_at_once() {
    let server = Server::start([Reply::status(200)]).await;
    let mut config = PushGatewayConfig::new(url(&server), "");
    config.grouping.insert("job".into(), "x".into());
    config.grouping.insert("a b".into(), "x".into());
    let problems = config.check().unwrap_err().to_string();
    for expected in ["job: is empty", "grouping.job: is said by job", "grouping.\"a b\": "] {
        assert!(problems.contains(expected), "{expected} is not in\n{problems}");
    }
}
