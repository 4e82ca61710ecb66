//! What the desk's hot path touches: handles, no lock, no allocation.

use bellwether::metrics::{CounterFamily, HistogramFamily, RegistryError};
use bellwether::prelude::*;

/// The metrics of orders, by strategy.
pub(crate) struct OrderMetrics {
    sent: CounterFamily<1>,
    acknowledged: HistogramFamily<1>,
    rejected: CounterFamily<2>,
}

/// The handles of one strategy.
pub(crate) struct StrategyOrders {
    pub(crate) sent: Counter,
    pub(crate) acknowledged: Histogram,
    rejected: CounterFamily<2>,
    strategy: String,
}

impl OrderMetrics {
    pub(crate) fn register(metrics: &Registry) -> Result<Self, RegistryError> {
        Ok(Self {
            sent: metrics.counter_family(
                "desk_orders_sent_total",
                Unit::None,
                "Orders sent.",
                ["strategy"],
            )?,
            acknowledged: metrics.histogram_family(
                "desk_order_ack_seconds",
                Unit::Seconds,
                "Order to acknowledgement, in simulated time.",
                ["strategy"],
                Buckets::latency(),
            )?,
            rejected: metrics.counter_family(
                "desk_orders_rejected_total",
                Unit::None,
                "Orders that the venue refused.",
                ["strategy", "reason"],
            )?,
        })
    }

    pub(crate) fn of(&self, strategy: &str) -> StrategyOrders {
        StrategyOrders {
            sent: self.sent.with(strategy),
            acknowledged: self.acknowledged.with(strategy),
            rejected: self.rejected.clone(),
            strategy: strategy.to_owned(),
        }
    }
}

impl StrategyOrders {
    pub(crate) fn rejected(&self, reason: &str) -> Counter {
        self.rejected.with([self.strategy.as_str(), reason])
    }
}
