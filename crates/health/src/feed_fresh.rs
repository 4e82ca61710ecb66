//! Is a feed still giving data?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{Aggregate, HumanDuration, SampleWindows, Selector, SharedClock, TimeRange, Unit};

use crate::{Health, HealthCheck};

/// Fails when a series that a feed drives has had no sample for too long.
///
/// Looks at the newest sample of every series that is meant and that the windows still hold; the oldest of these
/// decides. No sample at all is a failure too: a feed that never spoke is not fresh. A series that has left the
/// windows because of their greatest age is no longer seen: let them reach back much further than the limit.
pub struct FeedFresh {
    name: String,
    windows: Arc<dyn SampleWindows>,
    clock: SharedClock,
    selector: Selector,
    limit: Duration,
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
        }
    }
}

#[async_trait]
impl HealthCheck for FeedFresh {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Health {
        let now = self.clock.timestamp();
        let mut newest = Vec::new();
        let range = TimeRange::until(now);
        self.windows.aggregate(&self.selector, range, Aggregate::Last, &mut newest);
        let Some(oldest) = newest.into_iter().min_by_key(|series| series.newest) else {
            return Health::fail(format!("no sample of {}", self.selector));
        };
        let age = now.saturating_since(oldest.newest);
        let health = if age > self.limit {
            Health::fail(format!(
                "newest sample of {}{} is {} old, more than {}",
                self.selector.metric_name(),
                oldest.labels,
                HumanDuration::from(age),
                HumanDuration::from(self.limit)
            ))
        } else {
            Health::pass()
        };
        health.observing(age.as_secs_f64(), &Unit::Seconds)
    }
}
