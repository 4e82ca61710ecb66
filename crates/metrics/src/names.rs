//! Which names are taken, and by what.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, MetricName};

use crate::RegistryConfig;
use crate::error::{Definition, RegistryError};
use crate::instrument::Declared;
use crate::metric::AnyMetric;

/// Which names are taken, and by what: metrics by their definition, and the lines of histograms by the histogram.
#[derive(Default)]
pub(crate) struct Names {
    metrics: HashMap<MetricName, Owner>,
    lines: HashMap<String, MetricName>,
    collectors: usize,
    /// Metrics of the registry itself, which no bound counts.
    own: usize,
}

enum Owner {
    Instrument(AnyMetric),
    Collector(Definition),
}

impl Owner {
    fn definition(&self) -> Definition {
        match self {
            Self::Instrument(metric) => metric.definition(),
            Self::Collector(definition) => definition.clone(),
        }
    }
}

impl Names {
    /// How many metrics there are, without the registry's own.
    pub(crate) fn len(&self) -> usize {
        self.metrics.len() - self.own
    }

    /// The instrument of this definition, if there is one; an error if the name has another definition.
    pub(crate) fn instrument(&self, requested: &Definition) -> Result<Option<AnyMetric>, RegistryError> {
        match self.metrics.get(&requested.descriptor.name) {
            None => Ok(None),
            Some(Owner::Instrument(metric)) if metric.definition() == *requested => Ok(Some(metric.clone())),
            Some(other) => Err(conflict(requested, other.definition())),
        }
    }

    /// Whether an instrument may have the name that its definition says.
    pub(crate) fn check_instrument(
        &self,
        definition: &Definition,
        config: &RegistryConfig,
    ) -> Result<Declared, RegistryError> {
        let declared = self.check(definition)?;
        if self.len() >= config.max_metrics {
            let name = definition.descriptor.name.clone();
            return Err(RegistryError::TooManyMetrics { name, limit: config.max_metrics });
        }
        Ok(declared)
    }

    /// Takes the name of an instrument that was found to be good.
    pub(crate) fn take_instrument(&mut self, metric: AnyMetric) {
        self.take(&metric.definition().descriptor, Owner::Instrument(metric));
    }

    /// Gives the name of an instrument back; nothing if it is none of an instrument.
    pub(crate) fn remove_instrument(&mut self, name: &str) -> Option<AnyMetric> {
        let Some(Owner::Instrument(metric)) = self.metrics.get(name) else { return None };
        let metric = AnyMetric::clone(metric);
        self.give_back(&metric.definition().descriptor);
        Some(metric)
    }

    /// Takes all names of a collector, or none of them.
    pub(crate) fn claim_collector(
        &mut self,
        definitions: Vec<Definition>,
        collector: Cow<'static, str>,
        config: &RegistryConfig,
    ) -> Result<Vec<Declared>, RegistryError> {
        if self.collectors >= config.max_collectors {
            return Err(RegistryError::TooManyCollectors { collector, limit: config.max_collectors });
        }
        let families = self.claim_collected(definitions, config)?;
        self.collectors += 1;
        Ok(families)
    }

    /// Takes names for a collector that is there already, or none of them.
    pub(crate) fn claim_collected(
        &mut self,
        definitions: Vec<Definition>,
        config: &RegistryConfig,
    ) -> Result<Vec<Declared>, RegistryError> {
        let mut taken = Vec::new();
        let mut families = Vec::new();
        for definition in definitions {
            if let Some(declared) = self.shared(&definition) {
                families.push(declared?);
                continue;
            }
            let full = || RegistryError::TooManyMetrics {
                name: definition.descriptor.name.clone(),
                limit: config.max_metrics,
            };
            let room = if self.len() < config.max_metrics { Ok(()) } else { Err(full()) };
            match room.and_then(|()| self.check(&definition)) {
                Ok(declared) => {
                    let descriptor = Arc::clone(&definition.descriptor);
                    self.take(&descriptor, Owner::Collector(definition));
                    taken.push(descriptor);
                    families.push(declared);
                }
                Err(error) => {
                    for descriptor in &taken {
                        self.give_back(descriptor);
                    }
                    return Err(error);
                }
            }
        }
        Ok(families)
    }

    /// Takes the names of the registry's own figures, first of all.
    pub(crate) fn claim_own(&mut self, definitions: Vec<Definition>) -> Vec<Declared> {
        let mut families = Vec::new();
        for definition in definitions {
            // They differ from one another, and nothing else is there yet: a test looks that none is missing.
            if let Ok(declared) = self.check(&definition) {
                let descriptor = Arc::clone(&definition.descriptor);
                self.take(&descriptor, Owner::Collector(definition));
                families.push(declared);
            }
        }
        self.own = families.len();
        families
    }

    /// The metric of another collector that tells the same: two books tell the same metrics, each with its own labels.
    fn shared(&self, definition: &Definition) -> Option<Result<Declared, RegistryError>> {
        match self.metrics.get(&definition.descriptor.name) {
            Some(Owner::Collector(other)) if other.descriptor == definition.descriptor => {
                Some(Declared::new(Arc::clone(&other.descriptor)).map_err(RegistryError::from))
            }
            _ => None,
        }
    }

    /// Whether a definition may have its name.
    fn check(&self, definition: &Definition) -> Result<Declared, RegistryError> {
        let Descriptor { name, kind, .. } = &*definition.descriptor;
        check_name(name, *kind)?;
        if let Some(other) = self.metrics.get(name) {
            return Err(conflict(definition, other.definition()));
        }
        let declared = Declared::new(Arc::clone(&definition.descriptor))?;
        let shared = |line: &str, registered: &MetricName| RegistryError::SharedLine {
            requested: name.clone(),
            registered: registered.clone(),
            line: line.to_owned(),
        };
        if let Some(histogram) = self.lines.get(name.as_str()) {
            return Err(shared(name.as_str(), histogram));
        }
        for line in lines(&definition.descriptor) {
            if let Some((other, _)) = self.metrics.get_key_value(line.as_str()) {
                return Err(shared(&line, other));
            }
            if let Some(other) = self.lines.get(&line) {
                return Err(shared(&line, other));
            }
        }
        Ok(declared)
    }

    fn take(&mut self, descriptor: &Descriptor, owner: Owner) {
        self.lines.extend(lines(descriptor).map(|line| (line, descriptor.name.clone())));
        self.metrics.insert(descriptor.name.clone(), owner);
    }

    fn give_back(&mut self, descriptor: &Descriptor) {
        for line in lines(descriptor) {
            self.lines.remove(&line);
        }
        self.metrics.remove(&descriptor.name);
    }
}

fn conflict(requested: &Definition, registered: Definition) -> RegistryError {
    RegistryError::Conflict { requested: Box::new(requested.clone()), registered: Box::new(registered) }
}

/// The names that a metric takes beside its own in one of the exposition formats: in OpenMetrics the family of a counter
/// is called without its `_total`, that of an info without its `_info`, and what has a start tells it as `_created`.
fn lines(descriptor: &Descriptor) -> impl Iterator<Item = String> {
    let name = descriptor.name.as_str();
    let (base, suffixes): (&str, &[&str]) = match descriptor.kind {
        Kind::Counter => (name.strip_suffix("_total").unwrap_or(name), &["", "_created"]),
        Kind::Histogram => (name, &["_bucket", "_count", "_sum", "_created"]),
        Kind::Summary => (name, &["_count", "_sum", "_created"]),
        Kind::Info => (name.strip_suffix("_info").unwrap_or(name), &[""]),
        _ => (name, &[]),
    };
    suffixes.iter().map(move |suffix| format!("{base}{suffix}"))
}

/// A counter ends in `_total` and nothing else does; `_bucket` is for the lines of histograms.
fn check_name(name: &MetricName, kind: Kind) -> Result<(), RegistryError> {
    let text = name.as_str();
    let wrong = |suffix, meant| RegistryError::Suffix { name: name.clone(), kind, suffix, meant };
    match kind {
        Kind::Counter if !text.ends_with("_total") => Err(RegistryError::NotTotal { name: name.clone() }),
        Kind::Info if !text.ends_with("_info") => Err(RegistryError::NotInfo { name: name.clone() }),
        Kind::Counter | Kind::Info => Ok(()),
        _ if text.ends_with("_info") => Err(wrong("_info", "infos")),
        _ if text.ends_with("_total") => Err(wrong("_total", "counters")),
        _ if text.ends_with("_bucket") => Err(wrong("_bucket", "the lines of histograms")),
        _ => Ok(()),
    }
}
