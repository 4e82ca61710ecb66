//! What holds for every series.

use bellwether_perf::{
    CivilDate, Confidence, Conventions, Domain, Mar, Moments, MonthlyTable, PerformanceSheet, PeriodsPerYear,
    Quantile, Returns, RiskFree, RollingSeries, Undefined, annualized_mean, annualized_volatility, beta,
    cagr, correlation, downside_deviation, drawdown_series, drawdown_table, expected_shortfall, gain_to_pain,
    kappa, longest_drawdown, max_drawdown, omega, omega_sharpe, pain_index, rolling, sharpe, sortino, stdev,
    total_return, ulcer_index, value_at_risk,
};
use proptest::collection::vec;
use proptest::prelude::*;

const YEAR: PeriodsPerYear = PeriodsPerYear::TRADING_DAYS;

/// A metric per year.
type Annualised = fn(&Returns<'_>, PeriodsPerYear) -> Result<f64, Undefined>;

/// Daily returns of every kind: small, with ties, with wild ones.
fn values(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        6 => -0.1..0.1_f64,
        3 => (-20..20_i32).prop_map(|x| f64::from(x) / 1000.0),
        1 => -1.0..10.0_f64,
    ];
    vec(one, n)
}

fn confidences() -> impl Strategy<Value = Confidence> {
    (1..1000_u32).prop_map(|x| Confidence::new(f64::from(x) / 1000.0).unwrap())
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn constant_series_have_no_ratio_whatever_the_constant_and_the_length(c in -0.9..5.0_f64, n in 2..3000_usize) {
        let values = vec![c; n];
        let returns = Returns::new(&values).unwrap();
        prop_assert_eq!(stdev(&returns), Ok(0.0));
        prop_assert_eq!(sharpe(&returns, RiskFree::ZERO, YEAR), Err(Undefined::ZeroVariance));
        prop_assert_eq!(beta(&returns, &returns), Err(Undefined::FlatBenchmark));
    }

    #[test]
    fn ratios_do_not_change_with_the_scale_and_deviations_do(values in values(5..200), a in 0.01..0.99_f64) {
        let scaled: Vec<f64> = values.iter().map(|r| a * r).collect();
        let (returns, scaled) = (Returns::new(&values).unwrap(), Returns::new(&scaled).unwrap());
        if let Ok(s) = stdev(&returns) {
            prop_assert!(near(stdev(&scaled).unwrap(), a * s, 1e-12));
        }
        if let (Ok(x), Ok(y)) = (sharpe(&returns, RiskFree::ZERO, YEAR), sharpe(&scaled, RiskFree::ZERO, YEAR)) {
            prop_assert!((x - y).abs() <= 1e-9 * x.abs().max(1.0), "{} {}", x, y);
        }
        if let (Ok(x), Ok(y)) = (sortino(&returns, Mar::ZERO, YEAR), sortino(&scaled, Mar::ZERO, YEAR)) {
            prop_assert!((x - y).abs() <= 1e-9 * x.abs().max(1.0), "{} {}", x, y);
        }
        for rule in Quantile::ALL {
            let var = |r: &Returns<'_>| value_at_risk::historical(r, Confidence::P95, rule).unwrap();
            prop_assert!((var(&scaled) - a * var(&returns)).abs() <= 1e-14);
        }
    }

    #[test]
    fn the_order_of_returns_changes_neither_moments_nor_tails(values in values(4..300), c in confidences()) {
        let mut turned = values.clone();
        turned.reverse();
        turned.rotate_left(values.len() / 3);
        let (a, b) = (Moments::of(&values), Moments::of(&turned));
        prop_assert!(near(a.sum_of_squares(), b.sum_of_squares(), 1e-12));
        prop_assert!(near(a.sum_of_fourths(), b.sum_of_fourths(), 1e-12));
        let (a, b) = (Returns::new(&values).unwrap(), Returns::new(&turned).unwrap());
        for rule in Quantile::ALL {
            prop_assert_eq!(value_at_risk::historical(&a, c, rule), value_at_risk::historical(&b, c, rule));
        }
        let (x, y) = (expected_shortfall::historical(&a, c).unwrap(), expected_shortfall::historical(&b, c).unwrap());
        prop_assert!((x - y).abs() <= 1e-14);
    }

    #[test]
    fn moments_of_parts_merge_to_those_of_the_whole(values in values(3..3000), a in 0.0..1.0_f64, b in 0.0..1.0_f64) {
        let n = values.len() as f64;
        let (i, j) = ((a.min(b) * n) as usize, (a.max(b) * n) as usize);
        let whole = Moments::of(&values);
        let parts = [&values[..i], &values[i..j], &values[j..]].map(Moments::of);
        let left = parts[0].merge(parts[1]).merge(parts[2]);
        let right = parts[0].merge(parts[1].merge(parts[2]));
        for merged in [left, right] {
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert!((merged.mean() - whole.mean()).abs() <= 1e-13);
            prop_assert!(near(merged.sum_of_squares(), whole.sum_of_squares(), 1e-12));
            prop_assert!(near(merged.sum_of_fourths(), whole.sum_of_fourths(), 1e-12));
            prop_assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
        }
    }

    #[test]
    fn rolling_values_are_those_of_each_slice(values in values(1..400), window in 1..120_usize, c in confidences()) {
        let returns = Returns::new(&values).unwrap();
        let series = rolling::volatility(&returns, window, YEAR);
        if window > values.len() {
            let few = Undefined::TooFewObservations { needed: window, got: values.len() };
            prop_assert_eq!(series, Err(few));
            return Ok(());
        }
        let (volatility, ratio) = (series.unwrap(), rolling::sharpe(&returns, window, RiskFree::ZERO, YEAR).unwrap());
        let shortfall = rolling::expected_shortfall(&returns, window, c).unwrap();
        prop_assert_eq!(volatility.len(), values.len() + 1 - window);
        for at in 0..volatility.len() {
            let slice = Returns::new(&values[at..at + window]).unwrap();
            match (volatility.get(at).unwrap(), annualized_volatility(&slice, YEAR)) {
                (Ok(x), Ok(y)) => prop_assert!((x - y).abs() <= 1e-12 * y.max(1e-3), "{} {}", x, y),
                (x, y) => prop_assert_eq!(x, y),
            }
            match (ratio.get(at).unwrap(), sharpe(&slice, RiskFree::ZERO, YEAR)) {
                (Ok(x), Ok(y)) => prop_assert!((x - y).abs() <= 1e-9 * y.abs().max(1.0), "{} {}", x, y),
                (x, y) => prop_assert_eq!(x, y),
            }
            let batch = expected_shortfall::historical(&slice, c).unwrap();
            prop_assert!((shortfall.get(at).unwrap().unwrap() - batch).abs() <= 1e-14);
        }
        for rule in Quantile::ALL {
            let series = rolling::value_at_risk(&returns, window, c, rule).unwrap();
            for (at, got) in series.iter().enumerate() {
                let slice = Returns::new(&values[at..at + window]).unwrap();
                prop_assert_eq!(got, value_at_risk::historical(&slice, c, rule));
            }
        }
    }

    #[test]
    fn the_shortfall_is_never_under_the_value_at_risk(values in values(1..300), c in confidences()) {
        let returns = Returns::new(&values).unwrap();
        let shortfall = expected_shortfall::historical(&returns, c).unwrap();
        let var = |rule| value_at_risk::historical(&returns, c, rule).unwrap();
        prop_assert!(shortfall >= var(Quantile::InvertedCdf));
        prop_assert!(shortfall >= var(Quantile::Linear) - 1e-15);
    }

    #[test]
    fn value_at_risk_grows_with_the_confidence(values in values(1..100), a in 1..1000_u32, b in 1..1000_u32) {
        let returns = Returns::new(&values).unwrap();
        let level = |x: u32| Confidence::new(f64::from(x) / 1000.0).unwrap();
        let (low, high) = (level(a.min(b)), level(a.max(b)));
        for rule in Quantile::ALL {
            let var = |c| value_at_risk::historical(&returns, c, rule).unwrap();
            prop_assert!(var(high) >= var(low) - 1e-15, "{}", rule);
        }
        let shortfall = |c| expected_shortfall::historical(&returns, c).unwrap();
        prop_assert!(shortfall(high) >= shortfall(low) - 1e-15);
    }

    #[test]
    fn the_drawdown_family_agrees_with_its_series(values in values(1..400)) {
        let returns = Returns::new(&values).unwrap();
        let series = drawdown_series(&returns).unwrap();
        let deepest = max_drawdown(&returns).unwrap();
        prop_assert!(series.iter().all(|d| (-1.0..=0.0).contains(d)));
        prop_assert_eq!(deepest, series.iter().copied().fold(0.0, f64::min));
        prop_assert!(ulcer_index(&returns).unwrap() >= pain_index(&returns).unwrap() - 1e-15);

        let table = drawdown_table(&returns, usize::MAX).unwrap();
        prop_assert_eq!(table.first().map_or(0.0, |episode| episode.depth), deepest);
        prop_assert!(table.windows(2).all(|pair| pair[0].depth <= pair[1].depth));
        let longest = table.iter().map(bellwether_perf::DrawdownEpisode::length).max().unwrap_or(0);
        prop_assert_eq!(longest_drawdown(&returns), Ok(longest));
        for episode in &table {
            prop_assert!(series[episode.start..=episode.end].iter().all(|&d| d < 0.0));
            prop_assert_eq!(series[episode.trough], episode.depth);
            prop_assert_eq!(episode.peak.map_or(0, |peak| peak + 1), episode.start);
            prop_assert!(episode.recovery.is_none_or(|at| series[at] == 0.0 && at == episode.end + 1));
        }
        let under: usize = table.iter().map(bellwether_perf::DrawdownEpisode::length).sum();
        prop_assert_eq!(under, series.iter().filter(|&&d| d < 0.0).count());
        prop_assert!(drawdown_table(&returns, 3).unwrap() == table[..table.len().min(3)]);
    }

    #[test]
    fn omega_kappa_and_gain_to_pain_are_one_family(values in values(2..200), threshold in -0.01..0.01_f64) {
        let returns = Returns::new(&values).unwrap();
        if let Ok(omega) = omega(&returns, threshold) {
            prop_assert!((omega_sharpe(&returns, threshold).unwrap() - (omega - 1.0)).abs() <= 1e-9 * omega.max(1.0));
            let two = kappa(&returns, 2.0, threshold).unwrap();
            let sortino = sortino(&returns, Mar::per_period(threshold), PeriodsPerYear::YEARS).unwrap();
            prop_assert!((two - sortino).abs() <= 1e-9 * two.abs().max(1.0));
        }
        if let (Ok(omega), Ok(gain)) = (omega(&returns, 0.0), gain_to_pain(&returns)) {
            prop_assert!((gain - (omega - 1.0)).abs() <= 1e-9 * omega.max(1.0));
        }
    }

    #[test]
    fn a_series_follows_itself(values in values(3..200)) {
        let returns = Returns::new(&values).unwrap();
        if let Ok(beta) = beta(&returns, &returns) {
            prop_assert!((beta - 1.0).abs() <= 1e-12);
            prop_assert!((correlation(&returns, &returns).unwrap() - 1.0).abs() <= 1e-12);
        }
    }

    #[test]
    fn four_times_the_periods_give_twice_the_volatility(values in values(2..100), periods in 1.0..1000.0_f64) {
        let returns = Returns::new(&values).unwrap();
        let volatility = |x: f64| annualized_volatility(&returns, PeriodsPerYear::new(x).unwrap()).unwrap();
        prop_assert!(near(volatility(4.0 * periods), 2.0 * volatility(periods), 1e-14));
        // Deviations and ratios by the root, means by the number, growth by the power: a calendar in none of them.
        let year = |x: f64| PeriodsPerYear::new(x).unwrap();
        let rooted: [Annualised; 4] = [
            |r, year| sharpe(r, RiskFree::per_period(1e-4), year),
            |r, year| sortino(r, Mar::per_period(1e-4), year),
            |r, year| downside_deviation(r, Mar::ZERO, year),
            |r, year| rolling::sharpe(r, r.len(), RiskFree::ZERO, year)?.last(),
        ];
        for metric in rooted {
            if let (Ok(one), Ok(four)) = (metric(&returns, year(periods)), metric(&returns, year(4.0 * periods))) {
                prop_assert!(near(four, 2.0 * one, 1e-14), "{} {}", one, four);
            }
        }
        let mean = |x: f64| annualized_mean(&returns, year(x)).unwrap();
        prop_assert!(near(mean(4.0 * periods), 4.0 * mean(periods), 1e-14));
        if let (Ok(one), Ok(four)) = (cagr(&returns, year(periods)), cagr(&returns, year(4.0 * periods))) {
            // Of a loss of nearly everything a float keeps few digits of what is left.
            prop_assert!(near(four.ln_1p(), 4.0 * one.ln_1p(), 1e-9) || four < -0.9999, "{} {}", one, four);
        }
    }

    #[test]
    fn months_and_years_compound_to_the_total(values in values(1..400), first in 0..20_000_i64, step in 1..40_i64) {
        let day = |i: usize| CivilDate::from_unix_micros((first + i as i64 * step) * 86_400_000_000).unwrap();
        let dates: Vec<CivilDate> = (0..values.len()).map(day).collect();
        let returns = Returns::new(&values).unwrap();
        let table = MonthlyTable::new(&dates, &returns).unwrap();
        let total = total_return(&returns).unwrap();
        let compounded = |totals: Vec<f64>| totals.into_iter().fold(1.0, |wealth, r| wealth * (1.0 + r)) - 1.0;
        let months = compounded(table.months().iter().map(|month| month.total).collect());
        let years = compounded(table.years().iter().map(|year| year.total).collect());
        prop_assert!((months - total).abs() <= 1e-10 * (1.0 + total), "{} {}", months, total);
        prop_assert!((years - total).abs() <= 1e-10 * (1.0 + total), "{} {}", years, total);
        prop_assert_eq!(table.months().iter().map(|month| month.periods).sum::<usize>(), values.len());
    }

    #[test]
    fn no_number_of_a_sheet_is_ever_infinite_or_none(
        values in vec(prop_oneof![any::<f64>(), -1.5..3.0_f64, Just(0.0), Just(-0.0), Just(-1.0), Just(1e308), Just(1e-308)], 0..40),
        benchmark in vec(-1.0..1.0_f64, 0..40),
        rate in any::<f64>(),
    ) {
        let returns = match Returns::allowing_beyond_total_loss(&values) {
            Ok(returns) => returns,
            Err(wrong) => {
                prop_assert!(!values[wrong.index].is_finite());
                prop_assert!(values[..wrong.index].iter().all(|value| value.is_finite()));
                return Ok(());
            }
        };
        prop_assert_eq!(Returns::new(&values).is_ok(), values.iter().all(|&value| value >= -1.0));
        let benchmark = Returns::new(&benchmark).unwrap();
        let conventions = Conventions::daily(YEAR).with_risk_free(RiskFree::annual(rate)).with_mar(Mar::annual(rate));
        let sheet = PerformanceSheet::of(&returns, Some(&benchmark), &conventions);
        for row in sheet.rows() {
            for value in [Some(row.value), row.benchmark].into_iter().flatten().flatten() {
                prop_assert!(value.is_finite(), "{} is {}", row.name, value);
            }
        }
        // Also of a rate that is no number, which JSON has as null.
        let json = serde_json::to_string(&sheet).unwrap();
        let back: PerformanceSheet = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(back.rows().len(), sheet.rows().len());
        for (row, before) in back.rows().iter().zip(sheet.rows()) {
            prop_assert_eq!((row.value.is_ok(), row.value.err()), (before.value.is_ok(), before.value.err()));
        }
        prop_assert!(!sheet.to_string().is_empty() && !sheet.to_markdown().is_empty());
        for window in 1..=returns.len().min(4) {
            let rf = RiskFree::annual(rate);
            let series = [
                rolling::sharpe(&returns, window, rf, YEAR),
                rolling::volatility(&returns, window, YEAR),
                rolling::expected_shortfall(&returns, window, Confidence::P95),
                rolling::value_at_risk(&returns, window, Confidence::P95, Quantile::Linear),
            ];
            for value in series.iter().flatten().flat_map(RollingSeries::iter).flatten() {
                prop_assert!(value.is_finite(), "{}", value);
            }
        }
        if let Ok(series) = drawdown_series(&returns) {
            prop_assert!(series.iter().all(|drawdown| (-1.0..=0.0).contains(drawdown)));
        }
    }

    #[test]
    fn mixed_returns_leave_nothing_undefined(values in vec(-0.08..0.08_f64, 30..300), other in vec(-0.05..0.05_f64, 300)) {
        prop_assume!(values.iter().filter(|&&r| r < 0.0).count() > 3 && values.iter().filter(|&&r| r > 0.0).count() > 3);
        let returns = Returns::new(&values).unwrap();
        let benchmark = Returns::new(&other[..values.len()]).unwrap();
        let sheet = PerformanceSheet::of(&returns, Some(&benchmark), &Conventions::daily(YEAR));
        for row in sheet.rows() {
            prop_assert!(row.value.is_ok(), "{} is {:?}", row.name, row.value);
        }
    }
}

#[test]
fn windows_of_nothing_are_outside_of_the_domain() {
    let returns = Returns::new(&[0.1, 0.2]).unwrap();
    let outside = Some(Undefined::OutsideDomain { what: Domain::Window });
    assert_eq!(rolling::volatility(&returns, 0, YEAR).err(), outside);
    assert_eq!(rolling::value_at_risk(&returns, 0, Confidence::P95, Quantile::Linear).err(), outside);
    assert_eq!(rolling::sharpe(&returns, 2, RiskFree::ZERO, YEAR).unwrap().len(), 1);
    assert_eq!(
        rolling::volatility(&returns, 1, YEAR).unwrap().get(0).unwrap().err(),
        Some(Undefined::TooFewObservations { needed: 2, got: 1 })
    );
}
