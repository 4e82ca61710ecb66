//! A registry on a clock that the test moves.

use std::ops::Deref;
use std::time::Duration;

use bellwether_core::{
    Aggregate, ManualClock, MetricName, SampleWindows, Selector, SeriesValue, TimeRange, Timestamp,
};
use bellwether_metrics::{Registry, RegistryConfig};
use chrono::DateTime;

/// A registry on a clock that the test moves, from 2023-11-14T22:13:20Z.
pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) metrics: Registry,
}

impl Deref for Desk {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.metrics
    }
}

pub(crate) const START: i64 = 1_700_000_000;

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(RegistryConfig::default())
    }

    pub(crate) fn with(config: RegistryConfig) -> Self {
        let clock = ManualClock::starting_at(DateTime::from_timestamp(START, 0).unwrap());
        let metrics = Registry::new(&clock.shared(), config);
        Self { clock, metrics }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.shared().timestamp()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The aggregate of everything up to now, of every series of a metric.
    pub(crate) fn all(&self, name: &str, aggregate: Aggregate) -> Vec<SeriesValue> {
        let mut out = Vec::new();
        self.windows().aggregate(&selector(name), TimeRange::until(self.now()), aggregate, &mut out);
        out
    }

    /// The same of the one series there is.
    pub(crate) fn one(&self, name: &str, aggregate: Aggregate) -> Option<f64> {
        let all = self.all(name, aggregate);
        assert!(all.len() <= 1, "{all:?}");
        all.first().map(|answer| answer.value)
    }

    /// The same of each of `n` series, which all have the same.
    pub(crate) fn one_of(&self, name: &str, aggregate: Aggregate, n: usize) -> f64 {
        let all = self.all(name, aggregate);
        assert_eq!(all.len(), n, "{all:?}");
        assert!(all.windows(2).all(|pair| pair[0].value == pair[1].value), "{all:?}");
        all[0].value
    }

    /// The value of one of the registry's own metrics.
    pub(crate) fn own(&self, name: &str, reason: Option<&str>) -> f64 {
        let mut selector = selector(name);
        if let Some(reason) = reason {
            selector = selector.equal("reason".try_into().unwrap(), reason);
        }
        self.value(&selector).unwrap().as_f64().unwrap()
    }

    pub(crate) fn refused(&self, reason: &str) -> f64 {
        self.own("bellwether_metrics_refused_total", Some(reason))
    }

    pub(crate) fn evicted(&self, reason: &str) -> f64 {
        self.own("bellwether_metrics_history_evicted_total", Some(reason))
    }
}

pub(crate) fn selector(name: &str) -> Selector {
    Selector::metric(MetricName::new(name.to_owned()).unwrap())
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds).unwrap()
}
