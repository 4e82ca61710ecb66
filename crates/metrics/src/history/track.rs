//! One series of the history, shared by the sampler and readers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::{Aggregate, Labels, SeriesKey, TimeRange, Timestamp, quantile};
use parking_lot::{Mutex, MutexGuard};

use super::series::Series;

/// One series of the history, shared by the sampler and readers.
#[derive(Debug)]
pub(crate) struct Track {
    key: Arc<SeriesKey>,
    series: Mutex<Series>,
    /// No longer in the index: whoever still holds it must look again.
    retired: AtomicBool,
}

impl Track {
    pub(crate) fn new(key: Arc<SeriesKey>, series: Series) -> Self {
        Self { key, series: Mutex::new(series), retired: AtomicBool::new(false) }
    }

    pub(crate) fn key(&self) -> &Arc<SeriesKey> {
        &self.key
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.key.labels
    }

    /// The samples, for as long as it takes to append or to read an aggregate.
    pub(crate) fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock()
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// An aggregate and the newest sample that went into it. Quantiles are selected outside of the lock, in `scratch`.
    pub(crate) fn aggregate(
        &self,
        range: TimeRange,
        aggregate: Aggregate,
        scratch: &mut Vec<f64>,
    ) -> Option<(f64, Timestamp)> {
        let Aggregate::Quantile(q) = aggregate else {
            return self.series().aggregate_with_newest(range, aggregate);
        };
        let newest = self.series().values(range, scratch)?;
        Some((quantile(scratch, q)?, newest))
    }
}
