//! A family of the crate `prometheus` as figures of ours.

use bellwether_core::{
    CollectError, Descriptor, Kind, Labels, NameError, SampleSink, SpreadSnapshot, SummarySnapshot, Unit,
};
use prometheus::proto::{Counter, Gauge, Histogram, Metric, MetricFamily, MetricType, Summary};

use crate::foreign_name::{metric_name, unit_of};

/// The value of a counter or gauge, by whichever of two names `prometheus` gives its getter: its feature `protobuf`, which
/// any crate of a build may turn on, changes it. An own method of the type goes before one of a trait, so that these are
/// called only where there is none.
#[allow(dead_code, reason = "not called where the type has a getter of this name itself")]
trait ValueOf {
    fn value(&self) -> f64;
}

/// See [`ValueOf`].
#[allow(dead_code, reason = "not called where the type has a getter of this name itself")]
trait GetValue {
    fn get_value(&self) -> f64;
}

macro_rules! value_by_either_name {
    ($($type:ty),+) => { $(
        impl ValueOf for $type {
            fn value(&self) -> f64 {
                self.get_value()
            }
        }

        impl GetValue for $type {
            fn get_value(&self) -> f64 {
                f64::NAN
            }
        }
    )+ };
}

value_by_either_name!(Counter, Gauge);

/// What a family is.
pub(super) fn descriptor(family: &MetricFamily) -> Result<Descriptor, NameError> {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
        _ if family.name().ends_with("_info") => Kind::Info,
        _ => Kind::Gauge,
    };
    let unit = if kind == Kind::Info { Unit::None } else { unit_of(family.name()) };
    let help = family.help().to_owned().into();
    Ok(Descriptor { name: metric_name(family.name(), kind)?, kind, unit, help })
}

/// Tells all series of a family; those that can be, if one cannot.
pub(super) fn tell(
    family: &MetricFamily,
    descriptor: &Descriptor,
    out: &mut dyn SampleSink,
) -> Result<(), CollectError> {
    let mut outcome = Ok(());
    for metric in family.get_metric() {
        match labels(metric) {
            Ok(labels) => tell_one(metric, family.get_field_type(), descriptor, &labels, out),
            Err(error) => outcome = Err(CollectError::new(format!("family {}: {error}", family.name()))),
        }
    }
    outcome
}

fn labels(metric: &Metric) -> Result<Labels, bellwether_core::LabelsError> {
    Labels::new(metric.get_label().iter().map(|pair| (pair.name(), pair.value())))
}

#[allow(clippy::match_wildcard_for_single_variants, reason = "there are more with their feature `protobuf`")]
fn tell_one(
    metric: &Metric,
    kind: MetricType,
    descriptor: &Descriptor,
    labels: &Labels,
    out: &mut dyn SampleSink,
) {
    match kind {
        MetricType::COUNTER => out.counter(descriptor, labels, metric.get_counter().value()),
        MetricType::GAUGE => out.gauge(descriptor, labels, metric.get_gauge().value()),
        MetricType::HISTOGRAM => out.histogram(descriptor, labels, &spread(metric.get_histogram())),
        MetricType::SUMMARY => out.summary(descriptor, labels, &summary(metric.get_summary())),
        // Untyped, and with the feature `protobuf` what its schema has beyond that: no instrument of the crate makes one.
        _ => {}
    }
}

/// Counts per bucket of counts that are added up. What a writer added while it was read is put into the bucket above it;
/// none is ever below zero.
fn spread(histogram: &Histogram) -> SpreadSnapshot {
    let buckets = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite());
    let mut below = 0;
    let mut counts = Vec::new();
    let mut bounds = Vec::new();
    for bucket in buckets {
        let up_to = bucket.cumulative_count().max(below);
        bounds.push(bucket.upper_bound());
        counts.push(up_to - below);
        below = up_to;
    }
    counts.push(histogram.get_sample_count().saturating_sub(below));
    SpreadSnapshot { bounds: bounds.into(), counts: counts.into(), sum: histogram.get_sample_sum() }
}

/// The quantiles that have a value: of none there is none.
fn summary(summary: &Summary) -> SummarySnapshot {
    let mut quantiles: Vec<(f64, f64)> = summary
        .get_quantile()
        .iter()
        .map(|quantile| (quantile.quantile(), quantile.value()))
        .filter(|(q, value)| q.is_finite() && value.is_finite())
        .collect();
    quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let sum = summary.sample_sum();
    SummarySnapshot { quantiles: quantiles.into(), count: summary.sample_count(), sum }
}
