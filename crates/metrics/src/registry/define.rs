//! How a definition becomes a metric.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use bellwether_core::{Descriptor, HumanDuration, LabelName, MAX_LABELS};

use super::Registry;
use crate::error::{Definition, RegistryError};
use crate::family::Family;
use crate::instrument::Instrument;
use crate::metric::{AnyMetric, LabelNames, Metric, SeriesBounds, reserved_for};

/// A metric, and where among the labels that were given each of the sorted ones is.
type Labelled<I> = (Arc<Metric<I>>, Arc<[usize]>);

impl Registry {
    pub(super) fn bounds(&self) -> SeriesBounds {
        let config = &self.0.config;
        SeriesBounds {
            per_metric: config.max_series_per_metric,
            all: config.max_series,
            idle_expiry: config.idle_expiry.map(HumanDuration::get),
        }
    }

    /// The metric of this definition, made if there is none yet.
    pub(super) fn metric<I: Instrument>(
        &self,
        descriptor: Descriptor,
        labels: LabelNames,
        shape: I::Shape,
    ) -> Result<Arc<Metric<I>>, RegistryError> {
        let definition = Definition {
            descriptor: Arc::new(descriptor),
            labels: labels.fixed().into(),
            any_labels: labels == LabelNames::Any,
            buckets: I::buckets(&shape).cloned(),
            detail: I::detail(&shape),
            collector: None,
        };
        let mut names = self.0.names.lock();
        if let Some(registered) = names.instrument(&definition)? {
            let conflict = RegistryError::Conflict {
                requested: Box::new(definition),
                registered: Box::new(registered.definition()),
            };
            // The same definition may be of another instrument, or of one of another shape.
            let same = Arc::downcast::<Metric<I>>(registered as Arc<dyn Any + Send + Sync>).ok();
            return same.filter(|metric| *metric.shape() == shape).ok_or(conflict);
        }
        let declared = names.check_instrument(&definition, &self.0.config)?;
        self.0.history.redefine(&declared);
        let metric = Arc::new(Metric::new(declared, labels, shape, self.bounds(), &self.0.figures)?);
        names.take_instrument(Arc::clone(&metric) as AnyMetric);
        // With the names still locked: whoever finds the metric there also finds it in a scrape.
        self.0.arrivals.lock().metrics.push(Arc::clone(&metric) as AnyMetric);
        Ok(metric)
    }

    pub(super) fn only<I: Instrument>(
        &self,
        descriptor: Descriptor,
        shape: I::Shape,
    ) -> Result<I, RegistryError> {
        Ok(self.metric::<I>(descriptor, LabelNames::Fixed(Arc::default()), shape)?.only())
    }

    pub(super) fn family<I: Instrument, const N: usize>(
        &self,
        descriptor: Descriptor,
        labels: [impl Into<Cow<'static, str>>; N],
        shape: I::Shape,
    ) -> Result<Family<I, N>, RegistryError> {
        let (metric, order) = self.labelled(descriptor, &labels.map(Into::into), shape)?;
        // There is a place for each of the labels.
        let order = std::array::from_fn(|at| order.get(at).copied().unwrap_or_default());
        Ok(Family::new(metric, order))
    }

    /// The metric with these labels, and where among them each of the sorted ones is.
    pub(super) fn labelled<I: Instrument>(
        &self,
        descriptor: Descriptor,
        labels: &[Cow<'static, str>],
        shape: I::Shape,
    ) -> Result<Labelled<I>, RegistryError> {
        let mut sorted = labels.iter().cloned().map(LabelName::new).collect::<Result<Vec<_>, _>>()?;
        sorted.sort();
        check_labels(&descriptor, &sorted)?;
        let place = |name: &LabelName| labels.iter().position(|label| *name == **label).unwrap_or_default();
        let order = sorted.iter().map(place).collect();
        Ok((self.metric(descriptor, LabelNames::Fixed(sorted.into()), shape)?, order))
    }
}

/// The labels of a definition: not too many, none twice, none reserved.
fn check_labels(descriptor: &Descriptor, sorted: &[LabelName]) -> Result<(), RegistryError> {
    if sorted.len() > MAX_LABELS {
        return Err(RegistryError::TooManyLabels { metric: descriptor.name.clone(), got: sorted.len() });
    }
    if let Some([label, _]) = sorted.array_windows().find(|[a, b]| a == b) {
        return Err(RegistryError::RepeatedLabel { metric: descriptor.name.clone(), label: label.clone() });
    }
    let reserved = |label: &LabelName| reserved_for(descriptor.kind, label.as_str());
    match sorted.iter().find_map(|label| Some((label, reserved(label)?))) {
        Some((label, what_for)) => Err(RegistryError::ReservedLabel {
            metric: descriptor.name.clone(),
            label: label.clone(),
            what_for,
        }),
        None => Ok(()),
    }
}
