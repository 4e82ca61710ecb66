//! Laws of the loader: k faults are k problems, and no input makes it panic.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::config::{ConfigError, ConfigPath, Loader, MAX_PROBLEMS, Problems, Validate};
use bellwether_core::{HumanDuration, Ratio, SecretSource, Severity, UrlSource};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Desk {
    name: String,
    threads: u8,
    share: Ratio,
    limits: (u8, u16, f64),
    alerts: Alerts,
    channels: BTreeMap<String, Channel>,
    store: Store,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Alerts {
    repeat: HumanDuration,
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Route {
    receiver: String,
    severity: Severity,
    wait: HumanDuration,
    #[serde(default)]
    continues: bool,
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[allow(dead_code)]
enum Channel {
    Slack { webhook: SecretSource, timeout: HumanDuration },
    File { path: String, limit: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(dead_code)]
struct Store {
    url: Option<UrlSource>,
    token: Option<SecretSource>,
    connections: u8,
    sync: Sync,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sync {
    #[default]
    Full,
    Normal,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: None, token: None, connections: 4, sync: Sync::Full }
    }
}

impl Validate for Desk {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("threads"), &self.threads, 1..=64);
        problems.within(&at.key("share"), &self.share, Ratio::ZERO..=Ratio::ONE);
        self.alerts.routes.validate(&at.key("alerts").key("routes"), problems);
        problems.within(&at.key("store").key("connections"), &self.store.connections, 1..=64);
    }
}

impl Validate for Route {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.require(&at.key("receiver"), self.receiver != "nobody", "no channel of this name");
        self.routes.validate(&at.key("routes"), problems);
    }
}

/// A line of the file and the faults that it may have: the faulty line, and the path that must be told.
struct Line {
    good: &'static str,
    faults: &'static [(&'static str, &'static str)],
}

const fn line(good: &'static str, faults: &'static [(&'static str, &'static str)]) -> Line {
    Line { good, faults }
}

const LINES: &[Line] = &[
    line("", &[("zeal = 'x'", "zeal"), ("colour = { a = 1 }", "colour")]),
    line("name = 'desk'", &[("name = 7", "name"), ("", "name"), ("name = []", "name")]),
    line(
        "threads = 4",
        &[
            ("threads = 300", "threads"),
            ("threads = 0", "threads"),
            ("threads = 4.0", "threads"),
            ("", "threads"),
        ],
    ),
    line(
        "share = '2.5 %'",
        &[("share = '2,5 %'", "share"), ("share = 1.5", "share"), ("share = nan", "share"), ("", "share")],
    ),
    line(
        "limits = [1, 2, 0.5]",
        &[
            ("limits = [1, 2]", "limits"),
            ("limits = [1, 'x', 0.5]", "limits[1]"),
            ("limits = [1, 2, inf]", "limits[2]"),
            ("limits = [1, 2, 3, 4]", "limits"),
            ("", "limits"),
        ],
    ),
    line("[alerts]", &[]),
    line(
        "repeat = '4h'",
        &[("repeat = '4'", "alerts.repeat"), ("repeat = 4", "alerts.repeat"), ("", "alerts.repeat")],
    ),
    line("", &[("grace = 1", "alerts.grace")]),
    line("[[alerts.routes]]", &[]),
    line(
        "receiver = 'desk'",
        &[
            ("receiver = 'nobody'", "alerts.routes[0].receiver"),
            ("reciever = 'desk'", "alerts.routes[0].reciever"),
            ("", "alerts.routes[0].receiver"),
        ],
    ),
    line(
        "severity = 'info'",
        &[
            ("severity = 'inform'", "alerts.routes[0].severity"),
            ("severity = 3", "alerts.routes[0].severity"),
            ("", "alerts.routes[0].severity"),
        ],
    ),
    line(
        "wait = '30s'",
        &[
            ("wait = '30'", "alerts.routes[0].wait"),
            ("wait = {}", "alerts.routes[0].wait"),
            ("", "alerts.routes[0].wait"),
        ],
    ),
    line(
        "continues = true",
        &[
            ("continues = 'yes'", "alerts.routes[0].continues"),
            ("continue = true", "alerts.routes[0].continue"),
        ],
    ),
    line("[[alerts.routes.routes]]", &[]),
    line(
        "receiver = 'night'",
        &[
            ("receiver = 'nobody'", "alerts.routes[0].routes[0].receiver"),
            ("", "alerts.routes[0].routes[0].receiver"),
        ],
    ),
    line(
        "severity = 'error'",
        &[
            ("severity = true", "alerts.routes[0].routes[0].severity"),
            ("", "alerts.routes[0].routes[0].severity"),
        ],
    ),
    line(
        "wait = '1m'",
        &[("wait = '1M'", "alerts.routes[0].routes[0].wait"), ("", "alerts.routes[0].routes[0].wait")],
    ),
    line("[[alerts.routes]]", &[]),
    line(
        "receiver = 'desk'",
        &[
            ("receiver = 'nobody'", "alerts.routes[1].receiver"),
            ("receiver = 1.5", "alerts.routes[1].receiver"),
        ],
    ),
    line("severity = 'warning'", &[("severity = 'warn'", "alerts.routes[1].severity")]),
    line("wait = '0s'", &[("wait = -1", "alerts.routes[1].wait")]),
    line("[channels.slack]", &[]),
    line("kind = 'slack'", &[]),
    line(
        "webhook = { env = 'SLACK' }",
        &[
            ("webhook = 'https://slack.example/MARKER'", "channels.slack.webhook"),
            ("webhook = { env = 'SLACK', file = 'x' }", "channels.slack.webhook"),
            ("", "channels.slack.webhook"),
        ],
    ),
    line(
        "timeout = '5s'",
        &[
            ("timeout = '5'", "channels.slack.timeout"),
            ("timeout = 5", "channels.slack.timeout"),
            ("timeouts = '5s'", "channels.slack.timeouts"),
        ],
    ),
    line("[channels.log]", &[]),
    line("kind = 'file'", &[]),
    line("path = 'x'", &[("path = 9", "channels.log.path"), ("", "channels.log.path")]),
    line("limit = 10", &[("limit = -1", "channels.log.limit"), ("limit = 4294967296", "channels.log.limit")]),
    line("", &[("extra = 1", "channels.log.extra")]),
    line("[store]", &[]),
    line(
        "url = 'sqlite:desk.db'",
        &[
            ("url = 'postgres://desk:MARKER@db/x'", "store.url"),
            ("url = 5", "store.url"),
            ("url = 'MARKER'", "store.url"),
        ],
    ),
    line(
        "token = { file = '/x' }",
        &[
            ("token = 'MARKER'", "store.token"),
            ("token = ['MARKER']", "store.token"),
            ("token = { value = 'MARKER' }", "store.token.value"),
        ],
    ),
    line(
        "connections = 4",
        &[
            ("connections = 0", "store.connections"),
            ("connections = 256", "store.connections"),
            ("conections = 4", "store.conections"),
        ],
    ),
    line(
        "sync = 'full'",
        &[
            ("sync = 'ful'", "store.sync"),
            ("sync = 1", "store.sync"),
            ("sync = { full = 1 }", "store.sync.full"),
        ],
    ),
];

/// The file with the faults that `choice` plants, and the paths of these.
fn planted(choice: &[Option<prop::sample::Index>]) -> (String, BTreeSet<String>) {
    let mut text = String::new();
    let mut paths = BTreeSet::new();
    for (line, fault) in LINES.iter().zip(choice) {
        let (written, path) = match fault {
            Some(fault) if !line.faults.is_empty() => *fault.get(line.faults),
            _ => (line.good, ""),
        };
        text.push_str(written);
        text.push('\n');
        if !path.is_empty() {
            paths.insert(path.to_owned());
        }
    }
    (text, paths)
}

fn faults(chance: f64) -> impl Strategy<Value = Vec<Option<prop::sample::Index>>> {
    let fault = proptest::option::weighted(chance, any::<prop::sample::Index>());
    prop::collection::vec(fault, LINES.len())
}

fn told(error: &ConfigError) -> Vec<String> {
    match error {
        ConfigError::Problems(problems) => problems.iter().map(|problem| problem.path.to_string()).collect(),
        error => panic!("{error}"),
    }
}

#[test]
fn the_file_without_a_fault_is_read() {
    let good: Vec<_> = LINES.iter().map(|line| line.good).collect();
    Loader::text("desk.toml", good.join("\n")).load::<Desk>().unwrap();
}

#[test]
fn each_fault_by_itself_is_one_problem() {
    for (at, line) in LINES.iter().enumerate() {
        for (faulty, path) in line.faults {
            let lines = LINES.iter().enumerate().map(|(i, line)| if i == at { *faulty } else { line.good });
            let text: Vec<_> = lines.collect();
            let error = Loader::text("desk.toml", text.join("\n")).load::<Desk>().unwrap_err();
            assert_eq!(told(&error), [*path], "{faulty:?}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn planted_faults_are_told_each_once_with_its_path(choice in prop_oneof![faults(0.1), faults(0.5), faults(0.95)]) {
        let (text, paths) = planted(&choice);
        match Loader::text("desk.toml", text.as_str()).load::<Desk>() {
            Ok(_) => prop_assert!(paths.is_empty(), "{text}"),
            Err(error) => {
                let mut found = told(&error);
                found.sort();
                prop_assert_eq!(found, paths.into_iter().collect::<Vec<_>>(), "{}\n{}", text, error);
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains("MARKER"), "{}", shown);
                if let ConfigError::Problems(problems) = &error {
                    prop_assert!(problems.is_complete());
                    prop_assert!(problems.iter().all(|problem| problem.origin.is_some()));
                }
            }
        }
    }

    #[test]
    fn what_is_not_toml_is_told_without_the_text(
        before in "(password ?=? ?|\\[|'|\"|\"\"\"|\\{ ?|[0-9]{0,4}|a = |# |, )",
        after in "(\n|'|\"|\\]|\\}| = 1|[0-9]{0,4}|\n\n= )",
        marker in "[a-zA-Z0-9\\\\:.-]{8,12}",
    ) {
        let text = format!("{before}{marker}{after}");
        if let Err(error @ ConfigError::Syntax { .. }) = Loader::text("x.toml", text.as_str()).load::<Desk>() {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&marker), "{}: {}", text, shown);
        }
    }

    #[test]
    fn no_text_and_no_variable_makes_the_loader_panic(
        text in "(([a-c\"'.]{0,4}|name|alerts|routes|share|store|url|channels) ?= ?([0-9a-f\"'\\[\\]{}=,. -]{0,12})\n|\\[{1,2}(alerts|routes|channels|[a-z.\"]{0,6})\\]{1,2}\n|.{0,10}\n){0,8}",
        variables in prop::collection::vec(
            ("D__[A-Z_0-9]{0,12}|D__(ALERTS|NAME|STORE|CHANNELS)(__([A-Z]{1,3}|[0-9]))?|.{0,6}", "[0-9a-z\"'\\[\\]{}=,. -]{0,12}|.{0,8}"),
            0..6,
        ),
    ) {
        if let Err(error) = Loader::text("x.toml", text).variables("D", variables).load::<Desk>() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// Each of these took minutes when every fault was looked up in the file whether it was kept or not.
#[test]
fn a_flood_of_faults_is_counted_without_looking_up_each() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)]
    struct Few {
        numbers: Vec<f64>,
        name: String,
    }

    impl Validate for Few {
        fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
    }

    let not_numbers = format!("numbers = [{}]", "nan,".repeat(100_000));
    let unknown = (0..50_000).map(|i| format!("key{i} = 1")).collect::<Vec<_>>().join("\n");
    for (text, faults) in [(not_numbers, 100_000), (unknown, 50_000)] {
        let Err(ConfigError::Problems(problems)) = Loader::text("flood", text).load::<Few>() else {
            panic!("a flood of faults is no configuration");
        };
        assert_eq!((problems.len(), problems.iter().len()), (faults, MAX_PROBLEMS));
    }
}
