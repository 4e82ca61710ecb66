//! Channels as a configuration names them.
use bellwether_alerts::{AlertChannel, ChannelName, SendError};
use bellwether_channels::{Channel, ChannelError, ChannelsConfig, ConsoleStream, SyncPolicy};
use bellwether_core::config::{Loader, Validate as _};
use bellwether_core::{SecretProviders, SystemClock};

use crate::notifications::drawdowns;

fn load(text: &str) -> Result<ChannelsConfig, String> {
    Loader::text("desk.toml", text).load().map_err(|error| error.to_string())
}

#[test]
fn every_key_has_the_default_that_is_documented() {
    let config = load(
        "[console.screen]\n[file.audit]\npath = 'alerts.jsonl'\n[webhook.desk]\nurl = 'https://hooks.example.com/desk'",
    )
    .unwrap();
    let console = &config.console["screen"];
    assert_eq!((console.enabled, console.stream), (true, ConsoleStream::Stderr));
    let file = &config.file["audit"];
    assert_eq!(
        (file.enabled, file.max_bytes, file.keep, file.sync),
        (true, 67_108_864, 4, SyncPolicy::EachLine)
    );
    let hook = &config.webhook["desk"];
    assert_eq!(
        (hook.enabled, hook.allow_plain_http, hook.max_alerts, hook.max_body_bytes),
        (true, false, 500, 262_144)
    );
    assert_eq!((hook.connect_timeout.to_string(), hook.timeout.to_string()), ("3s".into(), "10s".into()));
    assert!(hook.bearer_token.is_none() && hook.signing_keys.is_empty() && hook.ca_file.is_none());
    assert_eq!(
        config.names().iter().map(ChannelName::as_str).collect::<Vec<_>>(),
        ["audit", "desk", "screen"]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let problems = load(
        r#"
[console.screen]
stream = "stdin"
[file.audit]
path = "/"
max_bytes = 1024
keep = 5000
[webhook.audit]
url = "ftp://example.com/x"
connect_timeout = "20s"
max_alerts = 0
max_body_bytes = 1000
signing_keys = [{ env = "A" }, { env = "B" }, { env = "C" }]
external_url = "desk"
[webhook.other]
url = "https://user:MARKER@example.com/"
bearer_token = "MARKER"
retries = 3
"#,
    )
    .unwrap_err();
    for expected in [
        "console.screen.stream: ",
        "file.audit.path: \"/\" names no file",
        "file.audit.max_bytes: 1024 is outside of [65536, 1099511627776]",
        "file.audit.keep: 5000 is outside of [0, 1000]",
        "webhook.audit: there is another channel named audit",
        "webhook.audit.url: ftp://example.com/x has a scheme that is neither https nor http",
        "webhook.audit.connect_timeout: 20s is outside of [1ms, 10s]",
        "webhook.audit.max_alerts: 0 is outside of [1, 500]",
        "webhook.audit.max_body_bytes: 1000 is outside of [16384, 16777216]",
        "webhook.audit.signing_keys: 3 keys are more than 2",
        "webhook.audit.external_url: is no web address",
        "webhook.other.url: a url with a password does not stand in configuration",
        "webhook.other.bearer_token: a secret does not stand in configuration",
        "webhook.other.retries: unknown key",
    ] {
        assert!(problems.contains(expected), "{expected} is not in\n{problems}");
    }
    assert!(!problems.contains("MARKER"), "{problems}");
}

#[tokio::test]
async fn a_channel_that_cannot_start_does_not_keep_the_others_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[file.audit]\npath = {0:?}\n[file.lost]\npath = {1:?}\n\
         [webhook.desk]\nurl = 'http://localhost:1/'\nenabled = false\n\
         [webhook.keyless]\nurl = 'http://localhost:1/'\nsigning_keys = [{{ file = {1:?} }}]\n",
        folder.path().join("alerts.jsonl"),
        folder.path().join("no").join("file"),
    );
    let built = load(&text).unwrap().build(&SystemClock::shared(), &SecretProviders::none());
    assert_eq!(built.len(), 4);
    for (name, channel) in built {
        match (name.as_str(), channel) {
            ("audit", Ok(Channel::File(audit))) => {
                assert!(audit.enabled() && audit.send(&drawdowns()).await.is_ok());
            }
            ("desk", Ok(channel)) => {
                assert!(!channel.enabled() && *channel.name() == name);
                assert!(matches!(channel.send(&drawdowns()).await, Err(SendError::Permanent { .. })));
                channel.close().await.unwrap();
            }
            ("lost", Err(error @ ChannelError::File(_))) => {
                assert!(error.to_string().contains("cannot be opened"));
            }
            ("keyless", Err(error @ ChannelError::Webhook(_))) => {
                assert!(error.to_string().contains("cannot be read"));
            }
            (name, other) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_configuration_is_written_as_it_is_read() {
    let text = "[file.audit]\npath = 'a.jsonl'\nsync = 'when_closed'\n[webhook.desk]\nurl = { env = 'HOOK' }\ntimeout = '1m30s'";
    let config = load(text).unwrap();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<ChannelsConfig>(&json).unwrap(), config);
    assert_eq!(config.check(), Ok(()));
}
