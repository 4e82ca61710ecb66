//! All families in order, and a walk through their values.

use std::sync::Arc;

use bellwether_core::{Labels, MetricName, Monotonic, SeriesKey, Timestamp};

use crate::collector::Collector;
use crate::exemplar::Exemplars;
use crate::exposition::{Prefix, Room};
use crate::history::Track;
use crate::instrument::{Declared, Instrument, Reading, Scratch};
use crate::metric::{AnyMetric, Metric, is_held};
use crate::own_metrics::Figures;

/// Meets every family that has a value, in the order of names, and its series in that of their labels.
pub(crate) trait Visit {
    /// A family begins. Not called for one without a value.
    fn family(&mut self, declared: &Declared);
    /// A series of the family that began last.
    fn series(&mut self, series: SeriesView<'_>);
}

/// A series as a visitor meets it.
pub(crate) struct SeriesView<'a> {
    pub(crate) key: &'a Arc<SeriesKey>,
    /// Its [`Prefix`].
    pub(crate) prefix: &'a str,
    pub(crate) reading: Reading<'a>,
    /// Since when it counts, where that is known.
    pub(crate) created: Option<Timestamp>,
    pub(crate) exemplars: Option<&'a Exemplars>,
    /// Where the visitor may keep its places in the history: one for a counter or gauge; for a histogram or summary its
    /// count, its sum, and one per quantile.
    pub(crate) tracks: &'a mut Tracks,
}

/// The places of a series in the history.
#[derive(Default)]
pub(crate) struct Tracks(Box<[Option<Arc<Track>>]>);

impl Tracks {
    /// So many places.
    pub(crate) fn at_least(&mut self, n: usize) -> &mut [Option<Arc<Track>>] {
        // As few bytes as can be where nothing is sampled.
        if self.0.len() < n {
            let mut places = std::mem::take(&mut self.0).into_vec();
            places.resize(n, None);
            self.0 = places.into();
        }
        &mut self.0
    }
}

/// All families in order. Belongs to one reader at a time; what it learned stays for the next.
#[derive(Default)]
pub(crate) struct Gatherer {
    /// Sorted by name.
    places: Vec<(MetricName, Place)>,
    collectors: Vec<Collector>,
    /// The series of a metric that several collectors tell: labels, then collector and family.
    merged: Vec<(Labels, usize, usize)>,
    scratch: Scratch,
    /// Room for encoders.
    pub(crate) room: Room,
    /// Newest stamp of a sample.
    pub(crate) newest: Option<Timestamp>,
    /// Samples since the history was last swept.
    pub(crate) unswept: u32,
}

enum Place {
    Instrument(Box<dyn Roster>),
    Collected { collector: usize, family: usize },
}

/// The series of one metric of any kind.
pub(crate) trait Roster: Send {
    /// Meets every series that has a value, in the order of labels.
    fn walk(&mut self, scratch: &mut Scratch, visitor: &mut dyn Visit);
    /// Whether the metric is no longer in the registry.
    fn is_over(&self) -> bool;
}

/// The series of one metric, sorted by labels.
pub(crate) struct Rows<I: Instrument> {
    metric: Arc<Metric<I>>,
    members: Vec<Member<I>>,
    /// The prefixes of all members, one after the other: a scrape reads them in a row.
    prefixes: String,
}

struct Member<I> {
    instrument: I,
    /// Where its prefix ends; it begins where that of the member before ends.
    prefix_end: u32,
    /// When a look last found it in use: it was not used after that, or a later look finds it in use.
    used: Monotonic,
    /// Whether the last look found it idle, so that all that was recorded to it has been told.
    was_idle: bool,
    tracks: Tracks,
}

impl<I: Instrument> Rows<I> {
    pub(crate) fn new(metric: Arc<Metric<I>>) -> Self {
        Self { metric, members: Vec::new(), prefixes: String::new() }
    }

    /// Lets the series go that have been idle for too long: not looked up since the last look, and held by no one. O(series)
    /// where series expire.
    fn expire(&mut self, now: Monotonic) {
        let Some(after) = self.metric.idle_expiry() else { return };
        let mut idle = Vec::new();
        for member in &mut self.members {
            let instrument = &member.instrument;
            if instrument.values().take_look_up() || is_held(instrument) {
                member.used = now;
                member.was_idle = false;
            } else if !member.was_idle {
                member.was_idle = true;
            } else if now.saturating_since(member.used) >= after && !self.metric.is_overflow(instrument) {
                idle.push(instrument);
            }
        }
        if !idle.is_empty() {
            self.metric.expire(&idle);
        }
    }

    /// Takes those in that have come, drops those that have gone, and writes the prefixes anew. O(n + m log m), m of them
    /// being new.
    fn admit(&mut self, now: Monotonic) {
        let mut new = Vec::new();
        self.metric.newcomers(|instrument| {
            instrument.values().take_look_up();
            new.push(Member {
                instrument: instrument.clone(),
                prefix_end: 0,
                used: now,
                was_idle: false,
                tracks: Tracks::default(),
            });
        });
        new.sort_by(|a, b| a.instrument.key().labels.cmp(&b.instrument.key().labels));
        let old = std::mem::take(&mut self.members);
        self.members = Vec::with_capacity(old.len() + new.len());
        let mut new = new.into_iter().peekable();
        for member in old {
            let labels = &member.instrument.key().labels;
            while let Some(before) = new.next_if(|new| new.instrument.key().labels < *labels) {
                self.members.push(before);
            }
            if !member.instrument.values().is_gone() {
                self.members.push(member);
            } else if let Some(next) = new.peek_mut().filter(|new| new.instrument.key().labels == *labels) {
                // The same series to the history.
                next.tracks = member.tracks;
            }
        }
        self.members.extend(new);
        self.members.shrink_to_fit();
        self.prefixes.clear();
        for member in &mut self.members {
            Prefix::write(member.instrument.key(), &mut self.prefixes);
            member.prefix_end = self.prefixes.len() as u32;
        }
        self.prefixes.shrink_to_fit();
    }
}

impl<I: Instrument> Roster for Rows<I> {
    fn walk(&mut self, scratch: &mut Scratch, visitor: &mut dyn Visit) {
        self.expire(scratch.now);
        if self.metric.take_change() {
            self.admit(scratch.now);
        }
        let mut begun = false;
        let mut start = 0;
        for member in &mut self.members {
            let end = member.prefix_end as usize;
            let prefix = self.prefixes.get(start..end).unwrap_or("");
            start = end;
            let Some(reading) = member.instrument.read(scratch) else { continue };
            if !begun {
                begun = true;
                visitor.family(self.metric.declared());
            }
            visitor.series(SeriesView {
                key: member.instrument.key(),
                prefix,
                reading,
                created: member.instrument.created(),
                exemplars: member.instrument.exemplars(),
                tracks: &mut member.tracks,
            });
        }
    }

    fn is_over(&self) -> bool {
        self.metric.is_removed()
    }
}

impl Gatherer {
    /// Takes what was registered since the last call.
    pub(crate) fn admit(&mut self, metrics: &mut Vec<AnyMetric>, collectors: &mut Vec<Collector>) {
        if metrics.is_empty() && collectors.is_empty() {
            return;
        }
        for metric in metrics.drain(..) {
            let name = metric.definition().descriptor.name.clone();
            self.places.push((name, Place::Instrument(metric.roster())));
        }
        for collector in collectors.drain(..) {
            let at = self.collectors.len();
            let names = collector.names().cloned().enumerate();
            self.places
                .extend(names.map(|(family, name)| (name, Place::Collected { collector: at, family })));
            self.collectors.push(collector);
        }
        self.places.sort_by(|a, b| a.0.cmp(&b.0));
    }

    /// Forgets the metrics that are no longer in the registry.
    pub(crate) fn part(&mut self) {
        self.places.retain(|(_, place)| !matches!(place, Place::Instrument(roster) if roster.is_over()));
    }

    /// Runs every collector, then meets every value.
    pub(crate) fn walk(&mut self, now: Monotonic, figures: &Figures, visitor: &mut dyn Visit) {
        self.scratch.begin(now);
        for collector in &mut self.collectors {
            collector.run(now, figures);
        }
        let mut at = 0;
        while at < self.places.len() {
            at = self.visit_name(at, figures, visitor);
        }
    }

    /// Meets the values of one metric, running the collectors that tell it.
    pub(crate) fn walk_one(
        &mut self,
        name: &MetricName,
        now: Monotonic,
        figures: &Figures,
        visitor: &mut dyn Visit,
    ) {
        self.scratch.begin(now);
        let at = self.places.partition_point(|(other, _)| other < name);
        for (_, place) in self.places.iter().skip(at).take_while(|(other, _)| other == name) {
            if let Place::Collected { collector, .. } = place
                && let Some(collector) = self.collectors.get_mut(*collector)
            {
                collector.run(now, figures);
            }
        }
        if self.places.get(at).is_some_and(|(other, _)| other == name) {
            self.visit_name(at, figures, visitor);
        }
    }

    /// Meets the values of the metric at a place; the place of the next one.
    fn visit_name(&mut self, at: usize, figures: &Figures, visitor: &mut dyn Visit) -> usize {
        let rest = self.places.get(at..).unwrap_or_default();
        let sharing =
            rest.first().map_or(0, |(name, _)| rest.iter().take_while(|(other, _)| other == name).count());
        match sharing {
            0 | 1 => self.visit(at, visitor),
            _ => self.visit_shared(at..at + sharing, figures, visitor),
        }
        at + sharing.max(1)
    }

    /// Meets the values of a metric that several collectors tell, as one family in the order of labels. Of two series
    /// with the same labels the one of the earlier collector counts; the other is refused and counted.
    fn visit_shared(&mut self, places: std::ops::Range<usize>, figures: &Figures, visitor: &mut dyn Visit) {
        self.merged.clear();
        for (_, place) in self.places.get(places).unwrap_or_default() {
            if let &Place::Collected { collector: at, family } = place
                && let Some(collector) = self.collectors.get(at)
            {
                self.merged.extend(collector.told(family).map(|labels| (labels.clone(), at, family)));
            }
        }
        self.merged.sort_unstable();
        let mut before: Option<&Labels> = None;
        for (labels, at, family) in &self.merged {
            let Some(collector) = self.collectors.get_mut(*at) else { continue };
            if before == Some(labels) {
                figures.refused.repeated.increment();
                continue;
            }
            if before.is_none()
                && let Some(declared) = collector.declared(*family)
            {
                visitor.family(declared);
            }
            before = Some(labels);
            collector.visit_one(*family, labels, visitor);
        }
    }

    fn visit(&mut self, at: usize, visitor: &mut dyn Visit) {
        match self.places.get_mut(at) {
            Some((_, Place::Instrument(roster))) => roster.walk(&mut self.scratch, visitor),
            Some((_, Place::Collected { collector, family })) => {
                if let Some(collector) = self.collectors.get_mut(*collector) {
                    collector.visit(*family, visitor);
                }
            }
            None => {}
        }
    }
}
