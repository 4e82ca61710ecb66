//! The settings of a client.
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{HumanDuration, SecretSource, UrlSource};
use hyper::header::HeaderName;

/// Most headers of the host's own.
const MAX_HEADERS: usize = 16;

/// Headers that the client writes itself.
const RESERVED: [&str; 12] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Where requests go, how, and who sends them. Secrets do not stand in it, only where they are kept.
///
/// ```toml
/// url = "https://metrics.example.com/api/v1/write"
/// basic = { user = "desk", password = { file = "/run/secrets/metrics" } }
/// headers = { "X-Scope-OrgID" = { env = "METRICS_TENANT" } }
/// timeout = "5s"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ClientConfig {
    /// Where requests go. A URL that is kept elsewhere is taken for a secret as a whole: only its host is ever printed. A user and
    /// password in it are sent as basic authentication.
    pub url: UrlSource,
    /// Whether a plain `http` URL may lead to another machine. Default: false; `localhost` and loopback addresses are always allowed.
    #[cfg_attr(feature = "serde", serde(default))]
    pub allow_plain_http: bool,
    /// A token that is sent as `Authorization: Bearer ...`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub bearer_token: Option<SecretSource>,
    /// A user and password that are sent as `Authorization: Basic ...`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub basic: Option<BasicCredentials>,
    /// Other headers of every request, by name; at most 16.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub headers: BTreeMap<String, SecretSource>,
    /// A PEM file of certificate authorities that are believed besides those of the machine.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ca_file: Option<PathBuf>,
    /// How long look-up, connection and handshake may take. Default: 3 s; 1 ms to `timeout`.
    #[cfg_attr(feature = "serde", serde(default = "connect_timeout"))]
    pub connect_timeout: HumanDuration,
    /// How long a whole request may take. Default: 10 s; 1 ms to 10 min.
    #[cfg_attr(feature = "serde", serde(default = "timeout"))]
    pub timeout: HumanDuration,
}

/// A user and a password (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct BasicCredentials {
    /// The user; no colon in it.
    pub user: String,
    /// Where the password is kept.
    pub password: SecretSource,
}

fn connect_timeout() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(3))
}

fn timeout() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(10))
}

impl ClientConfig {
    /// The defaults, for this URL. The fields can be set.
    pub fn new(url: UrlSource) -> Self {
        Self {
            url,
            allow_plain_http: false,
            bearer_token: None,
            basic: None,
            headers: BTreeMap::new(),
            ca_file: None,
            connect_timeout: connect_timeout(),
            timeout: timeout(),
        }
    }
}

impl Validate for ClientConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let least = HumanDuration::new(Duration::from_millis(1));
        problems.within(
            &at.key("timeout"),
            &self.timeout,
            least..=HumanDuration::new(Duration::from_mins(10)),
        );
        problems.within(&at.key("connect_timeout"), &self.connect_timeout, least..=self.timeout.max(least));
        problems.require(
            &at.key("basic"),
            self.basic.is_none() || self.bearer_token.is_none(),
            "there is a bearer_token too: leave out one",
        );
        if let UrlSource::Plain(url) = &self.url {
            let web = ["https", "http"].iter().any(|scheme| url.scheme().eq_ignore_ascii_case(scheme));
            problems.require(
                &at.key("url"),
                web,
                format!("{url} has a scheme that is neither https nor http"),
            );
        }
        let headers = at.key("headers");
        let count = self.headers.len();
        problems.require(&headers, count <= MAX_HEADERS, format!("{count} are more than {MAX_HEADERS}"));
        let mut names = HashSet::new();
        for name in self.headers.keys() {
            let at = headers.key(name);
            let Ok(parsed) = name.parse::<HeaderName>() else {
                problems.push(&at, "is no name of a header: write letters, digits and -");
                continue;
            };
            problems.require(&at, !RESERVED.contains(&parsed.as_str()), "is a header that the client writes");
            problems.require(&at, names.insert(parsed), "is there in other letters too");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let url = |url: &str| UrlSource::Plain(url.parse().unwrap());
        let secret = || SecretSource::Env("X".into());
        let mut config = ClientConfig::new(url("https://example.com/"));
        assert_eq!(config.check(), Ok(()));
        config.url = url("ftp://example.com/");
        config.timeout = HumanDuration::new(Duration::from_secs(1));
        config.bearer_token = Some(secret());
        config.basic = Some(BasicCredentials { user: "desk".into(), password: secret() });
        for name in ["Content-Type", "a b", "X-A", "x-a"] {
            config.headers.insert(name.into(), secret());
        }
        let problems = config.check().unwrap_err().to_string();
        for expected in [
            "url: ftp://example.com/ has a scheme",
            "connect_timeout: 3s is outside of [1ms, 1s]",
            "basic: there is a bearer_token too",
            "Content-Type: is a header that the client writes",
            "a b\": is no name of a header",
            "x-a: is there in other letters too",
        ] {
            assert!(problems.contains(expected), "{expected} is not in\n{problems}");
        }
    }
}
