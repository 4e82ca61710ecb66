//! Trends against exact integers, against chance, and by hand.

use std::time::Duration;

use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp};
use bellwether_metrics::{
    Confidence, Direction, Ewma, HistoryConfig, MAX_MAX_AGE, NoGrowth, RegistryConfig, Series, Trend, Unit,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::desk::{Desk, at, selector};

/// Compares what trends, quantiles and averages say of a range with what is made of the samples (second, value) that lie in
/// it, the plain way.
pub(crate) fn compare(series: &Series, range: TimeRange, inside: &[(i64, f64)]) -> Result<(), TestCaseError> {
    compare_line(series, range, inside)?;
    let qs = [0.99, 0.5, 0.0, 0.95, 1.0];
    let alone = qs.map(|q| series.aggregate(range, Aggregate::Quantile(q)));
    let together = series.quantiles(range, qs);
    prop_assert_eq!(together.map_or([None; 5], |all| all.map(Some)), alone);
    let mut told = Ewma::new(Duration::from_secs(20));
    for &(time, value) in inside {
        told.update(Sample::new(at(time), value));
    }
    match (series.ewma(range, Duration::from_secs(20)), told.value()) {
        (Some(got), Some(expected)) => prop_assert!((got - expected).abs() < 1e-12),
        (got, expected) => prop_assert_eq!(got, expected),
    }
    Ok(())
}

/// The same of the trend alone.
pub(crate) fn compare_line(
    series: &Series,
    range: TimeRange,
    inside: &[(i64, f64)],
) -> Result<(), TestCaseError> {
    let got = series.trend(range);
    prop_assert_eq!(got.is_some(), inside.len() >= 2);
    if let Some(got) = got {
        let whole: Vec<(i64, i64)> =
            inside.iter().map(|&(time, value)| (time * 1_000_000, (value / UNIT) as i64)).collect();
        let exact = Exact::of(&whole);
        let near = |got: f64, expected: f64| (got - expected).abs() <= 1e-9 * (1.0 + expected.abs());
        prop_assert!(near(got.slope(), exact.slope), "{} and {}", got.slope(), exact.slope);
        prop_assert!(near(got.level(), exact.level), "{} and {}", got.level(), exact.level);
        if let Some(r_squared) = got.r_squared() {
            prop_assert!(near(r_squared, exact.r_squared), "{} and {}", r_squared, exact.r_squared);
        }
        if inside.len() > 2 && exact.r_squared < 1.0 - 1e-9 {
            let (r, expected) = (got.autocorrelation().unwrap(), exact.autocorrelation);
            prop_assert!((r - expected).abs() < 1e-6, "{} and {}", r, expected);
        }
    }
    Ok(())
}

/// Values a second apart.
fn series(values: impl IntoIterator<Item = f64>) -> Series {
    let mut series = Series::new(&HistoryConfig::default().with_max_samples(100_000));
    for (second, value) in values.into_iter().enumerate() {
        series.push(Sample::new(at(second as i64), value)).unwrap();
    }
    series
}

fn trend_of(values: impl IntoIterator<Item = f64>) -> Option<Trend> {
    series(values).trend(TimeRange::until(Timestamp::MAX))
}

fn trend(values: impl IntoIterator<Item = f64>) -> Trend {
    trend_of(values).unwrap()
}

/// Numbers in -0.5..0.5 that look random.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    }
}

/// Five points whose every figure can be made by hand: slope 6 / 10, R^2 0.6^2 * 10 / 6, residual 2.4 over 3 degrees.
#[test]
fn every_figure_by_hand() {
    let trend = trend([2.0, 4.0, 5.0, 4.0, 5.0]);
    assert_eq!((trend.samples(), trend.first(), trend.newest()), (5, at(0), at(4)));
    let near = |got: f64, expected: f64| (got - expected).abs() < 1e-14;
    assert!(near(trend.mean(), 4.0) && near(trend.slope(), 0.6) && near(trend.level(), 5.2));
    assert!(near(trend.at(at(-1)).unwrap(), 2.2));
    assert!(near(trend.r_squared().unwrap(), 0.6));
    assert!(near(trend.slope_error().unwrap(), (2.4f64 / 3.0 / 10.0).sqrt()));
    // t = 2.1213 with 3 degrees: 0.12402706265755459 by the closed form of Abramowitz and Stegun, 26.7.3.
    assert!((trend.p_value().unwrap() - 0.124_027_062_657_554_6).abs() < 1e-13);
    assert_eq!(trend.direction(Confidence::P95), Direction::Unclear);
    assert_eq!(trend.direction(Confidence::new(0.85).unwrap()), Direction::Rising);
    assert!(near(trend.growth(Duration::from_secs(10)).unwrap(), 1.5));
    // Residuals -0.8, 0.6, 1.0, -0.6, -0.2: products of neighbours -0.48 + 0.6 - 0.6 + 0.12 of 2.4.
    assert!(near(trend.autocorrelation().unwrap(), -0.15));
}

#[test]
fn a_line_is_risen_fallen_or_flat_without_a_doubt() {
    let up = trend((0..100).map(|i| 3.0 + 0.1 * f64::from(i)));
    assert_eq!(up.direction(Confidence::P999), Direction::Rising);
    assert!((up.r_squared().unwrap() - 1.0).abs() < 1e-12);
    let down = trend((0..100).map(|i| 3.0 - 0.25 * f64::from(i)));
    assert_eq!((down.direction(Confidence::P999), down.p_value()), (Direction::Falling, Some(0.0)));
    assert_eq!(down.autocorrelation(), None);
    let flat = trend([7.0; 100]);
    assert_eq!((flat.direction(Confidence::P999), flat.slope()), (Direction::Flat, 0.0));
    assert_eq!((flat.r_squared(), flat.p_value(), flat.reaches(8.0)), (None, None, None));
    assert_eq!(flat.growth(Duration::from_secs(1)), Ok(0.0));
}

#[test]
fn two_samples_have_a_line_but_prove_nothing_and_one_has_none() {
    let two = trend([1.0, 2.0]);
    assert_eq!((two.slope(), two.r_squared()), (1.0, Some(1.0)));
    assert_eq!((two.slope_error(), two.p_value()), (None, None));
    assert_eq!(two.direction(Confidence::P90), Direction::Unclear);
    assert_eq!((trend_of([1.0]), trend_of([])), (None, None));
    assert_eq!(trend_of([f64::MAX, f64::MIN, 1.0]), None, "squares beyond the numbers");
}

#[test]
fn growth_is_relative_to_a_level_above_zero() {
    for values in [[-1.0, -2.0, -3.0], [-1.0, 0.0, 1.0]] {
        let level = values.iter().sum::<f64>() / 3.0;
        assert_eq!(trend(values).growth(Duration::from_secs(1)), Err(NoGrowth::Level { level }));
    }
    let error = trend([0.0, 0.0, 0.0]).growth(Duration::from_secs(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "growth is relative to a level above zero, and the mean of the window is 0"
    );
    let steep = trend([0.0, 1e100, 2e100]);
    assert!((steep.growth(Duration::from_mins(1)).unwrap() - 60.0).abs() < 1e-12);
}

#[test]
fn a_level_is_reached_ahead_or_not_at_all() {
    let up = trend((0..10).map(f64::from));
    assert_eq!(up.reaches(9.0), Some(at(9)), "it is there");
    assert_eq!(up.reaches(20.5), Some(at(20).saturating_add(Duration::from_millis(500))));
    assert_eq!(up.reaches(8.9), None, "passed");
    assert_eq!(up.reaches(1e30), None, "after the year 9999");
    assert_eq!((up.reaches(f64::NAN), up.reaches(f64::INFINITY)), (None, None));
    let down = trend((0..10).map(|i| -f64::from(i)));
    assert_eq!((down.reaches(-20.0), down.reaches(1.0)), (Some(at(20)), None));
    assert_eq!(up.at(Timestamp::MAX).map(f64::is_finite), Some(true));
}

#[test]
fn a_slope_that_does_not_matter_is_flat() {
    let mut noise = noise(7);
    let slow = trend((0..1_000).map(|i| 100.0 + 0.001 * f64::from(i) + noise()));
    assert_eq!(slow.direction(Confidence::P99), Direction::Rising);
    assert_eq!(slow.direction_beyond(0.01, Confidence::P99), Direction::Flat);
    assert_eq!(slow.direction_beyond(0.001, Confidence::P99), Direction::Unclear, "at its own slope");
    assert_eq!(slow.direction_beyond(-1.0, Confidence::P99), Direction::Rising);
    assert_eq!(slow.direction_beyond(f64::NAN, Confidence::P99), Direction::Rising);
}

/// What a confidence says: of windows of pure noise, five in a hundred seem to go somewhere at 95 %.
#[test]
fn noise_seems_to_go_somewhere_as_often_as_was_allowed() {
    let seeds = 2_000;
    let mut seen = [0, 0];
    for seed in 1..=seeds {
        let mut noise = noise(seed);
        let trend = trend((0..30).map(|_| 1e6 + noise()));
        for (seen, confidence) in seen.iter_mut().zip([Confidence::P95, Confidence::P99]) {
            *seen += u64::from(trend.direction(confidence) != Direction::Unclear);
        }
    }
    let [at_95, at_99] = seen.map(|seen| seen as f64 / seeds as f64);
    assert!((0.035..0.065).contains(&at_95), "{at_95}");
    assert!((0.004..0.018).contains(&at_99), "{at_99}");
}

/// A walk goes nowhere, and the plain test is wrong about most windows of it.
#[test]
fn what_only_wanders_is_discounted() {
    let seeds = 300;
    let (mut plain, mut discounted, mut rising) = (0, 0, 0);
    for seed in 1..=seeds {
        let mut step = noise(seed);
        let mut value = 1_000.0;
        let walk = trend((0..600).map(|_| {
            value += step();
            value
        }));
        plain += u64::from(walk.direction(Confidence::P99) != Direction::Unclear);
        discounted += u64::from(walk.discounted().direction(Confidence::P99) != Direction::Unclear);
        assert!(walk.autocorrelation().unwrap() > 0.8);
        // A true rise under independent noise stays one.
        let mut noise = noise(seed + 10_000);
        let rise = trend((0..600).map(|i| 1_000.0 + 0.01 * f64::from(i) + noise()));
        rising += u64::from(rise.discounted().direction(Confidence::P99) == Direction::Rising);
    }
    assert!(plain > seeds * 9 / 10, "{plain} of {seeds}");
    assert!(discounted < seeds / 4, "{discounted} of {seeds}");
    assert_eq!(rising, seeds);
}

/// Sums over integers: time in microseconds from the first sample, value in units of 2^-20. Exact but for the last
/// division.
struct Exact {
    slope: f64,
    r_squared: f64,
    slope_error: f64,
    autocorrelation: f64,
    level: f64,
}

const UNIT: f64 = 1.0 / 1_048_576.0;

impl Exact {
    fn of(samples: &[(i64, i64)]) -> Self {
        let first = samples[0];
        let n = samples.len() as i128;
        let moved = || samples.iter().map(|s| (i128::from(s.0 - first.0), i128::from(s.1 - first.1)));
        let t: i128 = moved().map(|(t, _)| t).sum();
        let v: i128 = moved().map(|(_, v)| v).sum();
        let tt = n * moved().map(|(t, _)| t * t).sum::<i128>() - t * t;
        let vv = n * moved().map(|(_, v)| v * v).sum::<i128>() - v * v;
        let tv = n * moved().map(|(t, v)| t * v).sum::<i128>() - t * v;
        let slope = tv as f64 / tt as f64;
        // Residuals times n, from exact distances: they are no small difference of large numbers.
        let residuals: Vec<f64> =
            moved().map(|(at, value)| (n * value - v) as f64 - slope * (n * at - t) as f64).collect();
        let squares: f64 = residuals.iter().map(|e| e * e).sum();
        let neighbours: f64 = residuals.array_windows().map(|[a, b]| a * b).sum();
        let n_f = n as f64;
        let residual = squares / (n_f * n_f);
        let last = moved().next_back().unwrap();
        Self {
            slope: slope * UNIT * 1e6,
            r_squared: 1.0 - residual / (vv as f64 / n_f),
            slope_error: (residual / (n_f - 2.0) / (tt as f64 / n_f)).sqrt() * UNIT * 1e6,
            autocorrelation: neighbours / squares,
            level: (first.1 as f64 + v as f64 / n_f + slope * (n * last.0 - t) as f64 / n_f) * UNIT,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Stamps of today, an equity of a million that moves by single units, windows of any length at any place.
    #[test]
    fn trends_at_epoch_stamps_and_a_high_level_are_right_to_nine_digits(
        seed in any::<u64>(),
        count in 3usize..5_000,
        spread in 1i64..4_000_000,
        drift in -50_000i64..50_000,
        from in 0usize..3_000,
    ) {
        let mut noise = noise(seed);
        let mut random = |below: i64| ((noise() + 0.5) * below as f64) as i64;
        let (mut time, mut level) = (1_760_000_000_123_000, 1_000_000 << 20);
        let mut samples = Vec::new();
        for _ in 0..count {
            time += 1_000 * (1 + random(2_003));
            level += drift;
            samples.push((time, level + random(2 * spread + 1) - spread));
        }
        let bounds = HistoryConfig::default().with_max_samples(count).with_max_age(MAX_MAX_AGE);
        let mut series = Series::new(&bounds);
        let stamp = |micros| Timestamp::from_micros(micros).unwrap();
        for &(time, value) in &samples {
            series.push(Sample::new(stamp(time), value as f64 * UNIT)).unwrap();
        }
        let inside = &samples[from.min(count - 3)..];
        let range = TimeRange::new(stamp(inside[0].0 - 1), stamp(time)).unwrap();
        let trend = series.trend(range).unwrap();
        let exact = Exact::of(inside);
        prop_assume!(exact.r_squared < 1.0 - 1e-6);
        let near = |got: f64, expected: f64, scale: f64| (got - expected).abs() <= 1e-9 * scale;
        prop_assert!(near(trend.slope(), exact.slope, exact.slope.abs()), "{} and {}", trend.slope(), exact.slope);
        prop_assert!(near(trend.r_squared().unwrap(), exact.r_squared, 1.0));
        let error = trend.slope_error().unwrap();
        prop_assert!(near(error, exact.slope_error, exact.slope_error), "{} and {}", error, exact.slope_error);
        let r = trend.autocorrelation().unwrap();
        prop_assert!((r - exact.autocorrelation).abs() <= 1e-8, "{} and {}", r, exact.autocorrelation);
        prop_assert!(near(trend.level(), exact.level, exact.level.abs()));
    }

    /// The average of a window is that of its samples told one after the other, wherever it is cut to what still counts.
    #[test]
    fn an_average_by_half_life_is_that_of_a_plain_list(
        steps in prop::collection::vec((1i64..5_000, -100i32..100), 1..400),
        half_life in 0u64..100_000,
        from in 0usize..400,
    ) {
        let mut series = Series::new(&HistoryConfig::default());
        let mut list = Vec::new();
        let mut time = at(0);
        for (after, value) in steps {
            time = time.saturating_add(Duration::from_millis(after as u64));
            list.push((time, f64::from(value)));
            series.push(Sample::new(time, f64::from(value))).unwrap();
        }
        let half_life = Duration::from_millis(half_life);
        let inside = &list[from.min(list.len() - 1)..];
        let mut expected = inside[0].1;
        for [before, now] in inside.array_windows() {
            let distance = now.0.saturating_since(before.0).as_secs_f64();
            let kept = if half_life.is_zero() { 0.0 } else { 0.5f64.powf(distance / half_life.as_secs_f64()) };
            expected = kept * expected + (1.0 - kept) * now.1;
        }
        let start = inside[0].0.saturating_sub(Duration::from_micros(1));
        let got = series.ewma(TimeRange::new(start, time).unwrap(), half_life).unwrap();
        prop_assert!((got - expected).abs() <= 1e-9, "{} and {}", got, expected);
        let mut told = Ewma::new(half_life);
        for &(at, value) in inside {
            told.update(Sample::new(at, value));
        }
        prop_assert!((told.value().unwrap() - got).abs() <= 1e-9);
    }
}

#[test]
fn a_registry_says_where_its_series_go() {
    let desk = Desk::new();
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    for second in 0..120 {
        depth.with("ARCX").set(f64::from(second) * 2.0);
        depth.with("XNYS").set(500.0 - f64::from(second));
        desk.sample();
        desk.advance(1);
    }
    let last_minute = TimeRange::ending(desk.now(), Duration::from_mins(1));
    let recent = desk.recent();
    let directions: Vec<_> = recent
        .trends(&selector("depth"), last_minute)
        .into_iter()
        .map(|answer| {
            (answer.labels.get("venue").unwrap().to_owned(), answer.value.direction(Confidence::P99))
        })
        .collect();
    assert_eq!(directions, [("ARCX".into(), Direction::Rising), ("XNYS".into(), Direction::Falling)]);
    let nyse = selector("depth").equal("venue".try_into().unwrap(), "XNYS");
    assert_eq!(desk.trend(&nyse, last_minute).unwrap().reaches(0.0), Some(at(500)));
    assert_eq!(desk.trend(&selector("depth"), last_minute), None, "which of the two?");
    assert_eq!(desk.trend(&selector("width"), last_minute), None);

    let quantiles = recent.quantiles(&nyse, last_minute, [0.5, 0.0, 1.0]);
    assert_eq!((quantiles[0].value, quantiles[0].newest), ([410.0, 381.0, 439.0], at(119)));
    assert_eq!(recent.quantiles(&nyse, last_minute, [0.5, 1.5]), []);
    let average = recent.ewma(&nyse, last_minute, Duration::ZERO);
    assert_eq!((average[0].value, average[0].newest), (381.0, at(119)));
}

#[test]
fn a_series_that_has_gone_quiet_has_no_trend_quantile_or_average_of_what_is_too_old() {
    let history = HistoryConfig::default().with_max_age(Duration::from_mins(1));
    let desk = Desk::with(RegistryConfig::default().with_history(history));
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    for second in 0..60 {
        depth.set(f64::from(second));
        desk.sample();
        desk.advance(1);
    }
    let (recent, meant) = (desk.recent(), selector("depth"));
    let answers = |desk: &Desk| {
        let all = TimeRange::until(desk.now());
        (
            recent.trend(&meant, all).map(|trend| trend.samples()),
            recent.quantiles(&meant, all, [0.0]).first().map(|answer| answer.value[0]),
            recent.ewma(&meant, all, Duration::MAX).first().map(|answer| answer.newest),
        )
    };
    assert_eq!(answers(&desk), (Some(60), Some(0.0), Some(at(59))));
    // Nothing is sampled any more: the bound of age is that of the one who asks.
    desk.advance(30);
    assert_eq!(answers(&desk), (Some(30), Some(30.0), Some(at(59))));
    desk.advance(60);
    assert_eq!(answers(&desk), (None, None, None));
}
