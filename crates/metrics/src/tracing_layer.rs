//! Spans of `tracing` as duration histograms.
//!
//! ```
//! use std::time::Duration;
//! use bellwether_metrics::tracing_layer::SpanTiming;
//! use tracing_subscriber::layer::SubscriberExt as _;
//! # use bellwether_core::ManualClock;
//! # use bellwether_metrics::{Registry, RegistryConfig};
//!
//! # let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
//! # let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
//! let timer = SpanTiming::new().with_fields(["venue"]).register(&metrics)?;
//! let subscriber = tracing_subscriber::registry().with(timer);
//! // a host says `subscriber.init()` instead
//! tracing::subscriber::with_default(subscriber, || {
//!     tracing::info_span!("place_order", venue = "XNYS").in_scope(|| clock.advance(Duration::from_millis(2)));
//! });
//! let page = metrics.text();
//! assert!(page.contains("\nspan_duration_seconds_sum{span=\"place_order\",venue=\"XNYS\"} 0.002\n"));
//! # Ok::<(), bellwether_metrics::RegistryError>(())
//! ```

mod fields;
mod span_timer;
mod span_timing;

pub use self::span_timer::SpanTimer;
pub use self::span_timing::{SpanTime, SpanTiming};
