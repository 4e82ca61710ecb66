//! How long a webhook waits, on the clock that it was given.
use std::time::Duration;

use bellwether_alerts::{AlertChannel, Receipt, SendError};
use bellwether_channels::WebhookConfig;
use bellwether_core::{Clock as _, HumanDuration, ManualClock, MaskedUrl, UrlSource};
use tokio::net::TcpListener;

use super::frozen;
use crate::notifications::{deliver, drawdowns};
use crate::server::{Hook as _, Reply, Server};

/// Moves the clock to the next thing that is waited for.
fn to_next_wait(clock: &ManualClock) -> Duration {
    let wait = clock.next_wait().unwrap().saturating_since(clock.monotonic());
    clock.advance(wait);
    wait
}

#[tokio::test]
async fn no_answer_within_ten_seconds_leaves_it_open_whether_it_arrived() {
    let mut server = Server::start([Reply::Hang]).await;
    let (hook, clock) = frozen(server.config());
    let message = drawdowns();
    let (sent, waited) = tokio::join!(hook.send(&message), async {
        server.request().await;
        to_next_wait(&clock)
    });
    let error = sent.unwrap_err();
    assert_eq!(waited, Duration::from_secs(10));
    assert_eq!(error, SendError::unknown("localhost gave no answer within 10s"));
}

#[tokio::test]
async fn the_connection_counts_into_the_whole_time() {
    let mut server = Server::start([Reply::Hang]).await;
    let mut config = server.config();
    config.timeout = HumanDuration::new(Duration::from_secs(4));
    let (hook, clock) = frozen(config);
    let message = drawdowns();
    let (sent, waited) = tokio::join!(hook.send(&message), async {
        // The connection stands, and the handshake of it took a second.
        clock.advance(Duration::from_secs(1));
        server.request().await;
        to_next_wait(&clock)
    });
    assert!(matches!(sent.unwrap_err(), SendError::Unknown { .. }));
    assert_eq!(waited, Duration::from_secs(3));
}

#[tokio::test]
async fn no_handshake_within_three_seconds_is_tried_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = MaskedUrl::parse(format!("https://localhost:{port}/hook")).unwrap();
    let (hook, clock) = frozen(WebhookConfig::new(UrlSource::Plain(url)));
    let message = drawdowns();
    let (sent, _stream) = tokio::join!(hook.send(&message), async {
        let stream = listener.accept().await.unwrap();
        clock.advance(Duration::from_secs(3));
        stream
    });
    let error = sent.unwrap_err();
    assert_eq!(error, SendError::retry("no connection to localhost: not done within 3s"));
}

#[tokio::test]
async fn a_body_that_never_comes_delays_the_answer_by_a_second_and_changes_nothing() {
    let mut server = Server::start([Reply::Stall]).await;
    let (hook, clock) = frozen(server.config());
    let message = drawdowns();
    let mut send = hook.send(&message);
    let driven = async {
        server.request().await;
        // The wait for the body is there once the head has been read.
        for _ in 0..100_000 {
            if clock.waits() == 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
        to_next_wait(&clock)
    };
    let (sent, waited) = tokio::join!(&mut send, driven);
    assert_eq!((sent, waited), (Ok(Receipt::delivered()), Duration::from_secs(1)));
}

#[tokio::test]
async fn an_attempt_that_is_dropped_closes_its_connection() {
    let mut server = Server::start([Reply::Hang, Reply::status(200)]).await;
    let (hook, _clock) = frozen(server.config());
    let message = drawdowns();
    tokio::select! {
        _ = hook.send(&message) => panic!("there is no answer"),
        _ = server.request() => {}
    }
    // The server takes one connection at a time: it comes to the second only when the first is closed.
    deliver(&hook, &message).await;
}
