//! The facade and its examples as a user runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod bad_input;
mod desk_run;
mod docs;
mod interrupted;
mod own_checks;
mod trading_desk;
