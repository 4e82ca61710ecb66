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

/// The least-squares line through a run of samples, and what it leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) count: u64,
    /// Stamp of the first sample, in microseconds.
    pub(crate) first: i64,
    /// Stamp of the last.
    pub(crate) last: i64,
    /// Mean of the values.
    pub(crate) mean: f64,
    /// Per second.
    pub(crate) slope: f64,
    /// Sum of squared distances of the times from their mean, in seconds squared; more than zero.
    pub(crate) times: f64,
    /// The same of the values.
    pub(crate) values: f64,
    /// The same of the values from the line.
    pub(crate) residual: f64,
    /// Of each residual with the next; nothing for a perfect line.
    pub(crate) autocorrelation: Option<f64>,
    /// Seconds from the mean of the times to the last sample.
    pub(crate) mean_to_last: f64,
}

/// Count, extremes, sum and moments of a run of samples in the order of time; 18 words.
///
/// Means are kept as distances from the run's first sample, and second moments are centred: neither epoch stamps nor a
/// high level costs digits. Runs that follow one another merge by the formulas of Chan, Golub and LeVeque (1979), times
/// and values alike. The squares of the steps from one sample to the next tell how much the residuals of a line know of
/// one another (Durbin and Watson 1950), without the samples.
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
    last_time: i64,
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
    steps: Steps,
    /// What a counter had before each reset, added up.
    before_resets: f64,
}

/// The steps from each sample to the next: sums of squares and of products.
#[derive(Debug, Clone, Copy, Default)]
struct Steps {
    time_time: f64,
    value_value: f64,
    time_value: f64,
}

impl Steps {
    fn add(&mut self, time: f64, value: f64) {
        self.time_time += time * time;
        self.value_value += value * value;
        self.time_value += time * value;
    }

    fn append(&mut self, other: Self) {
        self.time_time += other.time_time;
        self.value_value += other.value_value;
        self.time_value += other.time_value;
    }
}

const SECONDS: f64 = 1e-6;

fn seconds(from: i64, to: i64) -> f64 {
    to.wrapping_sub(from) as f64 * SECONDS
}

impl Summary {
    /// Of samples in the order of time; nothing of none. O(n), two passes.
    pub(crate) fn of(samples: impl Iterator<Item = (i64, f64)> + Clone) -> Option<Self> {
        let (origin_time, origin_value) = samples.clone().next()?;
        let mut all = Self::of_one(origin_time, origin_value);
        all.count = 0;
        all.sum = CompensatedSum::default();
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
            all.steps.add(seconds(all.last_time, time), value - all.last_value);
            (all.last_time, all.last_value) = (time, value);
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

    fn of_one(time: i64, value: f64) -> Self {
        let mut sum = CompensatedSum::default();
        sum.add(value);
        Self {
            count: 1,
            min: value,
            max: value,
            sum,
            origin_time: time,
            origin_value: value,
            last_time: time,
            last_value: value,
            mean_time: 0.0,
            mean_value: 0.0,
            time_time: 0.0,
            value_value: 0.0,
            time_value: 0.0,
            steps: Steps::default(),
            before_resets: 0.0,
        }
    }

    /// Of runs that follow one another; nothing of none. O(runs), two passes, as for samples.
    pub(crate) fn merged<'a>(runs: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        let first = runs.clone().next()?;
        let (origin_time, origin_value) = (first.origin_time, first.origin_value);
        let mut all = Self {
            count: 0,
            sum: CompensatedSum::default(),
            last_time: origin_time,
            last_value: origin_value,
            mean_time: 0.0,
            mean_value: 0.0,
            time_time: 0.0,
            value_value: 0.0,
            time_value: 0.0,
            steps: Steps::default(),
            before_resets: 0.0,
            ..*first
        };
        for run in runs.clone() {
            let count = run.count as f64;
            all.count += run.count;
            all.min = all.min.min(run.min);
            all.max = all.max.max(run.max);
            all.sum.append(run.sum);
            all.mean_time += count * (seconds(origin_time, run.origin_time) + run.mean_time);
            all.mean_value += count * ((run.origin_value - origin_value) + run.mean_value);
            if run.origin_value < all.last_value {
                all.before_resets += all.last_value;
            }
            all.before_resets += run.before_resets;
            all.steps.append(run.steps);
            all.steps.add(seconds(all.last_time, run.origin_time), run.origin_value - all.last_value);
            (all.last_time, all.last_value) = (run.last_time, run.last_value);
        }
        all.mean_time /= all.count as f64;
        all.mean_value /= all.count as f64;
        for run in runs {
            let count = run.count as f64;
            let time = seconds(origin_time, run.origin_time) + (run.mean_time - all.mean_time);
            let value = (run.origin_value - origin_value) + (run.mean_value - all.mean_value);
            all.time_time += run.time_time + count * time * time;
            all.value_value += run.value_value + count * value * value;
            all.time_value += run.time_value + count * time * value;
        }
        Some(all)
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

    /// The least-squares line, to be judged; nothing of fewer than two samples, or of values whose squares are beyond a
    /// `f64`.
    pub(crate) fn line(&self) -> Option<Line> {
        let slope = self.slope()?;
        let fit = self.time_value * self.time_value / self.time_time;
        // What rounding leaves of a perfect line is no residual.
        let residual = self.value_value - fit;
        let residual = if residual > 4.0 * f64::EPSILON * self.value_value { residual } else { 0.0 };
        let steps = self.steps.value_value - 2.0 * slope * self.steps.time_value
            + slope * slope * self.steps.time_time;
        let first = slope * self.mean_time - self.mean_value;
        let last = (self.last_value - self.origin_value - self.mean_value)
            - slope * (seconds(self.origin_time, self.last_time) - self.mean_time);
        // The products of neighbours, from the squares of their distances.
        let neighbours = residual - (steps.max(0.0) + first * first + last * last) / 2.0;
        let line = Line {
            count: self.count,
            first: self.origin_time,
            last: self.last_time,
            mean: self.mean(),
            slope,
            times: self.time_time,
            values: self.value_value,
            residual,
            autocorrelation: (residual > 0.0).then(|| (neighbours / residual).clamp(-1.0, 1.0)),
            mean_to_last: seconds(self.origin_time, self.last_time) - self.mean_time,
        };
        let numbers = [line.slope, line.times, line.values, line.residual, line.mean];
        numbers.iter().all(|number| number.is_finite()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[(i64, f64)]) -> Summary {
        Summary::of(samples.iter().copied()).unwrap()
    }

    fn both(head: &[(i64, f64)], tail: &[(i64, f64)]) -> Summary {
        Summary::merged([of(head), of(tail)].iter()).unwrap()
    }

    #[test]
    fn two_runs_merge_to_what_both_give_at_once() {
        let samples: Vec<(i64, f64)> =
            (0..200).map(|i| (1_700_000_000_000_000 + i * 999_983, ((i * i) % 37) as f64)).collect();
        let (head, tail) = samples.split_at(71);
        let (merged, whole) = (both(head, tail), of(&samples));
        assert_eq!(merged.count, whole.count);
        assert_eq!(merged.increase(), whole.increase());
        assert_eq!((merged.min(), merged.max(), merged.sum()), (whole.min(), whole.max(), whole.sum()));
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-13 * b.abs();
        assert!(near(merged.std_dev().unwrap(), whole.std_dev().unwrap()));
        assert!(near(merged.slope().unwrap(), whole.slope().unwrap()));
        let (merged, whole) = (merged.line().unwrap(), whole.line().unwrap());
        assert!(near(merged.autocorrelation.unwrap(), whole.autocorrelation.unwrap()));
        assert_eq!((merged.first, merged.last), (whole.first, whole.last));
    }

    #[test]
    fn a_counter_that_starts_again_gains_what_it_has_since() {
        assert_eq!(of(&[(0, 5.0), (1, 9.0), (2, 2.0), (3, 3.0)]).increase(), Some(7.0));
        assert_eq!(both(&[(0, 5.0), (1, 9.0)], &[(2, 2.0), (3, 3.0)]).increase(), Some(7.0));
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
