//! Is a feed still giving data?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{
    Aggregate, HumanDuration, Labels, SampleWindows, Selector, SharedClock, TimeRange, Timestamp, Unit,
};
use parking_lot::Mutex;

use crate::{Health, HealthCheck};

/// Most series that are remembered after the windows have forgotten them.
const MAX_REMEMBERED: usize = 10_000;

/// Fails when a series that a feed drives has had no sample for too long.
///
/// Looks at the newest sample of every series that is meant; the oldest of these decides. No sample at all is a failure too: a
/// feed that never spoke is not fresh. A series that was seen once and has left the windows since, because it has been silent
/// for longer than they reach back, is still known with the time of its last sample, up to 10,000 of them, and counts until
/// it speaks again or [`forgetting_after`](Self::forgetting_after) lets it go. What was known is lost with the process.
///
/// When the clock is set back behind the last sample of a series, that sample counts as one of now: a feed that is dead has
/// failed one limit later.
pub struct FeedFresh {
    name: String,
    windows: Arc<dyn SampleWindows>,
    clock: SharedClock,
    selector: Selector,
    limit: Duration,
    forget_after: Option<Duration>,
    /// The newest sample of every series that was ever seen.
    seen: Mutex<BTreeMap<Labels, Timestamp>>,
}

impl std::fmt::Debug for FeedFresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedFresh")
            .field("name", &self.name)
            .field("selector", &self.selector)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl FeedFresh {
    /// Checks that every series of `selector` has a sample that is not older than `limit`.
    pub fn new(
        name: impl Into<String>,
        clock: &SharedClock,
        windows: Arc<dyn SampleWindows>,
        selector: impl Into<Selector>,
        limit: Duration,
    ) -> Self {
        Self {
            name: name.into(),
            windows,
            clock: SharedClock::clone(clock),
            selector: selector.into(),
            limit,
            forget_after: None,
            seen: Mutex::default(),
        }
    }

    /// Lets a series go that has had no sample for longer than this, such as that of an instrument which is no longer traded.
    /// Without this each counts for as long as the process lives.
    #[must_use]
    pub fn forgetting_after(mut self, silence: Duration) -> Self {
        self.forget_after = Some(silence);
        self
    }

    /// The series that has been silent for longest, and its last sample.
    fn oldest(&self, now: Timestamp) -> Option<(Labels, Timestamp)> {
        let mut held = Vec::new();
        self.windows.aggregate(&self.selector, TimeRange::until(now), Aggregate::Last, &mut held);
        let mut seen = self.seen.lock();
        // What is known from when the clock was ahead would pass as fresh until the clock has come there again.
        for newest in seen.values_mut() {
            *newest = now.min(*newest);
        }
        seen.extend(held.into_iter().map(|series| (series.labels, series.newest)));
        if let Some(silence) = self.forget_after {
            seen.retain(|_, newest| now.saturating_since(*newest) <= silence);
        }
        let oldest = seen.iter().min_by_key(|(_, newest)| **newest);
        let oldest = oldest.map(|(labels, newest)| (labels.clone(), *newest));
        if seen.len() > MAX_REMEMBERED {
            // The windows still hold those that have spoken last.
            let mut newest: Vec<_> = seen.iter().map(|(labels, newest)| (*newest, labels.clone())).collect();
            newest.sort_unstable();
            for (_, labels) in newest.drain(MAX_REMEMBERED..) {
                seen.remove(&labels);
            }
        }
        oldest
    }
}

#[async_trait]
impl HealthCheck for FeedFresh {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Health {
        let now = self.clock.timestamp();
        let Some((labels, newest)) = self.oldest(now) else {
            return Health::fail(format!("no sample of {}", self.selector));
        };
        let age = now.saturating_since(newest);
        let health = if age > self.limit {
            Health::fail(format!(
                "newest sample of {}{labels} is {} old, more than {}",
                self.selector.metric_name(),
                HumanDuration::from(age),
                HumanDuration::from(self.limit)
            ))
        } else {
            Health::pass()
        };
        health.observing(age.as_secs_f64(), &Unit::Seconds)
    }
}
