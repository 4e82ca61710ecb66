//! A run of samples summed up.

use bellwether_core::{Aggregate, Kind, quantile};

/// A sum that keeps what rounding loses (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost +=
            if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    fn value(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// What a chunk's columns say about its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Columns {
    pub(crate) count: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) sum: f64,
    pub(crate) first: f64,
    pub(crate) last: f64,
}

impl Columns {
    /// Of samples in the order of time; nothing of none.
    pub(crate) fn of(samples: &[(i64, f64)]) -> Option<Self> {
        let (first, last) = (samples.first()?.1, samples.last()?.1);
        let mut sum = CompensatedSum::default();
        let (mut min, mut max) = (first, first);
        for &(_, value) in samples {
            sum.add(value);
            min = min.min(value);
            max = max.max(value);
        }
        Some(Self { count: samples.len() as u64, min, max, sum: sum.value(), first, last })
    }
}

/// Whether an aggregate can be made of columns alone.
pub(crate) fn needs_no_samples(aggregate: Aggregate) -> bool {
    use Aggregate::{Count, First, Last, Max, Mean, Min, Sum};
    matches!(aggregate, Last | First | Count | Sum | Min | Max | Mean)
}

/// A run of samples, taken in one after the other in the order of time, or a whole chunk by its columns.
///
/// Moments are kept as distances from the first sample and updated by the pairwise formulas (Welford 1962; Chan, Golub
/// and LeVeque 1979): neither epoch stamps nor a high level cost digits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    count: u64,
    min: f64,
    max: f64,
    sum: CompensatedSum,
    first: (i64, f64),
    last: (i64, f64),
    mean_time: f64,
    mean_value: f64,
    time_time: f64,
    value_value: f64,
    time_value: f64,
    /// Whether a fall is a restart: a counter falls for no other reason, and anything else may fall.
    falls_by_restart: bool,
    /// What a counter had before each restart, added up.
    before_restarts: f64,
    /// All values, for a quantile.
    values: Option<Vec<f64>>,
}

impl Summary {
    /// Of nothing yet. Values are kept one by one only for a quantile.
    pub(crate) fn new(aggregate: Aggregate, kind: Kind) -> Self {
        let values = matches!(aggregate, Aggregate::Quantile(_)).then(Vec::new);
        Self { values, falls_by_restart: kind == Kind::Counter, ..Self::default() }
    }

    /// Values that are kept one by one.
    pub(crate) fn kept(&self) -> usize {
        self.values.as_ref().map_or(0, Vec::len)
    }

    pub(crate) fn add(&mut self, (at, value): (i64, f64)) {
        if self.count == 0 {
            (self.first, self.last) = ((at, value), (at, value));
            (self.min, self.max) = (value, value);
        }
        self.count += 1;
        self.sum.add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if self.falls_by_restart && value < self.last.1 {
            self.before_restarts += self.last.1;
        }
        self.last = (at, value);
        let n = self.count as f64;
        let time = at.wrapping_sub(self.first.0) as f64 * 1e-6 - self.mean_time;
        let value = (value - self.first.1) - self.mean_value;
        self.mean_time += time / n;
        self.mean_value += value / n;
        let rest = (n - 1.0) / n;
        self.time_time += time * time * rest;
        self.value_value += value * value * rest;
        self.time_value += time * value * rest;
        if let Some(values) = &mut self.values {
            values.push(self.last.1);
        }
    }

    /// Takes in a chunk whose samples all come later. Only for aggregates that [need no samples](needs_no_samples).
    pub(crate) fn add_columns(&mut self, columns: &Columns, from: i64, to: i64) {
        if self.count == 0 {
            self.first = (from, columns.first);
            (self.min, self.max) = (columns.min, columns.max);
        }
        self.count += columns.count;
        self.sum.add(columns.sum);
        self.min = self.min.min(columns.min);
        self.max = self.max.max(columns.max);
        self.last = (to, columns.last);
    }

    /// The aggregate; nothing when it has no value, or none that is finite.
    pub(crate) fn value(&mut self, aggregate: Aggregate) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let (two, count) = (self.count >= 2, self.count as f64);
        let increase = (self.last.1 - self.first.1) + self.before_restarts;
        let value = match aggregate {
            Aggregate::Last => Some(self.last.1),
            Aggregate::First => Some(self.first.1),
            Aggregate::Count => Some(count),
            Aggregate::Sum => Some(self.sum.value()),
            Aggregate::Min => Some(self.min),
            Aggregate::Max => Some(self.max),
            Aggregate::Mean => {
                let mean = self.sum.value() / count;
                // Where the sum is beyond a double, the mean is not.
                Some(if mean.is_finite() { mean } else { self.first.1 + self.mean_value })
            }
            Aggregate::StdDev => two.then(|| (self.value_value / (count - 1.0)).sqrt()),
            Aggregate::Increase => two.then_some(increase),
            Aggregate::Rate => {
                let seconds = self.last.0.wrapping_sub(self.first.0) as f64 * 1e-6;
                (two && seconds > 0.0).then(|| increase / seconds)
            }
            Aggregate::Slope => (self.time_time > 0.0).then(|| self.time_value / self.time_time),
            Aggregate::Quantile(q) => self.values.as_mut().and_then(|values| quantile(values, q)),
            // An aggregate that is not known here has no value.
            _ => None,
        };
        value.filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(aggregate: Aggregate, samples: &[(i64, f64)]) -> Option<f64> {
        of_kind(Kind::Counter, aggregate, samples)
    }

    fn of_kind(kind: Kind, aggregate: Aggregate, samples: &[(i64, f64)]) -> Option<f64> {
        let mut summary = Summary::new(aggregate, kind);
        for sample in samples {
            summary.add(*sample);
        }
        summary.value(aggregate)
    }

    #[test]
    fn aggregates_by_hand() {
        let second = 1_000_000;
        let samples = [(0, 1.0), (second, 4.0), (2 * second, 1.0), (4 * second, 2.0)];
        let value = |aggregate| of(aggregate, &samples);
        assert_eq!(value(Aggregate::Count), Some(4.0));
        assert_eq!(value(Aggregate::Sum), Some(8.0));
        assert_eq!((value(Aggregate::Min), value(Aggregate::Max)), (Some(1.0), Some(4.0)));
        assert_eq!((value(Aggregate::First), value(Aggregate::Last)), (Some(1.0), Some(2.0)));
        assert_eq!(value(Aggregate::Mean), Some(2.0));
        assert!((value(Aggregate::StdDev).unwrap() - 2f64.sqrt()).abs() < 1e-15);
        assert_eq!(value(Aggregate::Increase), Some(5.0));
        assert_eq!(value(Aggregate::Rate), Some(1.25));
        assert_eq!(value(Aggregate::Quantile(0.5)), Some(1.5));
        // Times 0, 1, 2, 4 around 1.75, values around 2: 1.75 - 1.5 - 0.25 + 0.
        assert!(value(Aggregate::Slope).unwrap().abs() < 1e-15);
        assert!(
            (of(Aggregate::Slope, &[(0, 1.0), (second, 3.0), (2 * second, 5.0)]).unwrap() - 2.0).abs()
                < 1e-15
        );
    }

    #[test]
    fn only_a_counter_falls_by_starting_again() {
        let samples = [(0, 1.0), (1_000_000, 4.0), (2_000_000, -5.0), (4_000_000, -1.0)];
        for kind in [Kind::Gauge, Kind::Histogram] {
            assert_eq!(of_kind(kind, Aggregate::Increase, &samples), Some(-2.0), "{kind}");
            assert_eq!(of_kind(kind, Aggregate::Rate, &samples), Some(-0.5), "{kind}");
        }
        assert_eq!(of_kind(Kind::Counter, Aggregate::Increase, &samples), Some(2.0));
    }

    #[test]
    fn one_sample_has_no_deviation_increase_rate_or_slope() {
        for aggregate in [Aggregate::StdDev, Aggregate::Increase, Aggregate::Rate, Aggregate::Slope] {
            assert_eq!(of(aggregate, &[(5, 3.0)]), None, "{aggregate:?}");
        }
        assert_eq!(of(Aggregate::Sum, &[]), None);
        assert_eq!(of(Aggregate::Quantile(1.5), &[(0, 1.0)]), None);
    }

    #[test]
    fn no_aggregate_is_infinite() {
        let huge = [(0, f64::MAX), (1, f64::MAX)];
        assert_eq!(of(Aggregate::Sum, &huge), None);
        assert_eq!(of(Aggregate::Mean, &huge), Some(f64::MAX));
        assert_eq!(of(Aggregate::Quantile(0.5), &[(0, f64::MAX), (1, f64::MIN)]), Some(0.0));
    }

    #[test]
    fn columns_say_what_the_samples_say() {
        let samples = [(1, 0.1), (2, 0.2), (3, 0.7), (9, -4.0)];
        let (head, tail) = samples.split_at(1);
        for aggregate in [
            Aggregate::Count,
            Aggregate::Sum,
            Aggregate::Min,
            Aggregate::Max,
            Aggregate::Mean,
            Aggregate::First,
            Aggregate::Last,
        ] {
            let mut summary = Summary::new(aggregate, Kind::Counter);
            for sample in head {
                summary.add(*sample);
            }
            summary.add_columns(&Columns::of(tail).unwrap(), 2, 9);
            assert_eq!(summary.value(aggregate), of(aggregate, &samples), "{aggregate:?}");
            assert!(needs_no_samples(aggregate));
        }
    }
}
