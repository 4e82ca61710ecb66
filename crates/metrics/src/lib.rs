//! Metrics with a memory: instruments, a registry, the recent past of every series, and pages for Prometheus,
//! OpenMetrics and JSON readers.
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
//! # Instruments
//!
//! | instrument | for | made by |
//! | --- | --- | --- |
//! | [`Counter`] | events | [`Registry::counter`] |
//! | [`FloatCounter`] | amounts that only grow: fees, notional | [`Registry::float_counter`] |
//! | [`Gauge`] | what goes up and down, set or [asked for](Gauge::follow) | [`Registry::gauge`], [`Registry::gauge_fn`] |
//! | [`Histogram`] | values in buckets with fixed bounds | [`Registry::histogram`] |
//! | [`NativeHistogram`] | values in exponential buckets of a chosen resolution | [`Registry::native_histogram`] |
//! | [`Summary`] | quantiles of a window, with a bounded error | [`Registry::summary`] |
//! | [`Timer`] | how long something takes, into any of the three above | [`Registry::timer`], [`Timer::new`] |
//! | [`StateSet`] | which of a few states something is in | [`Registry::state_set`] |
//! | [`Info`] | what something is | [`Registry::info`] |
//!
//! [`Sketch`] is the summary's inside as a value: quantiles that merge. An [`Exemplar`] is one observation kept as an example
//! of its bucket.
//!
//! What counts and adds up is kept once per thread, in slots that this thread alone writes to, and added up when it is read.
//! At most 256 threads at a time have slots of their own; more share some ([`LaneUse`] tells). A series takes 8 bytes per slot for each thread
//! that records near it, in pages of 32 kB that stay as long as the process.
//!
//! # Features
//!
//! None is on by default; without features there is no async runtime among the dependencies.
//!
//! | feature | brings |
//! | --- | --- |
//! | `serde` | [`RegistryConfig`] from and to text |
//! | `config` | [`RegistryConfig`] as the section `metrics` for the loader of core, checked with all others |
//! | `http` | `MetricsHandler`: a `tower` service that answers scrapes, for the router of the host |
//! | `long-history` | [`LongHistoryConfig`]: a second tier of the history, days in spans of a minute or so; no dependency |
//! | `remote-write` | `push::RemoteWrite`: samples to Prometheus remote write (hyper, rustls, prost, snap) |
//! | `runtime` | `Sampler`: samples once per interval, and `collector`: figures on an interval of their own, as tasks of core's supervisor (tokio) |
//! | `system` | collectors of the machine and of the process (sysinfo) |
//! | `collectors` | `Collectors::from_config`: the common collectors as a configuration wants them; brings `runtime`, `serde`, `system` |
//! | `facade` | `facade`: a recorder for the crate `metrics`, so that libraries instrumented with it feed a registry |
//! | `prometheus` | `prometheus_bridge`: a registry of the crate `prometheus` read in, and ours as one of its collectors |
//! | `tracing` | `tracing_layer`: a layer of `tracing-subscriber` that turns spans into duration histograms |
//! | `otlp` | `push::Otlp`: all figures to a receiver of OTLP over HTTP (hyper, rustls, prost) |
//! | `push-gateway` | `push::PushGateway`: all figures to a Prometheus push gateway (hyper, rustls) |
#![forbid(unsafe_code)]

mod lanes;
mod line;
mod padded;

mod counter;
mod float_counter;
mod gauge;
mod histogram;
mod info;
mod native;
mod native_histogram;
mod state_set;
mod summary;
mod timer;

mod buckets;
mod callback;
mod exemplar;
mod family;
mod instrument;
mod label_set;
mod log_buckets;
mod metric;
mod native_buckets;
mod quantiles;
mod sketch;
mod summary_window;
mod total;
mod values;
mod wanted;

mod config;
mod error;
mod names;
mod registry;

mod collector;
pub mod collectors;
mod gather;
mod own_metrics;

mod history;
mod sample;
mod subscription;

#[cfg(feature = "runtime")]
mod grid;
#[cfg(feature = "runtime")]
mod readings;
#[cfg(feature = "runtime")]
mod sampler;
#[cfg(feature = "runtime")]
mod scheduled;

mod exposition;
#[cfg(any(feature = "otlp", feature = "push-gateway", feature = "remote-write"))]
pub mod push;
mod snapshot;

pub mod trading;

#[cfg(feature = "facade")]
pub mod facade;
#[cfg(any(feature = "facade", feature = "prometheus", feature = "tracing"))]
mod foreign_name;
#[cfg(feature = "prometheus")]
pub mod prometheus_bridge;
#[cfg(feature = "tracing")]
pub mod tracing_layer;

pub use bellwether_core::{BoundsError, Unit};

pub use crate::buckets::Buckets;
#[cfg(feature = "long-history")]
pub use crate::config::{
    DEFAULT_LONG_MAX_AGE, DEFAULT_RESOLUTION, LongHistoryConfig, MAX_SPANS_RANGE, RESOLUTION_RANGE,
};
pub use crate::config::{
    DEFAULT_MAX_AGE, DEFAULT_MAX_COLLECTORS, DEFAULT_MAX_METRICS, DEFAULT_MAX_SAMPLES, DEFAULT_MAX_SERIES,
    DEFAULT_MAX_SERIES_PER_METRIC, HistoryConfig, MAX_COLLECTORS_RANGE, MAX_IDLE_EXPIRY, MAX_MAX_AGE,
    MAX_METRICS_RANGE, MAX_SAMPLES_RANGE, MAX_SERIES_RANGE, MIN_IDLE_EXPIRY, MIN_MAX_AGE, RegistryConfig,
};
pub use crate::counter::Counter;
pub use crate::error::{Definition, RegistryError, SeriesError};
pub use crate::exemplar::{Exemplar, ExemplarError};
#[cfg(feature = "http")]
pub use crate::exposition::{DEFAULT_MAX_PAGES, MetricsHandler, MetricsPage, metrics_handler};
pub use crate::exposition::{Exposition, Format, NotText, TEXT_CONTENT_TYPE};
pub use crate::family::{
    CounterFamily, DynamicFamily, Family, FamilyOf, FloatCounterFamily, GaugeFamily, HistogramFamily,
    LabelPairs, LabelValues, NativeHistogramFamily, SummaryFamily,
};
pub use crate::float_counter::FloatCounter;
pub use crate::gauge::Gauge;
pub use crate::histogram::{Histogram, Observation};
pub use crate::history::{
    Answer, Confidence, Direction, Dropped, Ewma, InvalidConfidence, NoGrowth, Recent, RefusedSample, Series,
    Trend,
};
pub use crate::info::Info;
pub use crate::instrument::Instrument;
pub use crate::label_set::{LabelSet, LabelValue};
#[doc(hidden)]
pub use crate::label_set::{are_distinct, is_label_name};
pub use crate::lanes::LaneUse;
pub use crate::metric::OVERFLOW_LABEL;
pub use crate::native::NativeSnapshot;
pub use crate::native_buckets::{NativeBuckets, NativeBucketsError};
pub use crate::native_histogram::NativeHistogram;
pub use crate::own_metrics::{OWN_METRICS, OwnMetric};
pub use crate::quantiles::{Quantiles, QuantilesError};
#[cfg(feature = "runtime")]
pub use crate::readings::{MAX_UNDECLARED_METRICS, Readings};
pub use crate::registry::{CollectorSource, Registry};
#[cfg(feature = "runtime")]
pub use crate::sampler::{MAX_SAMPLE_INTERVAL, MIN_SAMPLE_INTERVAL, Sampler, SamplerError};
#[cfg(feature = "runtime")]
pub use crate::scheduled::{
    MAX_COLLECTOR_NAME_LEN, MAX_RUNNING_COLLECTORS, ScheduleError, ScheduledCollector, async_collector,
    collector,
};
pub use crate::sketch::{Sketch, SketchError};
pub use crate::snapshot::{FamilySnapshot, SeriesSnapshot, Snapshot, Value};
pub use crate::state_set::StateSet;
pub use crate::subscription::{
    MAX_SUBSCRIBERS, Received, SUBSCRIPTION_CAPACITY_RANGE, Selectors, SubscribeError, Subscription,
};
pub use crate::summary::Summary;
pub use crate::timer::{RecordTime, RunningTimer, Timer};
pub use crate::total::Total;

/// The README's quick start is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The code of the migration page is run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/migration.md")]
struct Migration;
