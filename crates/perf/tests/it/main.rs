//! Black-box tests of the crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod accuracy;
mod catalogue;
mod golden_metrics;
mod golden_published;
mod golden_trips;
mod hostile;
mod laws;
mod ledger_laws;
mod rounding;
mod series;
mod sheet;
mod tails;
mod tracker;
