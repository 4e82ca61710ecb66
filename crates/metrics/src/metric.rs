//! One metric and its series.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bellwether_core::{Kind, LabelName, Labels, LabelsError, SeriesKey};
use foldhash::fast::RandomState;
use papaya::Equivalent as _;
use parking_lot::Mutex;

use crate::error::{Definition, SeriesError};
use crate::gather::{Roster, Rows};
use crate::instrument::{Declared, Instrument};
use crate::own_metrics::Figures;
use crate::values::Values;
use crate::wanted::{ByName, Ready, Sought, Wanted};

mod leaving;

/// The label of the series that takes what has no series of its own: `overflow="true"`.
pub const OVERFLOW_LABEL: &str = "overflow";

/// How many series a metric and its registry may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesBounds {
    pub(crate) per_metric: usize,
    pub(crate) all: usize,
    /// How long a series may be idle, unless its metric says otherwise.
    pub(crate) idle_expiry: Option<Duration>,
}

/// Which labels the series of a metric have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelNames {
    /// These, sorted.
    Fixed(Box<[LabelName]>),
    /// Any; each series has its own.
    Any,
}

impl LabelNames {
    pub(crate) fn fixed(&self) -> &[LabelName] {
        match self {
            Self::Fixed(names) => names,
            Self::Any => &[],
        }
    }

    /// Whether there is one series, without labels.
    pub(crate) fn are_none(&self) -> bool {
        matches!(self, Self::Fixed(names) if names.is_empty())
    }
}

/// One metric and its series.
///
/// A look-up that hits takes no lock and allocates nothing, and neither does one beyond the bound of series. Who makes or
/// removes a series takes turns with others who do; who scrapes waits for none of them while it reads.
///
/// **A series that is idle leaves in two steps**, so that no recording is lost however late it comes. First it is taken out
/// of the table: no look-up finds it there any more. It stays among those that are leaving, in the exposition and in the
/// bound, until no one else holds it: neither a handle nor a look-up that is under way. If it was looked up meanwhile it goes
/// back into the table; and who looks its labels up takes it back from there rather than making another.
pub(crate) struct Metric<I: Instrument> {
    declared: Declared,
    labels: LabelNames,
    shape: I::Shape,
    hashes: RandomState,
    table: papaya::HashMap<Entry<I>, (), Ready>,
    /// The series of a metric without labels.
    only: OnceLock<I>,
    overflow: OnceLock<I>,
    /// Series in the table, and those that are leaving.
    series: AtomicUsize,
    bounds: SeriesBounds,
    figures: Arc<Figures>,
    /// Held by who makes or removes a series.
    turn: Mutex<Leaving<I>>,
    /// How many are leaving.
    leaving: AtomicUsize,
    /// Series came or went since whoever scrapes last looked.
    changed: AtomicBool,
    /// In milliseconds, [`NEVER`], or [`AS_THE_REGISTRY`].
    idle_expiry: AtomicU64,
    /// No longer in the registry.
    removed: AtomicBool,
}

const NEVER: u64 = u64::MAX;
const AS_THE_REGISTRY: u64 = u64::MAX - 1;

/// Series that were taken out of the table for being idle, while someone may still hold them.
type Leaving<I> = Vec<Entry<I>>;

/// Why there is no series for some pairs.
enum Missing {
    Label(LabelsError),
    Reserved(LabelName, &'static str),
    Bound(usize),
    Removed,
}

/// One known combination of label values: as little as can be, so that many fit into a cache.
pub(crate) struct Entry<I> {
    pub(crate) hash: u64,
    pub(crate) series: I,
}

impl<I: Instrument> Entry<I> {
    fn is(&self, other: &I) -> bool {
        Arc::ptr_eq(self.series.key(), other.key())
    }
}

impl<I: Clone> Clone for Entry<I> {
    fn clone(&self) -> Self {
        Self { hash: self.hash, series: self.series.clone() }
    }
}

impl<I: Instrument> PartialEq for Entry<I> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.series.values().bytes() == other.series.values().bytes()
    }
}

impl<I: Instrument> Eq for Entry<I> {}

impl<I> Hash for Entry<I> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<I: Instrument> Metric<I> {
    /// A metric without labels gets its one series now.
    pub(crate) fn new(
        declared: Declared,
        labels: LabelNames,
        shape: I::Shape,
        bounds: SeriesBounds,
        figures: &Arc<Figures>,
    ) -> Result<Self, SeriesError> {
        let metric = Self {
            declared,
            labels,
            shape,
            hashes: RandomState::default(),
            // Each has its own collector of what was removed: a shared one must not outlive the table of another metric.
            table: papaya::HashMap::builder().hasher(Ready::default()).build(),
            only: OnceLock::new(),
            overflow: OnceLock::new(),
            series: AtomicUsize::new(0),
            bounds,
            figures: Arc::clone(figures),
            turn: Mutex::new(Vec::new()),
            leaving: AtomicUsize::new(0),
            changed: AtomicBool::new(false),
            idle_expiry: AtomicU64::new(AS_THE_REGISTRY),
            removed: AtomicBool::new(false),
        };
        if metric.labels.are_none() {
            let none = ByName(&[]);
            if !metric.figures.reserve_series(bounds.all) {
                return Err(metric.error(&none, Missing::Bound(bounds.all)));
            }
            metric.series.store(1, Ordering::Relaxed);
            let _ = metric.only.set(metric.create(Labels::empty(), Values::new(none.parts())));
            metric.changed.store(true, Ordering::Relaxed);
        }
        Ok(metric)
    }

    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    pub(crate) fn labels(&self) -> &LabelNames {
        &self.labels
    }

    pub(crate) fn shape(&self) -> &I::Shape {
        &self.shape
    }

    /// The one series of a metric without labels.
    pub(crate) fn only(&self) -> I {
        self.only.get().map_or_else(|| self.overflow().clone(), I::clone)
    }

    /// The series of these labels; made if there is none yet.
    pub(crate) fn series(&self, wanted: &impl Wanted) -> Result<I, SeriesError> {
        let hash = wanted.hash_with(&self.hashes);
        let found = self.find(wanted, hash, I::clone);
        found.map_or_else(|_| self.make(wanted, hash), Ok).map_err(|missing| self.error(wanted, missing))
    }

    /// Calls with the series of these labels, or the overflow series. Nothing is cloned on a hit: the series is borrowed
    /// from the table for as long as the call takes.
    #[inline]
    pub(crate) fn on<R>(&self, wanted: &impl Wanted, call: impl FnOnce(&I) -> R) -> R {
        let hash = wanted.hash_with(&self.hashes);
        match self.find(wanted, hash, call) {
            Ok(done) => done,
            Err(call) => self.on_another(wanted, hash, call),
        }
    }

    #[inline]
    fn find<R, F: FnOnce(&I) -> R>(&self, wanted: &impl Wanted, hash: u64, call: F) -> Result<R, F> {
        let guard = self.table.guard();
        match self.table.get_key_value(&Sought { hash, wanted }, &guard) {
            Some((entry, ())) => {
                entry.series.values().look_up();
                Ok(call(&entry.series))
            }
            None => Err(call),
        }
    }

    /// What cannot be made must cost little, since a flood of label sets comes just when there is no time: no lock is
    /// taken, nothing is allocated.
    #[cold]
    fn on_another<R>(&self, wanted: &impl Wanted, hash: u64, call: impl FnOnce(&I) -> R) -> R {
        let refused = match (!wanted.is_hopeless()).then(|| self.make(wanted, hash)) {
            Some(Ok(series)) => return call(&series),
            Some(Err(Missing::Bound(_))) => &self.figures.overflowed,
            Some(Err(Missing::Removed)) => &self.figures.refused.removed,
            None | Some(Err(Missing::Label(_) | Missing::Reserved(..))) => &self.figures.refused.label,
        };
        refused.increment();
        call(self.overflow())
    }

    /// Calls with the overflow series for what can be no label set, and counts it.
    #[cold]
    pub(crate) fn on_hopeless<R>(&self, call: impl FnOnce(&I) -> R) -> R {
        self.figures.refused.label.increment();
        call(self.overflow())
    }

    /// The series that takes what has none of its own. Beyond every bound, once per metric.
    pub(crate) fn overflow(&self) -> &I {
        let make = || {
            // Neither is too long, and the name is one; a set without labels is never reached.
            let labels = Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty());
            let series = self.create(labels, Values::new(std::iter::empty()));
            // Whoever removes the metric waits for this, or this is made of a metric that was removed.
            let _turn = self.turn.lock();
            if self.removed.load(Ordering::Relaxed) {
                series.values().leave();
            } else {
                self.figures.add_series();
            }
            series
        };
        if let Some(series) = self.overflow.get() {
            return series;
        }
        let series = self.overflow.get_or_init(make);
        self.changed.store(true, Ordering::Release);
        series
    }

    #[cold]
    fn make(&self, wanted: &impl Wanted, hash: u64) -> Result<I, Missing> {
        if self.removed.load(Ordering::Relaxed) {
            return Err(Missing::Removed);
        }
        // Once a bound is reached, look-ups beyond it disturb no one; but one that is leaving may be the one.
        if self.leaving.load(Ordering::Relaxed) == 0 {
            if self.series.load(Ordering::Relaxed) >= self.bounds.per_metric {
                return Err(Missing::Bound(self.bounds.per_metric));
            }
            if !self.figures.has_room(self.bounds.all) {
                return Err(Missing::Bound(self.bounds.all));
            }
        }
        if let Some((label, what_for)) = self.reserved(wanted) {
            return Err(Missing::Reserved(label, what_for));
        }
        let labels = wanted.labels(self.labels.fixed()).map_err(Missing::Label)?;
        let mut leaving = self.turn.lock();
        let guard = self.table.guard();
        if self.removed.load(Ordering::Relaxed) {
            return Err(Missing::Removed);
        }
        // Another thread may have been quicker.
        let sought = Sought { hash, wanted };
        if let Some((entry, ())) = self.table.get_key_value(&sought, &guard) {
            entry.series.values().look_up();
            return Ok(entry.series.clone());
        }
        if let Some(at) = leaving.iter().position(|entry| sought.equivalent(entry)) {
            let entry = leaving.swap_remove(at);
            self.leaving.store(leaving.len(), Ordering::Relaxed);
            entry.series.values().set_idle(false);
            entry.series.values().look_up();
            let series = entry.series.clone();
            self.table.insert(entry, (), &guard);
            return Ok(series);
        }
        if self.series.load(Ordering::Relaxed) >= self.bounds.per_metric {
            return Err(Missing::Bound(self.bounds.per_metric));
        }
        if !self.figures.reserve_series(self.bounds.all) {
            return Err(Missing::Bound(self.bounds.all));
        }
        self.series.fetch_add(1, Ordering::Relaxed);
        let series = self.create(labels, Values::new(wanted.parts()));
        self.table.insert(Entry { hash, series: series.clone() }, (), &guard);
        self.changed.store(true, Ordering::Release);
        Ok(series)
    }

    fn create(&self, labels: Labels, values: Values) -> I {
        let key = SeriesKey { descriptor: Arc::clone(&self.declared.descriptor), labels };
        I::create(&self.shape, Arc::new(key), values, &self.figures)
    }

    /// A label that a series of any labels must not have.
    fn reserved(&self, wanted: &impl Wanted) -> Option<(LabelName, &'static str)> {
        let LabelNames::Any = self.labels else { return None };
        wanted.pairs(&[]).find_map(|(name, _)| {
            let what_for = reserved_for(self.declared.descriptor.kind, name)?;
            Some((LabelName::new(name.to_owned()).ok()?, what_for))
        })
    }

    fn error(&self, wanted: &impl Wanted, missing: Missing) -> SeriesError {
        let metric = self.declared.descriptor.name.clone();
        match missing {
            Missing::Label(source) => SeriesError::Label { metric, source },
            Missing::Reserved(label, what_for) => SeriesError::ReservedLabel { metric, label, what_for },
            Missing::Removed => SeriesError::Removed { metric },
            Missing::Bound(limit) => {
                let pairs = wanted.pairs(self.labels.fixed());
                let labels: Vec<_> = pairs.map(|(name, value)| format!("{name}={value:?}")).collect();
                SeriesError::Bound { metric, labels: labels.join(","), limit }
            }
        }
    }
}

/// What a label name is reserved for, if it is.
pub(crate) fn reserved_for(kind: Kind, label: &str) -> Option<&'static str> {
    match label {
        OVERFLOW_LABEL => Some("for the series that takes what is beyond the bound"),
        "le" if kind == Kind::Histogram => Some("for the buckets of histograms"),
        "quantile" if kind == Kind::Summary => Some("for the quantiles of summaries"),
        _ => None,
    }
}

/// A metric of any kind.
pub(crate) trait DefinedMetric: Any + Send + Sync {
    fn definition(&self) -> Definition;
    /// Its series, for whoever scrapes.
    fn roster(self: Arc<Self>) -> Box<dyn Roster>;
    /// See [`Metric::end`].
    fn end(&self);
    /// Whether it is no longer in the registry.
    fn is_removed(&self) -> bool;
}

/// A metric of any kind, shared by its families, the names and whoever scrapes.
pub(crate) type AnyMetric = Arc<dyn DefinedMetric>;

impl<I: Instrument> DefinedMetric for Metric<I> {
    fn definition(&self) -> Definition {
        Definition {
            descriptor: Arc::clone(&self.declared.descriptor),
            labels: self.labels.fixed().into(),
            any_labels: self.labels == LabelNames::Any,
            buckets: I::buckets(&self.shape).cloned(),
            detail: I::detail(&self.shape),
            collector: None,
        }
    }

    fn roster(self: Arc<Self>) -> Box<dyn Roster> {
        Box::new(Rows::new(self))
    }

    fn end(&self) {
        self.end();
    }

    fn is_removed(&self) -> bool {
        self.is_removed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use bellwether_core::{Descriptor, MetricName, Unit};

    use super::*;
    use crate::Counter;
    use crate::wanted::ByPlace;

    pub(super) fn orders(bounds: SeriesBounds) -> Metric<Counter> {
        let name = MetricName::new("orders_total").unwrap();
        let declared = Declared::new(Arc::new(Descriptor::counter(name, Unit::None, "Orders."))).unwrap();
        let labels = LabelNames::Fixed(Box::new([LabelName::new("id").unwrap()]));
        Metric::new(declared, labels, (), bounds, &Arc::default()).unwrap()
    }

    pub(super) fn add(orders: &Metric<Counter>, id: &str) {
        orders.on(&ByPlace { values: &[id], order: &[0] }, Counter::increment);
    }

    #[test]
    fn what_has_no_series_of_its_own_waits_for_no_one_who_makes_or_removes() {
        for (per_metric, all) in [(2, 100), (100, 2)] {
            let orders = orders(SeriesBounds { per_metric, all, idle_expiry: None });
            for id in ["1", "2", "3"] {
                add(&orders, id);
            }
            // Whoever makes or removes a series would wait for this.
            let turn = orders.turn.lock();
            let (done, is_done) = mpsc::channel();
            thread::scope(|scope| {
                let orders = &orders;
                scope.spawn(move || {
                    for id in 10..100 {
                        add(orders, &id.to_string());
                    }
                    add(orders, &"x".repeat(5_000));
                    add(orders, "1");
                    let _ = done.send(());
                });
                let outcome = is_done.recv_timeout(Duration::from_secs(20));
                drop(turn);
                assert_eq!(outcome, Ok(()));
            });
            assert_eq!(orders.overflow().get(), 92);
        }
    }
}
