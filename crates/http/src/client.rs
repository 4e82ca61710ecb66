//! One request over one connection that lives as long as it.
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::{Problems, Validate as _};
use bellwether_core::{
    Elapsed, MaskedUrl, Monotonic, SecretError, SecretProviders, SecretSource, SharedClock, UrlSource,
    UrlSourceError,
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;

use crate::authorization::{basic, bearer, sensitive};
use crate::connection::{Stream, connect};
use crate::endpoint::{Endpoint, EndpointError, PlainHttp};
use crate::trust::{Tls, TrustError, tls};
use crate::{Answer, ClientConfig, HttpError, Request};

/// Most bytes that are read of the body of an answer that nobody wants.
const MAX_DRAINED: usize = 16 * 1024;

/// How long a body may take that nobody wants: it is read only so that the server can finish in peace.
const DRAIN: Duration = Duration::from_secs(1);

/// Sends requests to one place.
///
/// Each goes over a connection of its own, at any number at a time; the answer to one is awaited at most
/// [`timeout`](ClientConfig::timeout). Certificates are judged by the authorities of the machine (`SSL_CERT_FILE` and
/// `SSL_CERT_DIR` are respected) and those of [`ca_file`](ClientConfig::ca_file), through rustls with ring; nothing is installed for
/// the whole process.
///
/// Prints only what its URL shows.
pub struct Client {
    endpoint: Endpoint,
    tls: Option<Tls>,
    headers: HeaderMap,
    connect_timeout: Duration,
    timeout: Duration,
    clock: SharedClock,
}

/// Why there is no client. Tells where secrets are kept, never what they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] Problems),
    /// There is no URL.
    #[error(transparent)]
    Url(#[from] UrlSourceError),
    /// The URL is not a place for requests.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A token, password or header is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The token cannot stand in a header.
    #[error("the bearer token in {from} has characters other than visible ASCII")]
    Token {
        /// Where it is kept.
        from: SecretSource,
    },
    /// User and password cannot stand in a header.
    #[error("user {user:?} or the password in {from} has a colon or control characters where none may be")]
    Basic {
        /// The user.
        user: String,
        /// Where the password is kept.
        from: SecretSource,
    },
    /// The value cannot stand in a header.
    #[error("the header {name} in {from} has characters that no header has")]
    Header {
        /// The name of the header.
        name: String,
        /// Where it is kept.
        from: SecretSource,
    },
    /// Two ways to say who sends.
    #[error("the url has a user of its own: leave out bearer_token and basic, or the user")]
    TwoAuthorizations,
    /// No server could be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Client {
    /// A client as its settings say. Blocks while it reads secrets and certificates; connects to nothing.
    pub fn new(
        config: &ClientConfig,
        clock: &SharedClock,
        secrets: &SecretProviders,
    ) -> Result<Self, ClientError> {
        Self::at(config, "", clock, secrets)
    }

    /// A client whose requests go to `path`, behind the path of the URL: `http://host/base` and `/v1/metrics` give
    /// `http://host/base/v1/metrics`. A query of the URL stays behind it. `path` is written as URLs are.
    pub fn at(
        config: &ClientConfig,
        path: &str,
        clock: &SharedClock,
        secrets: &SecretProviders,
    ) -> Result<Self, ClientError> {
        config.check()?;
        let mut url = config.url.resolve_with(secrets)?;
        if let UrlSource::Secret(from) = &config.url {
            url = MaskedUrl::path_is_secret(url.expose())
                .map_err(|error| UrlSourceError::Url { from: from.clone(), error })?;
        }
        let plain = if config.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback };
        let endpoint = Endpoint::new(&url, path, plain)?;
        Ok(Self {
            headers: headers(config, endpoint.authorization(), secrets)?,
            tls: if endpoint.is_secure() { Some(tls(config.ca_file.as_deref())?) } else { None },
            endpoint,
            connect_timeout: config.connect_timeout.get(),
            timeout: config.timeout.get(),
            clock: Arc::clone(clock),
        })
    }

    /// Sends a request once. Cancel-safe in that dropping the future closes the connection; whether the request arrived is then open.
    ///
    /// Any answer is `Ok`, whatever its status.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let clock = &self.clock;
        let host = || self.endpoint.host().to_owned();
        let deadline = clock.monotonic().saturating_add(self.timeout);
        let most_read = request.most_read;
        let request = self.written(request)?;
        let limit = self.connect_timeout.min(self.timeout);
        let connected =
            clock.timeout(limit, connect(&self.endpoint, self.tls.as_ref(), clock, self.connect_timeout));
        let stream = connected.await.map_err(|error| self.endpoint.no_connection(error))??;
        exchange(stream, request, most_read, clock, deadline).await.map_err(|broken| match broken {
            Broken::Late(_) => HttpError::NoAnswer { host: host(), limit: self.timeout },
            Broken::Off(error) => HttpError::BrokenOff { host: host(), reason: error.to_string() },
        })
    }

    fn written(&self, request: Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
        let mut written = hyper::Request::new(Full::new(request.body));
        *written.method_mut() = request.method;
        *written.uri_mut() = self.endpoint.target()?;
        *written.headers_mut() = request.headers;
        for (name, value) in &self.headers {
            written.headers_mut().insert(name, value.clone());
        }
        written.headers_mut().insert(HOST, self.endpoint.authority().clone());
        written.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        Ok(written)
    }
}

/// What every request bears.
fn headers(
    config: &ClientConfig,
    of_url: Option<&HeaderValue>,
    secrets: &SecretProviders,
) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("bellwether/", env!("CARGO_PKG_VERSION"))));
    let mut authorization = of_url.cloned();
    if authorization.is_some() && (config.bearer_token.is_some() || config.basic.is_some()) {
        return Err(ClientError::TwoAuthorizations);
    }
    if let Some(from) = &config.bearer_token {
        let token = bearer(&from.resolve_with(secrets)?);
        authorization = Some(token.ok_or_else(|| ClientError::Token { from: from.clone() })?);
    }
    if let Some(credentials) = &config.basic {
        let (user, from) = (&credentials.user, &credentials.password);
        let refused = || ClientError::Basic { user: user.clone(), from: from.clone() };
        authorization = Some(basic(user, &from.resolve_with(secrets)?).ok_or_else(refused)?);
    }
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization);
    }
    for (name, from) in &config.headers {
        let refused = || ClientError::Header { name: name.clone(), from: from.clone() };
        let value = sensitive(from.resolve_with(secrets)?.expose()).ok_or_else(refused)?;
        headers.insert(name.parse::<HeaderName>().map_err(|_| refused())?, value);
    }
    Ok(headers)
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({self})")
    }
}

fn left(clock: &SharedClock, deadline: Monotonic) -> Duration {
    deadline.saturating_since(clock.monotonic())
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
    request: hyper::Request<Full<Bytes>>,
    most_read: usize,
    clock: &SharedClock,
    deadline: Monotonic,
) -> Result<Answer, Broken> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(async {
        let response = clock.timeout(left(clock, deadline), sender.send_request(request)).await??;
        let (head, incoming) = response.into_parts();
        let mut body = Vec::new();
        let left = left(clock, deadline);
        let limit = if most_read == 0 { DRAIN.min(left) } else { left };
        let is_whole = clock.timeout(limit, read(incoming, most_read, &mut body)).await.unwrap_or(false);
        Ok(Answer { status: head.status, headers: head.headers, body, is_whole })
    });
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The connection has ended; what came before that is there to be read.
        _ = connection => answer.await,
    }
}

/// Keeps up to `most` bytes; of a body that nobody wants a little is read and dropped. Says whether all of it was kept.
async fn read(mut incoming: Incoming, most: usize, body: &mut Vec<u8>) -> bool {
    let mut read = 0;
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return false };
        let Some(data) = frame.data_ref() else { continue };
        read += data.len();
        let room = most - body.len();
        body.extend_from_slice(data.get(..room).unwrap_or(data));
        if read > most.max(MAX_DRAINED) {
            break;
        }
    }
    read <= most
}

#[cfg(test)]
mod tests {
    use bellwether_core::ManualClock;
    use hyper::StatusCode;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_body_that_still_comes_at_the_deadline_changes_nothing() {
        let manual = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
        let clock: SharedClock = manual.shared();
        let limit = DRAIN / 2;
        // The server is done writing only when the client has read all but 16 bytes of it.
        let (ours, mut theirs) = tokio::io::duplex(16);
        let request = hyper::Request::post("/hook").body(Full::new(Bytes::from_static(b"{}"))).unwrap();
        let sent = exchange(Box::new(ours), request, 0, &clock, clock.monotonic().saturating_add(limit));
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

    #[tokio::test]
    async fn a_body_that_is_wanted_has_the_whole_time() {
        for is_whole in [true, false] {
            let manual = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
            let clock: SharedClock = manual.shared();
            let (ours, mut theirs) = tokio::io::duplex(16);
            let request = hyper::Request::post("/hook").body(Full::new(Bytes::from_static(b"{}"))).unwrap();
            let deadline = clock.monotonic().saturating_add(10 * DRAIN);
            let sent = exchange(Box::new(ours), request, 1_000, &clock, deadline);
            let (answer, ()) = tokio::join!(sent, async {
                let mut asked = Vec::new();
                while !asked.ends_with(b"{}") {
                    theirs.read_buf(&mut asked).await.unwrap();
                }
                theirs.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
                theirs.write_all(&[b'x'; 500]).await.unwrap();
                manual.advance(9 * DRAIN);
                if is_whole {
                    theirs.write_all(&[b'x'; 500]).await.unwrap();
                } else {
                    manual.advance(DRAIN);
                }
            });
            let answer = answer.unwrap();
            assert_eq!(answer.is_whole, is_whole);
            assert!((484..=1_000).contains(&answer.body.len()), "{}", answer.body.len());
        }
    }
}
