//! Alert rules, routing, grouping and reliable delivery as a deterministic state machine.
//!
//! [`rules`] judge recent samples and raise alerts; a host raises its own through an [`AlertHandle`]. The [`engine`] leads each
//! alert through a [`RouteTree`] to its groups and decides who must be told what, and when: it has no clock, no task, no lock
//! and no I/O, so years of alerts replay in seconds. A notification is stored in an [`Outbox`] before it is sent; one courier for each
//! [`AlertChannel`] delivers it at least once, with rate limit, circuit breaker, deadline and retry, and what cannot be delivered
//! is a dead letter. [`AlertHistory`] and [`NotificationLog`] remember what happened and who was told. [`Alerts`] is all of it together.
//!
//! ```
//! use std::time::Duration;
//!
//! use bellwether_alerts::config::AlertsConfig;
//! use bellwether_alerts::rules::Rule;
//! use bellwether_alerts::testing::RecordingChannel;
//! use bellwether_alerts::{Alerts, ChannelName};
//! use bellwether_core::{Aggregate, Clock, Labels, ManualClock, SampleWindows, Selector, SeriesValue, Severity, TimeRange};
//! use chrono::DateTime;
//!
//! // Where samples come from: a metrics registry, or as here anything that answers for the recent past.
//! struct Drawdown;
//! impl SampleWindows for Drawdown {
//!     fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
//!         out.push(SeriesValue { labels: Labels::empty(), value: 0.07, newest: range.end() });
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH); // a desk takes `SystemClock::shared()`
//! let pager = RecordingChannel::new(ChannelName::new("pager")?);
//! let alerts = Alerts::builder(&clock.shared(), AlertsConfig::default())
//!     .watch(Drawdown)
//!     .rule(Rule::above("desk_drawdown_ratio", 0.05).clear_below(0.03).for_("2m").severity(Severity::Critical))
//!     .channel(pager.clone())
//!     .build()?; // or everything that is wrong, at once
//!
//! for _ in 0..20 {
//!     alerts.run_due().await; // a desk calls `alerts.start(&supervisor)` instead
//!     clock.advance(Duration::from_secs(15));
//! }
//! assert_eq!(pager.titles(), ["[FIRING 1] critical DeskDrawdownRatioAbove"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! | --- | --- |
//! | `runtime` (default) | couriers and [`Alerts`]: tokio |
//! | `serde` | alerts, notifications and configuration as data; the configuration is a section that the loader reads |
//! | `testing` | `testing`: a channel that records, and kits that every channel and every outbox should pass |
//!
//! Without features there are rules, routes, engine, the traits and their forms in memory, and no async runtime.
#![forbid(unsafe_code)]

pub mod rules;
mod template;

mod alert;
#[cfg(feature = "runtime")]
mod alert_handle;
mod annotations;
mod name;

pub mod config;
pub mod engine;
mod group;
mod matcher;
mod pattern;
mod route;

mod idempotency_key;
mod notification;

mod alert_history;
mod notification_log;
mod outbox;
mod repository;

mod channel;
#[cfg(feature = "runtime")]
mod courier;

#[cfg(feature = "runtime")]
mod alerts;
#[cfg(feature = "runtime")]
mod own_metrics;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::alert::{ALERT_NAME, Alert, AlertBuilder, AlertError, AlertState, SEVERITY};
#[cfg(feature = "runtime")]
pub use crate::alert_handle::{AlertHandle, PreparedAlert};
pub use crate::alert_history::{AlertChange, AlertHistory, AlertQuery, MemoryAlertHistory};
#[cfg(feature = "runtime")]
pub use crate::alerts::{
    Alerts, AlertsBuilder, AlertsStatus, CloseReport, NotifyError, UnclosedChannel, UndeliveredChannel,
};
pub use crate::annotations::{
    Annotations, AnnotationsError, MAX_ANNOTATION_LEN, MAX_ANNOTATION_NAME_LEN, MAX_ANNOTATIONS,
};
pub use crate::channel::{AlertChannel, Receipt, SendError};
#[cfg(feature = "runtime")]
pub use crate::courier::{ChannelCounts, ChannelState, ChannelStatus};
pub use crate::group::GroupKey;
pub use crate::idempotency_key::{IdempotencyKey, IdempotencyKeyError};
pub use crate::matcher::{MatchOp, Matcher, MatcherError};
pub use crate::name::{Category, ChannelName, MAX_NAME_LEN, NameError, ReceiverName};
pub use crate::notification::{Notification, NotificationKind, Truncated};
pub use crate::notification_log::{
    DeliveryOutcome, MemoryNotificationLog, NotificationLog, NotificationQuery, NotificationRecord,
};
pub use crate::outbox::{Claim, DeadLetter, Delivery, MemoryOutbox, Outbox};
pub use crate::repository::RepositoryError;
pub use crate::route::{GroupBy, Route, RouteId, RouteTree};

/// `#[async_trait]`, for implementing the asynchronous traits of this crate.
pub use async_trait::async_trait;
