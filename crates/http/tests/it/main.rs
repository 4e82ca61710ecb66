//! The client from outside: what is sent, what is read, and what is said when there is no answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod answers;
mod requests;

use std::path::Path;

use bellwether_core::{ManualClock, MaskedUrl, SecretProviders, SecretSource, UrlSource};
use bellwether_http::testing::Server;
use bellwether_http::{Client, ClientConfig, ClientError};

fn config(server: &Server) -> ClientConfig {
    ClientConfig::new(UrlSource::Plain(MaskedUrl::parse(server.url()).unwrap()))
}

/// A client whose time stands still.
fn frozen(config: &ClientConfig) -> (Client, ManualClock) {
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    (Client::new(config, &clock.shared(), &SecretProviders::none()).unwrap(), clock)
}

fn refused(config: &ClientConfig) -> ClientError {
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    Client::new(config, &clock.shared(), &SecretProviders::none()).unwrap_err()
}

fn kept(folder: &Path, name: &str, secret: &str) -> SecretSource {
    let path = folder.join(name);
    std::fs::write(&path, secret).unwrap();
    SecretSource::File(path)
}
