//! The channels from outside: what is written and sent, and what is said when that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "the receivers are real sockets with tasks of their own")]

mod any_notification;
mod config;
mod conformance;
mod console;
mod json_lines;
mod notifications;
mod server;
mod signature;
mod sizes;
mod webhook;
