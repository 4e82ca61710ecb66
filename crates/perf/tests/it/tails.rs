//! Quantiles and tails at every edge: from one return, at every level, by every rule.

use bellwether_perf::{Confidence, Quantile, Returns, expected_shortfall, quantile, rolling, value_at_risk};
use proptest::collection::vec;
use proptest::prelude::*;

/// The largest float under 1.
const UNDER_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

/// Levels from one end of (0, 1) to the other, told as level or as tail.
fn confidences() -> impl Strategy<Value = Confidence> {
    let number = prop_oneof![
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(1e-17),
        Just(UNDER_ONE),
        Just(0.5),
        (1..40_i32).prop_map(|digits| 1.0 - 10_f64.powi(-digits).max(f64::EPSILON / 2.0)),
        (1..300_i32).prop_map(|digits| 10_f64.powi(-digits)),
        (1..1000_u32).prop_map(|x| f64::from(x) / 1000.0),
        (1..u64::MAX).prop_map(|bits| (bits as f64 / u64::MAX as f64).clamp(f64::MIN_POSITIVE, UNDER_ONE)),
    ];
    (any::<bool>(), number).prop_map(|(as_tail, number)| {
        if as_tail { Confidence::from_tail(number) } else { Confidence::new(number) }.unwrap()
    })
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![6 => -0.1..0.1_f64, 3 => (-20..20_i32).prop_map(|x| f64::from(x) / 1000.0), 1 => Just(0.0)];
    prop_oneof![3 => vec(one.clone(), 1..6), 2 => vec(one, 1..120)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_tail_is_defined_from_one_return_on_at_every_level_and_by_every_rule(values in values(), c in confidences()) {
        let returns = Returns::new(&values).unwrap();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shortfall = expected_shortfall::historical(&returns, c).unwrap();
        prop_assert!((-most..=-least).contains(&shortfall), "{} {:?}", shortfall, c);
        let m = c.tail_observations(values.len());
        prop_assert!(m > 0.0 && m <= values.len() as f64, "{:?}: {}", c, m);
        for rule in Quantile::ALL {
            let var = value_at_risk::historical(&returns, c, rule).unwrap();
            prop_assert!((-most..=-least).contains(&var), "{} {:?}: {}", rule, c, var);
            prop_assert_eq!(quantile(&returns, c.probability(), rule), Ok(0.0 - var));
            if values.len() == 1 {
                prop_assert_eq!(var, 0.0 - values[0]);
            }
            let window = values.len().div_ceil(2);
            let rolling = rolling::value_at_risk(&returns, window, c, rule).unwrap();
            prop_assert!(rolling.iter().all(|var| var.is_ok_and(|var| (-most..=-least).contains(&var))));
        }
        prop_assert!(shortfall >= value_at_risk::historical(&returns, c, Quantile::InvertedCdf).unwrap());
        // One beyond the worst is taken whole, whatever the rule; nothing is no tail.
        prop_assert!(expected_shortfall::historical(&Returns::empty(), c).is_err());
        prop_assert!(value_at_risk::historical(&Returns::empty(), c, Quantile::Linear).is_err());
    }
}

/// Where `n (1 - c)` is a whole `k`, what stands in the documentation of `Confidence::probability`.
#[test]
fn at_a_step_the_inverted_cdf_reads_the_kth_or_the_next_as_the_float_says() {
    let (mut kth, mut next) = (0, 0);
    for per_mille in [500_usize, 700, 800, 900, 950, 975, 990, 995, 999] {
        let confidence = Confidence::new(per_mille as f64 / 1000.0).unwrap();
        for n in 1..2000_usize {
            if !(n * (1000 - per_mille)).is_multiple_of(1000) {
                continue;
            }
            let k = n * (1000 - per_mille) / 1000;
            assert_eq!(confidence.tail_observations(n), k as f64);
            // -n, ..., -1: the k-th smallest is k - 1 - n.
            let values: Vec<f64> = (0..n).map(|i| (i as f64 - n as f64) / 4096.0).collect();
            let returns = Returns::new(&values).unwrap();
            let var = value_at_risk::historical(&returns, confidence, Quantile::InvertedCdf).unwrap();
            let over = n as f64 * confidence.probability() > k as f64;
            let expected = if over { values[k] } else { values[k - 1] };
            assert_eq!(var, -expected, "{per_mille} {n}");
            if over {
                next += 1;
            } else {
                kth += 1;
            }
            // How many returns lie beyond it: k, or one fewer.
            let beyond = values.iter().filter(|&&r| r < -var).count();
            assert_eq!(beyond, if over { k } else { k - 1 });
            // The shortfall is the mean of exactly the k worst, and never under either reading.
            let shortfall = expected_shortfall::historical(&returns, confidence).unwrap();
            let worst = -values[..k].iter().sum::<f64>() / k as f64;
            assert!((shortfall - worst).abs() <= 1e-15, "{per_mille} {n}: {shortfall} {worst}");
            assert!(shortfall >= -values[k - 1] && -values[k - 1] >= var);
        }
    }
    assert!(kth > 100 && next > 100, "{kth} {next}");
    // The levels of the documentation.
    let over = |c: Confidence| c.probability() > c.tail();
    assert!([Confidence::P95, Confidence::P975, Confidence::P99, Confidence::P999].into_iter().all(over));
    assert!(!over(Confidence::P90) && !over(Confidence::new(0.8).unwrap()));
}

/// Away from a step the last bits of the probability say nothing.
#[test]
fn between_steps_the_inverted_cdf_is_the_first_value_that_the_tail_does_not_exceed() {
    for per_mille in [500_usize, 700, 800, 900, 950, 975, 990, 995, 999] {
        let confidence = Confidence::new(per_mille as f64 / 1000.0).unwrap();
        for n in 1..2000_usize {
            let tail = n * (1000 - per_mille);
            if tail.is_multiple_of(1000) {
                continue;
            }
            let values: Vec<f64> = (0..n).map(|i| (i as f64 - n as f64) / 4096.0).collect();
            let returns = Returns::new(&values).unwrap();
            let var = value_at_risk::historical(&returns, confidence, Quantile::InvertedCdf).unwrap();
            assert_eq!(var, -values[tail / 1000], "{per_mille} {n}");
        }
    }
}
