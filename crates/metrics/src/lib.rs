//! Metrics with a memory: instruments, a registry, the recent past of every series, and the Prometheus text format.
//!
//! A host defines its metrics once and keeps the handles. Recording takes no lock, allocates nothing and cannot fail.
//! A sampler calls [`Registry::sample`]; from then on rules, reports and pages read the past back.
//!
//! ```
//! use std::time::Duration;
//! use bellwether_core::{Aggregate, ManualClock, MetricName, SampleWindows, Selector, TimeRange};
//! use bellwether_metrics::{Buckets, Registry, RegistryConfig, Unit};
//!
//! let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
//! let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
//!
//! // once, at the start
//! let fills = metrics.counter("fills_total", Unit::None, "Fills received.")?;
//! let rejected = metrics.counter_family("orders_rejected_total", Unit::None, "Orders rejected.", ["reason"])?;
//! let pnl = metrics.gauge("desk_pnl", Unit::Usd, "Realised and open profit of the desk.")?;
//! let acked = metrics.histogram("order_ack_seconds", Unit::Seconds, "Order to acknowledgement.", Buckets::latency())?;
//!
//! // on the hot path
//! fills.increment();
//! rejected.with("price_band").increment();
//! pnl.set(1_250.0);
//! acked.record(Duration::from_micros(180));
//!
//! // every second
//! metrics.sample();
//! clock.advance(Duration::from_secs(1));
//! fills.add(4);
//! metrics.sample();
//!
//! // what a rule asks
//! let mut answers = Vec::new();
//! let last_minute = TimeRange::ending(clock.shared().timestamp(), Duration::from_secs(60));
//! let fills = Selector::metric(MetricName::new("fills_total")?);
//! metrics.windows().aggregate(&fills, last_minute, Aggregate::Rate, &mut answers);
//! assert_eq!(answers[0].value, 4.0);
//!
//! // what Prometheus scrapes
//! assert!(metrics.text().contains("orders_rejected_total{reason=\"price_band\"} 1\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None is on by default; without features there is no async runtime among the dependencies.
//!
//! | feature | brings |
//! | --- | --- |
//! | `serde` | [`RegistryConfig`] from and to text |
//! | `config` | [`RegistryConfig`] as the section `metrics` for the loader of core, checked with all others |
//! | `runtime` | `Sampler`: samples once per interval, as a task of core's supervisor (tokio) |
#![forbid(unsafe_code)]

mod lanes;
mod line;
mod padded;

mod counter;
mod gauge;
mod histogram;
mod native;
mod timer;

mod buckets;
mod exemplar;
mod family;
mod instrument;
mod label_set;
mod metric;
mod total;
mod values;
mod wanted;

mod config;
mod error;
mod names;
mod registry;

mod collector;
mod gather;
mod own_metrics;

mod history;
mod sample;
#[cfg(feature = "runtime")]
mod sampler;

mod prometheus_text;
mod snapshot;

pub use bellwether_core::{BoundsError, Unit};

pub use crate::buckets::Buckets;
pub use crate::config::{
    DEFAULT_MAX_AGE, DEFAULT_MAX_COLLECTORS, DEFAULT_MAX_METRICS, DEFAULT_MAX_SAMPLES, DEFAULT_MAX_SERIES,
    DEFAULT_MAX_SERIES_PER_METRIC, HistoryConfig, MAX_COLLECTORS_RANGE, MAX_IDLE_EXPIRY, MAX_MAX_AGE,
    MAX_METRICS_RANGE, MAX_SAMPLES_RANGE, MAX_SERIES_RANGE, MIN_IDLE_EXPIRY, MIN_MAX_AGE, RegistryConfig,
};
pub use crate::counter::Counter;
pub use crate::error::{Definition, RegistryError, SeriesError};
pub use crate::exemplar::Exemplar;
pub use crate::family::{
    CounterFamily, DynamicFamily, Family, FamilyOf, GaugeFamily, HistogramFamily, LabelPairs, LabelValues,
};
pub use crate::gauge::Gauge;
pub use crate::histogram::{Histogram, Observation};
pub use crate::history::{Dropped, RefusedSample, Series};
pub use crate::instrument::Instrument;
pub use crate::label_set::{LabelSet, LabelValue};
#[doc(hidden)]
pub use crate::label_set::{are_distinct, is_label_name};
pub use crate::metric::OVERFLOW_LABEL;
pub use crate::native::NativeSnapshot;
pub use crate::own_metrics::{OWN_METRICS, OwnMetric};
pub use crate::prometheus_text::TEXT_CONTENT_TYPE;
pub use crate::registry::Registry;
#[cfg(feature = "runtime")]
pub use crate::sampler::{MAX_SAMPLE_INTERVAL, MIN_SAMPLE_INTERVAL, Sampler, SamplerError};
pub use crate::snapshot::{FamilySnapshot, SeriesSnapshot, Snapshot, Value};
pub use crate::timer::{RunningTimer, Timer};
pub use crate::total::Total;

/// The README's quick start is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
