//! One HTTP request over one connection that lives as long as it.
//!
//! Notifications are rare, so no connection is kept: none can be stale, none needs a task of its own, and dropping the future
//! closes it. Redirects are not followed and proxies of the environment are not asked: a request goes where the
//! configuration says, or nowhere.
use std::pin::pin;
use std::time::Duration;

use bellwether_alerts::SendError;
use bellwether_core::{Monotonic, SharedClock};
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
    let request = request(endpoint, headers, body)?;
    let left = left(clock, deadline);
    clock
        .timeout(left, exchange(stream, request, clock))
        .await
        .map_err(|_| {
            SendError::unknown(format_args!("{} gave no answer within {:?}", endpoint.host(), timeouts.total))
        })?
        .map_err(|error| {
            SendError::unknown(format_args!("{} broke off before it answered: {error}", endpoint.host()))
        })
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

/// Sends the request while it keeps the connection going.
async fn exchange(
    stream: Stream,
    request: Request<Full<Bytes>>,
    clock: &SharedClock,
) -> hyper::Result<Answer> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        // The status is the answer; whether the rest of it comes makes no difference.
        let _ = clock.timeout(DRAIN, drain(body)).await;
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
