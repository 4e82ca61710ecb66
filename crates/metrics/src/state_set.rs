//! Which of a few states something is in.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use bellwether_core::{Labels, SeriesKey};
use parking_lot::Mutex;

use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::own_metrics::Figures;
use crate::values::Values;

/// Which of a few states something is in: a series for each of them, 1 for the one that holds and 0 for the others. A
/// handle that is cheap to clone, and that any thread may use.
///
/// To make one: [`Registry::state_set`](crate::Registry::state_set). The label that names the state is called like the
/// metric. Before the first state is set, none of the series has a value. Of one scrape exactly one state holds, whenever it
/// is changed. Setting takes no lock, allocates nothing and cannot fail: a state that is none is refused and counted in
/// `bellwether_metrics_refused_total`, and the state stays what it was.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let circuit = metrics.state_set("venue_circuit", "Circuit breaker.", ["closed", "half_open", "open"])?;
/// circuit.set("open");
/// assert_eq!(circuit.get(), Some("open"));
/// assert!(metrics.text().contains("venue_circuit{venue_circuit=\"open\"} 1\n"));
/// assert!(metrics.text().contains("venue_circuit{venue_circuit=\"closed\"} 0\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct StateSet(Arc<Inner>);

struct Inner {
    states: States,
    held: Arc<Held>,
    /// A series per state, in their order.
    series: Box<[StateSeries]>,
    figures: Arc<Figures>,
}

/// The states that a state set can be in.
pub(crate) type States = Arc<[Box<str>]>;

/// The state that holds.
#[derive(Debug)]
struct Held {
    /// Its number, or [`UNSET`].
    now: AtomicU32,
    /// The walk that last told it, and what it told: each series of one walk tells the same.
    told: Mutex<(u64, u32)>,
}

const UNSET: u32 = u32::MAX;

impl Held {
    fn in_walk(&self, walk: u64) -> u32 {
        let mut told = self.told.lock();
        if told.0 != walk {
            *told = (walk, self.now.load(Ordering::Relaxed));
        }
        told.1
    }
}

impl StateSet {
    /// Of the series that the registry has, one per state in their order.
    pub(crate) fn new(states: States, series: Box<[StateSeries]>, figures: &Arc<Figures>) -> Self {
        let new = || Held { now: AtomicU32::new(UNSET), told: Mutex::new((0, UNSET)) };
        // Whoever defines it again, at the same time too, finds what the first series has.
        let held = series.first().map_or_else(|| Arc::new(new()), |first| first.join(&Arc::new(new()), 0));
        for (number, series) in (0..).zip(&series) {
            series.join(&held, number);
        }
        Self(Arc::new(Inner { states, held, series, figures: Arc::clone(figures) }))
    }

    /// Goes into a state. O(states).
    pub fn set(&self, state: &str) {
        match (0..).zip(&*self.0.states).find(|(_, known)| &***known == state) {
            Some((number, _)) => self.0.held.now.store(number, Ordering::Relaxed),
            None => self.0.figures.refused.state.increment(),
        }
    }

    /// The state that holds, if one was set.
    pub fn get(&self) -> Option<&str> {
        let number = self.0.held.now.load(Ordering::Relaxed);
        self.0.states.get(number as usize).map(|state| &**state)
    }

    /// Leaves every state: from now on the set is in no sample, until a state is set again.
    pub fn clear(&self) {
        self.0.held.now.store(UNSET, Ordering::Relaxed);
    }

    /// The states, in the order in which they were given.
    pub fn states(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.states.iter().map(|state| &**state)
    }

    /// The labels of the series of each state, in the same order.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = &Labels> {
        self.0.series.iter().map(|series| &series.0.key.labels)
    }
}

impl fmt::Debug for StateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.series.first().map(|series| &series.0.key.descriptor.name);
        write!(f, "StateSet({} = {:?})", name.map_or("", |name| name.as_str()), self.get())
    }
}

/// The series of one state.
#[derive(Clone)]
pub(crate) struct StateSeries(Arc<Series>);

struct Series {
    /// What it tells, and the number of its state there.
    of: OnceLock<(Arc<Held>, u32)>,
    values: Values,
    key: Arc<SeriesKey>,
}

impl StateSeries {
    /// From now on tells of this, unless it already tells of something.
    fn join(&self, held: &Arc<Held>, number: u32) -> Arc<Held> {
        Arc::clone(&self.0.of.get_or_init(|| (Arc::clone(held), number)).0)
    }
}

impl fmt::Debug for StateSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateSeries({}{})", self.0.key.descriptor.name, self.0.key.labels)
    }
}

impl Instrument for StateSeries {}

impl Measure for StateSeries {
    type Shape = States;

    fn create(_: &States, key: Arc<SeriesKey>, values: Values, _: &Arc<Figures>) -> Self {
        Self(Arc::new(Series { of: OnceLock::new(), values, key }))
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.0.key
    }

    fn values(&self) -> &Values {
        &self.0.values
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn detail(states: &States) -> Option<String> {
        Some(format!("states {states:?}"))
    }

    fn read<'a>(&'a self, scratch: &'a mut Scratch) -> Option<Reading<'a>> {
        let (held, number) = self.0.of.get()?;
        let state = held.in_walk(scratch.walk);
        (state != UNSET).then(|| Reading::Gauge(f64::from(u8::from(state == *number))))
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Descriptor, MetricName, Monotonic};

    use super::*;

    #[test]
    fn every_series_of_one_walk_tells_of_the_same_state() {
        let name = MetricName::new("circuit").unwrap();
        let descriptor = Arc::new(Descriptor::state_set(name, "Circuit."));
        let states: States = ["closed".into(), "open".into()].into();
        let figures = Arc::default();
        let series = states.iter().map(|state| {
            let labels = Labels::new([("circuit", &**state)]).unwrap();
            let key = Arc::new(SeriesKey { descriptor: Arc::clone(&descriptor), labels });
            StateSeries::create(&states, key, Values::new(std::iter::once(&**state)), &figures)
        });
        let set = StateSet::new(Arc::clone(&states), series.collect(), &figures);
        let mut scratch = Scratch::default();
        let told = |at: usize, scratch: &mut Scratch| match set.0.series[at].read(scratch) {
            Some(Reading::Gauge(value)) => value,
            other => panic!("{other:?}"),
        };
        scratch.begin(Monotonic::ORIGIN);
        set.set("closed");
        assert_eq!(told(0, &mut scratch), 1.0);
        // Between the reading of one series and the next.
        set.set("open");
        assert_eq!(told(1, &mut scratch), 0.0);
        scratch.begin(Monotonic::ORIGIN);
        assert_eq!((told(0, &mut scratch), told(1, &mut scratch)), (0.0, 1.0));
    }
}
