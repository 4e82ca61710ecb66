//! Black-box tests of the metrics crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod aggregates;
mod allocations;
mod bounds;
mod collectors;
mod common_collectors;
mod config;
mod definitions;
mod desk;
mod ear;
mod events;
mod exposition;
mod feeds;
mod formats;
mod handler;
mod histograms;
mod history;
mod kinds;
mod long_history;
mod metric_family;
mod openmetrics_parser;
mod own_metrics;
mod pages;
mod parser;
mod places;
mod protobuf;
mod push;
mod registry_model;
mod sampler;
mod sampling;
mod scheduled;
mod subscriptions;
mod threads;
mod timers;
mod trends;
