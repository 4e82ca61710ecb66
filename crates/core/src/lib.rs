//! The shared vocabulary of the Bellwether monitoring libraries.
//!
//! Everything that two crates must agree on lives here, and nothing else: names and [`Labels`], [`Timestamp`]
//! and [`Sample`], [`Severity`], the [`Clock`] that is injected wherever time is needed, how a part tells its
//! figures ([`Collect`]) and how they are read back ([`SampleWindows`], [`SampleHistory`], [`Page`]), how
//! people write durations and percentages, the resilience machines, and behind features the configuration
//! loader, [secrets](#features) and the supervisor of tasks.
//!
//! ```
//! use bellwether_core::{Labels, Sample, Severity, Timestamp};
//!
//! let labels = Labels::new([("strategy", "momentum"), ("venue", "XNYS")])?;
//! let sample = Sample::new(Timestamp::from_seconds(1_000_000_000)?, 0.034);
//! assert_eq!(sample.at.to_string(), "2001-09-09T01:46:40Z");
//! assert_eq!(labels.get("venue"), Some("XNYS"));
//! assert!(Severity::Critical > Severity::Warning);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None is on by default; without features there is no async runtime and no serde among the dependencies.
//!
//! | feature | brings |
//! | --- | --- |
//! | `serde` | `Serialize` and `Deserialize` for the vocabulary |
//! | `runtime` | the `Supervisor` of tasks, waits on a clock, and `Blocking` (tokio) |
//! | `config` | the configuration loader (TOML, environment) |
//! | `secret` | `Secret`, its sources, and masked URLs |
#![forbid(unsafe_code)]

mod batch;
#[cfg(feature = "runtime")]
mod blocking;
mod clock;
mod collect;
pub mod config;
mod descriptor;
mod fingerprint;
mod history;
mod human_duration;
mod labels;
#[cfg(feature = "secret")]
mod masked_url;
mod name;
mod page;
mod quantile;
mod ratio;
pub mod resilience;
mod sample;
#[cfg(feature = "secret")]
mod secret;
mod selector;
mod severity;
mod spread;
mod summary;
#[cfg(feature = "runtime")]
mod supervisor;
mod tally;
mod time_range;
mod timestamp;
#[cfg(feature = "secret")]
mod url_source;
mod windows;

pub use crate::batch::{SampleBatch, SeriesKey};
#[cfg(feature = "runtime")]
pub use crate::blocking::{Blocking, BlockingError};
pub use crate::clock::{Clock, ManualClock, Monotonic, SharedClock, SystemClock};
#[cfg(feature = "runtime")]
pub use crate::clock::{Elapsed, Sleep};
pub use crate::collect::{Collect, CollectError, SampleSink};
pub use crate::descriptor::{Descriptor, Kind, Unit};
pub use crate::fingerprint::{Fingerprint, FingerprintError};
pub use crate::history::{HistoryError, HistoryQuery, SampleHistory, SeriesSample};
pub use crate::human_duration::{HumanDuration, HumanDurationError, IntoDuration};
pub use crate::labels::{Labels, LabelsError, MAX_LABEL_VALUE_LEN, MAX_LABELS};
#[cfg(feature = "secret")]
pub use crate::masked_url::{MAX_URL_LEN, MaskedUrl, MaskedUrlError};
pub use crate::name::{LabelName, MAX_NAME_LEN, MetricName, NameError, NameGrammar};
pub use crate::page::{Cursor, CursorError, Limit, LimitError, Page, PageRequest};
pub use crate::quantile::{quantile, quantiles};
pub use crate::ratio::{Ratio, RatioError};
pub use crate::sample::Sample;
#[cfg(feature = "secret")]
pub use crate::secret::{
    MAX_SECRET_LEN, REDACTED, Secret, SecretError, SecretProvider, SecretProviderError, SecretProviders,
    SecretSource, looks_secret,
};
pub use crate::selector::{LabelTest, Selector};
pub use crate::severity::{Severity, SeverityError};
pub use crate::spread::{BoundsError, Spread, SpreadSnapshot};
pub use crate::summary::SummarySnapshot;
#[cfg(feature = "runtime")]
pub use crate::supervisor::{
    FailedTask, MAX_TASK_NAME_LEN, RestartPolicy, ShutdownError, ShutdownReport, SpawnError, Stop,
    StopSource, Supervisor, Task, TaskEnd, TaskOutput, TaskState, TaskStatus, Tasks, UnfinishedTask,
};
pub use crate::tally::Tally;
pub use crate::time_range::{TimeRange, TimeRangeError};
pub use crate::timestamp::{Timestamp, TimestampError};
#[cfg(feature = "secret")]
pub use crate::url_source::{UrlSource, UrlSourceError};
pub use crate::windows::{Aggregate, SampleWindows, SeriesValue};

/// `#[async_trait]`, for implementing the asynchronous traits of Bellwether.
pub use async_trait::async_trait;

/// The quick start of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
