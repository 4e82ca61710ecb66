//! Black-box tests of the metrics crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod aggregates;
mod allocations;
mod bounds;
mod collectors;
mod config;
mod definitions;
mod desk;
mod ear;
mod events;
mod exposition;
mod histograms;
mod history;
mod label_sets;
mod own_metrics;
mod pages;
mod parser;
mod places;
mod registry_model;
mod removal;
mod sampler;
mod sampling;
mod threads;
mod timers;
