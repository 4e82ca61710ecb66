//! Definitions of instruments that are asked for less often.

use std::borrow::Cow;

use bellwether_core::{Descriptor, MetricName, Unit};

use super::Registry;
use crate::error::RegistryError;
use crate::info::Info;
use crate::state_set::{StateSeries, StateSet, States};
use crate::{
    FloatCounter, FloatCounterFamily, Gauge, NativeBuckets, NativeHistogram, NativeHistogramFamily,
    Quantiles, Summary, SummaryFamily,
};

impl Registry {
    /// A counter of amounts, without labels.
    pub fn float_counter<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<FloatCounter, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::counter(name.try_into()?, unit, help), ())
    }

    /// Counters of amounts that differ in labels.
    pub fn float_counter_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
    ) -> Result<FloatCounterFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::counter(name.try_into()?, unit, help), labels, ())
    }

    /// A native histogram without labels.
    pub fn native_histogram<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        buckets: NativeBuckets,
    ) -> Result<NativeHistogram, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::histogram(name.try_into()?, unit, help), buckets)
    }

    /// Native histograms that differ in labels and share their buckets.
    pub fn native_histogram_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
        buckets: NativeBuckets,
    ) -> Result<NativeHistogramFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::histogram(name.try_into()?, unit, help), labels, buckets)
    }

    /// A summary without labels.
    pub fn summary<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        quantiles: Quantiles,
    ) -> Result<Summary, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::summary(name.try_into()?, unit, help), quantiles)
    }

    /// Summaries that differ in labels and share their quantiles.
    pub fn summary_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
        quantiles: Quantiles,
    ) -> Result<SummaryFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::summary(name.try_into()?, unit, help), labels, quantiles)
    }

    /// A gauge without labels that [follows](Gauge::follow) a closure: it is asked at each scrape and sample, whether the
    /// handle is kept or not, until [`Gauge::unfollow`]. A gauge that is there already follows this one from now on.
    pub fn gauge_fn<M, V>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        ask: impl Fn() -> V + Send + Sync + 'static,
    ) -> Result<Gauge, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
        V: Into<Option<f64>>,
    {
        let gauge = self.gauge(name, unit, help)?;
        gauge.follow(ask);
        Ok(gauge)
    }

    /// What something is, as pairs of a label and its value. The name ends in `_info`; several of one name differ in their
    /// values.
    pub fn info<M, const N: usize>(
        &self,
        name: M,
        help: impl Into<Cow<'static, str>>,
        pairs: [(impl Into<Cow<'static, str>>, impl AsRef<str>); N],
    ) -> Result<Info, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        let values = pairs.each_ref().map(|(_, value)| value.as_ref().to_owned());
        let labels = pairs.map(|(label, _)| label);
        let family = self.family::<Gauge, N>(Descriptor::info(name.try_into()?, help), labels, ())?;
        Ok(Info::new(family.try_with(values.each_ref())?))
    }

    /// Which of these states something is in. None holds until one is set.
    pub fn state_set<M, const N: usize>(
        &self,
        name: M,
        help: impl Into<Cow<'static, str>>,
        states: [impl Into<Box<str>>; N],
    ) -> Result<StateSet, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        let name: MetricName = name.try_into()?;
        let states: States = states.map(Into::into).into();
        let wrong = |state: &str, wrong| {
            let (metric, state) = (name.clone(), state.to_owned());
            Err(RegistryError::State { metric, state, wrong })
        };
        if states.is_empty() {
            return wrong("", "is missing: there must be one at least");
        }
        for (at, state) in states.iter().enumerate() {
            if state.is_empty() {
                return wrong(state, "is empty, which is no label value");
            }
            if states.iter().take(at).any(|before| before == state) {
                return wrong(state, "stands there twice");
            }
        }
        let label = name.to_string();
        let family = self.family::<StateSeries, 1>(
            Descriptor::state_set(name, help),
            [label],
            States::clone(&states),
        )?;
        let series = states.iter().map(|state| family.try_with(&**state)).collect::<Result<_, _>>()?;
        Ok(StateSet::new(states, series, &self.0.figures))
    }
}
