//! Notifications as JSON over HTTP, to whatever takes them.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
use bellwether_core::config::{Problems, Validate};
use bellwether_core::{SecretError, SecretProviders, SecretSource, SharedClock};
use bellwether_http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use bellwether_http::{Client, ClientError, Method, Request, StatusCode};
use parking_lot::Mutex;

use self::answer::{later, outcome, unanswered};
use self::body::body;
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
    client: Client,
    keys: Vec<SigningKey>,
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
    /// There is nowhere to send to, or no way to.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A signing key is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A signing key is too short to be safe.
    #[error("{from}: {error}")]
    SigningKey {
        /// Where it is kept.
        from: SecretSource,
        /// What is wrong with it.
        error: SigningKeyError,
    },
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
        let service = if enabled { Some(Arc::new(Service::new(config, clock, secrets)?)) } else { None };
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
    fn new(
        config: WebhookConfig,
        clock: &SharedClock,
        secrets: &SecretProviders,
    ) -> Result<Self, WebhookError> {
        let client = Client::new(&config.client(), clock, secrets)?;
        let keys = config.signing_keys.into_iter().map(|from| {
            let secret = from.resolve_bytes_with(secrets)?;
            SigningKey::new(&secret).map_err(|error| WebhookError::SigningKey { from, error })
        });
        Ok(Self {
            client,
            keys: keys.collect::<Result<_, _>>()?,
            max_alerts: config.max_alerts,
            external_url: config.external_url.unwrap_or_default(),
        })
    }

    fn request(
        &self,
        notification: &Notification,
        body: Vec<u8>,
        clock: &SharedClock,
    ) -> Result<Request, SendError> {
        let value = |text: String| HeaderValue::try_from(text).map_err(SendError::permanent);
        let mut request = Request::new(Method::POST)
            .with_header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .with_header(IDEMPOTENCY_KEY_HEADER, value(notification.key().to_string())?);
        if !self.keys.is_empty() {
            let at = clock.now();
            request = request
                .with_header(TIMESTAMP_HEADER, value(timestamp(at))?)
                .with_header(SIGNATURE_HEADER, value(sign(&self.keys, at, &body))?);
        }
        Ok(request.with_body(body))
    }
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
        let len = body.len();
        let request = service.request(notification, body, &self.clock)?;
        let answer = service.client.send(request).await.map_err(|error| unanswered(&error))?;
        if answer.status == StatusCode::PAYLOAD_TOO_LARGE && self.shrink(len) {
            let reason = format_args!("{len} bytes were too many; the next attempt has fewer");
            return Err(later(reason, &answer, self.clock.now()));
        }
        outcome(&answer, self.clock.now())
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
            .field("service", &self.service.lock().as_ref().map(|service| service.client.to_string()))
            .finish_non_exhaustive()
    }
}
