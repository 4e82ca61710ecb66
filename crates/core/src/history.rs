//! Reading samples of the past, a page at a time: what reports and pages ask.

use std::hash::BuildHasher;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Aggregate, CursorError, Labels, Page, PageRequest, Sample, Selector, TimeRange};

/// What to read of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryQuery {
    /// Which series.
    pub selector: Selector,
    /// From when to when.
    pub range: TimeRange,
    /// One point per step, made by an aggregate of the samples in it and stamped with the step's end; all
    /// samples as they are when there is no step.
    pub step: Option<(Duration, Aggregate)>,
}

impl HistoryQuery {
    /// All samples of the series in a range.
    pub fn new(selector: Selector, range: TimeRange) -> Self {
        Self { selector, range, step: None }
    }

    /// One point per step.
    #[must_use]
    pub fn every(mut self, step: Duration, aggregate: Aggregate) -> Self {
        self.step = Some((step, aggregate));
        self
    }

    /// A number that stands for the question, to tie cursors to it.
    pub fn check(&self) -> u64 {
        let step = self.step.map(|(step, aggregate)| (step, format!("{aggregate:?}")));
        let hasher = foldhash::quality::FixedState::with_seed(1);
        hasher.hash_one((&self.selector, self.range, step))
    }
}

/// A sample and the labels of its series.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeriesSample {
    /// Labels of the series.
    pub labels: Labels,
    /// The sample.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub sample: Sample,
}

/// Why the past cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The step is below the resolution of a [`Timestamp`](crate::Timestamp).
    #[error("step {0:?} is shorter than a microsecond")]
    Step(Duration),
    /// Whoever keeps the samples cannot answer now.
    #[error("history is unavailable: {reason}")]
    Unavailable {
        /// Why, without secrets.
        reason: String,
    },
}

/// Reads samples of the past, a page at a time.
///
/// Points come ordered by the labels of their series, then by time. Pages joined are the whole, also while new
/// samples arrive: a page never repeats or skips a sample that was there when the first page was read.
#[async_trait]
pub trait SampleHistory: Send + Sync {
    /// One page.
    async fn read(
        &self,
        query: &HistoryQuery,
        page: &PageRequest,
    ) -> Result<Page<SeriesSample>, HistoryError>;
}
