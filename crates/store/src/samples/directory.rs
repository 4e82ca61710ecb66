//! Which series there are.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bellwether_core::{Labels, MetricName, Selector, SeriesKey};
use hashbrown::HashMap;

/// The series of a store by their number, and by metric and labels. As many as are configured, at most.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    metrics: HashMap<MetricName, Metric>,
    keys: HashMap<i64, Arc<SeriesKey>>,
}

#[derive(Debug, Default)]
struct Metric {
    numbers: HashMap<Labels, i64>,
    sorted: BTreeMap<Labels, i64>,
}

impl Directory {
    pub(crate) fn insert(&mut self, number: i64, key: Arc<SeriesKey>) {
        let metric = self.metrics.entry(key.descriptor.name.clone()).or_default();
        metric.numbers.insert(key.labels.clone(), number);
        metric.sorted.insert(key.labels.clone(), number);
        self.keys.insert(number, key);
    }

    pub(crate) fn remove(&mut self, number: i64) {
        let Some(key) = self.keys.remove(&number) else { return };
        let Some(metric) = self.metrics.get_mut(&key.descriptor.name) else { return };
        metric.numbers.remove(&key.labels);
        metric.sorted.remove(&key.labels);
        if metric.sorted.is_empty() {
            self.metrics.remove(&key.descriptor.name);
        }
    }

    /// The number of a series. O(1).
    pub(crate) fn number(&self, key: &SeriesKey) -> Option<i64> {
        self.metrics.get(&key.descriptor.name)?.numbers.get(&key.labels).copied()
    }

    pub(crate) fn key(&self, number: i64) -> Option<&Arc<SeriesKey>> {
        self.keys.get(&number)
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The first series that is meant, in the order of labels, from a bound on.
    pub(crate) fn next(&self, selector: &Selector, from: Bound<&Labels>) -> Option<(Arc<SeriesKey>, i64)> {
        let metric = self.metrics.get(selector.metric_name())?;
        let mut series = metric.sorted.range((from, Bound::Unbounded));
        let (_, number) = series.find(|(labels, _)| selector.matches(labels))?;
        Some((Arc::clone(self.keys.get(number)?), *number))
    }
}
