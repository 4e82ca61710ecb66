//! The registry is a plain map from name and labels to values, whatever is done to it in whatever order.

use std::collections::BTreeMap;

use bellwether_core::Labels;
use bellwether_metrics::{Buckets, Registry, RegistryConfig, Total, Unit, Value};
use proptest::prelude::*;

use crate::desk::Desk;
use crate::parser::parse;

const BOUNDS: [f64; 3] = [-1.0, 0.0, 2.5];

#[derive(Debug, Clone)]
enum Step {
    Add { name: usize, labels: [usize; 2], n: u64 },
    Set { name: usize, labels: [usize; 2], value: f64 },
    Change { name: usize, labels: [usize; 2], by: f64 },
    Raise { name: usize, labels: [usize; 2], to: f64 },
    Clear { name: usize, labels: [usize; 2] },
    Record { name: usize, labels: [usize; 2], value: f64 },
    Scrape,
    Sample,
}

const NAMES: usize = 3;
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
    let place = || (0..NAMES, [0..VALUES.len(), 0..VALUES.len()]);
    prop_oneof![
        4 => (place(), 0..5u64).prop_map(|((name, labels), n)| Step::Add { name, labels, n }),
        3 => (place(), number()).prop_map(|((name, labels), value)| Step::Set { name, labels, value }),
        2 => (place(), number()).prop_map(|((name, labels), by)| Step::Change { name, labels, by }),
        2 => (place(), number()).prop_map(|((name, labels), to)| Step::Raise { name, labels, to }),
        1 => place().prop_map(|(name, labels)| Step::Clear { name, labels }),
        4 => (place(), number()).prop_map(|((name, labels), value)| Step::Record { name, labels, value }),
        1 => Just(Step::Scrape),
        1 => Just(Step::Sample),
    ]
}

/// What a series has in the plain map.
#[derive(Debug, Clone, PartialEq)]
enum Modelled {
    Counter(u64),
    Gauge(Option<f64>),
    Histogram([u64; 4], f64),
}

#[derive(Default)]
struct Model {
    series: BTreeMap<(String, Labels), Modelled>,
    refused: u64,
    overflowed: u64,
}

impl Model {
    fn place(&mut self, name: &str, labels: [usize; 2], new: Modelled) -> &mut Modelled {
        let set = Labels::new([("x", VALUES[labels[0]]), ("y", VALUES[labels[1]])]).unwrap();
        let overflow = Labels::new([("overflow", "true")]).unwrap();
        let key = (name.to_owned(), set);
        let own = |(other, labels): &&(String, Labels)| other == name && *labels != overflow;
        let full = self.series.keys().filter(own).count() >= MAX_SERIES;
        let key = if full && !self.series.contains_key(&key) {
            self.overflowed += 1;
            (name.to_owned(), overflow)
        } else {
            key
        };
        self.series.entry(key).or_insert(new)
    }

    fn gauge(&mut self, name: &str, labels: [usize; 2], change: impl Fn(Option<f64>) -> f64) {
        let Modelled::Gauge(value) = self.place(name, labels, Modelled::Gauge(None)) else {
            panic!("{name}")
        };
        let new = change(*value);
        if new.is_finite() {
            *value = Some(new);
        } else {
            self.refused += 1;
        }
    }
}

fn apply(registry: &Registry, model: &mut Model, step: &Step) {
    let counter =
        |name: &str| registry.counter_family(name.to_owned(), Unit::None, "C.", ["x", "y"]).unwrap();
    let gauge = |name: &str| registry.gauge_family(name.to_owned(), Unit::None, "G.", ["x", "y"]).unwrap();
    let pair = |labels: [usize; 2]| [VALUES[labels[0]], VALUES[labels[1]]];
    match *step {
        Step::Add { name, labels, n } => {
            let name = format!("counter{name}_total");
            counter(&name).with(pair(labels)).add(n);
            let Modelled::Counter(total) = model.place(&name, labels, Modelled::Counter(0)) else { panic!() };
            *total += n;
        }
        Step::Set { name, labels, value } => {
            let name = format!("gauge{name}");
            gauge(&name).with(pair(labels)).set(value);
            model.gauge(&name, labels, |_| value);
        }
        Step::Change { name, labels, by } => {
            let name = format!("gauge{name}");
            let handle = gauge(&name).with(pair(labels));
            if by < 0.0 {
                handle.sub(-by);
            } else {
                handle.add(by);
            }
            model.gauge(&name, labels, |now| now.unwrap_or(0.0) + by);
        }
        Step::Raise { name, labels, to } => {
            let name = format!("gauge{name}");
            gauge(&name).with(pair(labels)).max(to);
            model.gauge(&name, labels, |now| match now {
                Some(now) if now >= to => now,
                _ => to,
            });
        }
        Step::Clear { name, labels } => {
            let name = format!("gauge{name}");
            gauge(&name).with(pair(labels)).clear();
            *model.place(&name, labels, Modelled::Gauge(None)) = Modelled::Gauge(None);
        }
        Step::Record { name, labels, value } => {
            let name = format!("histogram{name}");
            let buckets = Buckets::new(BOUNDS).unwrap();
            let family =
                registry.histogram_family(name.clone(), Unit::None, "H.", ["x", "y"], buckets).unwrap();
            family.with(pair(labels)).record(value);
            let place = model.place(&name, labels, Modelled::Histogram([0; 4], 0.0));
            let Modelled::Histogram(counts, sum) = place else { panic!() };
            if value.is_finite() {
                counts[BOUNDS.iter().take_while(|&&bound| value > bound).count()] += 1;
                *sum += value;
            } else {
                model.refused += 1;
            }
        }
        Step::Scrape => {
            parse(&registry.text());
        }
        Step::Sample => {
            registry.sample();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_registry_equals_a_plain_map(steps in prop::collection::vec(step(), 1..120)) {
        let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(MAX_SERIES));
        let mut model = Model::default();
        for step in &steps {
            apply(&desk.metrics, &mut model, step);
            desk.advance(1);
        }
        let snapshot = desk.snapshot();
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
                seen.insert((name.to_owned(), series.labels.clone()), value);
            }
        }
        // A gauge without a value is in no snapshot.
        let expected: BTreeMap<_, _> =
            model.series.iter().filter(|(_, value)| **value != Modelled::Gauge(None)).collect();
        prop_assert_eq!(seen.iter().collect::<BTreeMap<_, _>>(), expected);
        prop_assert_eq!(desk.refused("not_finite"), model.refused as f64);
        prop_assert_eq!(desk.own("bellwether_metrics_overflowed_total", None), model.overflowed as f64);

        // And the text says the same.
        let page = parse(&desk.text());
        for ((name, labels), value) in &model.series {
            let pairs: Vec<(&str, &str)> = labels.iter().collect();
            match value {
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
