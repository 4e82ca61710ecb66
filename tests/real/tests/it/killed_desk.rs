//! A whole desk that is killed again and again: what it was told is stored reaches every channel.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bellwether::alerts::{Notification, Outbox as _, ReceiverName};
use bellwether::channels::{JsonLinesFile, Webhook, WebhookConfig};
use bellwether::core::{MaskedUrl, UrlSource};
use bellwether::prelude::*;

use crate::flaky_server::FlakyServer;

const FOLDER: &str = "BELLWETHER_REAL_FOLDER";
const PORT: &str = "BELLWETHER_REAL_PORT";
const MESSAGES: &str = "BELLWETHER_REAL_MESSAGES";

const CONFIG: &str = r#"
[alerts.receivers.desk]
channels = ["journal", "hook"]

[alerts.delivery]
timeout = "2s"
first_retry = "10ms"
longest_retry = "200ms"
max_attempts = 1000
rate = { permits = 10000, per = "1s" }
breaker = { failures = 1000 }
"#;

/// The process that is killed: this test, started again with the variables set. Tells each message once it is stored, and `done` once every
/// channel has all of them.
#[test]
fn tells_messages_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let (port, messages) = (number(PORT), number(MESSAGES));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let clock = SystemClock::shared();
        let supervisor = Supervisor::new(&clock);
        let store = Store::open(&StoreConfig::file(folder.join("desk.sqlite")), &clock).await.unwrap();
        let url = MaskedUrl::parse(format!("http://127.0.0.1:{port}/hook")).unwrap();
        let hook = WebhookConfig::new(UrlSource::Plain(url));
        let alerts = Alerts::builder(&clock, Config::from_text("desk.toml", CONFIG).unwrap().alerts)
            .remember(store.alerts())
            .channel(JsonLinesFile::open(name("journal"), folder.join("alerts.jsonl")).unwrap())
            .channel(Webhook::new(name("hook"), hook, &clock).unwrap())
            .build()
            .unwrap();
        alerts.start(&supervisor).unwrap();
        let desk = ReceiverName::new("desk").unwrap();
        for i in 0..messages {
            let topic = format!("fill-{i}");
            let message = Notification::digest(desk.clone(), &topic, &topic, "filled", clock.now());
            let key = message.key().to_string();
            alerts.notify(message).await.unwrap();
            say(&key);
        }
        let outbox = store.alerts();
        for channel in [name("journal"), name("hook")] {
            while outbox.pending(&channel).await.unwrap() > 0 {
                clock.sleep(Duration::from_millis(5)).await;
            }
        }
        supervisor.shutdown(Duration::from_secs(5)).await;
        assert!(alerts.close(Duration::from_secs(5)).await.is_clean());
        store.close(Duration::from_secs(5)).await.into_result().unwrap();
        say("done");
    });
}

fn name(text: &'static str) -> ChannelName {
    ChannelName::new(text).unwrap()
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "said {text}").unwrap();
    out.flush().unwrap();
}

fn desk(folder: &Path, port: u16, messages: usize) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed_desk::tells_messages_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(PORT, port.to_string())
        .env(MESSAGES, messages.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The harness has begun the first line.
    let said = lines.filter_map(|line| line.split_once("said ").map(|(_, text)| text.to_owned()));
    (child, said)
}

#[test]
fn every_message_that_was_stored_before_a_kill_reaches_every_channel() {
    let folder = tempfile::tempdir().unwrap();
    let server = FlakyServer::start();
    let mut stored = Vec::new();
    for until in [1, 7, 20, 33] {
        let (mut child, mut said) = desk(folder.path(), server.port, usize::MAX >> 1);
        stored.extend(said.by_ref().take(until));
        child.kill().unwrap();
        child.wait().unwrap();
        stored.extend(said);
    }
    let (mut child, said) = desk(folder.path(), server.port, 0);
    assert_eq!(said.last().as_deref(), Some("done"));
    assert!(child.wait().unwrap().success());

    assert!(stored.len() >= 61, "{} stored", stored.len());
    let journal = std::fs::read_to_string(folder.path().join("alerts.jsonl")).unwrap();
    let journal = journal.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("every line is whole");
        line["key"].as_str().expect("a key").to_owned()
    });
    let (in_file, at_server) = (times(journal), times(server.stop()));
    for key in &stored {
        assert!(in_file.contains_key(key), "{key} is not in the file");
        assert!(at_server.contains_key(key), "{key} did not reach the server");
    }
    // At least once is paid for with a repetition only where a kill or a cut left open what had become of a message.
    let repeated = in_file.values().filter(|&&times| times > 1).count();
    assert!(repeated <= 4, "{repeated} of {} repeated in the file", in_file.len());
}

fn times(keys: impl IntoIterator<Item = String>) -> HashMap<String, u32> {
    keys.into_iter().fold(HashMap::new(), |mut times, key| {
        *times.entry(key).or_insert(0) += 1;
        times
    })
}
