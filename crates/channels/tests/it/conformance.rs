//! Every channel keeps the promises of `AlertChannel`.
use std::io;

use bellwether_alerts::testing::conformance;
use bellwether_channels::{Channel, Console, JsonLinesFile, Webhook};
use bellwether_core::SystemClock;

use crate::notifications::name;
use crate::server::{Hook as _, Reply, Server};

#[tokio::test]
async fn of_the_console() {
    conformance(|| Console::to(name("console"), io::sink())).await;
}

#[tokio::test]
async fn of_the_json_lines_file() {
    let folder = tempfile::tempdir().unwrap();
    conformance(|| JsonLinesFile::open(name("audit"), folder.path().join("alerts.jsonl")).unwrap()).await;
}

#[tokio::test]
async fn of_the_webhook() {
    let server = Server::start([Reply::status(204)]).await;
    conformance(|| Webhook::new(name("hook"), server.config(), &SystemClock::shared()).unwrap()).await;
}

#[tokio::test]
async fn of_a_channel_of_any_kind() {
    conformance(|| Channel::Console(Console::to(name("console"), io::sink()))).await;
}
