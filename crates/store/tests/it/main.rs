#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod alerts;
mod contract;
mod examine;
mod fault;
mod figures;
mod fixture;
mod kill;
mod opening;
mod restart;
mod retention;
mod samples;
mod snapshots;
mod source;
