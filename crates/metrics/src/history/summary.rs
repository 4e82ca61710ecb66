//! The moments of a run of samples, and how those of two runs become those of both.

/// Sums terms and keeps what rounding loses (Neumaier 1974).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost +=
            if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    /// The sum; not finite when it is beyond a `f64`.
    pub(crate) fn value(self) -> f64 {
        // Beyond a `f64` what was lost is no number, and the sum says enough.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }

    fn append(&mut self, other: Self) {
        self.add(other.sum);
        self.lost += other.lost;
    }
}

/// Count, extremes, sum and moments of a run of samples in the order of time; 13 words.
///
/// Means are kept as distances from the run's first sample, and second moments are centred: neither epoch stamps nor a
/// high level costs digits. Two runs that follow one another merge by the pairwise formulas (Chan, Golub and LeVeque
/// 1979), times and values alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary {
    count: u64,
    min: f64,
    max: f64,
    sum: CompensatedSum,
    /// Stamp of the first sample, in microseconds.
    origin_time: i64,
    /// Value of the first sample.
    origin_value: f64,
    last_value: f64,
    /// Mean of the times, in seconds from `origin_time`.
    mean_time: f64,
    /// Mean of the values, from `origin_value`.
    mean_value: f64,
    /// Sum of squared distances of the times from their mean.
    time_time: f64,
    /// The same of the values.
    value_value: f64,
    /// Sum of products of both distances.
    time_value: f64,
    /// What a counter had before each reset, added up.
    before_resets: f64,
}

const SECONDS: f64 = 1e-6;

fn seconds(from: i64, to: i64) -> f64 {
    to.wrapping_sub(from) as f64 * SECONDS
}

impl Summary {
    /// Of samples in the order of time; nothing of none. O(n), two passes.
    pub(crate) fn of(samples: impl Iterator<Item = (i64, f64)> + Clone) -> Option<Self> {
        let (origin_time, origin_value) = samples.clone().next()?;
        let mut all = Self {
            count: 0,
            min: origin_value,
            max: origin_value,
            sum: CompensatedSum::default(),
            origin_time,
            origin_value,
            last_value: origin_value,
            mean_time: 0.0,
            mean_value: 0.0,
            time_time: 0.0,
            value_value: 0.0,
            time_value: 0.0,
            before_resets: 0.0,
        };
        for (time, value) in samples.clone() {
            all.count += 1;
            all.min = all.min.min(value);
            all.max = all.max.max(value);
            all.sum.add(value);
            all.mean_time += seconds(origin_time, time);
            all.mean_value += value - origin_value;
            if value < all.last_value {
                all.before_resets += all.last_value;
            }
            all.last_value = value;
        }
        all.mean_time /= all.count as f64;
        all.mean_value /= all.count as f64;
        for (time, value) in samples {
            let time = seconds(origin_time, time) - all.mean_time;
            let value = (value - origin_value) - all.mean_value;
            all.time_time += time * time;
            all.value_value += value * value;
            all.time_value += time * value;
        }
        Some(all)
    }

    /// Of this run and the one that follows it.
    pub(crate) fn then(&self, next: &Self) -> Self {
        let (here, there) = (self.count as f64, next.count as f64);
        let share = there / (here + there);
        let time = seconds(self.origin_time, next.origin_time) + (next.mean_time - self.mean_time);
        let value = (next.origin_value - self.origin_value) + (next.mean_value - self.mean_value);
        let weight = here * share;
        let mut sum = self.sum;
        sum.append(next.sum);
        let reset = if next.origin_value < self.last_value { self.last_value } else { 0.0 };
        Self {
            count: self.count + next.count,
            min: self.min.min(next.min),
            max: self.max.max(next.max),
            sum,
            origin_time: self.origin_time,
            origin_value: self.origin_value,
            last_value: next.last_value,
            mean_time: self.mean_time + time * share,
            mean_value: self.mean_value + value * share,
            time_time: self.time_time + next.time_time + time * time * weight,
            value_value: self.value_value + next.value_value + value * value * weight,
            time_value: self.time_value + next.time_value + time * value * weight,
            before_resets: self.before_resets + reset + next.before_resets,
        }
    }

    pub(crate) fn min(&self) -> f64 {
        self.min
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    pub(crate) fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// The mean, also where the sum is beyond a `f64`.
    pub(crate) fn mean(&self) -> f64 {
        let mean = self.sum.value() / self.count as f64;
        if mean.is_finite() { mean } else { self.origin_value + self.mean_value }
    }

    /// Standard deviation with n - 1.
    pub(crate) fn std_dev(&self) -> Option<f64> {
        (self.count >= 2).then(|| (self.value_value / (self.count - 1) as f64).sqrt())
    }

    /// What a counter gained, resets taken into account.
    pub(crate) fn increase(&self) -> Option<f64> {
        (self.count >= 2).then_some((self.last_value - self.origin_value) + self.before_resets)
    }

    /// Slope of the least-squares line, per second.
    pub(crate) fn slope(&self) -> Option<f64> {
        (self.time_time > 0.0).then(|| self.time_value / self.time_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[(i64, f64)]) -> Summary {
        Summary::of(samples.iter().copied()).unwrap()
    }

    #[test]
    fn two_runs_merge_to_what_both_give_at_once() {
        let samples: Vec<(i64, f64)> =
            (0..200).map(|i| (1_700_000_000_000_000 + i * 999_983, ((i * i) % 37) as f64)).collect();
        let (head, tail) = samples.split_at(71);
        let (merged, whole) = (of(head).then(&of(tail)), of(&samples));
        assert_eq!(merged.count, whole.count);
        assert_eq!(merged.increase(), whole.increase());
        assert_eq!((merged.min(), merged.max(), merged.sum()), (whole.min(), whole.max(), whole.sum()));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b.abs();
        assert!(near(merged.std_dev().unwrap(), whole.std_dev().unwrap()));
        assert!(near(merged.slope().unwrap(), whole.slope().unwrap()));
    }

    #[test]
    fn a_counter_that_starts_again_gains_what_it_has_since() {
        assert_eq!(of(&[(0, 5.0), (1, 9.0), (2, 2.0), (3, 3.0)]).increase(), Some(7.0));
        let (head, tail) = (of(&[(0, 5.0), (1, 9.0)]), of(&[(2, 2.0), (3, 3.0)]));
        assert_eq!(head.then(&tail).increase(), Some(7.0));
    }

    #[test]
    fn what_rounding_loses_is_kept() {
        assert_eq!(of(&[(0, 1e16), (1, 1.0), (2, -1e16)]).sum(), 1.0);
        let huge = of(&[(0, f64::MAX), (1, f64::MAX)]);
        assert!(huge.sum().is_infinite());
        assert_eq!(huge.mean(), f64::MAX);
    }

    #[test]
    fn one_sample_has_no_deviation_increase_or_slope() {
        let one = of(&[(7, 3.0)]);
        assert_eq!((one.std_dev(), one.increase(), one.slope()), (None, None, None));
        assert_eq!((one.count, one.min(), one.max(), one.mean()), (1, 3.0, 3.0, 3.0));
    }
}
