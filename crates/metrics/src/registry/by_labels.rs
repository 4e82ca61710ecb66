//! Metrics by label sets that are types of the host, and by any labels.

use std::borrow::Cow;

use bellwether_core::{Descriptor, MetricName, Unit};

use super::Registry;
use crate::error::RegistryError;
use crate::instrument::Instrument;
use crate::metric::LabelNames;
use crate::{Buckets, Counter, DynamicFamily, FamilyOf, Gauge, Histogram, LabelSet};

impl Registry {
    /// Counters by a label set of the host; see [`label_set!`](crate::label_set).
    pub fn counter_family_of<L: LabelSet>(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<FamilyOf<Counter, L>, RegistryError> {
        self.family_of(Descriptor::counter(name.try_into().map_err(Into::into)?, unit, help), ())
    }

    /// Gauges by a label set of the host; see [`label_set!`](crate::label_set).
    pub fn gauge_family_of<L: LabelSet>(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<FamilyOf<Gauge, L>, RegistryError> {
        self.family_of(Descriptor::gauge(name.try_into().map_err(Into::into)?, unit, help), ())
    }

    /// Histograms by a label set of the host; see [`label_set!`](crate::label_set). They share their buckets.
    pub fn histogram_family_of<L: LabelSet>(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        buckets: Buckets,
    ) -> Result<FamilyOf<Histogram, L>, RegistryError> {
        self.family_of(Descriptor::histogram(name.try_into().map_err(Into::into)?, unit, help), buckets)
    }

    /// Counters of which each has label names of its own.
    pub fn dynamic_counter_family(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<DynamicFamily<Counter>, RegistryError> {
        self.dynamic_family(Descriptor::counter(name.try_into().map_err(Into::into)?, unit, help), ())
    }

    /// Gauges of which each has label names of its own.
    pub fn dynamic_gauge_family(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<DynamicFamily<Gauge>, RegistryError> {
        self.dynamic_family(Descriptor::gauge(name.try_into().map_err(Into::into)?, unit, help), ())
    }

    /// Histograms of which each has label names of its own. They share their buckets.
    pub fn dynamic_histogram_family(
        &self,
        name: impl TryInto<MetricName, Error: Into<RegistryError>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        buckets: Buckets,
    ) -> Result<DynamicFamily<Histogram>, RegistryError> {
        self.dynamic_family(Descriptor::histogram(name.try_into().map_err(Into::into)?, unit, help), buckets)
    }

    pub(super) fn family_of<I: Instrument, L: LabelSet>(
        &self,
        descriptor: Descriptor,
        shape: I::Shape,
    ) -> Result<FamilyOf<I, L>, RegistryError> {
        let names: Vec<_> = L::NAMES.iter().map(|&name| Cow::Borrowed(name)).collect();
        let (metric, order) = self.labelled(descriptor, &names, shape)?;
        Ok(FamilyOf::new(metric, order))
    }

    pub(super) fn dynamic_family<I: Instrument>(
        &self,
        descriptor: Descriptor,
        shape: I::Shape,
    ) -> Result<DynamicFamily<I>, RegistryError> {
        Ok(DynamicFamily::new(self.metric(descriptor, LabelNames::Any, shape)?))
    }
}
