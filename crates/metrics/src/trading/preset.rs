//! What all metrics of a desk have in common: prefix, currency, buckets.

use std::time::Duration;

use bellwether_core::{MetricName, NameError};

use super::{FeedMetrics, OrderMetrics, PositionMetrics, QueueMetrics};
use crate::{Buckets, Registry, RegistryError, Unit};

/// What all metrics of a desk have in common, and the way to register them under other names than the plain ones.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::trading::Preset;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let desk = Preset::new().with_prefix("desk").with_currency(Unit::Other("eur".into()));
/// let orders = desk.orders(&metrics)?;
/// let positions = desk.positions(&metrics)?;
/// orders.sent.increment();
/// positions.at("momentum", "ESZ6").realised.add(125.0);
/// let page = metrics.text();
/// assert!(page.contains("\ndesk_orders_sent_total 1\n"));
/// assert!(page.contains("\ndesk_position_realised_pnl_eur{strategy=\"momentum\",symbol=\"ESZ6\"} 125\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    prefix: String,
    currency: Unit,
    latencies: Buckets,
    fill_ratio_window: Duration,
}

impl Preset {
    /// No prefix, US dollars, [`Buckets::latency`], and a fill ratio over the last five minutes.
    pub fn new() -> Self {
        Self {
            prefix: String::new(),
            currency: Unit::Usd,
            latencies: Buckets::latency(),
            fill_ratio_window: Duration::from_mins(5),
        }
    }

    /// Names begin with `prefix` and an underscore: two desks in one registry.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The currency that exposure, profit and loss are in; it ends their names.
    #[must_use]
    pub fn with_currency(mut self, currency: Unit) -> Self {
        self.currency = currency;
        self
    }

    /// Bounds in seconds for what lies between the host and a venue; those of [`Buckets::latency`] are for 10 us to 10 s.
    #[must_use]
    pub fn with_latency_buckets(mut self, bounds: Buckets) -> Self {
        self.latencies = bounds;
        self
    }

    /// How far `order_fill_ratio` looks back.
    #[must_use]
    pub fn with_fill_ratio_window(mut self, window: Duration) -> Self {
        self.fill_ratio_window = window;
        self
    }

    /// Registers the metrics of orders. Once per registry and prefix: the clones of what it returns share their figures.
    pub fn orders(&self, metrics: &Registry) -> Result<OrderMetrics, RegistryError> {
        OrderMetrics::register_as(self, metrics)
    }

    /// Registers the metrics of market data feeds. Once per registry and prefix.
    pub fn feeds(&self, metrics: &Registry) -> Result<FeedMetrics, RegistryError> {
        FeedMetrics::register_as(self, metrics)
    }

    /// Registers the metrics of positions. Once per registry and prefix.
    pub fn positions(&self, metrics: &Registry) -> Result<PositionMetrics, RegistryError> {
        PositionMetrics::register_as(self, metrics)
    }

    /// Registers the metrics of queues. Once per registry and prefix.
    pub fn queues(&self, metrics: &Registry) -> Result<QueueMetrics, RegistryError> {
        QueueMetrics::register_as(self, metrics)
    }

    /// A name with the prefix.
    pub(super) fn name(&self, name: &str) -> Result<MetricName, NameError> {
        match self.prefix.as_str() {
            "" => MetricName::new(name.to_owned()),
            prefix => MetricName::new(format!("{prefix}_{name}")),
        }
    }

    /// A name with prefix and currency.
    pub(super) fn money(&self, name: &str) -> Result<MetricName, NameError> {
        match self.currency.as_str() {
            "" => self.name(name),
            currency => self.name(&format!("{name}_{currency}")),
        }
    }

    pub(super) fn currency(&self) -> Unit {
        self.currency.clone()
    }

    pub(super) fn latencies(&self) -> Buckets {
        self.latencies.clone()
    }

    pub(super) fn fill_ratio_window(&self) -> Duration {
        self.fill_ratio_window
    }
}

impl Default for Preset {
    /// [`Preset::new`].
    fn default() -> Self {
        Self::new()
    }
}
