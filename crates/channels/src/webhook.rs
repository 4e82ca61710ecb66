//! Notifications as JSON over HTTP, to whatever takes them.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
use bellwether_core::config::{Problems, Validate};
use bellwether_core::{
    MaskedUrl, Secret, SecretError, SecretProviders, SecretSource, SharedClock, UrlSource, UrlSourceError,
};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use parking_lot::Mutex;

use self::answer::{later, outcome};
use self::body::body;
use crate::http::{Endpoint, EndpointError, PlainHttp, Timeouts, Tls, TrustError, post, tls};
use crate::share::MIN_MESSAGE;
use crate::signature::{SIGNATURE_HEADER, SigningKey, SigningKeyError, TIMESTAMP_HEADER, sign, timestamp};

mod answer;
mod body;
mod config;

pub use self::config::WebhookConfig;

/// Header with the key that is the same at each attempt.
const IDEMPOTENCY_KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Posts each notification as JSON, signed if there are keys to sign with.
///
/// The body is that of Alertmanager's webhooks, version 4, so that what receives those receives these: `version`, `groupKey`,
/// `truncatedAlerts`, `status`, `receiver`, `groupLabels`, `commonLabels`, `commonAnnotations`, `externalURL`, and `alerts` with
/// `status`, `labels`, `annotations`, `startsAt`, `endsAt` (the year 1 while it fires), `generatorURL` (empty) and `fingerprint`. Fields
/// of our own are
///
/// | field | what |
/// | --- | --- |
/// | `idempotencyKey` | the same each time this notification is sent; also the header `Idempotency-Key` |
/// | `kind` | `alerts`, `digest` or `test`; the latter two list no alerts |
/// | `title` | one line for people |
/// | `text` | the words of a digest or test |
/// | `firingAlerts`, `resolvedAlerts` | exact numbers; `truncatedAlerts` is how many of them are not listed |
/// | `sequence`, `at` | which of the group's messages, and when it was made |
/// | `alerts[].category`, `alerts[].value` | the part of the business; the measured value, if there is one |
///
/// A body has at most [`max_body_bytes`](WebhookConfig::max_body_bytes): beyond it annotations are shortened first, then fewer
/// alerts listed. A server that answers 413 is sent half as much from then on, so that no notification is lost for its size.
///
/// One attempt is one request over a connection of its own; redirects are not followed, nor are proxies of the environment used.
/// What becomes of it:
///
/// | what happened | outcome |
/// | --- | --- |
/// | 2xx | delivered |
/// | 429 | [`SendError::RateLimited`], with the wait of `Retry-After` (at most a day) |
/// | 408, 425, 5xx; 413 while it can be made smaller | [`SendError::Retry`], with the wait of `Retry-After` |
/// | name not found, no connection, no handshake in time | [`SendError::Retry`] |
/// | no answer in time, connection broken before it | [`SendError::Unknown`] |
/// | any other status; a certificate that is not believed; `http` to a name of this machine that leads to another | [`SendError::Permanent`] |
///
/// Errors tell the host and the status, never path, headers, token, or what the server wrote.
///
/// Certificates are judged by the authorities of the machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` are respected) and those of
/// [`ca_file`](WebhookConfig::ca_file), through rustls with ring; nothing is installed for the whole process.
///
/// ```
/// use bellwether_alerts::ChannelName;
/// use bellwether_channels::{Webhook, WebhookConfig};
/// use bellwether_core::{MaskedUrl, SystemClock, UrlSource};
///
/// let url = MaskedUrl::parse("http://localhost:9095/hook")?;
/// let hook = Webhook::new(ChannelName::new("desk-hook")?, WebhookConfig::new(UrlSource::Plain(url)), &SystemClock::shared())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Webhook {
    name: ChannelName,
    enabled: bool,
    clock: SharedClock,
    /// Nothing once it is closed, or if it is disabled.
    service: Mutex<Option<Arc<Service>>>,
    max_body: AtomicUsize,
}

/// What is sent to, and how.
struct Service {
    endpoint: Endpoint,
    tls: Option<Tls>,
    authorization: Option<HeaderValue>,
    keys: Vec<SigningKey>,
    timeouts: Timeouts,
    max_alerts: usize,
    external_url: String,
}

/// Why a webhook cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] Problems),
    /// There is no URL.
    #[error(transparent)]
    Url(#[from] UrlSourceError),
    /// The URL is not a place for requests.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A token or key is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The token cannot stand in a header.
    #[error("the bearer token in {from} has characters other than visible ASCII")]
    Token {
        /// Where it is kept.
        from: SecretSource,
    },
    /// Two ways to say who sends.
    #[error("the url has a user of its own: leave out bearer_token, or the user")]
    TwoAuthorizations,
    /// A signing key is too short to be safe.
    #[error("{from}: {error}")]
    SigningKey {
        /// Where it is kept.
        from: SecretSource,
        /// What is wrong with it.
        error: SigningKeyError,
    },
    /// No server could be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Webhook {
    /// A webhook whose secrets are kept in the environment or in files. Blocks while it reads them.
    pub fn new(name: ChannelName, config: WebhookConfig, clock: &SharedClock) -> Result<Self, WebhookError> {
        Self::with_secrets(name, config, clock, &SecretProviders::none())
    }

    /// A webhook whose secrets may be kept by the host's providers too.
    pub fn with_secrets(
        name: ChannelName,
        config: WebhookConfig,
        clock: &SharedClock,
        secrets: &SecretProviders,
    ) -> Result<Self, WebhookError> {
        config.check()?;
        let (enabled, max_body) = (config.enabled, AtomicUsize::new(config.max_body_bytes));
        let service = if enabled { Some(Arc::new(Service::new(config, secrets)?)) } else { None };
        Ok(Self { name, enabled, clock: Arc::clone(clock), service: Mutex::new(service), max_body })
    }

    /// The next messages have at most half of what was too large. Says whether that is less than it was.
    fn shrink(&self, refused: usize) -> bool {
        let smaller = (refused / 2).max(MIN_MESSAGE);
        self.max_body.fetch_min(smaller, Ordering::Relaxed);
        smaller < refused
    }
}

impl Service {
    fn new(config: WebhookConfig, secrets: &SecretProviders) -> Result<Self, WebhookError> {
        let mut url = config.url.resolve_with(secrets)?;
        if let UrlSource::Secret(from) = config.url {
            url = MaskedUrl::path_is_secret(url.expose())
                .map_err(|error| UrlSourceError::Url { from, error })?;
        }
        let plain = if config.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback };
        let endpoint = Endpoint::new(&url, plain)?;
        let authorization = match (config.bearer_token, endpoint.authorization()) {
            (Some(_), Some(_)) => return Err(WebhookError::TwoAuthorizations),
            (Some(from), None) => {
                Some(bearer(&from.resolve_with(secrets)?).ok_or(WebhookError::Token { from })?)
            }
            (None, basic) => basic.cloned(),
        };
        let keys = config.signing_keys.into_iter().map(|from| {
            let secret = from.resolve_bytes_with(secrets)?;
            SigningKey::new(&secret).map_err(|error| WebhookError::SigningKey { from, error })
        });
        Ok(Self {
            tls: if endpoint.is_secure() { Some(tls(config.ca_file.as_deref())?) } else { None },
            endpoint,
            authorization,
            keys: keys.collect::<Result<_, _>>()?,
            timeouts: Timeouts { connect: config.connect_timeout.get(), total: config.timeout.get() },
            max_alerts: config.max_alerts,
            external_url: config.external_url.unwrap_or_default(),
        })
    }

    fn headers(
        &self,
        notification: &Notification,
        body: &[u8],
        clock: &SharedClock,
    ) -> Result<HeaderMap, SendError> {
        let value = |text: String| HeaderValue::try_from(text).map_err(SendError::permanent);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("bellwether/", env!("CARGO_PKG_VERSION"))));
        headers.insert(IDEMPOTENCY_KEY_HEADER, value(notification.key().to_string())?);
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if !self.keys.is_empty() {
            let at = clock.now();
            headers.insert(TIMESTAMP_HEADER, value(timestamp(at))?);
            headers.insert(SIGNATURE_HEADER, value(sign(&self.keys, at, body))?);
        }
        Ok(headers)
    }
}

/// RFC 6750, section 2.1.
fn bearer(token: &Secret) -> Option<HeaderValue> {
    let token = token.expose();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[async_trait]
impl AlertChannel for Webhook {
    fn name(&self) -> &ChannelName {
        &self.name
    }

    fn enabled(&self) -> bool {
        self.enabled
    }

    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let Some(service) = self.service.lock().clone() else {
            return Err(SendError::permanent("the webhook is disabled or closed"));
        };
        let max_body = self.max_body.load(Ordering::Relaxed);
        let body = body(notification, &service.external_url, service.max_alerts, max_body)
            .map_err(SendError::permanent)?;
        let (len, headers) = (body.len(), service.headers(notification, &body, &self.clock)?);
        let answer =
            post(&service.endpoint, service.tls.as_ref(), service.timeouts, &self.clock, headers, body)
                .await?;
        if answer.status == StatusCode::PAYLOAD_TOO_LARGE && self.shrink(len) {
            let reason = format_args!("{len} bytes were too many; the next attempt has fewer");
            return Err(later(reason, &answer.headers, self.clock.now()));
        }
        outcome(answer.status, &answer.headers, self.clock.now())
    }

    async fn close(&self) -> Result<(), SendError> {
        *self.service.lock() = None;
        Ok(())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("service", &self.service.lock().as_ref().map(|service| service.endpoint.to_string()))
            .finish_non_exhaustive()
    }
}
