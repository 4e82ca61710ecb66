//! Health checks with a score, and reports in HTML, Markdown and JSON.
//!
//! A [`HealthCheck`] says how one part is; a [`HealthMonitor`] runs all checks of a host, each with its deadline, and
//! gives a [`HealthReport`] with a [`Score`] that shows its parts. A [`report::Report`] is one model of sections and
//! blocks that renders as a self-contained HTML file, as Markdown and as JSON.
//!
//! ```
//! use std::sync::Arc;
//! use bellwether_core::{ManualClock, SharedClock};
//! use bellwether_health::{Health, HealthMonitor, Probe, Status, check};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: SharedClock = Arc::new(ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH));
//! let monitor = HealthMonitor::new(&clock)
//!     .critical_check(check("broker", Probe::Readiness, || async { Health::pass() }))?
//!     .check(check("margin", Probe::Readiness, || async { Health::from_headroom(0.2, 0.25, 0.1) }))?;
//!
//! let report = monitor.run().await;
//! assert_eq!(report.status, Status::Warn);
//! assert_eq!(report.score.value, 75.0);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod check;
mod feed_fresh;
mod figure_within;
mod health;
mod monitor;
pub mod report;
mod score;

pub use crate::check::{CheckFn, DEFAULT_DEADLINE, HealthCheck, Probe, check};
pub use crate::feed_fresh::FeedFresh;
pub use crate::figure_within::{FigureBoundsError, FigureWithin};
pub use crate::health::{Health, Observed, Status};
pub use crate::monitor::{
    CheckResult, HealthMonitor, HealthReport, MAX_CHECKS, MAX_NAME_LEN, MonitorError, SHARES,
};
pub use crate::score::{CRITICAL_CAP, Score, ScorePart, WARN_SHARE, Weight};

/// The quick start of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
