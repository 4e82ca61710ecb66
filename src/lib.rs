//! Monitoring libraries that a Rust trading engine adds as dependencies and wires together itself.
//!
//! This crate is the facade: it re-exports the crates behind features, composes their configuration in [`Config`],
//! and has a [`prelude`]. There is no daemon and no global state; the host owns everything that it creates.
//!
//! # Features
//!
//! | feature | brings | default |
//! | --- | --- | --- |
//! | `metrics` | [`metrics`]: instruments, registry, history, Prometheus text | yes |
//! | `long-history` | days of every series in memory, summed up by the minute | |
//! | `perf` | [`perf`]: calculators, ledger, tracker | yes |
//! | `alerts` | [`alerts`]: rules, engine, courier | yes |
//! | `channels` | `channels`: console, JSON-lines file | |
//! | `webhook` | the webhook channel, with an HTTP client and TLS | |
//! | `store` | `store`: SQLite | |
//! | `health` | `health`: checks, reports | |
//! | `chart` | `chart`: SVG charts | |
//! | `full` | all of these but `webhook` | |
#![forbid(unsafe_code)]

mod config;
#[cfg(feature = "health")]
mod own_checks;

pub use crate::config::Config;
#[cfg(feature = "health")]
pub use crate::own_checks::OwnCheck;
#[cfg(feature = "alerts")]
pub use bellwether_alerts as alerts;
#[cfg(feature = "channels")]
pub use bellwether_channels as channels;
#[cfg(feature = "chart")]
pub use bellwether_chart as chart;
pub use bellwether_core as core;
#[cfg(feature = "health")]
pub use bellwether_health as health;
#[cfg(feature = "metrics")]
pub use bellwether_metrics as metrics;
#[cfg(feature = "perf")]
pub use bellwether_perf as perf;
#[cfg(feature = "store")]
pub use bellwether_store as store;

pub mod prelude;

/// The quick start of the README, compiled and run.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../README.md")]
struct Readme;
