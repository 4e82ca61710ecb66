//! What goes over the wire.
use bellwether_alerts::{AlertChannel, SendError};
use bellwether_channels::WebhookConfig;
use bellwether_core::{MaskedUrl, UrlSource};
use serde_json::json;

use super::{frozen, webhook};
use crate::notifications::{deliver, digest, drawdowns, many};
use crate::server::{Hook as _, Json as _, Reply, Server};

#[tokio::test]
async fn the_body_is_that_of_alertmanager_and_a_little_more() {
    let mut server = Server::start([Reply::status(200)]).await;
    let mut config = server.config();
    config.external_url = Some("https://desk.example.com".into());
    deliver(&webhook(config), &drawdowns()).await;
    let expected = json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"Drawdown\"}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "desk",
        "groupLabels": {"alertname": "Drawdown"},
        "commonLabels": {"alertname": "Drawdown"},
        "commonAnnotations": {},
        "externalURL": "https://desk.example.com",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Drawdown", "desk": "index", "severity": "critical"},
                "annotations": {"summary": "12 % below the \"peak\""},
                "startsAt": "2008-10-10T14:29:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": drawdowns().firing()[0].fingerprint().to_string(),
                "category": "general",
                "value": 0.12,
            },
            {
                "status": "resolved",
                "labels": {"alertname": "Drawdown", "desk": "crude", "severity": "warning"},
                "annotations": {},
                "startsAt": "2008-10-10T14:25:00Z",
                "endsAt": "2008-10-10T14:30:00Z",
                "generatorURL": "",
                "fingerprint": drawdowns().resolved()[0].fingerprint().to_string(),
                "category": "general",
            },
        ],
        "idempotencyKey": drawdowns().key().to_string(),
        "kind": "alerts",
        "sequence": 7,
        "at": "2008-10-10T14:30:00Z",
        "title": "[FIRING 1, RESOLVED 1] critical Drawdown",
        "firingAlerts": 1,
        "resolvedAlerts": 1,
    });
    assert_eq!(server.request().await.json(), expected);
}

#[tokio::test]
async fn the_request_is_a_post_to_the_path_with_the_key_of_the_message() {
    let mut server = Server::start([Reply::status(200)]).await;
    let port = server.address.port();
    let url = MaskedUrl::parse(format!("http://localhost:{port}/a%20b/c?team=risk#top")).unwrap();
    deliver(&webhook(WebhookConfig::new(UrlSource::Plain(url))), &drawdowns()).await;
    let request = server.request().await;
    assert!(request.head.starts_with("POST /a%20b/c?team=risk HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("host"), format!("localhost:{port}"));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("idempotency-key"), drawdowns().key().to_string());
    assert_eq!(request.header("content-length"), request.body.len().to_string());
    assert!(request.header("user-agent").starts_with("bellwether/"));
    for absent in ["authorization", "x-bellwether-signature", "x-bellwether-timestamp"] {
        assert!(request.headers(absent).is_empty(), "{absent}");
    }
}

#[tokio::test]
async fn the_same_notification_has_the_same_key_at_each_attempt() {
    let mut server = Server::start([Reply::status(503), Reply::status(200)]).await;
    let hook = webhook(server.config());
    hook.send(&drawdowns()).await.unwrap_err();
    deliver(&hook, &drawdowns()).await;
    let (first, second) = (server.request().await, server.request().await);
    assert_eq!(first.header("idempotency-key"), second.header("idempotency-key"));
    assert_eq!(first.body, second.body);
}

#[tokio::test]
async fn a_digest_tells_its_words_and_lists_no_alerts() {
    let mut server = Server::start([Reply::status(200)]).await;
    deliver(&webhook(server.config()), &digest("The day", "All is well.")).await;
    let body = server.request().await.json();
    assert_eq!(
        (&body["kind"], &body["title"], &body["text"]),
        (&json!("digest"), &json!("The day"), &json!("All is well.\n"))
    );
    assert_eq!((&body["alerts"], &body["truncatedAlerts"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn at_most_so_many_alerts_are_listed_and_the_rest_is_counted() {
    let mut server = Server::start([Reply::status(200)]).await;
    let mut config = server.config();
    config.max_alerts = 3;
    deliver(&webhook(config), &many(5_000, "x")).await;
    let body = server.request().await.json();
    assert_eq!((body["alerts"].as_array().unwrap().len(), &body["truncatedAlerts"]), (3, &json!(4_997)));
    assert_eq!((&body["firingAlerts"], &body["resolvedAlerts"]), (&json!(5_000), &json!(0)));
    assert_eq!(body["alerts"][0]["labels"]["severity"], "critical", "the worst comes first");
}

#[tokio::test]
async fn a_disabled_webhook_reads_no_secret_and_sends_nothing() {
    let mut server = Server::start([Reply::status(200)]).await;
    let mut config = server.config();
    config.enabled = false;
    config.bearer_token = Some(bellwether_core::SecretSource::File("/no/such/file".into()));
    let hook = webhook(config);
    assert!(!hook.enabled());
    assert!(matches!(hook.send(&drawdowns()).await, Err(SendError::Permanent { .. })));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_closed_webhook_sends_nothing() {
    let mut server = Server::start([Reply::status(200)]).await;
    let (hook, _) = frozen(server.config());
    hook.close().await.unwrap();
    let error = hook.send(&drawdowns()).await.unwrap_err();
    assert_eq!(error.to_string(), "refused for good: the webhook is disabled or closed");
    assert_eq!(server.connections(), 0);
}
