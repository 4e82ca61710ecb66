//! Aggregates against a plain computation, and against exact integers.

use std::time::Duration;

use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp};
use bellwether_metrics::{HistoryConfig, MAX_MAX_AGE, Series};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

fn near(got: Option<f64>, expected: Option<f64>, of: Aggregate) -> Result<(), TestCaseError> {
    if let (Some(got), Some(expected)) = (got, expected) {
        // Both ways round; where the value is zero, what remains is the rounding of values of about one.
        let tolerance = 1e-9 * expected.abs() + 1e-12;
        prop_assert!((got - expected).abs() <= tolerance, "{:?}: {} and {}", of, got, expected);
    } else {
        prop_assert_eq!(got, expected, "{:?}", of);
    }
    Ok(())
}

/// Compares every aggregate of a range with that of the samples (second, value) that lie in it, made the plain way.
pub(crate) fn compare(series: &Series, range: TimeRange, inside: &[(i64, f64)]) -> Result<(), TestCaseError> {
    compare_moments(series, range, inside)?;
    compare_quantiles(series, range, inside)
}

/// The same of every aggregate that needs no sample by itself.
pub(crate) fn compare_moments(
    series: &Series,
    range: TimeRange,
    inside: &[(i64, f64)],
) -> Result<(), TestCaseError> {
    let values: Vec<f64> = inside.iter().map(|sample| sample.1).collect();
    let n = values.len() as f64;
    let some = |value: f64| (!values.is_empty()).then_some(value);
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let first_time = inside.first().map_or(0, |sample| sample.0);
    let times: Vec<f64> = inside.iter().map(|sample| (sample.0 - first_time) as f64).collect();
    let mean_time = times.iter().sum::<f64>() / n;
    let time_squares: f64 = times.iter().map(|time| (time - mean_time).powi(2)).sum();
    let products: f64 =
        times.iter().zip(&values).map(|(time, value)| (time - mean_time) * (value - mean)).sum();
    let increase: f64 =
        values.array_windows().map(|[before, now]| if now < before { *now } else { now - before }).sum();
    let several = values.len() >= 2;
    let expected = [
        (Aggregate::Last, values.last().copied()),
        (Aggregate::First, values.first().copied()),
        (Aggregate::Count, some(n)),
        (Aggregate::Sum, some(values.iter().sum())),
        (Aggregate::Min, values.iter().copied().min_by(f64::total_cmp)),
        (Aggregate::Max, values.iter().copied().max_by(f64::total_cmp)),
        (Aggregate::Mean, some(mean)),
        (Aggregate::StdDev, several.then(|| (squares / (n - 1.0)).sqrt())),
        (Aggregate::Increase, several.then_some(increase)),
        (Aggregate::Rate, several.then(|| increase / times.last().unwrap())),
        (Aggregate::Slope, several.then(|| products / time_squares)),
    ];
    for (aggregate, expected) in expected {
        near(series.aggregate(range, aggregate), expected, aggregate)?;
    }
    Ok(())
}

/// The same of quantiles.
pub(crate) fn compare_quantiles(
    series: &Series,
    range: TimeRange,
    inside: &[(i64, f64)],
) -> Result<(), TestCaseError> {
    let mut sorted: Vec<f64> = inside.iter().map(|sample| sample.1).collect();
    sorted.sort_by(f64::total_cmp);
    for q in [0.0, 0.25, 0.5, 0.9, 0.99, 1.0] {
        let expected = sorted.len().checked_sub(1).map(|last| {
            let rank = q * last as f64;
            let below = sorted[rank.floor() as usize];
            below + (sorted[rank.ceil() as usize] - below) * rank.fract()
        });
        near(series.aggregate(range, Aggregate::Quantile(q)), expected, Aggregate::Quantile(q))?;
    }
    Ok(())
}

/// Sums over integers: time in microseconds from the first sample, value in units of 2^-20; both exact.
struct Exact {
    n: i128,
    t: i128,
    v: i128,
    tt: i128,
    vv: i128,
    tv: i128,
}

const UNIT: f64 = 1.0 / 1_048_576.0;

impl Exact {
    fn of(samples: &[(i64, i64)]) -> Self {
        let first = samples[0].0;
        let mut sums = Self { n: 0, t: 0, v: 0, tt: 0, vv: 0, tv: 0 };
        for &(time, value) in samples {
            let (t, v) = (i128::from(time - first), i128::from(value));
            sums.n += 1;
            sums.t += t;
            sums.v += v;
            sums.tt += t * t;
            sums.vv += v * v;
            sums.tv += t * v;
        }
        sums
    }

    fn mean(&self) -> f64 {
        self.v as f64 / self.n as f64 * UNIT
    }

    fn std_dev(&self) -> f64 {
        ((self.n * self.vv - self.v * self.v) as f64 / (self.n * (self.n - 1)) as f64).sqrt() * UNIT
    }

    fn slope(&self) -> f64 {
        let over = (self.n * self.tv - self.t * self.v) as f64;
        let under = (self.n * self.tt - self.t * self.t) as f64;
        over / under * UNIT * 1e6
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Stamps of today in microseconds, an equity of a million that moves by single units: what plain sums of squares
    /// lose altogether.
    #[test]
    fn moments_at_epoch_stamps_and_a_high_level_are_right_to_nine_digits(
        seed in any::<u64>(),
        count in 2usize..5_000,
        spread in 1i64..4_000_000,
        from in 0usize..2_000,
    ) {
        let mut state = seed | 1;
        let mut random = |below: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as i64
        };
        let mut time = 1_760_000_000_123_457;
        let mut value = 1_000_000 << 20;
        let mut samples = Vec::new();
        for _ in 0..count {
            time += 1 + random(2_000_003);
            value += random(2 * spread + 1) - spread;
            samples.push((time, value));
        }
        let bounds = HistoryConfig::default().with_max_samples(count).with_max_age(MAX_MAX_AGE);
        let mut series = Series::new(&bounds);
        let stamp = |micros| Timestamp::from_micros(micros).unwrap();
        for &(time, value) in &samples {
            series.push(Sample::new(stamp(time), value as f64 * UNIT)).unwrap();
        }
        let inside = &samples[from.min(count - 2)..];
        let range = TimeRange::new(stamp(inside[0].0 - 1), stamp(time)).unwrap();
        let exact = Exact::of(inside);
        let expected = [
            (Aggregate::Mean, exact.mean()),
            (Aggregate::StdDev, exact.std_dev()),
            (Aggregate::Slope, exact.slope()),
            (Aggregate::Sum, exact.v as f64 * UNIT),
        ];
        for (aggregate, expected) in expected {
            let got = series.aggregate(range, aggregate).unwrap();
            prop_assert!(
                (got - expected).abs() <= 1e-9 * expected.abs(),
                "{:?}: {} and exactly {}", aggregate, got, expected
            );
        }
    }
}

#[test]
fn an_aggregate_that_is_no_number_is_none() {
    let mut series = Series::new(&HistoryConfig::default());
    for second in 0..3 {
        series.push(Sample::new(Timestamp::from_seconds(second).unwrap(), f64::MAX)).unwrap();
    }
    let all = TimeRange::until(Timestamp::MAX);
    assert_eq!(series.aggregate(all, Aggregate::Sum), None);
    assert_eq!(series.aggregate(all, Aggregate::Mean), Some(f64::MAX));
    assert_eq!(series.aggregate(all, Aggregate::StdDev), Some(0.0));
    for q in [-0.5, 2.0, f64::NAN] {
        assert_eq!(series.aggregate(all, Aggregate::Quantile(q)), None);
    }
}

#[test]
fn an_empty_window_has_no_aggregate_and_one_sample_has_no_slope() {
    let mut series = Series::new(&HistoryConfig::default());
    let second = |second| Timestamp::from_seconds(second).unwrap();
    let all = TimeRange::until(Timestamp::MAX);
    for aggregate in [Aggregate::Last, Aggregate::Count, Aggregate::Sum, Aggregate::Quantile(0.5)] {
        assert_eq!(series.aggregate(all, aggregate), None);
    }
    series.push(Sample::new(second(10), 4.0)).unwrap();
    for aggregate in [Aggregate::StdDev, Aggregate::Increase, Aggregate::Rate, Aggregate::Slope] {
        assert_eq!(series.aggregate(all, aggregate), None);
    }
    assert_eq!(series.aggregate(all, Aggregate::Count), Some(1.0));
    // Open at the start, closed at the end.
    let from_ten = TimeRange::new(second(10), second(20)).unwrap();
    assert_eq!(series.aggregate(from_ten, Aggregate::Count), None);
    assert_eq!(
        series.aggregate(TimeRange::ending(second(10), Duration::from_secs(1)), Aggregate::Count),
        Some(1.0)
    );
}
