//! The values as they stand, for hosts and tests to read.

use std::sync::Arc;

use bellwether_core::{Descriptor, Labels, MetricName, Selector, SeriesKey, SpreadSnapshot, Timestamp};

use crate::gather::Visit;
use crate::history::Track;
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// All values of a registry at one moment: families in the order of their names, series in that of their labels.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// The metrics that have a series with a value.
    pub families: Vec<FamilySnapshot>,
}

/// All values of one metric.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FamilySnapshot {
    /// Name, kind, unit and help.
    pub descriptor: Arc<Descriptor>,
    /// The series, in the order of their labels.
    pub series: Vec<SeriesSnapshot>,
}

/// The value of one series.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesSnapshot {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: Value,
}

/// What a series has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// The total of a counter.
    Counter(Total),
    /// The value of a gauge; finite.
    Gauge(f64),
    /// The buckets of a histogram.
    Histogram(SpreadSnapshot),
}

impl Value {
    /// The total of a counter or the value of a gauge.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Counter(total) => Some(total.as_f64()),
            Self::Gauge(value) => Some(*value),
            Self::Histogram(_) => None,
        }
    }
}

impl Snapshot {
    /// The metric of this name, if it has a value.
    pub fn family(&self, name: &MetricName) -> Option<&FamilySnapshot> {
        let at = self.families.binary_search_by(|family| family.descriptor.name.cmp(name)).ok()?;
        self.families.get(at)
    }

    /// The series that are meant.
    pub fn series<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = &'a SeriesSnapshot> {
        let family = self.family(selector.metric_name());
        family.into_iter().flat_map(|family| &family.series).filter(|series| selector.matches(&series.labels))
    }

    /// The value of the one series that is meant; nothing if there is none, or more than one.
    pub fn value(&self, selector: &Selector) -> Option<&Value> {
        let series = &self.family(selector.metric_name())?.series;
        let mut meant = series.iter().filter(|series| selector.matches(&series.labels));
        let only = meant.next()?;
        meant.next().is_none().then_some(&only.value)
    }
}

impl Visit for Snapshot {
    fn family(&mut self, declared: &Declared) {
        self.families
            .push(FamilySnapshot { descriptor: Arc::clone(&declared.descriptor), series: Vec::new() });
    }

    fn series(
        &mut self,
        key: &Arc<SeriesKey>,
        _: &str,
        reading: Reading<'_>,
        _: &mut [Option<Arc<Track>>; 2],
    ) {
        let value = match reading {
            Reading::Counter(total) => Value::Counter(total),
            Reading::Gauge(value) => Value::Gauge(value),
            Reading::Histogram { buckets, counts, sum } => Value::Histogram(SpreadSnapshot {
                bounds: buckets.bounds().into(),
                counts: counts.into(),
                sum,
            }),
        };
        if let Some(family) = self.families.last_mut() {
            family.series.push(SeriesSnapshot { labels: key.labels.clone(), value });
        }
    }
}
