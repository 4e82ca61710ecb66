//! Embedded SQLite storage for alerts, samples and snapshots.
//!
//! A desk's alerts, samples and snapshots survive a restart in one file, without a server. What the store has acknowledged is
//! committed and synchronised to the disk, but for claims and settlements of deliveries, and records of what was delivered: those
//! outlive a crash of the process, and after a power cut may be undone, as if the attempt had not been made.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use bellwether_core::{
//!     Descriptor, HistoryQuery, Labels, MetricName, PageRequest, SampleBatch, SampleHistory, SeriesKey, SystemClock, TimeRange,
//!     Timestamp, Unit,
//! };
//! use bellwether_store::{Store, StoreConfig};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("desk.db");
//! let clock = SystemClock::shared();
//! let store = Store::open(&StoreConfig::file(path), &clock).await?;
//!
//! let price = Arc::new(SeriesKey {
//!     descriptor: Arc::new(Descriptor::gauge(MetricName::new("price_usd")?, Unit::Usd, "Last price")),
//!     labels: Labels::new([("symbol", "ESZ6")])?,
//! });
//! let at = Timestamp::from_seconds(1_700_000_000)?;
//! store.samples().push(SampleBatch { at, values: vec![(price, 4_512.25)] }); // never waits
//! store.samples().flush().await?;                                            // durable from here on
//!
//! let query = HistoryQuery::new(MetricName::new("price_usd")?.into(), TimeRange::until(at));
//! let page = store.samples().read(&query, &PageRequest::default()).await?;
//! assert_eq!(page.items[0].sample.value, 4_512.25);
//!
//! store.close(Duration::from_secs(10)).await.into_result()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! All are on by default.
//!
//! | feature | brings |
//! | --- | --- |
//! | `alerts` | [`StoredAlerts`]: outbox, notification log and alert history, for bellwether-alerts |
//! | `samples` | [`StoredSamples`]: samples, read back as a [`SampleHistory`](bellwether_core::SampleHistory) |
//! | `snapshots` | [`StoredSnapshots`]: documents by scope, period and instant |
#![forbid(unsafe_code)]
#![cfg_attr(
    not(any(feature = "alerts", feature = "samples", feature = "snapshots")),
    allow(dead_code, reason = "a store that keeps nothing only opens and closes")
)]

mod config;
mod database_url;
mod error;
mod own_metrics;
mod store;

#[cfg(feature = "alerts")]
mod alerts;
#[cfg(feature = "samples")]
mod samples;
#[cfg(feature = "snapshots")]
mod snapshots;

mod sqlite;

#[cfg(feature = "alerts")]
pub use crate::alerts::StoredAlerts;
pub use crate::config::{
    AlertConfig, BUSY_TIMEOUT_RANGE, FLUSH_BATCHES_RANGE, MAX_AGE_RANGE, MAX_SERIES_RANGE, MIN_MAX_BYTES,
    QUEUE_RANGE, READERS_RANGE, ROWS_RANGE, SAMPLE_QUEUE_RANGE, SampleConfig, SnapshotConfig, StoreConfig,
    TIMEOUT_RANGE,
};
pub use crate::database_url::{DatabaseUrl, DatabaseUrlError};
pub use crate::error::StoreError;
#[cfg(feature = "samples")]
pub use crate::samples::StoredSamples;
#[cfg(feature = "snapshots")]
pub use crate::snapshots::{Snapshot, SnapshotQuery, StoredSnapshots};
pub use crate::store::{CloseError, CloseReport, ConnectionStats, Store, StoreCheck};

#[cfg(all(doctest, feature = "snapshots"))]
#[doc = include_str!("../README.md")]
mod readme {}
