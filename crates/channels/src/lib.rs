//! Where alerts go: a console, a file of JSON lines, and a webhook.
//!
//! Each channel implements [`AlertChannel`](bellwether_alerts::AlertChannel): it makes one attempt and says how it went. Rate limit,
//! circuit breaker, retries and dead letters are the courier's, in `bellwether-alerts`. What all of them keep to:
//!
//! * nothing blocks the runtime; a stuck terminal, disk or server delays its own channel only, and not the end of the process;
//! * a message has a largest size, and shortens texts before it leaves out alerts; its counts are exact in any case;
//! * secrets are named in configuration and never printed, nor is what a server answered;
//! * a channel that is disabled opens nothing and reads no secret.
//!
//! ```
//! use bellwether_channels::ChannelsConfig;
//! use bellwether_core::{SecretProviders, SystemClock, config::Loader};
//!
//! # let folder = tempfile::tempdir()?;
//! # let text = format!("[console.screen]\n[file.audit]\npath = {:?}\n[file.lost]\npath = \"no/such/folder/x\"", folder.path().join("alerts.jsonl"));
//! // [console.screen]
//! // [file.audit]
//! // path = "alerts.jsonl"
//! // [file.lost]
//! // path = "no/such/folder/x"
//! let config: ChannelsConfig = Loader::text("channels.toml", text).load()?;
//! for (name, channel) in config.build(&SystemClock::shared(), &SecretProviders::none()) {
//!     match channel {
//!         Ok(channel) => assert!(name == "screen" || name == "audit"), // alerts.channel(channel)
//!         Err(error) => assert!(error.to_string().starts_with("no/such/folder/x cannot be opened")),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None is on by default: console and file need neither an HTTP client nor TLS.
//!
//! | feature | brings |
//! | --- | --- |
//! | `webhook` | `Webhook` (hyper, rustls with ring) |
//! | `signature` | signing and checking signed messages, for receivers that are written in Rust; part of `webhook` |
#![forbid(unsafe_code)]

mod config;
mod console;
mod json_lines;
mod share;
#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "webhook")]
mod webhook;
mod write_fault;

pub use crate::config::{Channel, ChannelError, ChannelsConfig};
pub use crate::console::{Console, ConsoleConfig, ConsoleStream};
pub use crate::json_lines::{JsonLinesConfig, JsonLinesError, JsonLinesFile, SyncPolicy};
#[cfg(feature = "webhook")]
pub use crate::webhook::{Webhook, WebhookConfig, WebhookError};
#[cfg(feature = "webhook")]
pub use bellwether_http::{ClientError, EndpointError, TrustError};
