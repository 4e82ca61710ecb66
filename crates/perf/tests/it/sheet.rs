//! The sheet as text, Markdown and JSON.

use bellwether_perf::{
    Confidence, Conventions, METRICS, Mar, PerformanceSheet, PeriodsPerYear, Quantile, Returns, RiskFree,
    TradeResults, Undefined, cagr, expected_shortfall, sharpe, value_at_risk,
};
use serde_json::Value;

use crate::series::series;

fn conventions() -> Conventions {
    Conventions::daily(PeriodsPerYear::TRADING_DAYS)
        .with_risk_free(RiskFree::annual(0.02))
        .with_mar(Mar::annual(0.02))
        .with_confidences([Confidence::P95, Confidence::P975, Confidence::P99])
}

fn market() -> PerformanceSheet {
    let data = series("sp500_2008_2009__vs__nasdaq_2008_2009");
    PerformanceSheet::of(&data.returns, data.benchmark.as_ref(), &conventions())
}

#[test]
fn the_sheet_tells_what_the_calculators_do() {
    let (sheet, data) = (market(), series("sp500_2008_2009__vs__nasdaq_2008_2009"));
    let (returns, benchmark) = (&data.returns, data.benchmark.as_ref().unwrap());
    let (rf, year) = (RiskFree::annual(0.02), PeriodsPerYear::TRADING_DAYS);
    assert_eq!(sheet.observations(), 505);
    assert_eq!(sheet.value("sharpe"), Some(sharpe(returns, rf, year)));
    assert_eq!(sheet.value("cagr"), Some(cagr(returns, year)));
    let var = value_at_risk::historical(returns, Confidence::P975, Quantile::Linear);
    assert_eq!(sheet.value("var_historical_97_5"), Some(var));
    let shortfall = expected_shortfall::historical(returns, Confidence::P99).unwrap();
    assert!((sheet.value("cvar_historical_exact_99").unwrap().unwrap() - shortfall).abs() < 1e-15);
    assert_eq!(sheet.value("treynor"), Some(bellwether_perf::treynor(returns, benchmark, rf, year)));
    assert_eq!(sheet.row("sharpe").unwrap().benchmark, Some(sharpe(benchmark, rf, year)));
    assert_eq!(sheet.row("beta").unwrap().benchmark, None);
    assert_eq!(sheet.value("no_such_value"), None);
    assert!(sheet.rows().iter().all(|row| row.value.is_ok()));
}

#[test]
fn every_row_is_a_metric_of_the_catalogue_and_has_a_name_of_its_own() {
    let sheet = market();
    let mut names = std::collections::BTreeSet::new();
    for row in sheet.rows() {
        let info =
            METRICS.iter().find(|info| info.name == row.metric).unwrap_or_else(|| panic!("{}", row.metric));
        assert!(row.label.starts_with(info.label) && row.name.starts_with(info.name), "{}", row.name);
        assert_eq!(row.convention, info.convention);
        assert!(names.insert(row.name.clone()), "{} is there twice", row.name);
    }
}

#[test]
fn the_text_is_aligned_and_fits_a_wide_terminal() {
    let text = market().to_string();
    assert!(
        text.starts_with("Performance over 505 days\n252 days a year, risk-free rate 2 % a year, "),
        "{text}"
    );
    // Values end in one column.
    let end_of_value = |line: &str| line.chars().take(50).collect::<String>().trim_end().chars().count();
    let sharpe = text.lines().find(|line| line.contains("Sharpe ratio ")).unwrap();
    let calmar = text.lines().find(|line| line.contains("Calmar ratio ")).unwrap();
    assert_eq!(end_of_value(sharpe), end_of_value(calmar), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 120, "{line}");
        assert_eq!(line, line.trim_end(), "{line}");
    }
}

#[test]
fn json_has_null_beside_the_reason_and_reads_back_to_the_same_sheet() {
    let gains = Returns::new(&[0.02, 0.01, 0.03]).unwrap();
    let sheet =
        PerformanceSheet::of(&gains, Some(&Returns::new(&[0.01, -0.02, 0.03]).unwrap()), &conventions());
    let json = serde_json::to_string(&sheet).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["conventions"]["periods_per_year"], 252.0);
    assert_eq!(value["conventions"]["risk_free"]["annual"], 0.02);
    let rows = value["values"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("profit_factor")["value"], Value::Null);
    assert_eq!(row("profit_factor")["undefined"]["reason"], "no_losses");
    assert!(row("profit_factor")["benchmark"]["value"].is_f64());
    assert!(row("cagr")["value"].is_f64() && row("cagr").get("undefined").is_none());
    assert_eq!(row("max_drawdown")["unit"], "fraction");

    let back: PerformanceSheet = serde_json::from_str(&json).unwrap();
    assert_eq!(back.rows().len(), sheet.rows().len());
    for (row, before) in back.rows().iter().zip(sheet.rows()) {
        assert_eq!((&row.name, row.unit, &row.convention), (&before.name, before.unit, &before.convention));
        assert_eq!(row.value.is_ok(), before.value.is_ok());
        assert_eq!(row.value.err(), before.value.err());
    }
    assert_eq!(back.conventions(), sheet.conventions());
}

#[test]
fn a_form_of_another_version_is_refused_and_trades_stand_on_the_sheet_once() {
    let mut value = serde_json::to_value(market()).unwrap();
    value["schema_version"] = 2.into();
    let refused = serde_json::from_value::<PerformanceSheet>(value).unwrap_err();
    assert!(refused.to_string().starts_with("schema version 2: expected 1"), "{refused}");

    let trades = |results: &[f64]| TradeResults::new(results.to_vec()).unwrap();
    let sheet = market().with_trades(&trades(&[1.0])).with_trades(&trades(&[2.0, -1.0]));
    assert_eq!(sheet.rows().iter().filter(|row| row.name == "trade_count").count(), 1);
    assert_eq!(sheet.value("trade_count"), Some(Ok(2.0)));
}

#[test]
fn json_with_neither_value_nor_reason_is_refused() {
    let sheet = PerformanceSheet::of(&Returns::empty(), None, &conventions());
    let mut value = serde_json::to_value(&sheet).unwrap();
    value["values"][0].as_object_mut().unwrap().remove("undefined");
    let refused = serde_json::from_value::<PerformanceSheet>(value).unwrap_err();
    assert!(
        refused.to_string().contains("expected a number, or null beside why it is undefined"),
        "{refused}"
    );
}

#[test]
fn a_level_that_is_given_twice_stands_on_the_sheet_once_and_near_levels_keep_their_names() {
    let near = Confidence::new(0.999_999_999_999_9).unwrap();
    let levels = [Confidence::P95, near, Confidence::P95, Confidence::from_tail(0.05).unwrap()];
    let conventions = conventions().with_confidences(levels);
    assert_eq!(conventions.confidences(), [Confidence::P95, near]);
    let sheet = PerformanceSheet::of(&Returns::new(&[0.02, -0.01]).unwrap(), None, &conventions);
    assert!(sheet.row("var_historical_95").is_some() && sheet.row("var_historical_99_99999999999").is_some());
    // Read from a file, they are each taken once as well.
    let mut file = serde_json::to_value(&conventions).unwrap();
    file["confidences"] = serde_json::json!([0.95, 0.99, 0.95]);
    let read: Conventions = serde_json::from_value(file).unwrap();
    assert_eq!(read.confidences(), [Confidence::P95, Confidence::P99]);
}

#[test]
fn conventions_without_a_bound_read_back_as_they_were() {
    let conventions = conventions().with_plausibility_bound(f64::INFINITY);
    let json = serde_json::to_string(&conventions).unwrap();
    assert!(json.contains(r#""plausibility_bound":null"#), "{json}");
    assert_eq!(serde_json::from_str::<Conventions>(&json).unwrap(), conventions);
    assert_eq!(conventions.with_plausibility_bound(f64::NAN).plausibility_bound(), f64::INFINITY);
}

#[test]
fn nothing_is_told_of_fewer_returns_than_the_minimum_sample() {
    let returns = Returns::new(&[0.02, -0.01]).unwrap();
    let sheet = PerformanceSheet::of(&returns, None, &conventions().with_minimum_sample(30));
    let few = Undefined::TooFewObservations { needed: 30, got: 2 };
    assert!(sheet.rows().iter().all(|row| row.value == Err(few)));
}

#[test]
fn a_benchmark_of_another_length_is_told_on_the_sheet() {
    let (returns, benchmark) = (Returns::new(&[0.02, -0.01]).unwrap(), Returns::new(&[0.02]).unwrap());
    let sheet = PerformanceSheet::of(&returns, Some(&benchmark), &conventions());
    assert_eq!(sheet.value("beta"), Some(Err(Undefined::LengthMismatch { returns: 2, benchmark: 1 })));
    assert!(sheet.to_string().contains("undefined: 2 returns stand against 1 of the benchmark"));
}

#[test]
fn markdown_has_a_cell_for_every_column() {
    let markdown = market().to_markdown();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 50);
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 5, "{row}");
    }
}
