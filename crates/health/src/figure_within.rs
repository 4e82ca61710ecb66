//! Does a figure stay below its bounds?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{Aggregate, SampleWindows, Selector, SharedClock, TimeRange, Unit};

use crate::health::readable;
use crate::{Health, HealthCheck};

/// The two bounds contradict one another, or are no numbers.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "bounds of a figure: warn above {warn_above}, fail above {fail_above}; expected finite numbers, the first not above the second"
)]
pub struct FigureBoundsError {
    /// Where the warning was to begin.
    pub warn_above: f64,
    /// Where the failure was to begin.
    pub fail_above: f64,
}

/// Warns or fails when the newest value of a figure is above a bound: dead letters, queue depth, a drawdown.
///
/// Looks at every series that is meant; the largest value decides. A figure without a sample within `max_age` is a
/// warning: it cannot be judged.
pub struct FigureWithin {
    name: String,
    windows: Arc<dyn SampleWindows>,
    clock: SharedClock,
    selector: Selector,
    unit: Unit,
    warn_above: f64,
    fail_above: f64,
    max_age: Duration,
}

impl std::fmt::Debug for FigureWithin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FigureWithin")
            .field("name", &self.name)
            .field("selector", &self.selector)
            .field("warn_above", &self.warn_above)
            .field("fail_above", &self.fail_above)
            .finish_non_exhaustive()
    }
}

impl FigureWithin {
    /// Warns above `warn_above` and fails above `fail_above`.
    pub fn new(
        name: impl Into<String>,
        clock: &SharedClock,
        windows: Arc<dyn SampleWindows>,
        selector: impl Into<Selector>,
        warn_above: f64,
        fail_above: f64,
    ) -> Result<Self, FigureBoundsError> {
        if !warn_above.is_finite() || !fail_above.is_finite() || warn_above > fail_above {
            return Err(FigureBoundsError { warn_above, fail_above });
        }
        Ok(Self {
            name: name.into(),
            windows,
            clock: SharedClock::clone(clock),
            selector: selector.into(),
            unit: Unit::None,
            warn_above,
            fail_above,
            max_age: Duration::from_mins(5),
        })
    }

    /// The unit to tell beside the value.
    #[must_use]
    pub fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// How old the newest value may be; 5 min when not said.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }
}

#[async_trait]
impl HealthCheck for FigureWithin {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Health {
        let mut newest = Vec::new();
        let range = TimeRange::ending(self.clock.timestamp(), self.max_age);
        self.windows.aggregate(&self.selector, range, Aggregate::Last, &mut newest);
        let Some(largest) = newest.into_iter().max_by(|a, b| a.value.total_cmp(&b.value)) else {
            return Health::warn(format!("no recent value of {}", self.selector));
        };
        let figure = || format!("{}{}", self.selector.metric_name(), largest.labels);
        let tell = |bound: f64| format!("{} is {}, above {bound}", figure(), readable(largest.value, bound));
        let health = if !largest.value.is_finite() {
            return Health::fail(format!("{} is {}, not a finite number", figure(), largest.value));
        } else if largest.value > self.fail_above {
            Health::fail(tell(self.fail_above))
        } else if largest.value > self.warn_above {
            Health::warn(tell(self.warn_above))
        } else {
            Health::pass()
        };
        health.observing(largest.value, &self.unit)
    }
}
