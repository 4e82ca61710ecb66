//! What is pushed, and what becomes of it.
mod otlp;
mod push_gateway;
mod remote_write;

use std::time::Duration;

use bellwether_core::{Clock as _, HumanDuration, ManualClock, MaskedUrl, UrlSource};
use bellwether_http::ClientConfig;
use bellwether_http::testing::Server;

/// 2008-10-10T14:30:00Z.
const NOW: i64 = 1_223_649_000;

fn clock() -> ManualClock {
    ManualClock::starting_at(chrono::DateTime::from_timestamp(NOW, 0).unwrap())
}

fn url(server: &Server) -> UrlSource {
    UrlSource::Plain(MaskedUrl::parse(server.url()).unwrap())
}

/// Requests may take so long that no wait of theirs is mistaken for one between requests.
fn patient(target: &mut ClientConfig) {
    target.timeout = HumanDuration::new(Duration::from_mins(10));
    target.connect_timeout = target.timeout;
}

/// Gives the tasks turns until this holds; sockets are served meanwhile.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to this: {what}");
}

/// The wait that a task is in between two requests, if it is.
fn between(clock: &ManualClock) -> Option<Duration> {
    let wait = clock.next_wait()?.saturating_since(clock.monotonic());
    (wait < Duration::from_mins(5)).then_some(wait)
}

/// Moves time on to the end of the wait that a task is in between two requests; how long that was.
async fn to_next_wait(clock: &ManualClock) -> Duration {
    until("a wait between requests", || between(clock).is_some()).await;
    let wait = between(clock).unwrap();
    clock.advance(wait);
    wait
}

#[test]
fn settings_are_read_from_text_with_the_defaults_that_are_documented() {
    use bellwether_metrics::push::{AtEnd, OtlpConfig, PushGatewayConfig, RemoteWriteConfig, Replace};
    let target = r#""target":{"url":"https://metrics.example.com/x"}"#;
    let url = || UrlSource::Plain(MaskedUrl::parse("https://metrics.example.com/x").unwrap());
    let write: RemoteWriteConfig = serde_json::from_str(&format!("{{{target}}}")).unwrap();
    assert_eq!(write, RemoteWriteConfig::new(url()));
    let numbers = (write.max_samples_per_request, write.max_queued_samples);
    let waits =
        [write.max_delay, write.max_age, write.first_retry, write.longest_retry].map(|wait| wait.to_string());
    assert_eq!((numbers, waits.join(" ").as_str()), ((2_000, 500_000), "5s 1h 250ms 30s"));
    let otlp: OtlpConfig = serde_json::from_str(&format!(r#"{{{target},"service_name":"desk"}}"#)).unwrap();
    assert_eq!(otlp, OtlpConfig::new(url(), "desk"));
    assert_eq!((otlp.interval.to_string().as_str(), otlp.max_points_per_request), ("15s", 5_000));
    let gateway: PushGatewayConfig = serde_json::from_str(&format!(r#"{{{target},"job":"desk"}}"#)).unwrap();
    assert_eq!(gateway, PushGatewayConfig::new(url(), "desk"));
    assert_eq!((gateway.replace, gateway.at_end), (Replace::Group, AtEnd::Keep));
    assert!(serde_json::from_str::<RemoteWriteConfig>(&format!(r#"{{{target},"wal":1}}"#)).is_err());
    for text in [serde_json::to_string(&write), serde_json::to_string(&otlp), serde_json::to_string(&gateway)]
    {
        assert!(text.unwrap().contains("metrics.example.com"));
    }
}
