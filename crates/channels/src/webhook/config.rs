//! The settings of a webhook.
use std::path::PathBuf;
use std::time::Duration;

use bellwether_alerts::Notification;
use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{HumanDuration, SecretSource, UrlSource};
use bellwether_http::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::share::MIN_MESSAGE;

/// Longest `external_url`, in bytes.
const MAX_EXTERNAL_URL: usize = 1024;

/// Most keys that sign a message.
const MAX_KEYS: usize = 2;

/// The settings of a [`Webhook`](crate::Webhook). Secrets do not stand in them, only where they are kept.
///
/// ```toml
/// url = { env = "DESK_HOOK" }
/// bearer_token = { file = "/run/secrets/hook_token" }
/// signing_keys = [{ env = "HOOK_KEY" }]
/// timeout = "5s"
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// Whether it takes part; the secrets of a disabled channel are not read. Default: true.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Where notifications are posted to. A URL that is kept elsewhere is taken for a secret as a whole: only its host is ever printed. A
    /// user and password in it are sent as basic authentication.
    pub url: UrlSource,
    /// Whether a plain `http` URL may lead to another machine. Default: false; `localhost` and loopback addresses are always allowed.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// A token that is sent as `Authorization: Bearer ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<SecretSource>,
    /// Keys that sign each message, see [`signature`](crate::signature): one, or two while one replaces the other. Each of at least 16 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing_keys: Vec<SecretSource>,
    /// A PEM file of certificate authorities that are believed besides those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long look-up, connection and handshake may take. Default: 3 s; 1 ms to `timeout`.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: HumanDuration,
    /// How long the whole request may take. Default: 10 s; 1 ms to 10 min.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
    /// Most alerts that a message lists; it counts them all. Default: 500; 1 to 500.
    #[serde(default = "max_alerts")]
    pub max_alerts: usize,
    /// Most bytes of a message. Beyond it annotations are shortened, then fewer alerts listed. Default: 262,144 (256 KiB); 16,384 (16 KiB)
    /// to 16,777,216 (16 MiB).
    #[serde(default = "max_body_bytes")]
    pub max_body_bytes: usize,
    /// Where a person finds more, told as `externalURL`. Default: none; `http` or `https`, at most 1,024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_url: Option<String>,
}

fn enabled() -> bool {
    true
}

fn connect_timeout() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(3))
}

fn timeout() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(10))
}

fn max_alerts() -> usize {
    Notification::MAX_ALERTS
}

fn max_body_bytes() -> usize {
    256 << 10
}

impl WebhookConfig {
    /// The defaults, for this URL. The fields can be set.
    pub fn new(url: UrlSource) -> Self {
        Self {
            enabled: enabled(),
            url,
            allow_plain_http: false,
            bearer_token: None,
            signing_keys: Vec::new(),
            ca_file: None,
            connect_timeout: connect_timeout(),
            timeout: timeout(),
            max_alerts: max_alerts(),
            max_body_bytes: max_body_bytes(),
            external_url: None,
        }
    }

    /// What of it is of the HTTP client.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new(self.url.clone());
        client.allow_plain_http = self.allow_plain_http;
        client.bearer_token.clone_from(&self.bearer_token);
        client.ca_file.clone_from(&self.ca_file);
        (client.connect_timeout, client.timeout) = (self.connect_timeout, self.timeout);
        client
    }
}

impl Validate for WebhookConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let least = HumanDuration::new(Duration::from_millis(1));
        problems.within(
            &at.key("timeout"),
            &self.timeout,
            least..=HumanDuration::new(Duration::from_mins(10)),
        );
        problems.within(&at.key("connect_timeout"), &self.connect_timeout, least..=self.timeout.max(least));
        problems.within(&at.key("max_alerts"), &self.max_alerts, 1..=Notification::MAX_ALERTS);
        problems.within(&at.key("max_body_bytes"), &self.max_body_bytes, MIN_MESSAGE..=16 << 20);
        problems.require(
            &at.key("signing_keys"),
            self.signing_keys.len() <= MAX_KEYS,
            format!(
                "{} keys are more than {MAX_KEYS}: the new one, and the one that it replaces",
                self.signing_keys.len()
            ),
        );
        if let UrlSource::Plain(url) = &self.url {
            let web = ["https", "http"].iter().any(|scheme| url.scheme().eq_ignore_ascii_case(scheme));
            problems.require(
                &at.key("url"),
                web,
                format!("{url} has a scheme that is neither https nor http"),
            );
        }
        if let Some(url) = &self.external_url {
            let at = at.key("external_url");
            let web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
            problems.require(&at, web, "is no web address: write e.g. https://desk.example.com");
            problems.require(
                &at,
                url.len() <= MAX_EXTERNAL_URL,
                format!("{} bytes are more than {MAX_EXTERNAL_URL}", url.len()),
            );
        }
    }
}
