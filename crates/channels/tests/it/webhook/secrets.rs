//! No secret is ever told.
use std::error::Error;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use bellwether_alerts::AlertChannel;
use bellwether_channels::{ClientError, Webhook, WebhookConfig, WebhookError};
use bellwether_core::config::Validate as _;
use bellwether_core::{SecretSource, SystemClock, UrlSource};

use crate::notifications::{drawdowns, name};
use crate::server::{Hook as _, Reply, Server};

const URL: &str = "MARKERURL";
const PASSWORD: &str = "MARKERPASSWORD";
const TOKEN: &str = "MARKERTOKEN";
const KEY: &str = "MARKERKEYMARKERKEY";

/// Every way to print a value and its causes, without a secret.
fn assert_clean(what: &(impl Debug + Display)) {
    assert_clean_text(&format!("{what} {what:?} {what:#?}"));
}

fn assert_clean_text(text: &str) {
    // `TUFSS` is how `MARK` begins in base64.
    for secret in ["MARKER", "TUFSS"] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn kept(folder: &Path, name: &str, secret: &str) -> SecretSource {
    let path = folder.join(name);
    fs::write(&path, secret).unwrap();
    SecretSource::File(path)
}

fn build(config: WebhookConfig) -> Result<Webhook, WebhookError> {
    Webhook::new(name("hook"), config, &SystemClock::shared())
}

#[tokio::test]
async fn whatever_a_server_does_no_secret_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let echo = format!("{URL} {TOKEN} {KEY} {PASSWORD}");
    for reply in [
        Reply::status(401),
        Reply::status(500),
        Reply::head(302, &format!("Location: http://localhost/{URL}\r\n")),
        Reply::head(429, &format!("Retry-After: {TOKEN}\r\n")),
        Reply::bytes(&format!("HTTP/1.1 400 {TOKEN}\r\nContent-Length: {}\r\n\r\n{echo}", echo.len())),
        Reply::bytes(&format!("HTTP/1.1 200 OK\r\n{TOKEN}")),
        Reply::bytes(&echo),
        Reply::bytes(""),
    ] {
        let mut server = Server::start([reply]).await;
        let mut config = server.config();
        let url = format!("http://localhost:{}/{URL}?token={URL}", server.address.port());
        config.url = UrlSource::Secret(kept(folder.path(), "url", &url));
        config.bearer_token = Some(kept(folder.path(), "token", TOKEN));
        config.signing_keys = vec![kept(folder.path(), "key", KEY)];
        assert_clean_text(&format!("{config:?} {}", serde_json::to_string(&config).unwrap()));
        let hook = build(config).unwrap();
        assert_clean_text(&format!("{hook:?} {hook:#?}"));
        let error = hook.send(&drawdowns()).await.unwrap_err();
        assert_clean(&error);
        let request = server.request().await;
        assert!(request.head.contains(URL), "the secret url was used");
        assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"), "the token was sent");
        assert!(!request.head.contains(KEY), "the key was not sent");
    }
}

#[tokio::test]
async fn user_and_password_of_a_url_are_sent_and_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start([Reply::status(403)]).await;
    let mut config = server.config();
    let url = format!("http://desk:{PASSWORD}@localhost:{}/hook", server.address.port());
    config.url = UrlSource::Secret(kept(folder.path(), "url", &url));
    let hook = build(config.clone()).unwrap();
    assert_clean_text(&format!("{hook:?}"));
    assert_clean(&hook.send(&drawdowns()).await.unwrap_err());
    // `printf desk:MARKERPASSWORD | base64`
    let request = server.request().await;
    assert_eq!(request.header("authorization"), "Basic ZGVzazpNQVJLRVJQQVNTV09SRA==");
    assert_eq!(request.header("host"), format!("localhost:{}", server.address.port()));
    config.bearer_token = Some(kept(folder.path(), "token", TOKEN));
    let error = build(config).unwrap_err();
    assert!(matches!(error, WebhookError::Client(ClientError::TwoAuthorizations)), "{error}");
}

#[test]
fn secrets_that_cannot_be_used_are_told_by_where_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let plain =
        || WebhookConfig::new("https://hooks.example.com/desk".parse().map(UrlSource::Plain).unwrap());
    let with = |adjust: &dyn Fn(&mut WebhookConfig)| {
        let mut config = plain();
        adjust(&mut config);
        build(config).unwrap_err()
    };
    let token = kept(folder.path(), "token", &format!("{TOKEN}\n{TOKEN}"));
    let short = kept(folder.path(), "short", "MARKER");
    let ftp = kept(folder.path(), "ftp", &format!("ftp://hooks.example.com/{URL}"));
    let http = kept(folder.path(), "http", &format!("http://hooks.example.com/{URL}"));
    let garbage = kept(folder.path(), "garbage", &format!("{URL} {URL}"));
    let missing = SecretSource::File(folder.path().join("missing"));
    let errors = [
        with(&|config| config.bearer_token = Some(token.clone())),
        with(&|config| config.bearer_token = Some(missing.clone())),
        with(&|config| config.signing_keys = vec![short.clone()]),
        with(&|config| config.url = UrlSource::Secret(ftp.clone())),
        with(&|config| config.url = UrlSource::Secret(http.clone())),
        with(&|config| config.url = UrlSource::Secret(garbage.clone())),
        with(&|config| config.ca_file = Some(folder.path().join("missing"))),
    ];
    let expected = [
        "token has characters",
        "missing cannot be read",
        "6 bytes",
        "neither https nor http",
        "in clear",
        "does not hold a url",
        "missing cannot be read",
    ];
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.to_string().contains(expected), "{error}");
        assert_clean(error);
        let mut cause = error.source();
        while let Some(error) = cause {
            assert_clean_text(&format!("{error} {error:?}"));
            cause = error.source();
        }
    }
}

#[test]
fn a_plain_url_to_another_machine_must_be_allowed() {
    let mut config =
        WebhookConfig::new("http://hooks.example.com/desk".parse().map(UrlSource::Plain).unwrap());
    assert_eq!(config.check(), Ok(()));
    assert_eq!(
        build(config.clone()).unwrap_err().to_string(),
        "http://hooks.example.com/desk would be sent in clear: write https, or allow_plain_http = true"
    );
    config.allow_plain_http = true;
    build(config).unwrap();
}
