//! One registered collector: what it told when it was last asked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Collect, Descriptor, Kind, Labels, MetricName, Monotonic, SampleSink, SeriesKey, SpreadSnapshot,
    SummarySnapshot,
};

use crate::Buckets;
use crate::exposition::Prefix;
use crate::gather::{SeriesView, Tracks, Visit};
use crate::instrument::{Declared, Reading};
use crate::metric::SeriesBounds;
use crate::own_metrics::{CollectorFigures, Figures};
use crate::total::Total;

/// One registered collector: what it told when it was last asked.
pub(crate) struct Collector {
    source: Box<dyn Collect>,
    /// Its name, or its type.
    name: Cow<'static, str>,
    families: Vec<CollectedFamily>,
    failures: Arc<CollectorFigures>,
    /// None for the registry itself: it has as many series as it needs, and they count nowhere.
    bounds: Option<SeriesBounds>,
    /// Number of the run; each series remembers the last one that told it.
    run: u64,
    /// When the last run that did not fail was.
    went_well: Monotonic,
    /// Whether the last run failed: only a change is logged.
    failing: bool,
}

struct CollectedFamily {
    declared: Declared,
    series: BTreeMap<Labels, CollectedSeries>,
    /// The buckets that were told last: the same for all series as a rule.
    buckets: Buckets,
    /// How many of the series this run told.
    told: usize,
    /// Number of the run in which it last looked for series to forget: once in a run is enough.
    made_room_in: u64,
}

struct CollectedSeries {
    key: Arc<SeriesKey>,
    prefix: Prefix,
    told_in: u64,
    /// When it was first left out since it was told, by a run that did not fail.
    left_out: Option<Monotonic>,
    value: CollectedValue,
    tracks: Tracks,
}

enum CollectedValue {
    Number(f64),
    Histogram { buckets: Buckets, counts: Vec<u64>, sum: f64 },
    Summary(SummarySnapshot),
}

/// A series that a collector has left out for this long is forgotten. Only runs that did not fail say so: one that did
/// may not have come to it. And it is time that counts, since every look at the registry is a run.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

/// The same where others need the place.
const FORGOTTEN_AFTER_WHEN_FULL: Duration = Duration::from_secs(10);

impl Collector {
    pub(crate) fn new(
        source: Box<dyn Collect>,
        name: Cow<'static, str>,
        families: Vec<Declared>,
        failures: Arc<CollectorFigures>,
        bounds: Option<SeriesBounds>,
    ) -> Self {
        let family = |declared| CollectedFamily {
            declared,
            series: BTreeMap::new(),
            buckets: Buckets::default(),
            told: 0,
            made_room_in: 0,
        };
        let families = families.into_iter().map(family).collect();
        let went_well = Monotonic::ORIGIN;
        Self { source, name, families, failures, bounds, run: 0, went_well, failing: false }
    }

    /// The names of its metrics, in the order of its descriptors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &MetricName> {
        self.families.iter().map(|family| &family.declared.descriptor.name)
    }

    /// Asks for the figures. An error or a panic is counted, and told when it is the first in a row; what was told
    /// before it stays.
    pub(crate) fn run(&mut self, now: Monotonic, figures: &Figures) {
        self.run += 1;
        for family in &mut self.families {
            family.told = 0;
        }
        let mut intake = Intake {
            families: &mut self.families,
            next: 0,
            run: self.run,
            went_well: self.went_well,
            bounds: self.bounds,
            figures,
        };
        // A collector that panicked is asked again: whatever state it left behind is its own.
        let failure = match guarded(|| self.source.collect(&mut intake)) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                self.failures.errors.increment();
                Some(error.reason)
            }
            Err(panic) => {
                self.failures.panics.increment();
                Some(panic)
            }
        };
        match &failure {
            Some(error) if !self.failing => {
                tracing::warn!(collector = &*self.name, %error, "collector failed");
            }
            None if self.failing => tracing::info!(collector = &*self.name, "collector recovered"),
            _ => {}
        }
        self.failing = failure.is_some();
        if let Some(bounds) = self.bounds.filter(|_| !self.failing) {
            self.went_well = now;
            // In a full registry they make room for others, be these told by another collector or an instrument's.
            let room = figures.has_room(bounds.all);
            let after = if room { FORGOTTEN_AFTER } else { FORGOTTEN_AFTER_WHEN_FULL };
            for family in &mut self.families {
                family.miss(self.run, now);
                family.forget(now, after, figures);
            }
        }
    }

    /// What a metric is.
    pub(crate) fn declared(&self, family: usize) -> Option<&Declared> {
        self.families.get(family).map(|family| &family.declared)
    }

    /// The label sets of a metric that the last run told, in order.
    pub(crate) fn told(&self, family: usize) -> impl Iterator<Item = &Labels> {
        let series = self.families.get(family).map(|family| &family.series);
        let told = series.into_iter().flatten().filter(|(_, series)| series.told_in == self.run);
        told.map(|(labels, _)| labels)
    }

    /// Meets what the last run told of one metric.
    pub(crate) fn visit(&mut self, family: usize, visitor: &mut dyn Visit) {
        let Some(CollectedFamily { declared, series, .. }) = self.families.get_mut(family) else { return };
        let mut begun = false;
        for series in series.values_mut().filter(|series| series.told_in == self.run) {
            if !begun {
                begun = true;
                visitor.family(declared);
            }
            series.visit(declared, visitor);
        }
    }

    /// Meets one series of a metric.
    pub(crate) fn visit_one(&mut self, family: usize, labels: &Labels, visitor: &mut dyn Visit) {
        let Some(CollectedFamily { declared, series, .. }) = self.families.get_mut(family) else { return };
        if let Some(series) = series.get_mut(labels) {
            series.visit(declared, visitor);
        }
    }
}

impl CollectedSeries {
    fn visit(&mut self, declared: &Declared, visitor: &mut dyn Visit) {
        let reading = match &self.value {
            CollectedValue::Number(total) if declared.descriptor.kind == Kind::Counter => {
                Reading::Counter(Total::Real(*total))
            }
            CollectedValue::Number(value) => Reading::Gauge(*value),
            CollectedValue::Histogram { buckets, counts, sum } => {
                Reading::Histogram { buckets, counts, sum: *sum }
            }
            CollectedValue::Summary(SummarySnapshot { quantiles, count, sum }) => {
                Reading::Summary { quantiles, count: *count, sum: *sum }
            }
        };
        visitor.series(SeriesView {
            key: &self.key,
            prefix: self.prefix.as_str(),
            reading,
            created: None,
            exemplars: None,
            tracks: &mut self.tracks,
        });
    }
}

impl CollectedFamily {
    /// Remembers which series a run that did not fail has left out. O(1) where it told them all.
    fn miss(&mut self, run: u64, now: Monotonic) {
        if self.told < self.series.len() {
            for series in self.series.values_mut().filter(|series| series.told_in != run) {
                series.left_out.get_or_insert(now);
            }
        }
    }

    /// Forgets the series that this run has not told and that had been left out for so long at `went_well`, when the
    /// last run that did not fail was.
    fn forget(&mut self, went_well: Monotonic, after: Duration, figures: &Figures) {
        let before = self.series.len();
        if self.told < before {
            let is_over = |since| went_well.saturating_since(since) >= after;
            self.series.retain(|_, series| !series.left_out.is_some_and(is_over));
            figures.release_series(before - self.series.len());
        }
    }
}

/// Whether a value is one that a metric of this kind may have: an info is always 1, a state 1 or 0.
fn is_state(kind: Kind, value: f64) -> bool {
    match kind {
        Kind::Info => value == 1.0,
        Kind::StateSet => value == 1.0 || value == 0.0,
        _ => true,
    }
}

/// What `call` gives, or what its panic said.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let said = format!("panic: {}", message(&*panic));
        // What it panicked with may panic when it goes, and what comes of that is not asked any more.
        std::mem::forget(catch_unwind(AssertUnwindSafe(|| drop(panic))));
        said
    })
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// Where a collector tells its figures. What does not fit is refused and counted.
struct Intake<'a> {
    families: &'a mut [CollectedFamily],
    /// The family that is told next, if the collector goes by its descriptors.
    next: usize,
    run: u64,
    went_well: Monotonic,
    bounds: Option<SeriesBounds>,
    figures: &'a Figures,
}

impl Intake<'_> {
    /// The family of a descriptor. O(1) for a collector that tells in the order of its descriptors.
    fn family(&mut self, descriptor: &Descriptor, kind: Kind) -> Option<usize> {
        let is = |family: &CollectedFamily| *family.declared.descriptor == *descriptor;
        let likely = [self.next.wrapping_sub(1), self.next];
        let likely = likely.into_iter().find(|&at| self.families.get(at).is_some_and(is));
        let told_as = match descriptor.kind {
            Kind::Info | Kind::StateSet => Kind::Gauge,
            other => other,
        };
        let at = likely.or_else(|| self.families.iter().position(is)).filter(|_| told_as == kind);
        match at {
            Some(at) => self.next = at + 1,
            None => self.figures.refused.undeclared.increment(),
        }
        at
    }

    /// Keeps a value that was found good, or makes a series for it.
    fn keep(
        &mut self,
        at: usize,
        labels: &Labels,
        put: impl FnOnce(Option<CollectedValue>, &Buckets) -> CollectedValue,
    ) {
        let Some(family) = self.families.get_mut(at) else { return };
        if let Some(series) = family.series.get_mut(labels) {
            if series.told_in == self.run {
                self.figures.refused.repeated.increment();
                return;
            }
            series.told_in = self.run;
            series.left_out = None;
            family.told += 1;
            let old = std::mem::replace(&mut series.value, CollectedValue::Number(0.0));
            series.value = put(Some(old), &family.buckets);
            return;
        }
        if let Some(bounds) = self.bounds
            && !self.reserve(at, bounds)
        {
            self.figures.overflowed.increment();
            return;
        }
        let Some(family) = self.families.get_mut(at) else { return };
        let key = SeriesKey { descriptor: Arc::clone(&family.declared.descriptor), labels: labels.clone() };
        let series = CollectedSeries {
            prefix: Prefix::new(&key),
            key: Arc::new(key),
            told_in: self.run,
            left_out: None,
            value: put(None, &family.buckets),
            tracks: Tracks::default(),
        };
        family.told += 1;
        family.series.insert(labels.clone(), series);
    }

    /// Takes a place for one series more of a family; series that are no longer told make room.
    fn reserve(&mut self, at: usize, bounds: SeriesBounds) -> bool {
        let Some(family) = self.families.get_mut(at) else { return false };
        let full = family.series.len() >= bounds.per_metric;
        if (full || !self.figures.has_room(bounds.all)) && family.made_room_in != self.run {
            family.made_room_in = self.run;
            family.forget(self.went_well, FORGOTTEN_AFTER_WHEN_FULL, self.figures);
        }
        family.series.len() < bounds.per_metric && self.figures.reserve_series(bounds.all)
    }

    fn number(&mut self, descriptor: &Descriptor, kind: Kind, labels: &Labels, value: f64) {
        let Some(at) = self.family(descriptor, kind) else { return };
        if !value.is_finite() {
            self.figures.refused.not_finite.increment();
        } else if kind == Kind::Counter && value < 0.0 {
            self.figures.refused.negative.increment();
        } else if !is_state(descriptor.kind, value) {
            self.figures.refused.state.increment();
        } else if descriptor.kind == Kind::StateSet && labels.get(descriptor.name.as_str()).is_none() {
            self.figures.refused.label.increment();
        } else {
            self.keep(at, labels, |_, _| CollectedValue::Number(value));
        }
    }
}

impl SampleSink for Intake<'_> {
    fn counter(&mut self, descriptor: &Descriptor, labels: &Labels, total: f64) {
        self.number(descriptor, Kind::Counter, labels, total);
    }

    fn gauge(&mut self, descriptor: &Descriptor, labels: &Labels, value: f64) {
        self.number(descriptor, Kind::Gauge, labels, value);
    }

    fn histogram(&mut self, descriptor: &Descriptor, labels: &Labels, spread: &SpreadSnapshot) {
        let Some(at) = self.family(descriptor, Kind::Histogram) else { return };
        if labels.get("le").is_some() {
            self.figures.refused.label.increment();
            return;
        }
        if !spread.sum.is_finite() {
            self.figures.refused.not_finite.increment();
            return;
        }
        let Some(family) = self.families.get_mut(at) else { return };
        if *family.buckets.bounds() != *spread.bounds {
            let Ok(buckets) = Buckets::new(spread.bounds.clone()) else {
                self.figures.refused.buckets.increment();
                return;
            };
            family.buckets = buckets;
        }
        // All of them together are a count too.
        let count = spread.counts.iter().try_fold(0u64, |all, &count| all.checked_add(count));
        if spread.counts.len() != spread.bounds.len() + 1 || count.is_none() {
            self.figures.refused.buckets.increment();
            return;
        }
        self.keep(at, labels, |old, buckets| {
            let mut counts = match old {
                Some(CollectedValue::Histogram { counts, .. }) => counts,
                _ => Vec::new(),
            };
            counts.clear();
            counts.extend_from_slice(&spread.counts);
            CollectedValue::Histogram { buckets: buckets.clone(), counts, sum: spread.sum }
        });
    }

    fn summary(&mut self, descriptor: &Descriptor, labels: &Labels, summary: &SummarySnapshot) {
        let Some(at) = self.family(descriptor, Kind::Summary) else { return };
        if labels.get("quantile").is_some() {
            self.figures.refused.label.increment();
            return;
        }
        let pairs = &summary.quantiles;
        if !summary.sum.is_finite() || pairs.iter().any(|(q, value)| !q.is_finite() || !value.is_finite()) {
            self.figures.refused.not_finite.increment();
            return;
        }
        let increase = pairs.array_windows().all(|[(a, _), (b, _)]| a < b);
        if !increase || pairs.iter().any(|(q, _)| !(0.0..=1.0).contains(q)) {
            self.figures.refused.buckets.increment();
            return;
        }
        self.keep(at, labels, |old, _| match old {
            // As many quantiles as before: there is room for them.
            Some(CollectedValue::Summary(mut kept)) if kept.quantiles.len() == pairs.len() => {
                kept.quantiles.copy_from_slice(pairs);
                (kept.count, kept.sum) = (summary.count, summary.sum);
                CollectedValue::Summary(kept)
            }
            _ => CollectedValue::Summary(summary.clone()),
        });
    }
}
