//! What becomes of an attempt, by what the server does.
use std::time::Duration;

use bellwether_alerts::{AlertChannel, Receipt, SendError};
use bellwether_channels::WebhookConfig;
use bellwether_core::{MaskedUrl, UrlSource};
use tokio::net::TcpListener;

use super::{frozen, webhook};
use crate::notifications::{deliver, digest, drawdowns, many};
use crate::server::{Hook as _, Json as _, Reply, Server};

async fn answered(reply: Reply) -> Result<Receipt, SendError> {
    let server = Server::start([reply]).await;
    frozen(server.config()).0.send(&drawdowns()).await
}

#[tokio::test]
async fn every_2xx_is_delivered() {
    for status in [200, 201, 202, 204] {
        assert_eq!(answered(Reply::status(status)).await, Ok(Receipt::delivered()), "{status}");
    }
}

#[tokio::test]
async fn what_may_mend_itself_is_tried_again() {
    for status in [408, 425, 500, 502, 503, 504] {
        let error = answered(Reply::status(status)).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { after: None, .. }), "{status}: {error}");
        assert!(error.to_string().contains(&format!("answered {status}")), "{error}");
    }
}

#[tokio::test]
async fn what_will_not_mend_itself_is_permanent() {
    for status in [400, 401, 403, 404, 405, 410, 411, 415, 422] {
        let error = answered(Reply::status(status)).await.unwrap_err();
        assert!(matches!(error, SendError::Permanent { .. }), "{status}: {error}");
        assert!(error.to_string().contains(&format!("answered {status}")), "{error}");
    }
}

#[tokio::test]
async fn the_rate_limit_of_the_service_is_told_apart() {
    let seconds = Reply::head(429, "Retry-After: 17\r\n");
    assert_eq!(answered(seconds).await, Err(SendError::rate_limited(Some(Duration::from_secs(17)))));
    let date = Reply::head(429, "Retry-After: Fri, 10 Oct 2008 14:30:45 GMT\r\n");
    assert_eq!(answered(date).await, Err(SendError::rate_limited(Some(Duration::from_secs(45)))));
    assert_eq!(answered(Reply::status(429)).await, Err(SendError::rate_limited(None)));
}

#[tokio::test]
async fn a_wait_is_respected_with_every_later_attempt() {
    for status in [408, 425, 500, 503] {
        let error = answered(Reply::head(status, "Retry-After: 5\r\n")).await.unwrap_err();
        assert_eq!(error.after(), Some(Duration::from_secs(5)), "{status}");
    }
    // So is the smaller message that a server asks for.
    let server = Server::start([Reply::head(413, "Retry-After: 5\r\n")]).await;
    let error = webhook(server.config()).send(&digest("The day", &"x".repeat(100_000))).await.unwrap_err();
    assert_eq!(error.after(), Some(Duration::from_secs(5)), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = Server::start([Reply::status(200)]).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("Location: {}MARKER\r\n", elsewhere.url());
        let error = answered(Reply::head(status, &to)).await.unwrap_err();
        assert!(matches!(error, SendError::Permanent { .. }), "{status}: {error}");
        assert!(error.to_string().ends_with("; redirects are not followed"), "{error}");
        assert!(!error.to_string().contains("MARKER"), "{error}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_is_too_large_is_sent_smaller_until_it_is_taken() {
    let mut server = Server::start([Reply::status(413), Reply::status(413), Reply::status(200)]).await;
    let hook = webhook(server.config());
    let message = many(2_000, &"x".repeat(2_000));
    for _ in 0..2 {
        let error = hook.send(&message).await.unwrap_err();
        assert!(matches!(error, SendError::Retry { .. }), "{error}");
    }
    deliver(&hook, &message).await;
    let sent = [server.request().await, server.request().await, server.request().await];
    let sizes = sent.each_ref().map(|request| request.body.len());
    assert!(sizes[1] <= sizes[0] / 2 && sizes[2] <= sizes[1] / 2, "{sizes:?}");
    for request in sent {
        let body = request.json();
        assert_eq!(body["firingAlerts"], 2_000);
        assert_eq!(
            body["alerts"].as_array().unwrap().len() as u64 + body["truncatedAlerts"].as_u64().unwrap(),
            2_000
        );
    }
}

#[tokio::test]
async fn what_is_too_large_at_its_smallest_is_permanent() {
    let server = Server::start([Reply::status(413)]).await;
    let hook = webhook(server.config());
    let message = digest("The day", &"x".repeat(100_000));
    let mut attempts = 1;
    while hook.send(&message).await.unwrap_err().is_retryable() {
        attempts += 1;
    }
    // 100 kB, 50 kB, 25 kB, 16 KiB.
    assert!((2..=5).contains(&attempts), "{attempts}");
    let error = hook.send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Permanent { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_leaves_it_open_whether_it_arrived() {
    for broken in
        ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Le", "SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n\u{0}\u{0}"]
    {
        let error = answered(Reply::bytes(broken)).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown { .. }), "{broken:?}: {error}");
        assert!(error.to_string().contains("localhost broke off"), "{broken:?}: {error}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_answer_was_answered() {
    let cut = Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it");
    assert_eq!(answered(cut).await, Ok(Receipt::delivered()));
    let cut =
        Reply::bytes("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\nffff\r\nhalf");
    assert_eq!(answered(cut).await.unwrap_err().after(), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_heard() {
    let mut server = Server::start([Reply::Early]).await;
    let mut config = server.config();
    config.max_body_bytes = 16 << 20;
    let hook = webhook(config);
    // More than the sockets hold between them.
    let error = hook.send(&digest("The day", &"x".repeat(15 << 20))).await.unwrap_err();
    assert!(error.to_string().contains("bytes were too many"), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let answered = tokio::time::timeout(Duration::from_secs(10), answered(Reply::Flood)).await;
    assert_eq!(answered, Ok(Ok(Receipt::delivered())));
}

#[tokio::test]
async fn a_head_without_end_is_not_read_to_its_end() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-More: 0123456789\r\n".repeat(100_000));
    let error = answered(Reply::bytes(&head)).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn where_nobody_listens_it_is_tried_again() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let url = MaskedUrl::parse(format!("http://127.0.0.1:{free}/hook")).unwrap();
    let error = webhook(WebhookConfig::new(UrlSource::Plain(url))).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Retry { .. }), "{error}");
    assert!(error.to_string().contains("no connection to 127.0.0.1: Connection refused"), "{error}");
}

#[tokio::test]
async fn a_name_that_is_not_known_is_tried_again() {
    // A label of more than 63 characters is not asked of any name server.
    let host = format!("{}.invalid", "x".repeat(64));
    let url = MaskedUrl::parse(format!("https://{host}/hook")).unwrap();
    let error = webhook(WebhookConfig::new(UrlSource::Plain(url))).send(&drawdowns()).await.unwrap_err();
    assert!(matches!(error, SendError::Retry { .. }), "{error}");
    assert!(error.to_string().contains(&format!("no connection to {host}: failed to lookup")), "{error}");
}
