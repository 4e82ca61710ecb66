//! What most hosts need: `use bellwether::prelude::*;`

pub use crate::Config;
#[cfg(feature = "health")]
pub use crate::OwnCheck;
pub use bellwether_core::{
    Aggregate, Clock, Collect, CollectError, Descriptor, HistoryQuery, HumanDuration, LabelName, Labels,
    Limit, ManualClock, MetricName, Page, PageRequest, RestartPolicy, Sample, SampleBatch, SampleHistory,
    SampleSink, SampleWindows, Secret, SecretSource, Selector, Severity, SharedClock, Supervisor,
    SystemClock, TimeRange, Timestamp, Unit, async_trait,
};

#[cfg(feature = "metrics")]
pub use bellwether_metrics::{Buckets, Counter, Family, Gauge, Histogram, Registry, RegistryConfig, Timer};

#[cfg(feature = "perf")]
pub use bellwether_perf::{
    Confidence, Conventions, Fill, PerformanceSheet, PerformanceSnapshot, PeriodsPerYear, Price, Quantity,
    Returns, RiskFree, Side, Tracker, Undefined,
};

#[cfg(feature = "alerts")]
pub use bellwether_alerts::{
    Alert, AlertChannel, AlertHandle, AlertHistory, Alerts, ChannelName, Notification, Receipt, SendError,
    rules::{Rule, RuleBuilder},
};

#[cfg(feature = "webhook")]
pub use bellwether_channels::Webhook;
#[cfg(feature = "channels")]
pub use bellwether_channels::{Console, JsonLinesFile};

#[cfg(feature = "store")]
pub use bellwether_store::{Store, StoreConfig};

#[cfg(feature = "health")]
pub use bellwether_health::{FeedFresh, FigureWithin, Health, HealthCheck, HealthMonitor, Probe, check};
