//! The vocabulary as a user sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod clock;
mod config;
mod config_faults;
mod ear;
mod figures;
mod human_duration;
mod labels;
mod masked_url;
mod page;
mod ratio;
mod resilience;
mod secret;
mod section;
mod supervisor;
