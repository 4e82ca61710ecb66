//! The moments of a run of samples, and how those of two runs become those of both.

use super::lanes;

/// Sums terms and keeps what rounding loses (Knuth 1969, section 4.2.2, theorem B).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    /// The sum of some terms, four chains at once.
    pub(crate) fn of(terms: &[f64]) -> Self {
        let (fours, rest) = terms.as_chunks::<4>();
        let mut sums = [Self::default(); 4];
        for four in fours {
            for (sum, &term) in sums.iter_mut().zip(four) {
                sum.add(term);
            }
        }
        let mut all = Self::default();
        for sum in sums {
            all.append(sum);
        }
        for &term in rest {
            all.add(term);
        }
        all
    }

    /// What is lost is found without asking which of the two is larger, which nobody could foresee.
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        let of_term = sum - self.sum;
        self.lost += (self.sum - (sum - of_term)) + (term - of_term);
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

// Each of these is a choice between two numbers that no branch has to foresee. All numbers are finite.

fn least(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

fn most(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// What a counter had before it started again, if it did.
fn before_reset(before: f64, now: f64) -> f64 {
    if now < before { before } else { 0.0 }
}

impl Summary {
    /// Most samples of one run that is not merged of others.
    pub(crate) const MOST: usize = 64;

    /// Of at most [`MOST`](Self::MOST) samples in the order of time, as many as there are of both; nothing of none. O(n),
    /// two passes.
    pub(crate) fn of(times: &[i64], values: &[f64]) -> Option<Self> {
        let (&origin_time, &origin_value) = (times.first()?, values.first()?);
        let count = times.len().min(values.len()).min(Self::MOST);
        let (stamps, values) = (times.get(..count)?, values.get(..count)?);
        // Seconds side by side: sums over them do several at once.
        let mut times = [0.0; Self::MOST];
        for (time, &stamp) in times.iter_mut().zip(stamps) {
            *time = seconds(origin_time, stamp);
        }
        let times = times.get(..count)?;
        let mean_time = lanes::sum(times, |time| time) / count as f64;
        let mean_value = lanes::sum(values, |value| value - origin_value) / count as f64;
        let off_time = |time: f64| time - mean_time;
        let off_value = |value: f64| (value - origin_value) - mean_value;
        Some(Self {
            count: count as u64,
            min: lanes::fold(values, least),
            max: lanes::fold(values, most),
            sum: CompensatedSum::of(values),
            origin_time,
            origin_value,
            last_time: *stamps.last()?,
            last_value: *values.last()?,
            mean_time,
            mean_value,
            time_time: lanes::sum(times, |time| off_time(time) * off_time(time)),
            value_value: lanes::sum(values, |value| off_value(value) * off_value(value)),
            time_value: lanes::sum_of_pairs(times, values, |time, value| off_time(time) * off_value(value)),
            steps: Steps {
                time_time: lanes::sum_of_steps(times, times),
                value_value: lanes::sum_of_steps(values, values),
                time_value: lanes::sum_of_steps(times, values),
            },
            before_resets: lanes::sum_of_pairs(values, values.get(1..).unwrap_or_default(), before_reset),
        })
    }

    /// Of runs that follow one another, in one list after the other; nothing of none. O(runs), two passes, as for
    /// samples.
    pub(crate) fn merged(lists: &[&[Self]]) -> Option<Self> {
        let first = lists.iter().find_map(|runs| runs.first())?;
        let (origin_time, origin_value) = (first.origin_time, first.origin_value);
        // Each in a register of its own.
        let (mut count, mut sum, mut steps, mut before_resets) =
            (0, CompensatedSum::default(), Steps::default(), 0.0);
        let (mut lowest, mut highest) = (first.min, first.max);
        let (mut mean_time, mut mean_value) = (0.0, 0.0);
        let (mut last_time, mut last_value) = (origin_time, origin_value);
        for runs in lists {
            for run in *runs {
                let n = run.count as f64;
                count += run.count;
                lowest = least(lowest, run.min);
                highest = most(highest, run.max);
                sum.append(run.sum);
                mean_time += n * (seconds(origin_time, run.origin_time) + run.mean_time);
                mean_value += n * ((run.origin_value - origin_value) + run.mean_value);
                before_resets += before_reset(last_value, run.origin_value) + run.before_resets;
                steps.append(run.steps);
                steps.add(seconds(last_time, run.origin_time), run.origin_value - last_value);
                (last_time, last_value) = (run.last_time, run.last_value);
            }
        }
        mean_time /= count as f64;
        mean_value /= count as f64;
        let (mut time_time, mut value_value, mut time_value) = (0.0, 0.0, 0.0);
        for runs in lists {
            for run in *runs {
                let n = run.count as f64;
                let time = seconds(origin_time, run.origin_time) + (run.mean_time - mean_time);
                let value = (run.origin_value - origin_value) + (run.mean_value - mean_value);
                time_time += run.time_time + n * time * time;
                value_value += run.value_value + n * value * value;
                time_value += run.time_value + n * time * value;
            }
        }
        Some(Self {
            count,
            min: lowest,
            max: highest,
            sum,
            origin_time,
            origin_value,
            last_time,
            last_value,
            mean_time,
            mean_value,
            time_time,
            value_value,
            time_value,
            steps,
            before_resets,
        })
    }

    /// How many samples.
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// The oldest sample.
    pub(crate) fn oldest(&self) -> (i64, f64) {
        (self.origin_time, self.origin_value)
    }

    /// The newest sample.
    pub(crate) fn newest(&self) -> (i64, f64) {
        (self.last_time, self.last_value)
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
        let (times, values): (Vec<i64>, Vec<f64>) = samples.iter().copied().unzip();
        Summary::of(&times, &values).unwrap()
    }

    fn both(head: &[(i64, f64)], tail: &[(i64, f64)]) -> Summary {
        Summary::merged(&[&[of(head)], &[of(tail)]]).unwrap()
    }

    #[test]
    fn two_runs_merge_to_what_both_give_at_once() {
        let samples: Vec<(i64, f64)> =
            (0..64).map(|i| (1_700_000_000_000_000 + i * 999_983, ((i * i) % 37) as f64)).collect();
        let (head, tail) = samples.split_at(23);
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
