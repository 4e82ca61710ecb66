//! Figures at a push gateway.

use std::time::Duration;

use bellwether_core::{HumanDuration, SecretProviders, Supervisor, SystemClock};
use bellwether_metrics::push::{AtEnd, PushGateway, PushGatewayConfig};

use super::desk;
use crate::own_server::OwnServer;

#[tokio::test]
async fn the_gateway_shows_what_is_pushed_until_the_host_ends() {
    let gateway = OwnServer::start("prometheus-pushgateway", "/-/ready", |_, port| {
        vec![format!("--web.listen-address=127.0.0.1:{port}"), "--log.level=error".into()]
    });
    let Some(gateway) = gateway.await else { return };
    let clock = SystemClock::shared();
    let tasks = Supervisor::new(&clock);
    let metrics = desk(&clock);
    let mut config = PushGatewayConfig::new(gateway.url(""), "end of day");
    config.grouping.insert("desk".into(), "index/eu".into());
    config.interval = HumanDuration::new(Duration::from_secs(1));
    config.at_end = AtEnd::Delete;
    let pusher = PushGateway::start(&config, &metrics, &tasks.tasks(), &SecretProviders::none()).unwrap();
    let labels = "desk=\"index/eu\",instance=\"\",job=\"end of day\"";
    let expected = [
        format!("fills_total{{{labels},venue=\"XNYS\"}} 7\n"),
        format!("fills_total{{{labels},venue=\"back\\\\slash \\\"quote\\\" line\\nfeed bör🚨se\"}} 3\n"),
        format!("ack_seconds_bucket{{{labels},le=\"+Inf\"}} 3\n"),
        "# HELP fills_total Fills received.\n# TYPE fills_total counter\n".to_owned(),
    ];
    gateway
        .until("every line", "/metrics", |text| expected.iter().all(|line| text.contains(line.as_str())))
        .await;
    tasks.shutdown(Duration::from_secs(10)).await.into_result().unwrap();
    gateway.until("the group is deleted", "/metrics", |text| !text.contains("fills_total")).await;
    assert_eq!(pusher.figures().dropped(), 0);
}
