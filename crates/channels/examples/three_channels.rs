//! One notification through a console, a file of JSON lines, and a signed webhook.
//!
//! The webhook posts to a server within this example, which checks the signature as a receiver should.
//!
//! ```sh
//! cargo run --package bellwether-channels --example three_channels
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;

use bellwether_alerts::{Alert, AlertChannel, GroupKey, Notification};
use bellwether_channels::ChannelsConfig;
use bellwether_channels::signature::{SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER, verify};
use bellwether_core::config::Loader;
use bellwether_core::{Labels, ManualClock, Secret, SecretProviders, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const KEY: &str = "a key for this example only";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let audit = folder.path().join("alerts.jsonl");
    let key_file = folder.path().join("hook.key");
    fs::write(&key_file, KEY)?;
    let receiver = TcpListener::bind(("127.0.0.1", 0)).await?;

    let text = format!(
        r#"
        [console.screen]
        stream = "stdout"

        [file.audit]
        path = '{audit}'

        [webhook.desk]
        url = "http://localhost:{port}/alerts"
        signing_keys = [{{ file = '{key_file}' }}]

        [file.lost]
        path = "no/such/folder/alerts.jsonl"
        "#,
        audit = audit.display(),
        key_file = key_file.display(),
        port = receiver.local_addr()?.port(),
    );
    let config: ChannelsConfig = Loader::text("channels.toml", text).load()?;

    // Time stands still, so that each run writes the same. A host takes `SystemClock::shared()`.
    let now = DateTime::parse_from_rfc3339("2008-10-10T14:30:00Z")?.to_utc();
    let clock = ManualClock::starting_at(now);
    let notification = drawdown(now)?;

    for (name, channel) in config.build(&clock.shared(), &SecretProviders::none()) {
        println!("-- {name}");
        match channel {
            Ok(channel) if name == "desk" => {
                let (sent, received) = tokio::join!(channel.send(&notification), receive(&receiver, now));
                println!("sent: {:?}", sent?);
                println!("{}", received?);
            }
            Ok(channel) => {
                println!("sent: {:?}", channel.send(&notification).await?);
                channel.close().await?;
            }
            Err(error) => println!("cannot start: {error}"),
        }
    }
    println!("-- alerts.jsonl");
    print!("{}", fs::read_to_string(audit)?);
    Ok(())
}

fn drawdown(now: DateTime<Utc>) -> Result<Notification, Box<dyn Error>> {
    let fires = Alert::builder("Drawdown", now - TimeDelta::minutes(1))
        .label("desk", "index")
        .severity(Severity::Critical)
        .annotation("summary", "index is 12 % below its peak")
        .value(0.12)
        .build()?;
    let over = Alert::builder("Drawdown", now - TimeDelta::minutes(9))
        .label("desk", "crude")
        .severity(Severity::Warning)
        .resolved_at(now)
        .build()?;
    let labels = Labels::new([("alertname", "Drawdown")])?;
    let key = GroupKey::new("{}", &labels);
    Ok(Notification::alerts("risk".parse()?, key, labels, 1, now, vec![fires, over]))
}

/// A receiver: takes one request, checks its signature, and answers 204.
async fn receive(listener: &TcpListener, now: DateTime<Utc>) -> Result<String, Box<dyn Error>> {
    let (mut stream, _) = listener.accept().await?;
    let mut request = Vec::new();
    let (head, body) = loop {
        stream.read_buf(&mut request).await?;
        let text = str::from_utf8(&request)?;
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && header(head, "Content-Length").parse() == Ok(body.len())
        {
            break (head, body);
        }
    };
    let key = SigningKey::new(&Secret::new(KEY.as_bytes().to_vec()))?;
    verify(&[key], header(head, TIMESTAMP_HEADER), header(head, SIGNATURE_HEADER), body.as_bytes(), now)?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    let body: Value = serde_json::from_str(body)?;
    Ok(format!(
        "received: {}\nidempotency key: {}\nsignature: fits\nbody: {body:#}",
        head.lines().next().unwrap_or_default(),
        header(head, "Idempotency-Key"),
    ))
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}
