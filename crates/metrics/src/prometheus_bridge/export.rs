//! A registry of ours as a collector of the crate `prometheus`.

use std::collections::HashMap;

use bellwether_core::{Kind, Labels, SpreadSnapshot, SummarySnapshot};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile, Summary,
};

use crate::{FamilySnapshot, Registry, SeriesSnapshot, Value};

/// A registry of ours as a collector of the crate `prometheus`: for a host whose page or push is made by that crate.
///
/// Everything is told at each `gather`, under the same names. What that crate has no form for is told as near as it has:
/// infos and state sets as gauges; a native histogram, for which it has none, is left out.
///
/// One registry of ours may be registered once; `prometheus` refuses a second time by the name
/// `bellwether_metrics_export`, under which it knows us.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::prometheus_bridge::PrometheusExport;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
///
/// # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let theirs = prometheus::Registry::new();
/// theirs.register(Box::new(PrometheusExport::new(&metrics)?))?;
///
/// metrics.counter("fills_total", Unit::None, "Fills received.")?.add(3);
/// let page = prometheus::TextEncoder::new().encode_to_string(&theirs.gather())?;
/// assert!(page.contains("\nfills_total 3\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PrometheusExport {
    metrics: Registry,
    /// A collector without one cannot be told from another.
    desc: Desc,
}

impl PrometheusExport {
    /// Of `metrics`, which it keeps alive.
    pub fn new(metrics: &Registry) -> Result<Self, prometheus::Error> {
        let name = "bellwether_metrics_export".to_owned();
        let desc = Desc::new(name, "Everything that a registry has.".into(), Vec::new(), HashMap::new())?;
        Ok(Self { metrics: metrics.clone(), desc })
    }
}

impl Collector for PrometheusExport {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.metrics.snapshot().families.iter().filter_map(family).collect()
    }
}

/// A family as theirs; nothing of one without a series that they have a form for.
fn family(of: &FamilySnapshot) -> Option<MetricFamily> {
    let metrics: Vec<Metric> = of.series.iter().filter_map(metric).collect();
    if metrics.is_empty() {
        return None;
    }
    let mut family = MetricFamily::default();
    family.set_name(of.descriptor.name.as_str().to_owned());
    family.set_help(of.descriptor.help.clone().into_owned());
    family.set_field_type(match of.descriptor.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Histogram => MetricType::HISTOGRAM,
        Kind::Summary => MetricType::SUMMARY,
        _ => MetricType::GAUGE,
    });
    family.set_metric(metrics);
    Some(family)
}

fn metric(of: &SeriesSnapshot) -> Option<Metric> {
    let mut metric = Metric::from_label(pairs(&of.labels));
    match &of.value {
        Value::Counter(total) => {
            let mut counter = Counter::default();
            counter.set_value(total.as_f64());
            metric.set_counter(counter);
        }
        Value::Gauge(value) => {
            let mut gauge = Gauge::default();
            gauge.set_value(*value);
            metric.set_gauge(gauge);
        }
        Value::Histogram(spread) => metric.set_histogram(histogram(spread)),
        Value::Summary(of) => metric.set_summary(summary(of)),
        Value::Native(_) => return None,
    }
    Some(metric)
}

fn pairs(labels: &Labels) -> Vec<LabelPair> {
    let pair = |(name, value): (&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    };
    labels.iter().map(pair).collect()
}

fn histogram(spread: &SpreadSnapshot) -> Histogram {
    let mut up_to = 0;
    let bucket = |(&bound, &count): (&f64, &u64)| {
        up_to += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(up_to);
        bucket
    };
    let buckets = spread.bounds.iter().zip(&spread.counts).map(bucket).collect();
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets);
    histogram.set_sample_count(spread.count());
    histogram.set_sample_sum(spread.sum);
    histogram
}

fn summary(of: &SummarySnapshot) -> Summary {
    let quantile = |&(q, value): &(f64, f64)| {
        let mut quantile = Quantile::default();
        quantile.set_quantile(q);
        quantile.set_value(value);
        quantile
    };
    let mut summary = Summary::default();
    summary.set_quantile(of.quantiles.iter().map(quantile).collect());
    summary.set_sample_count(of.count);
    summary.set_sample_sum(of.sum);
    summary
}
