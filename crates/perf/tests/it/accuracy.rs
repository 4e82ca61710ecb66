//! How many digits the kernels keep, against exact whole numbers.

use bellwether_perf::{
    Confidence, Moments, PeriodsPerYear, Quantile, Returns, RiskFree, expected_shortfall, geometric_mean,
    rolling, sharpe, total_return, value_at_risk,
};

/// Whole numbers in -1000..=1000, the same on every run.
fn whole_numbers(n: usize) -> Vec<i64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2001) as i64 - 1000
        })
        .collect()
}

/// The central sums of powers two to four, from exact integers: each is a quotient that is rounded once or twice.
fn exact_central_sums(values: &[i64]) -> [f64; 3] {
    let n = values.len() as i128;
    let power_sum = |k: u32| values.iter().map(|&x| i128::from(x).pow(k)).sum::<i128>();
    let (s1, s2, s3, s4) = (power_sum(1), power_sum(2), power_sum(3), power_sum(4));
    let m2 = n * s2 - s1 * s1;
    let m3 = n * n * s3 - 3 * n * s1 * s2 + 2 * s1 * s1 * s1;
    let m4 = n * n * n * s4 - 4 * n * n * s1 * s3 + 6 * n * s1 * s1 * s2 - 3 * s1 * s1 * s1 * s1;
    let n = n as f64;
    [m2 as f64 / n, m3 as f64 / (n * n), m4 as f64 / (n * n * n)]
}

#[test]
fn moments_of_a_million_values_keep_their_digits_at_every_offset() {
    let values = whole_numbers(1_000_000);
    let exact = exact_central_sums(&values);
    let exact_mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
    for offset in [0_i64, 1_000_000, 1_000_000_000, 1_000_000_000_000] {
        let shifted: Vec<f64> = values.iter().map(|x| (x + offset) as f64).collect();
        let moments = Moments::of(&shifted);
        let got = [moments.sum_of_squares(), moments.sum_of_cubes(), moments.sum_of_fourths()];
        for (power, allowed) in [1e-14, 1e-12, 1e-13].into_iter().enumerate() {
            let error = (got[power] / exact[power] - 1.0).abs();
            assert!(error <= allowed, "power {} at offset {offset}: {error:e}", power + 2);
        }
        let mean = moments.mean() - (exact_mean + offset as f64);
        assert!(
            mean.abs() <= 4.0 * f64::EPSILON * (offset + 1000) as f64,
            "mean at offset {offset}: {mean:e}"
        );
    }
}

#[test]
fn every_length_around_lanes_and_blocks_keeps_its_digits() {
    let values = whole_numbers(2100);
    for n in (2..40).chain([127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049]) {
        let exact = exact_central_sums(&values[..n]);
        let shifted: Vec<f64> = values[..n].iter().map(|x| (x + 1_000_000_000) as f64).collect();
        let moments = Moments::of(&shifted);
        assert!((moments.sum_of_squares() / exact[0] - 1.0).abs() <= 1e-14, "{n}");
        assert!((moments.sum_of_fourths() / exact[2] - 1.0).abs() <= 1e-13, "{n}");
        let scale = exact[0].powf(1.5) / (n as f64).sqrt();
        assert!((moments.sum_of_cubes() - exact[1]).abs() <= 1e-13 * scale, "{n}");
    }
}

#[test]
fn one_wild_return_leaves_no_trace_in_the_rolling_windows() {
    let mut values: Vec<f64> = whole_numbers(5000).into_iter().map(|x| x as f64 * 1e-5).collect();
    values[2500] = 1e8;
    let returns = Returns::new(&values).unwrap();
    let window = 252;
    let (rf, year) = (RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
    let series = rolling::sharpe(&returns, window, rf, year).unwrap();
    assert_eq!(series.len(), values.len() + 1 - window);
    for (at, got) in series.iter().enumerate() {
        let batch = sharpe(&Returns::new(&values[at..at + window]).unwrap(), rf, year).unwrap();
        let error = (got.unwrap() - batch).abs() / batch.abs().max(1.0);
        assert!(error <= 1e-12, "window {at}: {error:e}");
    }
}

#[test]
fn a_rolling_window_after_a_million_updates_is_that_of_its_slice() {
    let mut values: Vec<f64> = whole_numbers(1_000_000).into_iter().map(|x| 3.0 + x as f64 * 1e-9).collect();
    values[1000] = 1e9;
    let returns = Returns::new(&values).unwrap();
    let (window, rf, year) = (1000, RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
    let slice = Returns::new(&values[values.len() - window..]).unwrap();
    let (got, batch) =
        (rolling::sharpe(&returns, window, rf, year).unwrap().last(), sharpe(&slice, rf, year));
    assert!((got.unwrap() / batch.unwrap() - 1.0).abs() < 1e-9, "{got:?} {batch:?}");
    // Where it varies by less than a millionth of its size, the deviation still has nine digits.
    let got = rolling::volatility(&returns, window, year).unwrap().last().unwrap();
    let batch = bellwether_perf::annualized_volatility(&slice, year).unwrap();
    assert!((got / batch - 1.0).abs() < 1e-9, "{got} {batch}");
}

#[test]
fn wealth_of_a_million_returns_keeps_its_digits() {
    // Doubled and halved: exactly nothing is gained.
    let pairs: Vec<f64> = [1.0, -0.5].into_iter().cycle().take(1_000_000).collect();
    assert_eq!(total_return(&Returns::new(pairs).unwrap()), Ok(0.0));
    // The geometric mean of one return, a million times, is that return.
    for r in [0.001, -0.003, 1e-9] {
        let mean = geometric_mean(&Returns::new(vec![r; 1_000_000]).unwrap()).unwrap();
        assert!((mean / r - 1.0).abs() <= 5e-13, "{r}: {mean}");
    }
}

#[test]
fn tails_are_those_of_exact_whole_numbers() {
    let whole = whole_numbers(1999);
    for n in [1, 2, 10, 19, 20, 21, 250, 1000, 1999] {
        let mut sorted = whole[..n].to_vec();
        sorted.sort_unstable();
        let values: Vec<f64> = whole[..n].iter().map(|&x| x as f64 / 1024.0).collect();
        let returns = Returns::new(&values).unwrap();
        for per_mille in [500_usize, 800, 900, 950, 975, 990, 995, 999] {
            let confidence = Confidence::new(per_mille as f64 / 1000.0).unwrap();
            // Of the worst n (1 - c) in thousandths: whole ones, and a part of the next.
            let tail = n * (1000 - per_mille);
            if tail.is_multiple_of(1000) {
                assert_eq!(confidence.tail_observations(n), (tail / 1000) as f64, "{n} {per_mille}");
            }
            let whole_sum: i64 = sorted[..tail / 1000].iter().sum();
            let part = sorted.get(tail / 1000).map_or(0, |x| x * (tail % 1000) as i64);
            let exact = -((whole_sum * 1000 + part) as f64) / tail as f64 / 1024.0;
            let got = expected_shortfall::historical(&returns, confidence).unwrap();
            assert!(
                (got - exact).abs() <= 4.0 * f64::EPSILON * exact.abs().max(0.1),
                "{n} {per_mille}: {got} {exact}"
            );
            let var = value_at_risk::historical(&returns, confidence, Quantile::InvertedCdf).unwrap();
            assert!(got >= var, "{n} {per_mille}: {got} under {var}");
        }
    }
}
