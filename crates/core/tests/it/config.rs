//! The configuration loader: everything that is wrong, at once, each with its path.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bellwether_core::config::{
    ConfigError, ConfigPath, Loader, MAX_CONFIG_LEN, MAX_PROBLEMS, Origin, Problems, Validate,
};
use bellwether_core::{HumanDuration, Ratio, SecretSource, Severity, Timestamp, UrlSource};
use serde::Deserialize;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Desk {
    name: String,
    threads: u16,
    share: Ratio,
    metrics: Metrics,
    alerts: Alerts,
    channels: BTreeMap<String, Channel>,
    store: Option<Store>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metrics {
    interval: HumanDuration,
    buckets: Vec<f64>,
    window: (u8, u8),
    enabled: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let interval = HumanDuration::new(Duration::from_secs(10));
        Self { interval, buckets: vec![0.1, 1.0], window: (1, 2), enabled: true }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Alerts {
    routes: Vec<Route>,
    repeat: Option<HumanDuration>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    receiver: String,
    severity: Severity,
    wait: HumanDuration,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Channel {
    Slack { webhook: SecretSource, timeout: HumanDuration },
    File { path: String, limit: Option<u32> },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    url: UrlSource,
    connections: u8,
}

impl Validate for Desk {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("threads"), &self.threads, 0..=64);
        problems.within(&at.key("share"), &self.share, Ratio::ZERO..=Ratio::ONE);
        self.alerts.routes.validate(&at.key("alerts").key("routes"), problems);
        self.store.validate(&at.key("store"), problems);
    }
}

impl Validate for Route {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.require(&at.key("receiver"), self.receiver != "nobody", "no channel named \"nobody\"");
        self.routes.validate(&at.key("routes"), problems);
    }
}

impl Validate for Store {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("connections"), &self.connections, 1..);
    }
}

fn load(text: &str) -> Result<Desk, ConfigError> {
    Loader::text("desk.toml", text).load()
}

fn problems(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

/// A good configuration that uses every key.
const GOOD: &str = r#"
name = "desk"
threads = 4
share = "2.5 %"

[metrics]
interval = "1m30s"
buckets = [1, 2.5]
window = [3, 4]
enabled = false

[alerts]
repeat = "4h"

[[alerts.routes]]
receiver = "desk"
severity = "warning"
wait = "30s"
labels = { team = "rates" }

[[alerts.routes.routes]]
receiver = "night"
severity = "critical"
wait = "0s"

[channels.slack]
kind = "slack"
webhook = { env = "SLACK_WEBHOOK" }
timeout = "5s"

[channels."on disk"]
kind = "file"
path = "alerts.jsonl"

[store]
url = "sqlite://desk.db"
connections = 2
"#;

#[test]
fn a_good_file_is_read_whole() {
    let desk = load(GOOD).unwrap();
    assert_eq!((desk.name.as_str(), desk.threads), ("desk", 4));
    assert_eq!(desk.share, "2.5 %".parse().unwrap());
    assert_eq!(desk.metrics.interval, "90s".parse().unwrap());
    assert_eq!((desk.metrics.buckets.as_slice(), desk.metrics.window), (&[1.0, 2.5][..], (3, 4)));
    assert!(!desk.metrics.enabled);
    assert_eq!(desk.alerts.routes[0].labels["team"], "rates");
    assert_eq!(desk.alerts.routes[0].routes[0].severity, Severity::Critical);
    let webhook = SecretSource::Env("SLACK_WEBHOOK".into());
    assert_eq!(desk.channels["slack"], Channel::Slack { webhook, timeout: "5s".parse().unwrap() });
    assert_eq!(desk.channels["on disk"], Channel::File { path: "alerts.jsonl".into(), limit: None });
    assert_eq!(desk.store.unwrap().url.to_string(), "sqlite://desk.db");
    assert_eq!(Loader::defaults().load::<Desk>().unwrap(), Desk::default());
}

#[test]
fn every_fault_of_a_file_is_told_at_once_with_its_line_and_path() {
    let text = r#"name = 5
thread = 4
share = "150 %"
port = 1

[metrics]
interval = "5"
buckets = [1, "x", 2.5, nan]
window = [1, 300]
enabled = "yes"

[[alerts.routes]]
receiver = "nobody"
severity = "warn"
wait = "5s"

[[alerts.routes]]
receivr = "desk"
severity = "info"

[[alerts.routes]]
severity = "info"
wait = 3
labels = { a = 1, b = "x" }

[[alerts.routes.routes]]
receiver = "nobody"

[channels.slack]
kind = "slack"
webhook = "https://hooks.slack.example/hunter2"
timeout = "3x"

[channels.file]
kind = "file"
path = 4
limits = 4

[channels."on call"]
kind = "fil"

[store]
url = "postgres://desk:hunter2@db/x"
connections = 0
"#;
    let expected = r#"desk.toml:1:1: name: expected a text, found the number 5
desk.toml:2:1: thread: unknown key; did you mean "threads"?
desk.toml:3:1: share: 150 % is outside of [0 %, 100 %]
desk.toml:4:1: port: unknown key; known are name, threads, share, metrics, alerts, channels, store
desk.toml:7:1: metrics.interval: duration "5" has a number without a unit: write a unit, e.g. 5s
desk.toml:8:15: metrics.buckets[1]: expected a number, found the text "x"
desk.toml:8:25: metrics.buckets[3]: not a finite number
desk.toml:9:14: metrics.window[1]: expected a whole number from 0 to 255, found the number 300
desk.toml:10:1: metrics.enabled: expected true or false, found the text "yes"
desk.toml:13:1: alerts.routes[0].receiver: no channel named "nobody"
desk.toml:14:1: alerts.routes[0].severity: expected one of info, warning, error, critical, found "warn"; did you mean "warning"?
desk.toml:17:1: alerts.routes[1].wait: missing, but required
desk.toml:18:1: alerts.routes[1].receivr: unknown key; did you mean "receiver"?
desk.toml:21:1: alerts.routes[2].receiver: missing, but required
desk.toml:23:1: alerts.routes[2].wait: expected a duration with its unit, e.g. "5s", found the number 3
desk.toml:24:12: alerts.routes[2].labels.a: expected a text, found the number 1
desk.toml:26:1: alerts.routes[2].routes[0].severity: missing, but required
desk.toml:26:1: alerts.routes[2].routes[0].wait: missing, but required
desk.toml:27:1: alerts.routes[2].routes[0].receiver: no channel named "nobody"
desk.toml:31:1: channels.slack.webhook: a secret does not stand in configuration: write where it is kept, { env = "NAME" }, { file = "/path" } or { provider = "name", key = "..." }
desk.toml:32:1: channels.slack.timeout: duration "3x" has the unknown unit "x": the units are w, d, h, m, s, ms, us, ns
desk.toml:36:1: channels.file.path: expected a text, found the number 4
desk.toml:37:1: channels.file.limits: unknown key; did you mean "limit"?
desk.toml:40:1: channels."on call".kind: expected one of slack, file, found "fil"; did you mean "file"?
desk.toml:43:1: store.url: a url with a password does not stand in configuration: write where it is kept, { env = "NAME" } or { file = "/path" }
desk.toml:44:1: store.connections: 0 is outside of [1, inf)"#;
    assert_eq!(problems(text), expected);
}

#[test]
fn where_the_text_is_not_toml_only_that_is_told() {
    for (text, line, column) in [
        ("name = \"hunter2", 1, 16),
        ("threads = 1\nthreads = 2", 2, 1),
        ("[store\n", 1, 7),
        ("\n\n  name hunter2", 3, 8),
    ] {
        let Err(ConfigError::Syntax { origin, message }) = load(text) else { panic!("{text}") };
        assert_eq!(origin, Origin::File { name: "desk.toml".into(), line, column }, "{text}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    assert_eq!(problems("threads = 1\nthreads = 2"), "desk.toml:2:1: not TOML: duplicate key");
}

#[test]
fn what_only_follows_from_a_fault_is_not_told() {
    // The receiver is faulty once; that it is then missing, and what `Validate` would say of it, is not told.
    assert_eq!(
        problems("[[alerts.routes]]\nreceiver = 1\nseverity = 'info'\nwait = '1s'"),
        "desk.toml:2:1: alerts.routes[0].receiver: expected a text, found the number 1"
    );
    assert_eq!(
        problems("[store]\nurl = 'sqlite:x'"),
        "desk.toml:1:2: store.connections: missing, but required"
    );
    assert_eq!(
        problems("[store]\nurl = 'sqlite:x'\nconections = 3"),
        "desk.toml:3:1: store.conections: unknown key; did you mean \"connections\"?"
    );
    assert_eq!(
        problems("metrics.window = [1, 2, 3]"),
        "desk.toml:1:9: metrics.window: expected a list of 2, found 3"
    );
    assert_eq!(
        problems("metrics.window = [1]"),
        "desk.toml:1:9: metrics.window: expected a list of 2, found 1"
    );
    assert_eq!(problems("metrics = 3"), "desk.toml:1:1: metrics: expected a table, found the number 3");
    assert_eq!(
        problems("alerts.routes = 'x'"),
        "desk.toml:1:8: alerts.routes: expected a list, found the text \"x\""
    );
}

#[test]
fn an_item_behind_one_that_is_taken_out_keeps_its_index() {
    let route = "{ receiver = 'nobody', severity = 'info', wait = '1s' }";
    let text = format!("alerts.routes = [1, {route}, 'x', {route}]");
    let paths: Vec<_> = paths(load(&text).unwrap_err());
    assert_eq!(
        paths,
        ["alerts.routes[0]", "alerts.routes[1].receiver", "alerts.routes[2]", "alerts.routes[3].receiver"]
    );
}

fn paths(error: ConfigError) -> Vec<String> {
    match error {
        ConfigError::Problems(problems) => problems.iter().map(|problem| problem.path.to_string()).collect(),
        error => panic!("{error}"),
    }
}

#[test]
fn variables_override_the_file_typed_by_the_key() {
    let variables = [
        ("DESK__NAME", "7"),
        ("DESK__THREADS", "7"),
        ("DESK__SHARE", "15 bps"),
        ("DESK__METRICS__INTERVAL", "250ms"),
        ("DESK__METRICS__BUCKETS", "[1, 2]"),
        ("DESK__METRICS__WINDOW__1", "9"),
        ("DESK__METRICS__ENABLED", "false"),
        ("DESK__ALERTS__ROUTES__0__SEVERITY", "error"),
        ("DESK__ALERTS__ROUTES__0__RECEIVER", "\"7\""),
        ("DESK__ALERTS__ROUTES__1__RECEIVER", "[prod] desk"),
        ("DESK__ALERTS__ROUTES__1__SEVERITY", "info"),
        ("DESK__ALERTS__ROUTES__1__WAIT", "1s"),
        ("DESK__CHANNELS__LOG", "{ kind = \"file\", path = \"x\" }"),
        ("DESK__CHANNELS__SLACK__TIMEOUT", "9s"),
        ("DESK__STORE__URL", "{ env = \"DATABASE_URL\" }"),
        ("DESKTOP__NAME", "another program's"),
        ("DESK", "another program's"),
    ];
    let desk: Desk = Loader::text("desk.toml", GOOD.replace("slack]", "SLACK]"))
        .variables("DESK", variables)
        .load()
        .unwrap();
    assert_eq!((desk.name.as_str(), desk.threads), ("7", 7));
    assert_eq!(desk.share.as_bps(), 15.0);
    assert_eq!(desk.metrics.interval.get(), Duration::from_millis(250));
    assert_eq!((desk.metrics.buckets.as_slice(), desk.metrics.window), (&[1.0, 2.0][..], (3, 9)));
    assert!(!desk.metrics.enabled);
    let routes: Vec<_> =
        desk.alerts.routes.iter().map(|route| (route.receiver.as_str(), route.severity)).collect();
    assert_eq!(routes, [("7", Severity::Error), ("[prod] desk", Severity::Info)]);
    assert_eq!(desk.channels["log"], Channel::File { path: "x".into(), limit: None });
    assert!(matches!(&desk.channels["SLACK"], Channel::Slack { timeout, .. } if timeout.to_string() == "9s"));
    assert_eq!(desk.store.unwrap().url, UrlSource::Secret(SecretSource::Env("DATABASE_URL".into())));
}

#[test]
fn a_fault_of_a_variable_names_the_variable() {
    let variables = [
        ("DESK__", "1"),
        ("DESK__THREADS", "300"),
        ("DESK__FOO__BAR", "1"),
        ("DESK__NAME__X", "1"),
        ("DESK__METRICS__ENABLED", "yes"),
        ("DESK__ALERTS__ROUTES__3__WAIT", "1s"),
        ("DESK__STORE", "hunter2"),
    ];
    let error = Loader::text("desk.toml", GOOD).variables("DESK", variables).load::<Desk>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"environment variable DESK__: not the name of a key; expected names with __ between them, at most 64
environment variable DESK__ALERTS__ROUTES__3__WAIT: alerts.routes: is a list of 1: expected an index from 0 to 1, found "3"
environment variable DESK__FOO__BAR: foo: unknown key; known are name, threads, share, metrics, alerts, channels, store
environment variable DESK__METRICS__ENABLED: metrics.enabled: expected true or false, found the text "yes"
environment variable DESK__NAME__X: name: is not a table, so it has no key "x"
environment variable DESK__STORE: store: expected a table, found the text "hunter2"
environment variable DESK__THREADS: threads: 300 is outside of [0, 64]"#
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_told_once() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let variables = [(OsString::from("DESK__NAME"), OsString::from_vec(vec![b'x', 0xff]))];
    let error = Loader::defaults().variables("DESK", variables).load::<Desk>().unwrap_err();
    assert_eq!(error.to_string(), "environment variable DESK__NAME: name: not UTF-8");
}

#[test]
fn the_environment_of_the_process_is_read() {
    // Cargo sets CARGO_PKG_NAME and its kin for every test it runs, but none with two underscores.
    assert_eq!(Loader::text("x", "").environment("CARGO").load::<Desk>().unwrap(), Desk::default());
}

#[test]
fn secrets_that_stand_where_they_should_not_are_not_repeated() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Smtp {
        password: u8,
        pin: HumanDuration,
        tokens: Vec<Severity>,
        credentials: BTreeMap<String, u8>,
        user: Checked,
        plain: u8,
    }

    /// A type whose errors repeat what they got.
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "BTreeMap<String, String>")]
    struct Checked;

    impl TryFrom<BTreeMap<String, String>> for Checked {
        type Error = String;
        fn try_from(map: BTreeMap<String, String>) -> Result<Self, String> {
            Err(format!("refused: {map:?}"))
        }
    }

    impl Validate for Smtp {
        fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
    }

    let text = r#"
password = "hunter2"
pin = "hunter2"
tokens = ["info"]
credentials = { desk = "hunter2" }
user = { name = "desk", api_key = "hun\"ter2" }
plain = "visible"
secret = "hunter2"
"#;
    let error = Loader::text("smtp.toml", text).load::<Smtp>().unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("ter2"), "{shown}");
    assert_eq!(
        error.to_string(),
        r#"smtp.toml:2:1: password: expected a whole number from 0 to 255, found the text
smtp.toml:3:1: pin: not valid; nothing of it is shown, because its name is that of a secret
smtp.toml:5:17: credentials.desk: expected a whole number from 0 to 255, found the text
smtp.toml:6:1: user: refused: {"api_key": "[redacted]", "name": "desk"}
smtp.toml:7:1: plain: expected a whole number from 0 to 255, found the text "visible"
smtp.toml:8:1: secret: unknown key; known are password, pin, tokens, credentials, user, plain"#
    );
}

#[test]
fn keys_in_flattened_and_untagged_types_are_told_with_their_path() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        id: u8,
        #[serde(flatten)]
        inner: Inner,
        either: Either,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        wait: HumanDuration,
        deep: BTreeMap<String, Vec<u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    #[allow(dead_code)]
    enum Either {
        Off,
        Every(HumanDuration),
        Between { from: u8, to: u8 },
    }

    impl Validate for Outer {
        fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
    }

    let told = |text: &str| Loader::text("x.toml", text).load::<Outer>().unwrap_err().to_string();
    assert_eq!(
        told("id = 1\nwait = '1'\ndeep = { a = [1], b = [1, 300] }\neither = 'of'"),
        r#"x.toml:2:1: wait: duration "1" has a number without a unit: write a unit, e.g. 1s
x.toml:3:27: deep.b[1]: expected a whole number from 0 to 255, found the number 300
x.toml:4:1: either: expected one of off, every, between, found "of"; did you mean "off"?"#
    );
    let rest = "id = 1\nwait = '1s'\ndeep = {}\n";
    assert_eq!(
        told(&format!("{rest}either.between = {{ from = 1, till = 2 }}")),
        "x.toml:4:8: either.between.to: missing, but required\n\
         x.toml:4:30: either.between.till: unknown key; known are from, to"
    );
    assert_eq!(
        told(&format!("{rest}either.every = 3")),
        "x.toml:4:8: either.every: expected a duration with its unit, e.g. \"5s\", found the number 3"
    );
    assert_eq!(
        told(&format!("{rest}either = {{ every = '1s', off = 1 }}")),
        "x.toml:4:1: either: expected a table with exactly one of the keys off, every, between, found a table"
    );
    assert_eq!(
        told(&format!("{rest}either = 'every'")),
        "x.toml:4:1: either: expected a table, found only a word"
    );
    assert_eq!(
        told(&format!("{rest}either = 5")),
        "x.toml:4:1: either: expected one of off, every, between, found the number 5"
    );
}

#[test]
fn a_date_is_read_as_a_text() {
    #[derive(Debug, Deserialize)]
    struct Since {
        since: Timestamp,
        day: String,
    }

    impl Validate for Since {
        fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
    }

    let text = "since = 1999-01-04T14:30:00Z\nday = 1999-01-04";
    let read: Since = Loader::text("x.toml", text).variables("X", [("X__DAY", "2008-09-15")]).load().unwrap();
    assert_eq!((read.since.to_string().as_str(), read.day.as_str()), ("1999-01-04T14:30:00Z", "2008-09-15"));
}

#[test]
fn a_large_file_full_of_faults_ends() {
    let route = "[[alerts.routes]]\nreceiver = 1\nseverity = 'x'\n";
    let text = route.repeat(MAX_CONFIG_LEN / route.len());
    let Err(ConfigError::Problems(problems)) = load(&text) else { panic!() };
    assert!(problems.len() >= MAX_PROBLEMS / 4 && !problems.is_complete(), "{}", problems.len());
}

#[test]
fn a_long_key_is_shortened_where_it_is_printed() {
    let told = problems(&format!("{} = 1", "x".repeat(100_000)));
    assert!(
        told.starts_with("desk.toml:1:1: xxx") && told.contains("xxx...: unknown key") && told.len() < 250,
        "{told}"
    );
}

#[test]
fn problems_are_bounded_and_counted() {
    let text: Vec<_> = (0..250).map(|i| format!("unknown{i} = 1")).collect();
    let text = text.join("\n");
    let Err(ConfigError::Problems(problems)) = load(&text) else { panic!() };
    assert_eq!(
        (problems.len(), problems.iter().len(), problems.omitted()),
        (250, MAX_PROBLEMS, 250 - MAX_PROBLEMS)
    );
    assert!(problems.to_string().contains("\nand 150 more"));
    let values: Vec<_> = (0..250).map(|i| format!("a{i} = 'x'")).collect();
    let values = values.join("\n");
    let Err(ConfigError::Problems(problems)) = Loader::text("x", values).load::<Numbers>() else { panic!() };
    assert_eq!((problems.len(), problems.omitted(), problems.is_complete()), (MAX_PROBLEMS, 0, false));
    assert!(problems.to_string().ends_with("\nand what was not looked for behind so many"));
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Numbers {
    _numbers: BTreeMap<String, u8>,
}

impl Validate for Numbers {
    fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
}

/// A file of its own for a test, gone when dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("bellwether-config-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn faults_of_the_file_itself_are_typed() {
    let error = Loader::file("/nowhere/desk.toml").load::<Desk>().unwrap_err();
    assert!(matches!(error, ConfigError::NotFound { .. }));
    assert_eq!(error.to_string(), "configuration file /nowhere/desk.toml does not exist");

    let error = Loader::file(std::env::temp_dir()).load::<Desk>().unwrap_err();
    assert!(matches!(error, ConfigError::Io { .. }), "{error}");

    let file = TempFile::new("binary", b"name = '\xff'");
    let error = Loader::file(&file.0).load::<Desk>().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("configuration file {} is not UTF-8 from byte 8 on", file.0.display())
    );

    let mut text = "#".repeat(MAX_CONFIG_LEN);
    let file = TempFile::new("largest", &text);
    assert_eq!(Loader::file(&file.0).load::<Desk>().unwrap(), Desk::default());
    text.push('#');
    let file = TempFile::new("too-large", &text);
    assert!(matches!(Loader::file(&file.0).load::<Desk>(), Err(ConfigError::TooLarge { .. })));
    assert!(matches!(Loader::text("x", text).load::<Desk>(), Err(ConfigError::TooLarge { .. })));
    assert!(matches!(Loader::file("/dev/zero").load::<Desk>(), Err(ConfigError::TooLarge { .. })));

    let file = TempFile::new("good", GOOD);
    assert_eq!(Loader::file(&file.0).load::<Desk>().unwrap(), load(GOOD).unwrap());
    let file = TempFile::new("bad", "\nthreads = 99");
    let expected = format!("{}:2:1: threads: 99 is outside of [0, 64]", file.0.display());
    assert_eq!(Loader::file(&file.0).load::<Desk>().unwrap_err().to_string(), expected);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for text in [
        format!("a = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{}1", "a.".repeat(100_000).trim_end_matches('.').to_owned() + " = "),
        format!("[{}]", vec!["a"; 70].join(".")),
        format!("[{}]\n{} = 1", vec!["a"; 70].join("."), vec!["b"; 70].join(".")),
    ] {
        assert!(load(&text).is_err());
    }
}

#[test]
fn a_loader_is_debugged_without_its_text() {
    let loader =
        Loader::text("desk.toml", "password = 'hunter2'").variables("DESK", [("DESK__X", "hunter2")]);
    assert_eq!(format!("{loader:?}"), "Loader { source: \"desk.toml\", prefix: Some(\"DESK\"), .. }");
}
