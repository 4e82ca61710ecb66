//! Every value of the book, by the convention that it was printed with.

use bellwether_perf::{BurkeEpisodes, Compounding, PeriodsPerYear, RiskFree, Undefined};
use serde_json::Value;

use crate::golden_metrics::{Params, excess};
use crate::series::{series, text};

#[test]
fn every_published_value_is_reproduced_to_its_last_digit() {
    use bellwether_perf as perf;
    let rows: Vec<Value> = serde_json::from_str(&text("published.json")).unwrap();
    let months = PeriodsPerYear::MONTHS;
    let mut checked = 0;
    for row in &rows {
        let data = series(row["dataset"].as_str().unwrap());
        let (r, b) = (&data.returns, data.benchmark.as_ref().unwrap());
        let p = Params(&row["params"]);
        let runs = BurkeEpisodes::NegativeRunsSummed;
        let got: Result<f64, Undefined> = match row["metric"].as_str().unwrap() {
            "downside_deviation" => perf::downside_deviation_per_period(r, p.mar()),
            "downside_potential" => perf::downside_potential(r, p.mar()),
            "bernardo_ledoit" => perf::bernardo_ledoit(r),
            "burke_ratio" => perf::burke(r, RiskFree::ZERO, months, runs),
            "burke_ratio_modified" => perf::burke_modified(r, RiskFree::ZERO, months, runs),
            "m2" => perf::m2_geometric(r, b, RiskFree::ZERO, months),
            "pain_index" => perf::pain_index(r),
            "pain_ratio" => perf::pain_ratio(r, RiskFree::ZERO, months, Compounding::Additive),
            "kappa" => perf::kappa(r, row["params"]["order"].as_f64().unwrap(), p.mar()),
            "omega_sharpe" => perf::omega_sharpe(r, p.mar()),
            "sharpe_adjusted" => perf::sharpe_adjusted(r, RiskFree::ZERO, months),
            "d_ratio" => perf::d_ratio(r),
            "volatility_skewness" => perf::volatility_skewness(r, p.mar()),
            "variability_skewness" => perf::variability_skewness(r, p.mar()),
            other => panic!("{other} has no calculator here"),
        };
        let (got, expected) = (got.unwrap(), row["value"].as_f64().unwrap());
        assert!(excess(row, expected, got) <= 1.0, "{}: {got} is not {expected}", row["metric"]);
        checked += 1;
    }
    assert_eq!(checked, 14);
}
