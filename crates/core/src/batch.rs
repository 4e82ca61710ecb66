//! All series sampled at one instant.

use std::sync::Arc;

use crate::{Descriptor, Labels, Sample, Timestamp};

/// Which series: what is measured, and the labels of this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// What is measured.
    pub descriptor: Arc<Descriptor>,
    /// The labels of this series.
    pub labels: Labels,
}

/// All series sampled at one instant: what a sampler makes at each tick, and what a store keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleBatch {
    /// The instant that all samples bear.
    pub at: Timestamp,
    /// A finite value per series; each series at most once.
    pub values: Vec<(Arc<SeriesKey>, f64)>,
}

impl SampleBatch {
    /// Without samples so far.
    pub fn new(at: Timestamp) -> Self {
        Self { at, values: Vec::new() }
    }

    /// Each series with its sample.
    pub fn samples(&self) -> impl Iterator<Item = (&SeriesKey, Sample)> {
        self.values.iter().map(|(key, value)| (&**key, Sample::new(self.at, *value)))
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
