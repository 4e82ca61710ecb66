//! What a collector told last, for scrapes and samples to read.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Collect, CollectError, Descriptor, Kind, Monotonic, SampleSink, SharedClock};
use parking_lot::Mutex;

use crate::readings::{ToldFamily, ToldValue};

/// What a collector told last. Its lock is held to copy or to replace a pointer.
pub(crate) struct Told {
    last: Mutex<Option<Arc<Run>>>,
    stale_after: Duration,
    clock: SharedClock,
}

/// A run that ended well.
struct Run {
    began: Monotonic,
    /// In the order in which the registry came to know them.
    families: Vec<ToldFamily>,
}

impl Told {
    pub(crate) fn new(stale_after: Duration, clock: &SharedClock) -> Self {
        Self { last: Mutex::new(None), stale_after, clock: SharedClock::clone(clock) }
    }

    /// Takes the place of what was told before.
    pub(crate) fn replace(&self, began: Monotonic, families: Vec<ToldFamily>) {
        let run = Arc::new(Run { began, families });
        let before = self.last.lock().replace(run);
        drop(before);
    }

    /// What was told last, unless it is too old.
    fn fresh(&self) -> Option<Arc<Run>> {
        let run = self.last.lock().as_ref().map(Arc::clone)?;
        let age = self.clock.monotonic().saturating_since(run.began);
        (age <= self.stale_after).then_some(run)
    }
}

/// Some metrics of a collector, as the registry asks for them.
pub(crate) struct View {
    told: Arc<Told>,
    families: Range<usize>,
    descriptors: Vec<Descriptor>,
}

impl View {
    /// Of the metrics from the `first` on.
    pub(crate) fn new(told: &Arc<Told>, first: usize, descriptors: &[Arc<Descriptor>]) -> Self {
        Self {
            told: Arc::clone(told),
            families: first..first + descriptors.len(),
            descriptors: descriptors.iter().map(|descriptor| Descriptor::clone(descriptor)).collect(),
        }
    }
}

impl Collect for View {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let Some(run) = self.told.fresh() else { return Ok(()) };
        for family in run.families.get(self.families.clone()).unwrap_or_default() {
            let descriptor = &*family.descriptor;
            for (labels, value) in &family.series {
                match value {
                    ToldValue::Number(total) if descriptor.kind == Kind::Counter => {
                        out.counter(descriptor, labels, *total);
                    }
                    ToldValue::Number(value) => out.gauge(descriptor, labels, *value),
                    ToldValue::Histogram(spread) => out.histogram(descriptor, labels, spread),
                    ToldValue::Summary(summary) => out.summary(descriptor, labels, summary),
                }
            }
        }
        Ok(())
    }
}
