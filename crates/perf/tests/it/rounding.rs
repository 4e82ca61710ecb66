//! What is only the rounding of floats is nothing: no drawdown, no variance, no beta, and no ratio per unit of it.

use bellwether_perf::{
    BurkeEpisodes, Compounding, Confidence, Conventions, Drawdowns, Mar, MetricUnit, PerformanceSheet,
    PeriodsPerYear, Returns, RiskFree, TradeResults, Undefined, autocorrelation, beta, burke, calmar,
    correlation, current_drawdown, drawdown_series, drawdown_table, information_ratio, kappa, kelly_fraction,
    m2_geometric, martin_ratio, max_drawdown, omega, pain_ratio, payoff_ratio, profit_factor,
    recovery_factor, rolling, sharpe, sharpe_adjusted, sharpe_geometric, skewness, sortino, tail_ratio,
    total_return, treynor, up_capture, variability_skewness,
};
use proptest::collection::vec;
use proptest::prelude::*;

const YEAR: PeriodsPerYear = PeriodsPerYear::TRADING_DAYS;

/// Whole prices that never pass their first, reach it again at the end, and perhaps on the way.
fn round_trips(longest: usize) -> impl Strategy<Value = Vec<u32>> {
    (2..100_000_u32, 1..longest).prop_flat_map(|(peak, n)| {
        let price = prop_oneof![6 => 1..=peak, 3 => (peak - peak / 20).max(1)..=peak, 1 => Just(peak)];
        vec(price, n).prop_map(move |mut prices| {
            prices.insert(0, peak);
            prices.push(peak);
            prices
        })
    })
}

/// A value up to two units in the last place from the given one.
fn nudged(value: f64, by: i8) -> f64 {
    let step = if by < 0 { f64::next_down } else { f64::next_up };
    (0..by.unsigned_abs()).fold(value, |value, _| step(value))
}

/// The same number over and over, up to two units in the last place off.
fn nearly_constant() -> impl Strategy<Value = (f64, Vec<f64>)> {
    let constant = prop_oneof![4 => -0.9..5.0_f64, 2 => -1e-3..1e-3_f64, 1 => 1e-12..1e-9_f64];
    (constant, vec(-2..=2_i8, 4..300))
        .prop_map(|(c, by)| (c, by.into_iter().map(|by| nudged(c, by)).collect()))
}

/// Patterns of signs over four periods that have nothing in common: their products sum to 0.
const APART: [([f64; 4], [f64; 4]); 3] = [
    ([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]),
    ([1.0, -1.0, -1.0, 1.0], [1.0, 1.0, -1.0, -1.0]),
    ([1.0, -1.0, 0.0, 0.0], [1.0, 1.0, -1.0, -1.0]),
];

/// Nothing, or a number of a size that a ratio of returns can have.
fn sane(what: &str, ratio: Result<f64, Undefined>) -> Result<(), TestCaseError> {
    if let Ok(ratio) = ratio {
        prop_assert!(ratio.abs() < 1e9, "{} is {:e}", what, ratio);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn prices_that_return_exactly_to_their_peak_are_no_longer_under_water(prices in round_trips(600)) {
        let floats: Vec<f64> = prices.iter().map(|&price| f64::from(price)).collect();
        // As this crate computes returns, and as most others do.
        let ours = Returns::from_prices(&floats).unwrap();
        let theirs = Returns::new(floats.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect::<Vec<_>>()).unwrap();
        let peak = prices[0];
        let under: Vec<bool> = prices[1..].iter().map(|&price| price < peak).collect();
        for returns in [ours, theirs] {
            let series = drawdown_series(&returns).unwrap();
            for (at, (&drawdown, &under)) in series.iter().zip(&under).enumerate() {
                prop_assert_eq!(drawdown < 0.0, under, "period {} of {:?}: {:e}", at, prices, drawdown);
            }
            let drawdowns = Drawdowns::of(&returns).unwrap();
            prop_assert_eq!(current_drawdown(&returns), Ok(0.0));
            prop_assert_eq!(drawdowns.current_duration(), 0);
            prop_assert_eq!(drawdowns.under_water(), under.iter().filter(|&&under| under).count());
            prop_assert_eq!(drawdowns.episodes(), under.chunk_by(|a, b| a == b).filter(|run| run[0]).count());
            let table = drawdown_table(&returns, usize::MAX).unwrap();
            prop_assert!(table.iter().all(|episode| episode.recovery.is_some()));
            let lowest = prices.iter().min().unwrap();
            let deepest = f64::from(*lowest) / f64::from(peak) - 1.0;
            prop_assert!((max_drawdown(&returns).unwrap() - deepest).abs() < 1e-9);
            if under.iter().all(|under| !under) {
                prop_assert_eq!(calmar(&returns, YEAR), Err(Undefined::NoDrawdown));
            }
        }
    }

    #[test]
    fn a_series_that_varies_by_its_rounding_only_has_no_ratio((c, values) in nearly_constant(), ahead in -0.01..0.01_f64) {
        let returns = Returns::new(&values).unwrap();
        let flat = Err(Undefined::ZeroVariance);
        let rf = RiskFree::per_period(c / 3.0);
        prop_assert_eq!(sharpe(&returns, rf, YEAR), flat);
        prop_assert_eq!(sharpe_geometric(&returns, rf, YEAR), flat);
        prop_assert_eq!(sharpe_adjusted(&returns, rf, YEAR), flat);
        prop_assert_eq!(autocorrelation(&returns, 1), flat);
        prop_assert_eq!(skewness(&returns), flat);
        for ratio in rolling::sharpe(&returns, 3, rf, YEAR).unwrap().iter() {
            prop_assert_eq!(ratio, flat);
        }
        let none = Err(Undefined::NoDownside);
        prop_assert_eq!(sortino(&returns, Mar::per_period(c), YEAR), none);
        prop_assert_eq!(omega(&returns, c), none);
        prop_assert_eq!(kappa(&returns, 3.0, c), none);
        prop_assert_eq!(variability_skewness(&returns, c), none);
        // Against a market that does vary, and as the benchmark of it.
        let market: Vec<f64> = (0..values.len()).map(|i| 0.01 * (0.9 * i as f64).sin()).collect();
        let market = Returns::new(&market).unwrap();
        prop_assert_eq!(correlation(&returns, &market), flat);
        prop_assert_eq!(m2_geometric(&returns, &market, rf, YEAR), flat);
        prop_assert_eq!(treynor(&returns, &market, rf, YEAR), Err(Undefined::ZeroBeta));
        prop_assert_eq!(beta(&market, &returns), Err(Undefined::FlatBenchmark));
        let ahead: Vec<f64> = market.as_slice().iter().map(|b| b + ahead).collect();
        prop_assert_eq!(information_ratio(&Returns::new(&ahead).unwrap(), &market, YEAR), flat);
    }

    #[test]
    fn prices_that_grow_at_one_rate_have_no_ratio(
        growth in prop_oneof![1e-7..1e-2_f64, -1e-2..-1e-7_f64],
        first in 1e-3..1e6_f64,
        n in 3..400_usize,
    ) {
        let mut prices = vec![first];
        for at in 0..n {
            prices.push(prices[at] * (1.0 + growth));
        }
        // The difference of two prices is rounded by the size of the prices, not by its own.
        let returns = Returns::from_prices(&prices).unwrap();
        let flat = Err(Undefined::ZeroVariance);
        prop_assert_eq!(sharpe(&returns, RiskFree::ZERO, YEAR), flat);
        prop_assert_eq!(sharpe(&returns.last(2), RiskFree::ZERO, YEAR), flat);
        prop_assert_eq!(sharpe(&returns.clone().into_owned(), RiskFree::ZERO, YEAR), flat);
        prop_assert_eq!(sharpe_geometric(&returns, RiskFree::ZERO, YEAR), flat);
        prop_assert_eq!(rolling::sharpe(&returns, 3, RiskFree::ZERO, YEAR).unwrap().last(), flat);
        prop_assert_eq!(sortino(&returns, Mar::per_period(growth), YEAR), Err(Undefined::NoDownside));
        prop_assert_eq!(omega(&returns, growth), Err(Undefined::NoDownside));
        prop_assert_eq!(beta(&returns, &returns), Err(Undefined::FlatBenchmark));
        let constant = Returns::new(vec![growth; n]).unwrap();
        prop_assert_eq!(information_ratio(&returns, &constant, YEAR), flat);
        let sheet = PerformanceSheet::of(&returns, Some(&constant), &Conventions::daily(YEAR));
        prop_assert_eq!(sheet.value("sharpe"), Some(flat));
        prop_assert_eq!(sheet.value("information_ratio"), Some(flat));
    }

    #[test]
    fn a_beta_of_rounding_noise_is_zero_and_divides_nothing(
        which in 0..APART.len(), times in 1..60_usize,
        (r, b) in (-0.05..0.05_f64, -0.05..0.05_f64), (x, y) in (1e-4..0.05_f64, 1e-4..0.05_f64),
    ) {
        let (mine, theirs) = APART[which];
        let repeated = |pattern: [f64; 4], mean: f64, size: f64| -> Vec<f64> {
            pattern.iter().cycle().take(4 * times).map(|sign| mean + sign * size).collect()
        };
        let (mine, theirs) = (repeated(mine, r, x), repeated(theirs, b, y));
        let (returns, benchmark) = (Returns::new(&mine).unwrap(), Returns::new(&theirs).unwrap());
        prop_assert_eq!(treynor(&returns, &benchmark, RiskFree::ZERO, YEAR), Err(Undefined::ZeroBeta));
        prop_assert!(beta(&returns, &benchmark).unwrap().abs() < 1e-10);
        prop_assert!(correlation(&returns, &benchmark).unwrap().abs() < 1e-10);
        // A small beta that is no noise divides.
        let follows: Vec<f64> = mine.iter().zip(&theirs).map(|(r, b)| r + 1e-6 * b).collect();
        prop_assert!(treynor(&Returns::new(&follows).unwrap(), &benchmark, RiskFree::ZERO, YEAR).is_ok());
    }

    #[test]
    fn losses_that_are_the_rounding_of_the_gains_divide_nothing(gains in vec(1e-3..0.1_f64, 3..50), at in 0..50_usize, sign in any::<bool>()) {
        // What is left of 0.1 + 0.2 - 0.3, and its like.
        let largest = gains.iter().copied().fold(0.0, f64::max);
        let mut values = gains.clone();
        values.insert(at % gains.len(), -largest * f64::EPSILON);
        if !sign {
            values = values.into_iter().map(|x| -x).collect();
        }
        let returns = Returns::new(&values).unwrap();
        let trades = TradeResults::new(&values).unwrap();
        if sign {
            prop_assert_eq!(profit_factor(&returns), Err(Undefined::NoLosses));
            // Results of trades are exact: the smallest loss is one.
            prop_assert!(profit_factor(&trades).unwrap() > 1e13);
            prop_assert_eq!(payoff_ratio(&returns), Err(Undefined::NoLosses));
        } else {
            prop_assert!(kelly_fraction(&trades).unwrap() < -1e12);
            prop_assert_eq!(profit_factor(&Returns::new(&gains).unwrap()), Err(Undefined::NoLosses));
        }
        for episodes in [BurkeEpisodes::PeakToRecovery, BurkeEpisodes::NegativeRunsSummed] {
            sane("burke", burke(&returns, RiskFree::ZERO, YEAR, episodes))?;
        }
        for compounding in [Compounding::Geometric, Compounding::Additive] {
            sane("pain", pain_ratio(&returns, RiskFree::ZERO, PeriodsPerYear::YEARS, compounding))?;
        }
        sane("martin", martin_ratio(&returns, RiskFree::ZERO, PeriodsPerYear::YEARS))?;
        sane("recovery", recovery_factor(&returns))?;
        let sheet = PerformanceSheet::of(&returns, None, &Conventions::of(bellwether_perf::Period::Other, PeriodsPerYear::YEARS));
        for row in sheet.rows().iter().filter(|row| row.unit == MetricUnit::Ratio && row.name != "tail_ratio") {
            sane(&row.name, row.value)?;
        }
    }
}

#[test]
fn small_losses_that_add_up_are_a_drawdown_although_each_is_under_the_rounding_of_wealth() {
    let returns = Returns::new(vec![-1e-15; 100_000]).unwrap();
    let deepest = max_drawdown(&returns).unwrap();
    assert!((deepest / -1e-10 - 1.0).abs() < 0.2, "{deepest:e}");
}

#[test]
fn a_total_loss_is_never_taken_for_a_recovery() {
    // What is left is the rounding of the return; a gain of 10^15 on it is none.
    let returns = Returns::new(vec![-1.0, 9.0, 1e300, 9.0]).unwrap();
    assert_eq!(drawdown_series(&returns).unwrap(), [-1.0; 4]);
}

#[test]
fn an_interpolated_quantile_of_rounding_noise_is_no_tail() {
    // The lower quantile lies a unit in the last place beside 0, where 0.3 and -0.1 meet.
    let values = [-0.1, 0.3, 0.4, 0.5, 0.6];
    let confidence = Confidence::new(1.0 - 0.0625).unwrap();
    let answer = tail_ratio(&Returns::new(&values).unwrap(), confidence);
    assert!(answer.is_err() || answer.unwrap() < 1e9, "{answer:?}");
}

#[test]
fn a_benchmark_that_gains_by_rounding_only_has_no_up_capture() {
    let benchmark = Returns::new(&[-0.01, 0.02 * f64::EPSILON, -0.03]).unwrap();
    let returns = Returns::new(&[0.01, 0.01, 0.01]).unwrap();
    assert_eq!(up_capture(&returns, &benchmark, PeriodsPerYear::YEARS), Err(Undefined::FlatBenchmark));
}

#[test]
fn wealth_of_very_many_small_returns_keeps_its_digits() {
    // Each factor 1 + r is rounded the same way: a plain product would be off by n roundings.
    for (r, n) in [(1e-6_f64, 1_000_000_usize), (3.3e-7, 3_000_000), (-1e-6, 1_000_000)] {
        let total = total_return(&Returns::new(vec![r; n]).unwrap()).unwrap();
        let exact = (n as f64 * r.ln_1p()).exp_m1();
        assert!((total / exact - 1.0).abs() < 1e-12, "{r}: {total} is not {exact}");
    }
    // Many that vanish beside 1, and one that does not.
    let mut values = vec![1e-17; 1_000_000];
    values[500_000] = 1.0;
    let total = total_return(&Returns::new(values).unwrap()).unwrap();
    assert!((total - 1.000_000_000_02).abs() < 1e-13, "{total}");
}
