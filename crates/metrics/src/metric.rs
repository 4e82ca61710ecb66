//! One metric and its series.

use std::any::Any;
use std::iter;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bellwether_core::{Kind, LabelName, Labels, LabelsError, SeriesKey};
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use self::table::{Filling, Missed, Table};
use crate::error::{Definition, SeriesError};
use crate::gather::{Roster, Rows};
use crate::instrument::{Declared, Instrument};
use crate::own_metrics::Figures;
use crate::values::Values;
use crate::wanted::Wanted;

mod leaving;
mod table;

pub(crate) use self::leaving::is_held;

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
    Fixed(Arc<[LabelName]>),
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

    /// The labels of a series.
    fn of(&self, wanted: &impl Wanted) -> Result<Labels, LabelsError> {
        match self {
            Self::Fixed(names) => wanted.labels(names),
            Self::Any => wanted.labels(&Arc::default()),
        }
    }

    /// Whether there is one series, without labels.
    pub(crate) fn are_none(&self) -> bool {
        matches!(self, Self::Fixed(names) if names.is_empty())
    }
}

/// One metric and its series.
///
/// A look-up waits for no one and allocates nothing, neither one that hits nor one beyond the bound of series. Who makes or
/// removes a series takes turns with others who do; who scrapes waits for none of them while it reads.
pub(crate) struct Metric<I: Instrument> {
    declared: Declared,
    labels: LabelNames,
    shape: I::Shape,
    hashes: RandomState,
    series_of: SeriesOf<I>,
    overflow: OnceLock<I>,
    /// How many series there are, without the overflow series.
    series: AtomicUsize,
    bounds: SeriesBounds,
    figures: Arc<Figures>,
    /// Held by who makes or removes a series.
    turn: Mutex<Filling>,
    /// Series came or went since whoever scrapes last looked.
    changed: AtomicBool,
    /// In milliseconds, [`NEVER`], or [`AS_THE_REGISTRY`].
    idle_expiry: AtomicU64,
    /// No longer in the registry.
    removed: AtomicBool,
}

const NEVER: u64 = u64::MAX;
const AS_THE_REGISTRY: u64 = u64::MAX - 1;

/// Where the series are.
enum SeriesOf<I> {
    NoLabels(I),
    Labels(Table<I>),
}

/// Why there is no series for some pairs.
enum Missing {
    Label(LabelsError),
    Reserved(LabelName, &'static str),
    Bound(usize),
    Removed,
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
        let series_of = if labels.are_none() {
            if !figures.reserve_series(bounds.all) {
                let metric = declared.descriptor.name.clone();
                return Err(SeriesError::Bound { metric, labels: String::new(), limit: bounds.all });
            }
            SeriesOf::NoLabels(create(
                &declared,
                &shape,
                Labels::empty(),
                Values::new(iter::empty()),
                figures,
            ))
        } else {
            SeriesOf::Labels(Table::new())
        };
        Ok(Self {
            series: AtomicUsize::new(usize::from(labels.are_none())),
            declared,
            labels,
            shape,
            hashes: RandomState::default(),
            series_of,
            overflow: OnceLock::new(),
            bounds,
            figures: Arc::clone(figures),
            turn: Mutex::new(Filling::default()),
            changed: AtomicBool::new(true),
            idle_expiry: AtomicU64::new(AS_THE_REGISTRY),
            removed: AtomicBool::new(false),
        })
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
        match &self.series_of {
            SeriesOf::NoLabels(series) => series.clone(),
            SeriesOf::Labels(_) => self.overflow().clone(),
        }
    }

    /// The series of these labels; made if there is none yet.
    pub(crate) fn series(&self, wanted: &impl Wanted) -> Result<I, SeriesError> {
        let SeriesOf::Labels(table) = &self.series_of else { return Ok(self.only()) };
        let hash = wanted.hash_with(&self.hashes);
        let found = table.find(wanted, hash, I::clone);
        let made = found.or_else(|missed| self.make(table, wanted, hash, missed.is_idle));
        made.map_err(|missing| self.error(wanted, missing))
    }

    /// Calls with the series of these labels, or the overflow series. Nothing is cloned on a hit: the series is borrowed
    /// from the table for as long as the call takes.
    #[inline]
    pub(crate) fn on<R>(&self, wanted: &impl Wanted, call: impl FnOnce(&I) -> R) -> R {
        let SeriesOf::Labels(table) = &self.series_of else { return call(&self.only()) };
        let hash = wanted.hash_with(&self.hashes);
        match table.find(wanted, hash, call) {
            Ok(done) => done,
            Err(missed) => self.on_another(table, wanted, hash, missed),
        }
    }

    /// What cannot be made must cost little, since a flood of label sets comes just when there is no time: no one is waited
    /// for, nothing is allocated.
    #[cold]
    fn on_another<R, F: FnOnce(&I) -> R>(
        &self,
        table: &Table<I>,
        wanted: &impl Wanted,
        hash: u64,
        missed: Missed<F>,
    ) -> R {
        let Missed { call, is_idle } = missed;
        let refused = match (!wanted.is_hopeless()).then(|| self.make(table, wanted, hash, is_idle)) {
            Some(Ok(series)) => return call(&series),
            Some(Err(Missing::Bound(_))) => &self.figures.overflowed,
            Some(Err(Missing::Removed)) => &self.figures.refused.removed,
            None | Some(Err(Missing::Label(_) | Missing::Reserved(..))) => &self.figures.refused.label,
        };
        refused.increment();
        call(self.overflow())
    }

    /// The series that takes what has none of its own. Beyond every bound, once per metric.
    pub(crate) fn overflow(&self) -> &I {
        let make = || {
            // Neither is too long, and the name is one; a set without labels is never reached.
            let labels = Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty());
            let values = Values::new(iter::empty());
            let series: I = create(&self.declared, &self.shape, labels, values, &self.figures);
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
    fn make(&self, table: &Table<I>, wanted: &impl Wanted, hash: u64, is_idle: bool) -> Result<I, Missing> {
        if self.removed.load(Ordering::Relaxed) {
            return Err(Missing::Removed);
        }
        // Once a bound is reached, look-ups beyond it disturb no one. One that is about to go for being idle is no such.
        if !is_idle {
            self.check_room()?;
        }
        if let Some((label, what_for)) = self.reserved(wanted) {
            return Err(Missing::Reserved(label, what_for));
        }
        let labels = self.labels.of(wanted).map_err(Missing::Label)?;
        let mut filling = self.turn.lock();
        // Another thread may have been quicker.
        if let Ok(series) = table.find(wanted, hash, I::clone) {
            return Ok(series);
        }
        if self.removed.load(Ordering::Relaxed) {
            return Err(Missing::Removed);
        }
        self.check_room()?;
        if !self.figures.reserve_series(self.bounds.all) {
            return Err(Missing::Bound(self.bounds.all));
        }
        self.series.fetch_add(1, Ordering::Relaxed);
        let values = Values::new(wanted.parts());
        let series: I = create(&self.declared, &self.shape, labels, values, &self.figures);
        table.insert(&mut filling, hash, series.clone());
        self.changed.store(true, Ordering::Release);
        Ok(series)
    }

    fn check_room(&self) -> Result<(), Missing> {
        if self.series.load(Ordering::Relaxed) >= self.bounds.per_metric {
            return Err(Missing::Bound(self.bounds.per_metric));
        }
        if !self.figures.has_room(self.bounds.all) {
            return Err(Missing::Bound(self.bounds.all));
        }
        Ok(())
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

fn create<I: Instrument>(
    declared: &Declared,
    shape: &I::Shape,
    labels: Labels,
    values: Values,
    figures: &Arc<Figures>,
) -> I {
    let key = SeriesKey { descriptor: Arc::clone(&declared.descriptor), labels };
    I::create(shape, Arc::new(key), values, figures)
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
        let labels = LabelNames::Fixed(Arc::new([LabelName::new("id").unwrap()]));
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
