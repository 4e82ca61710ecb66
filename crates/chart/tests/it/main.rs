//! Black-box tests of the charts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod charts;
mod hostile;
mod laws;
mod numbers;
mod palette;
mod picture;
mod style;
mod ticks;
