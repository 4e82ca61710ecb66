//! Every golden row whose metric the crate has, within its tolerance.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bellwether_perf::{
    Confidence, Mar, MonthlyTable, PeriodsPerYear, Quantile, Returns, RiskFree, RollingSeries, Undefined,
    expected_shortfall, rolling, value_at_risk,
};
use serde_json::Value;

use crate::series::{Series, series, text};

/// One value, or the fields of a rolling series.
pub(crate) enum Answer {
    One(Result<f64, Undefined>),
    Fields(Vec<(&'static str, f64)>),
}

pub(crate) struct Params<'a>(pub(crate) &'a Value);

impl Params<'_> {
    fn number(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or_else(|| panic!("no parameter {name} in {}", self.0))
    }
    fn periods(&self) -> PeriodsPerYear {
        PeriodsPerYear::new(self.number("periods_per_year")).unwrap()
    }
    fn confidence(&self) -> Confidence {
        Confidence::new(self.number("confidence")).unwrap()
    }
    pub(crate) fn mar(&self) -> f64 {
        self.number("minimum_acceptable_return_per_period")
    }
    fn window(&self) -> usize {
        self.number("window") as usize
    }
}

fn fields(series: &Result<RollingSeries, Undefined>) -> Answer {
    let values: Vec<f64> = series.as_ref().unwrap().iter().map(Result::unwrap).collect();
    Answer::Fields(vec![
        ("len", values.len() as f64),
        ("first", values[0]),
        ("middle", values[values.len() / 2]),
        ("last", values[values.len() - 1]),
        ("sum", values.iter().sum()),
    ])
}

/// The public call behind a metric of the goldens; none for one that the crate does not have.
fn answer(metric: &str, data: &Series, p: &Params<'_>) -> Option<Answer> {
    use bellwether_perf as perf;
    let r = &data.returns;
    let b = || data.benchmark.as_ref().unwrap();
    let count = |n: Result<usize, Undefined>| n.map(|n| n as f64);
    let var = |rule| value_at_risk::historical(r, p.confidence(), rule);
    Some(Answer::One(match metric {
        "count" => count(perf::count(r)),
        "total_return" => perf::total_return(r),
        "cagr" => perf::cagr(r, p.periods()),
        "mean" => perf::arithmetic_mean(r),
        "geometric_mean" => perf::geometric_mean(r),
        "stdev_sample" => perf::stdev(r),
        "stdev_population" => perf::population_stdev(r),
        "annualized_volatility" => perf::annualized_volatility(r, p.periods()),
        "skewness_population" => perf::skewness(r),
        "skewness_sample" => perf::sample_skewness(r),
        "excess_kurtosis_population" => perf::excess_kurtosis(r),
        "excess_kurtosis_sample" => perf::sample_excess_kurtosis(r),
        "jarque_bera" => perf::jarque_bera(r),
        "sharpe" => perf::sharpe(r, RiskFree::per_period(p.number("risk_free_per_period")), p.periods()),
        "sortino" => perf::sortino(r, Mar::per_period(p.mar()), p.periods()),
        "omega" => perf::omega(r, p.number("threshold_per_period")),
        "downside_deviation" => perf::downside_deviation(r, Mar::per_period(p.mar()), p.periods()),
        "max_drawdown" => perf::max_drawdown(r),
        "calmar" => perf::calmar(r, p.periods()),
        "longest_drawdown_periods" => count(perf::longest_drawdown(r)),
        "ulcer_index" => perf::ulcer_index(r),
        "pain_index" => perf::pain_index(r),
        "martin_ratio" => perf::martin_ratio(r, RiskFree::ZERO, p.periods()),
        "average_drawdown_depth" => perf::average_drawdown_depth(r),
        "recovery_factor" => perf::recovery_factor(r),
        "stability" => perf::stability(r),
        "tail_ratio" => perf::tail_ratio(r, Confidence::P95),
        "var_historical" => var(Quantile::Linear),
        "var_historical_lower" => var(Quantile::Lower),
        "var_historical_higher" => var(Quantile::Higher),
        "var_historical_inverted_cdf" => var(Quantile::InvertedCdf),
        "var_historical_median_unbiased" => var(Quantile::MedianUnbiased),
        "cvar_historical_tail_mean" => expected_shortfall::tail_mean(r, p.confidence()),
        "cvar_historical_exact" => expected_shortfall::historical(r, p.confidence()),
        "autocorrelation" => perf::autocorrelation(r, p.number("lag") as usize),
        "sharpe_standard_error_iid" => perf::sharpe_standard_error_iid(r, 0.0),
        "win_rate_nonzero" => perf::win_rate_nonzero(r),
        "profit_factor" => perf::profit_factor(r),
        "payoff_ratio" => perf::payoff_ratio(r),
        "expectancy" => perf::expectancy(r),
        "kelly_fraction" => perf::kelly_fraction(r),
        "gain_to_pain" => perf::gain_to_pain(r),
        "longest_win_streak" => count(perf::longest_win_streak(r)),
        "longest_loss_streak" => count(perf::longest_loss_streak(r)),
        "best" => perf::best(r),
        "worst" => perf::worst(r),
        "beta" | "beta_cov" => perf::beta(r, b()),
        "alpha_jensen_arithmetic" => perf::alpha(r, b(), RiskFree::ZERO, p.periods()),
        "alpha_compounded" => perf::alpha_compounded(r, b(), RiskFree::ZERO, p.periods()),
        "correlation" => perf::correlation(r, b()),
        "r_squared" => perf::r_squared(r, b()),
        "tracking_error" => perf::tracking_error(r, b(), p.periods()),
        "information_ratio" => perf::information_ratio(r, b(), p.periods()),
        "treynor" => perf::treynor(r, b(), RiskFree::ZERO, p.periods()),
        "up_capture" => perf::up_capture(r, b(), p.periods()),
        "down_capture" => perf::down_capture(r, b(), p.periods()),
        "m2" => perf::m2(r, b(), RiskFree::ZERO, p.periods()),
        "rolling_volatility" => return Some(fields(&rolling::volatility(r, p.window(), p.periods()))),
        "rolling_sharpe" => {
            return Some(fields(&rolling::sharpe(r, p.window(), RiskFree::ZERO, p.periods())));
        }
        "rolling_var_historical_95" => {
            let series = rolling::value_at_risk(r, p.window(), Confidence::P95, Quantile::Linear);
            return Some(fields(&series));
        }
        _ => return None,
    }))
}

/// How far `got` is from `expected` in units of what the row allows.
pub(crate) fn excess(row: &Value, expected: f64, got: f64) -> f64 {
    let allowed = row["rel_tol"].as_f64().map_or(0.0, |relative| relative * expected.abs())
        + row["abs_tol"].as_f64().unwrap_or(0.0);
    let distance = (got - expected).abs();
    if distance == 0.0 { 0.0 } else { distance / allowed }
}

#[test]
fn every_golden_row_whose_metric_the_crate_has_is_reproduced() {
    let rows: Vec<Value> = serde_json::from_str(&text("metrics.json")).unwrap();
    let mut datasets: HashMap<String, Series> = HashMap::new();
    let (mut checked, mut undefined) = (0, 0);
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    let mut metrics = BTreeSet::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let (name, metric) = (row["dataset"].as_str().unwrap(), row["metric"].as_str().unwrap());
        let data = datasets.entry(name.to_owned()).or_insert_with(|| series(name));
        let Some(answer) = answer(metric, data, &Params(&row["params"])) else {
            *left.entry(metric.to_owned()).or_default() += 1;
            continue;
        };
        checked += 1;
        metrics.insert(metric);
        match (answer, &row["value"]) {
            (Answer::One(Err(_)), Value::Null) => undefined += 1,
            (Answer::One(Ok(got)), Value::Number(expected)) => {
                let excess = excess(row, expected.as_f64().unwrap(), got);
                if excess.is_nan() || excess > 1.0 {
                    wrong.push(format!(
                        "{name} {metric} {}: {got} is not {expected} ({excess:.1}x)",
                        row["params"]
                    ));
                }
            }
            (Answer::Fields(got), Value::Object(expected)) => {
                assert_eq!(got.len(), expected.len(), "{metric}");
                for (field, got) in got {
                    let expected = expected[field].as_f64().unwrap();
                    if excess(row, expected, got) > 1.0 {
                        wrong.push(format!("{name} {metric} {field}: {got} is not {expected}"));
                    }
                }
            }
            (Answer::One(got), expected) => wrong.push(format!("{name} {metric}: {got:?} is not {expected}")),
            (Answer::Fields(_), expected) => {
                wrong.push(format!("{name} {metric}: fields are not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("{checked} of {} rows checked, {undefined} of them undefined; left: {left:?}", rows.len());
    assert_eq!((rows.len(), checked, metrics.len(), undefined), (539, 425, 61, 40));
}

#[test]
fn the_years_of_the_market_compound_to_its_total() {
    let data = series("sp500_daily");
    let table = MonthlyTable::new(&data.dates, &data.returns).unwrap();
    assert_eq!((table.years().len(), table.months().len()), (20, 240));
    let crash = table.months().iter().find(|month| (month.year, month.month) == (2008, 10)).unwrap();
    // Standard & Poor's own figure for October 2008 without dividends.
    assert!((crash.total + 0.1694).abs() < 5e-5, "{}", crash.total);
    let total: f64 = table.years().iter().map(|year| 1.0 + year.total).product();
    assert!((total - 1.0 - bellwether_perf::total_return(&data.returns).unwrap()).abs() < 1e-12);
}

#[test]
fn a_benchmark_of_another_length_is_told() {
    let mismatch = Undefined::LengthMismatch { returns: 2, benchmark: 1 };
    let (two, one) = (Returns::new(&[0.1, 0.2]).unwrap(), Returns::new(&[0.1]).unwrap());
    assert_eq!(bellwether_perf::beta(&two, &one), Err(mismatch));
    assert_eq!(bellwether_perf::tracking_error(&two, &one, PeriodsPerYear::MONTHS), Err(mismatch));
    assert_eq!(bellwether_perf::up_capture(&two, &one, PeriodsPerYear::MONTHS), Err(mismatch));
}
