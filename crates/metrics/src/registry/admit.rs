//! How a collector becomes one of a registry's.

use std::any::type_name;
use std::borrow::Cow;
use std::sync::Arc;
#[cfg(any(feature = "runtime", feature = "prometheus"))]
use std::sync::Weak;

use bellwether_core::{Collect, Descriptor};
#[cfg(feature = "runtime")]
use bellwether_core::{SharedClock, SpawnError, Tasks};

#[cfg(any(feature = "runtime", feature = "prometheus"))]
use super::Inner;
use super::Registry;
use crate::error::{Definition, RegistryError};
#[cfg(feature = "runtime")]
use crate::own_metrics::CollectorFigures;
#[cfg(feature = "runtime")]
use crate::scheduled::{Schedule, ScheduledCollector, Surroundings};

/// What [`Registry::collect`] takes: any [`Collect`], which is asked at every sample and every scrape, or, with the feature
/// `runtime`, a collector with an interval of its own. Implemented here only.
pub trait CollectorSource: Register {}

impl<C: Collect + 'static> CollectorSource for C {}

#[cfg(feature = "runtime")]
impl CollectorSource for ScheduledCollector {}

/// The inside of [`CollectorSource`].
pub trait Register {
    fn register(self, registry: &Registry) -> Result<(), RegistryError>;
}

impl<C: Collect + 'static> Register for C {
    fn register(self, registry: &Registry) -> Result<(), RegistryError> {
        let name = Cow::Borrowed(type_name::<C>());
        let descriptors: Vec<_> = self.descriptors().iter().cloned().map(Arc::new).collect();
        let definitions = definitions(&descriptors, name.clone());
        let inner = &registry.0;
        let families = inner.names.lock().claim_collector(definitions, name.clone(), &inner.config)?;
        let failures = inner.figures.add_collector(&name);
        registry.admit(Box::new(self), name, families, failures, Some(registry.bounds()));
        Ok(())
    }
}

/// What a collector says of its metrics.
fn definitions(descriptors: &[Arc<Descriptor>], collector: Cow<'static, str>) -> Vec<Definition> {
    let collector = Some(collector);
    let definition = |descriptor| Definition {
        descriptor: Arc::clone(descriptor),
        labels: Box::default(),
        any_labels: false,
        detail: None,
        buckets: None,
        collector: collector.clone(),
    };
    descriptors.iter().map(definition).collect()
}

#[cfg(feature = "runtime")]
impl Register for ScheduledCollector {
    fn register(self, registry: &Registry) -> Result<(), RegistryError> {
        let collector = self.checked()?;
        let inner = &registry.0;
        let (name, descriptors) = (collector.name.clone(), collector.descriptors.clone());
        let definitions = definitions(&descriptors, name.clone());
        let families = inner.names.lock().claim_collector(definitions, name.clone(), &inner.config)?;
        let around = Surroundings {
            registry: WeakRegistry(Arc::downgrade(inner)),
            clock: SharedClock::clone(&inner.clock),
            figures: Arc::clone(&inner.figures),
            own: inner.figures.add_scheduled(&name),
            places: inner.crew.lock().places(),
            most_series: inner.config.max_series_per_metric,
        };
        let schedule = Schedule::new(collector, around);
        if !descriptors.is_empty() {
            let view = schedule.view(0, &descriptors);
            registry.admit(Box::new(view), name, families, untold(), Some(registry.bounds()));
        }
        inner.crew.lock().add(Arc::new(schedule)).map_err(crate::ScheduleError::from)?;
        Ok(())
    }
}

/// For what reads the figures of a scheduled collector: it cannot fail.
#[cfg(feature = "runtime")]
fn untold() -> Arc<CollectorFigures> {
    Arc::new(CollectorFigures::new("", ""))
}

#[cfg(feature = "runtime")]
impl Registry {
    /// Starts the collectors that have an interval of their own, those registered so far and those to come, as tasks of the
    /// supervisor behind `tasks`; a [`Sampler`](crate::Sampler) does the same. One that runs already goes on, and one that could
    /// not be started, or whose supervisor was shut down, is started by the next call.
    pub fn start_collectors(&self, tasks: &Tasks) -> Result<(), SpawnError> {
        self.0.crew.lock().start(tasks)
    }

    /// Counts ticks of a sampler that passed without a sample.
    pub(crate) fn count_missed(&self, ticks: u64) {
        self.0.figures.missed_ticks.add(ticks);
    }
}

/// A registry that may have gone: what its own collectors hold.
#[cfg(any(feature = "runtime", feature = "prometheus"))]
pub(crate) struct WeakRegistry(Weak<Inner>);

#[cfg(feature = "prometheus")]
impl WeakRegistry {
    /// The registry, while the host has it.
    pub(crate) fn upgrade(&self) -> Option<Registry> {
        self.0.upgrade().map(Registry)
    }
}

#[cfg(feature = "prometheus")]
impl Registry {
    /// For a collector of its own.
    pub(crate) fn downgrade(&self) -> WeakRegistry {
        WeakRegistry(Arc::downgrade(&self.0))
    }
}

#[cfg(feature = "runtime")]
impl WeakRegistry {
    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// Defines metrics of a collector that it had not declared, and asks `view` for them from then on.
    pub(crate) fn define<V: Collect + 'static>(
        &self,
        collector: Cow<'static, str>,
        descriptors: &[Arc<Descriptor>],
        view: impl FnOnce() -> V,
    ) -> Result<(), RegistryError> {
        let Some(inner) = self.0.upgrade() else { return Ok(()) };
        let registry = Registry(inner);
        let definitions = definitions(descriptors, collector.clone());
        let inner = &registry.0;
        let families = inner.names.lock().claim_collected(definitions, &inner.config)?;
        registry.admit(Box::new(view()), collector, families, untold(), Some(registry.bounds()));
        Ok(())
    }
}
