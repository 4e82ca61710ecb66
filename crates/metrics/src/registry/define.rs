//! How a definition becomes a metric.

use std::borrow::Cow;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, LabelName, MAX_LABELS};

use super::Registry;
use crate::error::{Definition, RegistryError};
use crate::family::Family;
use crate::instrument::{Declared, Instrument};
use crate::metric::{AnyMetric, Metric, OVERFLOW_LABEL, SeriesBounds};
use crate::{Buckets, Counter, FloatCounter, Gauge, Histogram};

impl Registry {
    pub(super) fn bounds(&self) -> SeriesBounds {
        SeriesBounds { per_metric: self.0.config.max_series_per_metric, all: self.0.config.max_series }
    }

    /// The metric of this definition, made if there is none yet.
    fn metric<I: Registered>(
        &self,
        descriptor: Descriptor,
        labels: Box<[LabelName]>,
        shape: I::Shape,
    ) -> Result<Arc<Metric<I>>, RegistryError> {
        let definition = Definition {
            descriptor: Arc::new(descriptor),
            labels,
            buckets: I::buckets(&shape).cloned(),
            collector: None,
        };
        let mut names = self.0.names.lock();
        if let Some(registered) = names.instrument(&definition)? {
            return I::of(&registered).ok_or_else(|| RegistryError::Conflict {
                requested: Box::new(definition),
                registered: Box::new(registered.definition()),
            });
        }
        let make = |declared: Declared, labels: Box<[LabelName]>| {
            let plain = labels.is_empty();
            let metric = Metric::<I>::new(declared, labels, shape, self.bounds(), &self.0.figures);
            if plain {
                metric.series(&[])?;
            }
            Ok(I::any(Arc::new(metric)))
        };
        let made = names.claim_instrument(definition, make, &self.0.config)?;
        // With the names still locked: whoever finds the metric there also finds it in a scrape.
        self.0.arrivals.lock().metrics.push(made.clone());
        drop(names);
        // It was made of this kind above.
        I::of(&made).ok_or_else(|| RegistryError::Conflict {
            requested: Box::new(made.definition()),
            registered: Box::new(made.definition()),
        })
    }

    pub(super) fn only<I: Registered>(
        &self,
        descriptor: Descriptor,
        shape: I::Shape,
    ) -> Result<I, RegistryError> {
        Ok(self.metric::<I>(descriptor, Box::default(), shape)?.series(&[])?)
    }

    pub(super) fn family<I: Registered, const N: usize>(
        &self,
        descriptor: Descriptor,
        labels: [impl Into<Cow<'static, str>>; N],
        shape: I::Shape,
    ) -> Result<Family<I, N>, RegistryError> {
        let labels: [Cow<'static, str>; N] = labels.map(Into::into);
        let mut sorted = labels.iter().cloned().map(LabelName::new).collect::<Result<Vec<_>, _>>()?;
        sorted.sort();
        check_labels(&descriptor, &sorted)?;
        let mut order = [0; N];
        for (place, name) in order.iter_mut().zip(&sorted) {
            *place = labels.iter().position(|label| name == &**label).unwrap_or_default();
        }
        Ok(Family::new(self.metric(descriptor, sorted.into(), shape)?, order))
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
    let reserved = |label: &LabelName| match label.as_str() {
        OVERFLOW_LABEL => Some("for the series that takes what is beyond the bound"),
        "le" if descriptor.kind == Kind::Histogram => Some("for the buckets of histograms"),
        "quantile" if descriptor.kind == Kind::Summary => Some("for the quantiles of summaries"),
        _ => None,
    };
    match sorted.iter().find_map(|label| Some((label, reserved(label)?))) {
        Some((label, what_for)) => Err(RegistryError::ReservedLabel {
            metric: descriptor.name.clone(),
            label: label.clone(),
            what_for,
        }),
        None => Ok(()),
    }
}

/// How a kind of instrument stands among metrics of any kind.
pub(super) trait Registered: Instrument {
    fn buckets(shape: &Self::Shape) -> Option<&Buckets>;
    fn any(metric: Arc<Metric<Self>>) -> AnyMetric;
    fn of(metric: &AnyMetric) -> Option<Arc<Metric<Self>>>;
}

macro_rules! registered {
    ($kind:ident, |$shape:ident| $buckets:expr) => {
        impl Registered for $kind {
            fn buckets($shape: &Self::Shape) -> Option<&Buckets> {
                $buckets
            }

            fn any(metric: Arc<Metric<Self>>) -> AnyMetric {
                AnyMetric::$kind(metric)
            }

            fn of(metric: &AnyMetric) -> Option<Arc<Metric<Self>>> {
                match metric {
                    AnyMetric::$kind(metric) => Some(Arc::clone(metric)),
                    _ => None,
                }
            }
        }
    };
}

registered!(Counter, |_shape| None);
registered!(FloatCounter, |_shape| None);
registered!(Gauge, |_shape| None);
registered!(Histogram, |shape| Some(shape));
