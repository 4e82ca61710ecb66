//! What one run of a collector tells.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{
    Descriptor, Kind, Labels, MetricName, SampleSink, SpreadSnapshot, SummarySnapshot, Unit,
};

use crate::own_metrics::Figures;

/// Metrics that one collector may tell without having declared them: 256. What goes beyond is refused and counted.
pub const MAX_UNDECLARED_METRICS: usize = 256;

/// What one run of a collector tells: names, labels and values, kept until the run has ended well.
///
/// A metric need not be declared beforehand. One that is not gets its unit from the end of its name (`_seconds`, `_bytes`,
/// `_ratio`, `_usd`) and is defined when a run that tells it has ended well, by the same rules as any other: what cannot be
/// defined is refused, counted and told once. So are values that are not finite, totals below zero, labels that are none,
/// and the same series twice.
///
/// It is a [`SampleSink`] as well: another part's figures go in by `part.collect(out)`.
pub struct Readings {
    families: Vec<ToldFamily>,
    places: HashMap<MetricName, usize>,
    /// So many of the families are known to the registry.
    known: usize,
    rules: Rules,
    figures: Arc<Figures>,
    /// The first thing that was refused for its name.
    complaint: Option<String>,
}

/// What a collector may tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Whether metrics may be told that were not declared.
    pub(crate) undeclared: bool,
    /// How many metrics were declared.
    pub(crate) declared: usize,
    /// Most series of one metric.
    pub(crate) most_series: usize,
}

/// The series of one metric that a run told.
#[derive(Debug)]
pub(crate) struct ToldFamily {
    pub(crate) descriptor: Arc<Descriptor>,
    pub(crate) series: HashMap<Labels, ToldValue>,
}

#[derive(Debug)]
pub(crate) enum ToldValue {
    Number(f64),
    Histogram(SpreadSnapshot),
    Summary(SummarySnapshot),
}

impl ToldFamily {
    fn new(descriptor: Arc<Descriptor>) -> Self {
        Self { descriptor, series: HashMap::new() }
    }
}

impl Readings {
    /// With nothing told, of a collector whose metrics so far are `known`.
    pub(crate) fn new(known: &[Arc<Descriptor>], rules: Rules, figures: &Arc<Figures>) -> Self {
        let places = known.iter().enumerate().map(|(at, descriptor)| (descriptor.name.clone(), at)).collect();
        let families = known.iter().map(Arc::clone).map(ToldFamily::new).collect();
        let figures = Arc::clone(figures);
        Self { families, places, known: known.len(), rules, figures, complaint: None }
    }

    /// The value of a gauge.
    pub fn gauge(&mut self, name: &str, value: f64) {
        self.number(name, Kind::Gauge, Labels::empty(), value);
    }

    /// The value of a gauge with labels.
    pub fn gauge_with<N, V>(&mut self, name: &str, labels: impl IntoIterator<Item = (N, V)>, value: f64)
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        if let Some(labels) = self.labels(labels) {
            self.number(name, Kind::Gauge, labels, value);
        }
    }

    /// The total of a counter since its owner started. Its name ends in `_total`.
    pub fn counter(&mut self, name: &str, total: f64) {
        self.number(name, Kind::Counter, Labels::empty(), total);
    }

    /// The total of a counter with labels.
    pub fn counter_with<N, V>(&mut self, name: &str, labels: impl IntoIterator<Item = (N, V)>, total: f64)
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        if let Some(labels) = self.labels(labels) {
            self.number(name, Kind::Counter, labels, total);
        }
    }

    /// The families that were told, those that the registry knows first and in its order; how many these are; and the first
    /// thing that was refused for its name.
    pub(crate) fn into_told(self) -> (Vec<ToldFamily>, usize, Option<String>) {
        (self.families, self.known, self.complaint)
    }

    fn labels<N: AsRef<str>, V: Into<String>>(
        &mut self,
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Option<Labels> {
        match Labels::new(labels) {
            Ok(labels) => Some(labels),
            Err(error) => {
                self.figures.refused.label.increment();
                self.complain(|| error.to_string());
                None
            }
        }
    }

    /// Where a metric stands that is told by its name alone.
    fn place(&mut self, name: &str, kind: Kind) -> Option<usize> {
        if let Some(&at) = self.places.get(name) {
            let same = self.families.get(at).is_some_and(|family| family.descriptor.kind == kind);
            return self.granted(same.then_some(at), || format!("{name:?} is not a {kind}"));
        }
        match name.parse::<MetricName>() {
            Ok(name) => {
                let unit = unit_of(&name);
                self.add(Descriptor { name, kind, unit, help: UNDECLARED_HELP.into() })
            }
            Err(error) => self.granted(None, || error.to_string()),
        }
    }

    /// Where a metric stands that is told with its descriptor.
    fn place_of(&mut self, descriptor: &Descriptor, kind: Kind) -> Option<usize> {
        if let Some(&at) = self.places.get(&descriptor.name) {
            let same = |family: &ToldFamily| *family.descriptor == *descriptor && kind == descriptor.kind;
            let at = self.families.get(at).is_some_and(same).then_some(at);
            return self.granted(at, || format!("{:?} was declared otherwise", descriptor.name));
        }
        if kind != descriptor.kind {
            return self.granted(None, || format!("{:?} is not a {kind}", descriptor.name));
        }
        self.add(descriptor.clone())
    }

    fn add(&mut self, descriptor: Descriptor) -> Option<usize> {
        let at = self.families.len();
        if !self.rules.undeclared {
            return self.granted(None, || format!("{:?} was not declared", descriptor.name));
        }
        if at >= self.rules.declared.saturating_add(MAX_UNDECLARED_METRICS) {
            return self.granted(None, || {
                format!(
                    "{:?} is beyond {MAX_UNDECLARED_METRICS} metrics that were not declared",
                    descriptor.name
                )
            });
        }
        self.places.insert(descriptor.name.clone(), at);
        self.families.push(ToldFamily::new(Arc::new(descriptor)));
        Some(at)
    }

    fn granted(&mut self, at: Option<usize>, complaint: impl FnOnce() -> String) -> Option<usize> {
        if at.is_none() {
            self.figures.refused.undeclared.increment();
            self.complain(complaint);
        }
        at
    }

    fn complain(&mut self, complaint: impl FnOnce() -> String) {
        if self.complaint.is_none() {
            self.complaint = Some(complaint());
        }
    }

    fn number(&mut self, name: &str, kind: Kind, labels: Labels, value: f64) {
        if let Some(at) = self.place(name, kind) {
            self.keep_number(at, kind, labels, value);
        }
    }

    fn keep_number(&mut self, at: usize, kind: Kind, labels: Labels, value: f64) {
        if !value.is_finite() {
            self.figures.refused.not_finite.increment();
        } else if kind == Kind::Counter && value < 0.0 {
            self.figures.refused.negative.increment();
        } else {
            self.keep(at, labels, ToldValue::Number(value));
        }
    }

    fn keep(&mut self, at: usize, labels: Labels, value: ToldValue) {
        let Some(family) = self.families.get_mut(at) else { return };
        if family.series.contains_key(&labels) {
            self.figures.refused.repeated.increment();
        } else if family.series.len() >= self.rules.most_series {
            self.figures.overflowed.increment();
        } else {
            family.series.insert(labels, value);
        }
    }
}

impl SampleSink for Readings {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        if let Some(at) = self.place_of(descriptor, Kind::Counter) {
            self.keep_number(at, Kind::Counter, labels.clone(), total);
        }
    }

    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        // Infos and states are told as gauges are.
        let kind = match descriptor.kind {
            kind @ (Kind::Info | Kind::StateSet) => kind,
            _ => Kind::Gauge,
        };
        if let Some(at) = self.place_of(descriptor, kind) {
            self.keep_number(at, kind, labels.clone(), value);
        }
    }

    fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot) {
        if let Some(at) = self.place_of(descriptor, Kind::Histogram) {
            self.keep(at, labels.clone(), ToldValue::Histogram(spread.clone()));
        }
    }

    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        if let Some(at) = self.place_of(descriptor, Kind::Summary) {
            self.keep(at, labels.clone(), ToldValue::Summary(summary.clone()));
        }
    }
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series: usize = self.families.iter().map(|family| family.series.len()).sum();
        f.debug_struct("Readings").field("series", &series).finish_non_exhaustive()
    }
}

/// What readers see of a metric that nobody described.
const UNDECLARED_HELP: &str = "Told by a collector that did not declare it.";

/// The unit that the end of a name says.
fn unit_of(name: &MetricName) -> Unit {
    let name = name.as_str();
    let name = name.strip_suffix("_total").unwrap_or(name);
    match name.rsplit('_').next() {
        Some("seconds") => Unit::Seconds,
        Some("bytes") => Unit::Bytes,
        Some("ratio") => Unit::Ratio,
        Some("bps") => Unit::BasisPoints,
        Some("usd") => Unit::Usd,
        _ => Unit::None,
    }
}
