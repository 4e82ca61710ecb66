//! The registry is a plain map from name and labels to values, whatever is done to it in whatever order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bellwether_core::Labels;
use bellwether_metrics::{
    Buckets, Counter, CounterFamily, DynamicFamily, Gauge, GaugeFamily, HistogramFamily, Registry,
    RegistryConfig, Total, Unit, Value,
};
use proptest::prelude::*;

use crate::desk::Desk;
use crate::parser::parse;

const BOUNDS: [f64; 3] = [-1.0, 0.0, 2.5];
/// Every step takes a second.
const IDLE_EXPIRY: u64 = 4;

#[derive(Debug, Clone, Copy)]
struct Place {
    name: usize,
    labels: [usize; 2],
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    /// Counters of any labels.
    Dynamic,
    Gauge,
    Histogram,
}

#[derive(Debug, Clone)]
enum Step {
    /// By a handle that is looked up, or directly.
    Add {
        at: Place,
        n: u64,
        directly: bool,
    },
    AddDynamic {
        at: Place,
        n: u64,
        directly: bool,
        backwards: bool,
    },
    Set {
        at: Place,
        value: f64,
        directly: bool,
    },
    Change {
        at: Place,
        by: f64,
        directly: bool,
    },
    Raise {
        at: Place,
        to: f64,
        directly: bool,
    },
    Clear {
        at: Place,
    },
    Record {
        at: Place,
        value: f64,
        directly: bool,
    },
    /// Looks a handle up, and keeps it.
    Keep {
        at: Place,
        is_gauge: bool,
    },
    /// Records by a handle that was kept.
    ByHandle {
        which: usize,
        n: u64,
    },
    Drop {
        which: usize,
    },
    Remove {
        kind: Kind,
        at: Place,
    },
    /// Keeps the series whose label `x` is not this.
    Retain {
        kind: Kind,
        at: Place,
    },
    RemoveMetric {
        kind: Kind,
        name: usize,
    },
    Scrape,
    Sample,
    Snapshot,
}

const NAMES: usize = 2;
/// More values than the bound of series allows to combine.
const VALUES: [&str; 4] = ["", "a", "b\"\\\n", "c"];
const MAX_SERIES: usize = 6;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -4i32..8,
        1 => Just(i32::MAX),
    ]
    .prop_map(|number| if number == i32::MAX { f64::NAN } else { f64::from(number) / 2.0 })
}

fn step() -> impl Strategy<Value = Step> {
    let at =
        || (0..NAMES, [0..VALUES.len(), 0..VALUES.len()]).prop_map(|(name, labels)| Place { name, labels });
    let kind =
        || prop_oneof![Just(Kind::Counter), Just(Kind::Dynamic), Just(Kind::Gauge), Just(Kind::Histogram)];
    let yes = any::<bool>;
    prop_oneof![
        6 => (at(), 0..5u64, yes()).prop_map(|(at, n, directly)| Step::Add { at, n, directly }),
        4 => (at(), 0..5u64, yes(), yes())
            .prop_map(|(at, n, directly, backwards)| Step::AddDynamic { at, n, directly, backwards }),
        3 => (at(), number(), yes()).prop_map(|(at, value, directly)| Step::Set { at, value, directly }),
        2 => (at(), number(), yes()).prop_map(|(at, by, directly)| Step::Change { at, by, directly }),
        2 => (at(), number(), yes()).prop_map(|(at, to, directly)| Step::Raise { at, to, directly }),
        1 => at().prop_map(|at| Step::Clear { at }),
        4 => (at(), number(), yes()).prop_map(|(at, value, directly)| Step::Record { at, value, directly }),
        3 => (at(), yes()).prop_map(|(at, is_gauge)| Step::Keep { at, is_gauge }),
        3 => (0..8usize, 0..5u64).prop_map(|(which, n)| Step::ByHandle { which, n }),
        2 => (0..8usize).prop_map(|which| Step::Drop { which }),
        2 => (kind(), at()).prop_map(|(kind, at)| Step::Remove { kind, at }),
        1 => (kind(), at()).prop_map(|(kind, at)| Step::Retain { kind, at }),
        1 => (kind(), 0..NAMES).prop_map(|(kind, name)| Step::RemoveMetric { kind, name }),
        4 => Just(Step::Scrape),
        2 => Just(Step::Sample),
        1 => Just(Step::Snapshot),
    ]
}

/// What a series has in the plain map.
#[derive(Debug, Clone, PartialEq)]
enum Modelled {
    Counter(u64),
    Gauge(Option<f64>),
    Histogram([u64; 4], f64),
}

/// A series of the plain map; whoever has a handle shares it.
type Shared = Rc<RefCell<Modelled>>;

struct Series {
    value: Shared,
    is_looked_up: bool,
    /// Since the first look that met it: when it was last found in use, and whether the last look found it idle.
    found: Option<(u64, bool)>,
}

enum Handle {
    Counter(Counter, Shared),
    Gauge(Gauge, Shared),
}

#[derive(Default)]
struct Model {
    now: u64,
    series: BTreeMap<(String, Labels), Series>,
    handles: Vec<Handle>,
    refused: u64,
    overflowed: u64,
    expired: u64,
}

fn labels_of(labels: [usize; 2]) -> Labels {
    Labels::new([("x", VALUES[labels[0]]), ("y", VALUES[labels[1]])]).unwrap()
}

fn overflow() -> Labels {
    Labels::new([("overflow", "true")]).unwrap()
}

impl Model {
    fn place(&mut self, name: &str, labels: [usize; 2], new: Modelled) -> Shared {
        let key = (name.to_owned(), labels_of(labels));
        let own = |(other, labels): &&(String, Labels)| other == name && *labels != overflow();
        let full = self.series.keys().filter(own).count() >= MAX_SERIES;
        let key = if full && !self.series.contains_key(&key) {
            self.overflowed += 1;
            (name.to_owned(), overflow())
        } else {
            key
        };
        let new = || Series { value: Rc::new(RefCell::new(new)), is_looked_up: true, found: None };
        let series = self.series.entry(key).or_insert_with(new);
        series.is_looked_up = true;
        Rc::clone(&series.value)
    }

    fn count(&mut self, name: &str, labels: [usize; 2], n: u64) {
        add(&self.place(name, labels, Modelled::Counter(0)), n);
    }

    fn gauge(&mut self, name: &str, labels: [usize; 2], change: impl Fn(Option<f64>) -> f64) {
        let place = self.place(name, labels, Modelled::Gauge(None));
        let Modelled::Gauge(value) = &mut *place.borrow_mut() else { panic!("{name}") };
        let new = change(*value);
        if new.is_finite() {
            *value = Some(new);
        } else {
            self.refused += 1;
        }
    }

    /// A scrape or a sample: series expire, then those are met that are new.
    fn look(&mut self) {
        let now = self.now;
        let before = self.series.len();
        self.series.retain(|(_, labels), series| {
            // The map has one, and each handle.
            let in_use = std::mem::take(&mut series.is_looked_up) || Rc::strong_count(&series.value) > 1;
            match &mut series.found {
                found @ None => *found = Some((now, false)),
                Some(found) if in_use => *found = (now, false),
                Some((_, was_idle)) if !*was_idle => *was_idle = true,
                Some((used, _)) => return now - *used < IDLE_EXPIRY || *labels == overflow(),
            }
            true
        });
        self.expired += (before - self.series.len()) as u64;
    }

    /// Takes series of a metric out.
    fn remove(&mut self, name: &str, goes: impl Fn(&Labels) -> bool) -> usize {
        let before = self.series.len();
        self.series.retain(|(other, labels), _| other != name || !goes(labels));
        before - self.series.len()
    }
}

fn add(place: &Shared, n: u64) {
    let Modelled::Counter(total) = &mut *place.borrow_mut() else { panic!() };
    *total += n;
}

/// The families of a name, defined when they are not.
struct Families<'a>(&'a Registry);

impl Families<'_> {
    fn name(kind: Kind, name: usize) -> String {
        match kind {
            Kind::Counter => format!("counter{name}_total"),
            Kind::Dynamic => format!("dynamic{name}_total"),
            Kind::Gauge => format!("gauge{name}"),
            Kind::Histogram => format!("histogram{name}"),
        }
    }

    fn counter(&self, name: usize) -> CounterFamily<2> {
        self.0.counter_family(Self::name(Kind::Counter, name), Unit::None, "C.", ["x", "y"]).unwrap()
    }

    fn dynamic(&self, name: usize) -> DynamicFamily<Counter> {
        self.0.dynamic_counter_family(Self::name(Kind::Dynamic, name), Unit::None, "D.").unwrap()
    }

    fn gauge(&self, name: usize) -> GaugeFamily<2> {
        self.0.gauge_family(Self::name(Kind::Gauge, name), Unit::None, "G.", ["x", "y"]).unwrap()
    }

    fn histogram(&self, name: usize) -> HistogramFamily<2> {
        let buckets = Buckets::new(BOUNDS).unwrap();
        self.0
            .histogram_family(Self::name(Kind::Histogram, name), Unit::None, "H.", ["x", "y"], buckets)
            .unwrap()
    }
}

fn apply(registry: &Registry, model: &mut Model, step: &Step) {
    let families = Families(registry);
    let pair = |at: Place| [VALUES[at.labels[0]], VALUES[at.labels[1]]];
    match *step {
        Step::Add { at, n, directly } => {
            let family = families.counter(at.name);
            if directly {
                family.add(pair(at), n);
            } else {
                family.with(pair(at)).add(n);
            }
            model.count(&Families::name(Kind::Counter, at.name), at.labels, n);
        }
        Step::AddDynamic { at, n, directly, backwards } => {
            let [x, y] = pair(at);
            let labels = if backwards { [("y", y), ("x", x)] } else { [("x", x), ("y", y)] };
            let family = families.dynamic(at.name);
            if directly {
                family.add(&labels, n);
            } else {
                family.with(&labels).add(n);
            }
            model.count(&Families::name(Kind::Dynamic, at.name), at.labels, n);
        }
        Step::Set { at, value, directly } => {
            let family = families.gauge(at.name);
            if directly {
                family.set(pair(at), value);
            } else {
                family.with(pair(at)).set(value);
            }
            model.gauge(&Families::name(Kind::Gauge, at.name), at.labels, |_| value);
        }
        Step::Change { at, by, directly } => {
            let family = families.gauge(at.name);
            match (directly, by < 0.0) {
                (true, true) => family.sub(pair(at), -by),
                (true, false) => family.add(pair(at), by),
                (false, true) => family.with(pair(at)).sub(-by),
                (false, false) => family.with(pair(at)).add(by),
            }
            model.gauge(&Families::name(Kind::Gauge, at.name), at.labels, |now| now.unwrap_or(0.0) + by);
        }
        Step::Raise { at, to, directly } => {
            let family = families.gauge(at.name);
            if directly {
                family.max(pair(at), to);
            } else {
                family.with(pair(at)).max(to);
            }
            model.gauge(&Families::name(Kind::Gauge, at.name), at.labels, |now| match now {
                Some(now) if now >= to => now,
                _ => to,
            });
        }
        Step::Clear { at } => {
            families.gauge(at.name).with(pair(at)).clear();
            let place = model.place(&Families::name(Kind::Gauge, at.name), at.labels, Modelled::Gauge(None));
            *place.borrow_mut() = Modelled::Gauge(None);
        }
        Step::Record { at, value, directly } => {
            let family = families.histogram(at.name);
            if directly {
                family.record(pair(at), value);
            } else {
                family.with(pair(at)).record(value);
            }
            let name = Families::name(Kind::Histogram, at.name);
            let place = model.place(&name, at.labels, Modelled::Histogram([0; 4], 0.0));
            let Modelled::Histogram(counts, sum) = &mut *place.borrow_mut() else { panic!() };
            if value.is_finite() {
                counts[BOUNDS.iter().take_while(|&&bound| value > bound).count()] += 1;
                *sum += value;
            } else {
                model.refused += 1;
            }
        }
        _ => keep_or_remove(registry, model, step),
    }
}

/// The steps that record nothing by labels.
fn keep_or_remove(registry: &Registry, model: &mut Model, step: &Step) {
    let families = Families(registry);
    let pair = |at: Place| [VALUES[at.labels[0]], VALUES[at.labels[1]]];
    match *step {
        Step::Keep { at, is_gauge } => {
            let handle = if is_gauge {
                let name = Families::name(Kind::Gauge, at.name);
                let place = model.place(&name, at.labels, Modelled::Gauge(None));
                Handle::Gauge(families.gauge(at.name).with(pair(at)), place)
            } else {
                let name = Families::name(Kind::Counter, at.name);
                let place = model.place(&name, at.labels, Modelled::Counter(0));
                Handle::Counter(families.counter(at.name).with(pair(at)), place)
            };
            model.handles.push(handle);
        }
        Step::ByHandle { which, n } => match model.handles.get(which) {
            Some(Handle::Counter(counter, place)) => {
                counter.add(n);
                add(place, n);
            }
            Some(Handle::Gauge(gauge, place)) => {
                gauge.set(n as f64);
                *place.borrow_mut() = Modelled::Gauge(Some(n as f64));
            }
            None => {}
        },
        Step::Drop { which } => {
            if which < model.handles.len() {
                model.handles.swap_remove(which);
            }
        }
        Step::Remove { kind, at } => {
            let removed = match kind {
                Kind::Counter => families.counter(at.name).remove(pair(at)),
                Kind::Dynamic => families.dynamic(at.name).remove(&[("y", pair(at)[1]), ("x", pair(at)[0])]),
                Kind::Gauge => families.gauge(at.name).remove(pair(at)),
                Kind::Histogram => families.histogram(at.name).remove(pair(at)),
            };
            let labels = labels_of(at.labels);
            let modelled = model.remove(&Families::name(kind, at.name), |other| *other == labels);
            assert_eq!(usize::from(removed), modelled);
        }
        Step::Retain { kind, at } => {
            let goes = |labels: &Labels| labels.get("x").unwrap_or("") == VALUES[at.labels[0]];
            let stays = |labels: &Labels| !goes(labels);
            let removed = match kind {
                Kind::Counter => families.counter(at.name).retain(stays),
                Kind::Dynamic => families.dynamic(at.name).retain(stays),
                Kind::Gauge => families.gauge(at.name).retain(stays),
                Kind::Histogram => families.histogram(at.name).retain(stays),
            };
            let modelled =
                model.remove(&Families::name(kind, at.name), |labels| goes(labels) && *labels != overflow());
            assert_eq!(removed, modelled);
        }
        Step::RemoveMetric { kind, name } => {
            let name = Families::name(kind, name);
            let removed = registry.remove(&name);
            let modelled = model.remove(&name, |_| true);
            assert!(removed || modelled == 0);
        }
        Step::Scrape => {
            parse(&registry.text());
            model.look();
        }
        Step::Sample => {
            registry.sample();
            model.look();
        }
        Step::Snapshot => {
            registry.snapshot();
            model.look();
        }
        _ => panic!("{step:?} records"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_registry_equals_a_plain_map(steps in prop::collection::vec(step(), 1..150)) {
        let config = RegistryConfig::default()
            .with_max_series_per_metric(MAX_SERIES)
            .with_idle_expiry(Some(Duration::from_secs(IDLE_EXPIRY)));
        let desk = Desk::with(config);
        let mut model = Model::default();
        for step in &steps {
            apply(&desk.metrics, &mut model, step);
            desk.advance(1);
            model.now += 1;
        }
        let snapshot = desk.snapshot();
        model.look();
        let mut seen = BTreeMap::new();
        for family in &snapshot.families {
            let name = family.descriptor.name.as_str();
            if name.starts_with("bellwether_") {
                continue;
            }
            for series in &family.series {
                let value = match &series.value {
                    Value::Counter(Total::Whole(total)) => Modelled::Counter(*total),
                    Value::Gauge(value) => Modelled::Gauge(Some(*value)),
                    Value::Histogram(spread) => {
                        Modelled::Histogram(spread.counts[..].try_into().unwrap(), spread.sum)
                    }
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(seen.insert((name.to_owned(), series.labels.clone()), value), None);
            }
        }
        // A gauge without a value is in no snapshot.
        let expected: BTreeMap<_, _> = model
            .series
            .iter()
            .map(|(key, series)| (key.clone(), series.value.borrow().clone()))
            .filter(|(_, value)| *value != Modelled::Gauge(None))
            .collect();
        prop_assert_eq!(&seen, &expected);
        prop_assert_eq!(desk.refused("not_finite"), model.refused as f64);
        prop_assert_eq!(desk.own("bellwether_metrics_overflowed_total", None), model.overflowed as f64);
        prop_assert_eq!(desk.own("bellwether_metrics_expired_series_total", None), model.expired as f64);
        prop_assert_eq!(desk.own("bellwether_metrics_series", None), model.series.len() as f64);
        // Handles have what was recorded by them or beside them, also those of series that are gone.
        for handle in &model.handles {
            match handle {
                Handle::Counter(counter, place) => prop_assert_eq!(&Modelled::Counter(counter.get()), &*place.borrow()),
                Handle::Gauge(gauge, place) => prop_assert_eq!(&Modelled::Gauge(gauge.get()), &*place.borrow()),
            }
        }

        // And the text says the same.
        let page = parse(&desk.text());
        model.look();
        for ((name, labels), series) in &model.series {
            let pairs: Vec<(&str, &str)> = labels.iter().collect();
            match &*series.value.borrow() {
                Modelled::Counter(total) => prop_assert_eq!(page.value(name, &pairs), Some(*total as f64)),
                Modelled::Gauge(value) => prop_assert_eq!(page.value(name, &pairs), *value),
                Modelled::Histogram(counts, sum) => {
                    let count = page.value(&format!("{name}_count"), &pairs);
                    prop_assert_eq!(count, Some(counts.iter().sum::<u64>() as f64));
                    prop_assert_eq!(page.value(&format!("{name}_sum"), &pairs), Some(*sum));
                }
            }
        }
    }
}
