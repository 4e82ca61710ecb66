//! The values as they stand, for hosts and tests to read.

use std::sync::Arc;

use bellwether_core::{Descriptor, Labels, MetricName, Selector, SpreadSnapshot, SummarySnapshot, Timestamp};

use crate::NativeSnapshot;
use crate::exemplar::{Exemplar, Exemplars};
use crate::gather::{SeriesView, Visit};
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
    /// Since when it counts, where that is known.
    pub created: Option<Timestamp>,
    /// Its exemplars; of a histogram by the number of their bucket.
    pub exemplars: Vec<(usize, Exemplar)>,
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
    /// The buckets of a native histogram.
    Native(NativeSnapshot),
    /// The quantiles of a summary.
    Summary(SummarySnapshot),
}

impl Value {
    /// The total of a counter or the value of a gauge.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Counter(total) => Some(total.as_f64()),
            Self::Gauge(value) => Some(*value),
            Self::Histogram(_) | Self::Native(_) | Self::Summary(_) => None,
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

    fn series(&mut self, series: SeriesView<'_>) {
        let places;
        let value = match series.reading {
            Reading::Counter(total) => {
                places = 1;
                Value::Counter(total)
            }
            Reading::Gauge(value) => {
                places = 0;
                Value::Gauge(value)
            }
            Reading::Histogram { buckets, counts, sum } => {
                places = counts.len();
                Value::Histogram(SpreadSnapshot {
                    bounds: buckets.bounds().into(),
                    counts: counts.into(),
                    sum,
                })
            }
            Reading::Native { schema, zero_threshold, zero_count, positive, negative, sum } => {
                places = Exemplars::OF_NATIVE;
                Value::Native(NativeSnapshot {
                    schema,
                    zero_threshold,
                    zero_count,
                    positive: positive.into(),
                    negative: negative.into(),
                    sum,
                })
            }
            Reading::Summary { quantiles, count, sum } => {
                places = 0;
                Value::Summary(SummarySnapshot { quantiles: quantiles.into(), count, sum })
            }
        };
        let exemplars = match series.exemplars {
            Some(kept) => (0..places).filter_map(|at| Some((at, kept.get(at)?))).collect(),
            None => Vec::new(),
        };
        if let Some(family) = self.families.last_mut() {
            let labels = series.key.labels.clone();
            family.series.push(SeriesSnapshot { labels, value, created: series.created, exemplars });
        }
    }
}
