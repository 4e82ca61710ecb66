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
