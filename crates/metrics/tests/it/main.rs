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
mod formats;
mod handler;
mod histograms;
mod history;
mod instruments;
mod kinds;
mod metric_family;
mod openmetrics_parser;
mod own_metrics;
mod pages;
mod parser;
mod places;
mod registry_model;
mod sampler;
mod sampling;
mod summaries;
mod threads;
mod timers;
