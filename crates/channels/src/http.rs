//! One HTTP request over one connection that lives as long as it.
//!
//! Notifications are rare, so no connection is kept: none can be stale, none needs a task of its own, and dropping the future
//! closes it. Redirects are not followed and proxies of the environment are not asked: a request goes where the
//! configuration says, or nowhere.
use std::pin::pin;
use std::time::Duration;

use bellwether_alerts::SendError;
use bellwether_core::{Elapsed, Monotonic, SharedClock};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use self::connection::{Stream, connect};

mod connection;
mod endpoint;
mod trust;

pub use self::endpoint::EndpointError;
pub(crate) use self::endpoint::{Endpoint, PlainHttp};
pub use self::trust::TrustError;
pub(crate) use self::trust::{Tls, tls};

/// Most bytes of an answer's body that are read.
const MAX_DRAINED: usize = 16 * 1024;

/// How long an answer's body may take, which is read only so that the server can finish in peace.
const DRAIN: Duration = Duration::from_secs(1);

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// Look-up of the name, connection, handshake.
    pub(crate) connect: Duration,
    /// All of it.
    pub(crate) total: Duration,
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

/// Posts a body once.
///
/// [`SendError::Retry`] means that nothing was sent; [`SendError::Unknown`], that there was no answer to what may have arrived.
pub(crate) async fn post(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    timeouts: Timeouts,
    clock: &SharedClock,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Answer, SendError> {
    let deadline = clock.monotonic().saturating_add(timeouts.total);
    let connected =
        clock.timeout(timeouts.connect.min(timeouts.total), connect(endpoint, tls, clock, timeouts.connect));
    let stream = connected
        .await
        .map_err(|error| SendError::retry(format_args!("no connection to {}: {error}", endpoint.host())))??;
    exchange(stream, request(endpoint, headers, body)?, clock, deadline).await.map_err(
        |broken| match broken {
            Broken::Late(_) => SendError::unknown(format_args!(
                "{} gave no answer within {:?}",
                endpoint.host(),
                timeouts.total
            )),
            Broken::Off(error) => {
                SendError::unknown(format_args!("{} broke off before it answered: {error}", endpoint.host()))
            }
        },
    )
}

fn left(clock: &SharedClock, deadline: Monotonic) -> Duration {
    deadline.saturating_since(clock.monotonic())
}

fn request(
    endpoint: &Endpoint,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, SendError> {
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.target().map_err(SendError::permanent)?;
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, endpoint.authority().clone());
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Late(#[from] Elapsed),
    #[error(transparent)]
    Off(#[from] hyper::Error),
}

/// Sends the request while it keeps the connection going. The deadline is that of the head: with it the answer is known, and
/// however its body fares makes no difference.
async fn exchange(
    stream: Stream,
    request: Request<Full<Bytes>>,
    clock: &SharedClock,
    deadline: Monotonic,
) -> Result<Answer, Broken> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(async {
        let response = clock.timeout(left(clock, deadline), sender.send_request(request)).await??;
        let (head, body) = response.into_parts();
        let _ = clock.timeout(DRAIN.min(left(clock, deadline)), drain(body)).await;
        Ok(Answer { status: head.status, headers: head.headers })
    });
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The connection has ended; what came before that is there to be read.
        _ = connection => answer.await,
    }
}

async fn drain(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_DRAINED {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::ManualClock;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_body_that_still_comes_at_the_deadline_changes_nothing() {
        let manual = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
        let clock: SharedClock = manual.shared();
        let limit = DRAIN / 2;
        // The server is done writing only when the client has read all but 16 bytes of it.
        let (ours, mut theirs) = tokio::io::duplex(16);
        let request = Request::post("/hook").body(Full::new(Bytes::from_static(b"{}"))).unwrap();
        let sent = exchange(Box::new(ours), request, &clock, clock.monotonic().saturating_add(limit));
        let (answer, ()) = tokio::join!(sent, async {
            let mut asked = Vec::new();
            while !asked.ends_with(b"{}") {
                theirs.read_buf(&mut asked).await.unwrap();
            }
            let head = "HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n";
            theirs.write_all(format!("{head}{}", "x".repeat(500)).as_bytes()).await.unwrap();
            manual.advance(limit);
        });
        assert_eq!(
            answer.map(|answer| answer.status).map_err(|broken| broken.to_string()),
            Ok(StatusCode::ACCEPTED)
        );
    }
}
