//! What expressions and conditions give at one instant.
use std::cmp::Ordering;

use bellwether_core::{
    Aggregate, LabelTest, Labels, SampleWindows, Selector, SeriesValue, TimeRange, Timestamp,
};

use super::condition::Test;
use super::expr::{AGE_HORIZON, Node};

/// Where the samples are, and when it is.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) windows: &'a dyn SampleWindows,
    pub(crate) now: Timestamp,
}

/// A value of one label set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Valued<T> {
    pub(crate) labels: Labels,
    pub(crate) value: T,
    /// The newest sample of the part that is oldest; the instant of the evaluation if no sample was asked.
    pub(crate) newest: Timestamp,
}

/// Whether a condition holds, and the number it was judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    pub(crate) value: f64,
}

/// Sorted by labels, each once; no entry where there is no data.
type Series<T> = Vec<Valued<T>>;

impl Context<'_> {
    /// The verdict for each label set, sorted by labels.
    pub(crate) fn judge(self, test: &Test) -> Series<Verdict> {
        match test {
            Test::Compare { left, comparison, right } => {
                let (left, right) = (self.read(left), self.read(right));
                // The value that people want to see is that of the side which has label sets.
                let take_right = is_plain(&left) && !is_plain(&right);
                meet(&left, &right, |left, right| Verdict {
                    holds: comparison.holds(left, right),
                    value: if take_right { right } else { left },
                })
            }
            Test::Absent { metric } => {
                let seen = !self.read(metric).is_empty();
                let labels = match metric {
                    Node::Window { metric, .. } => metric.selector().map_or_else(Labels::empty, asked_labels),
                    _ => Labels::empty(),
                };
                let verdict = Verdict { holds: !seen, value: if seen { 0.0 } else { 1.0 } };
                vec![Valued { labels, value: verdict, newest: self.now }]
            }
            Test::And(left, right) => self.combine(left, right, false),
            Test::Or(left, right) => self.combine(left, right, true),
            Test::Not(inner) => {
                let mut verdicts = self.judge(inner);
                for verdict in &mut verdicts {
                    verdict.value.holds = !verdict.value.holds;
                }
                verdicts
            }
        }
    }

    /// `decisive` is what one side may say to settle the matter alone.
    fn combine(self, left: &Test, right: &Test, decisive: bool) -> Series<Verdict> {
        let (left, right) = (self.judge(left), self.judge(right));
        // What one side says alone; a plain side has been heard already wherever the other says anything.
        let settled = |side: &Series<Verdict>, other: &Series<Verdict>| -> Series<Verdict> {
            let heard = is_plain(side) && !other.is_empty();
            side.iter().filter(|verdict| !heard && verdict.value.holds == decisive).cloned().collect()
        };
        let both =
            meet(&left, &right, |left, right| match (left.holds == decisive, right.holds == decisive) {
                (false, true) => right,
                _ => left,
            });
        merge(both, merge(settled(&left, &right), settled(&right, &left)))
    }

    fn read(self, node: &Node) -> Series<f64> {
        let plain = |value| vec![Valued { labels: Labels::empty(), value, newest: self.now }];
        match node {
            Node::Constant(value) => plain(*value),
            Node::Time => plain(self.now.as_seconds_f64()),
            Node::Window { metric, aggregate, over } => match (metric.selector(), over) {
                (Some(selector), Ok(over)) => {
                    let read = self.ask(selector, TimeRange::ending(self.now, *over), *aggregate);
                    read.map(|it| Valued { labels: it.labels, value: it.value, newest: it.newest }).collect()
                }
                _ => Vec::new(),
            },
            Node::Age { metric } => match metric.selector() {
                Some(selector) => {
                    let range = TimeRange::ending(self.now, AGE_HORIZON);
                    let age = |newest| self.now.saturating_since(newest).as_secs_f64();
                    let aged = self.ask(selector, range, Aggregate::Last);
                    aged.map(|it| Valued { labels: it.labels, value: age(it.newest), newest: self.now })
                        .collect()
                }
                None => Vec::new(),
            },
            Node::Absolute(inner) => {
                let mut series = self.read(inner);
                for it in &mut series {
                    it.value = it.value.abs();
                }
                series
            }
            Node::Binary { op, left, right } => {
                meet(&self.read(left), &self.read(right), |left, right| op.apply(left, right))
            }
        }
    }

    fn ask(
        self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
    ) -> impl Iterator<Item = SeriesValue> {
        let mut found = Vec::new();
        self.windows.aggregate(selector, range, aggregate, &mut found);
        // Promised by the trait, but it may be a host's.
        if !found.is_sorted_by(|a, b| a.labels < b.labels) {
            found.sort_by(|a, b| a.labels.cmp(&b.labels));
            found.dedup_by(|a, b| a.labels == b.labels);
        }
        found.into_iter().filter(|it| it.value.is_finite())
    }
}

/// The labels that a selector asks series to equal.
fn asked_labels(selector: &Selector) -> Labels {
    let equal = selector.tests().iter().filter_map(|(name, test)| match test {
        LabelTest::Equal(value) => Some((name.as_str(), value.as_str())),
        _ => None,
    });
    // A label that is asked to be two things at once has no value.
    Labels::new(equal).unwrap_or_else(|_| Labels::empty())
}

/// Whether there is one value, without labels.
fn is_plain<T>(series: &Series<T>) -> bool {
    matches!(series.as_slice(), [only] if only.labels.is_empty())
}

/// Makes one of two where label sets are equal, or where one side is plain.
fn meet<T: Copy, U>(left: &Series<T>, right: &Series<T>, make: impl Fn(T, T) -> U) -> Series<U> {
    let pair = |labels: &Labels, left: &Valued<T>, right: &Valued<T>| Valued {
        labels: labels.clone(),
        value: make(left.value, right.value),
        newest: left.newest.min(right.newest),
    };
    match (left.as_slice(), right.as_slice()) {
        ([one], many) if one.labels.is_empty() => many.iter().map(|it| pair(&it.labels, one, it)).collect(),
        (many, [one]) if one.labels.is_empty() => many.iter().map(|it| pair(&it.labels, it, one)).collect(),
        (left, right) => {
            let mut met = Vec::new();
            let (mut lefts, mut rights) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(l), Some(r)) = (lefts.peek(), rights.peek()) {
                match l.labels.cmp(&r.labels) {
                    Ordering::Less => drop(lefts.next()),
                    Ordering::Greater => drop(rights.next()),
                    Ordering::Equal => {
                        met.push(pair(&l.labels, l, r));
                        lefts.next();
                        rights.next();
                    }
                }
            }
            met
        }
    }
}

/// Both lists in one; where a label set is in both, the first stays.
fn merge<T>(first: Series<T>, second: Series<T>) -> Series<T> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    loop {
        let order = match (first.peek(), second.peek()) {
            (Some(a), Some(b)) => a.labels.cmp(&b.labels),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return merged,
        };
        if order == Ordering::Greater {
            merged.extend(second.next());
        } else {
            if order == Ordering::Equal {
                drop(second.next());
            }
            merged.extend(first.next());
        }
    }
}
