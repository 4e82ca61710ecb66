//! Risk numbers of twelve labelled months, computed directly: no runtime, no clock, no other crate.
//!
//! `cargo run --example risk_numbers`
#![allow(clippy::print_stdout)]

use bellwether_perf::{
    CivilDate, Confidence, Conventions, Mar, MonthlyTable, PerformanceSheet, PeriodsPerYear, Quantile,
    Returns, RiskFree, drawdown_table, expected_shortfall, sharpe, sortino, value_at_risk,
};

/// A year of a made-up fund and of its benchmark, as fractions: 0.021 is 2.1 %.
const MONTHS: [(&str, f64, f64); 12] = [
    ("2024-01-31", 0.021, 0.016),
    ("2024-02-29", 0.034, 0.053),
    ("2024-03-28", 0.012, 0.032),
    ("2024-04-30", -0.045, -0.041),
    ("2024-05-31", 0.028, 0.050),
    ("2024-06-28", 0.019, 0.035),
    ("2024-07-31", -0.008, 0.012),
    ("2024-08-30", 0.015, 0.024),
    ("2024-09-30", 0.022, 0.021),
    ("2024-10-31", -0.017, -0.009),
    ("2024-11-29", 0.041, 0.059),
    ("2024-12-31", -0.011, -0.024),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (fund, index) = (MONTHS.map(|month| month.1), MONTHS.map(|month| month.2));
    let (returns, benchmark) = (Returns::new(&fund)?, Returns::new(&index)?);

    // One number at a time.
    let cash = RiskFree::annual(0.03);
    println!("Sharpe ratio            {:>7.3}", sharpe(&returns, cash, PeriodsPerYear::MONTHS)?);
    println!(
        "Sortino ratio           {:>7.3}",
        sortino(&returns, Mar::annual(0.03), PeriodsPerYear::MONTHS)?
    );
    let var = value_at_risk::historical(&returns, Confidence::P90, Quantile::Linear)?;
    let shortfall = expected_shortfall::historical(&returns, Confidence::P90)?;
    println!("Value at risk 90 %      {:>7.3} %", var * 100.0);
    println!("Expected shortfall 90 % {:>7.3} %", shortfall * 100.0);

    // A number that does not exist says why.
    let calm = Returns::new(&[0.01; 12])?;
    match sharpe(&calm, RiskFree::ZERO, PeriodsPerYear::MONTHS) {
        Ok(ratio) => println!("Sharpe of 1 % a month   {ratio:>7.3}"),
        Err(why) => println!("Sharpe of 1 % a month   undefined: {why}"),
    }

    // The drawdowns, deepest first.
    println!();
    for episode in drawdown_table(&returns, 3)? {
        let date = |index: usize| MONTHS[index].0;
        println!(
            "{:>6.2} %  peak {}  trough {}  recovered {}",
            episode.depth * 100.0,
            episode.peak.map_or("the start", date),
            date(episode.trough),
            episode.recovery.map_or("not yet", date),
        );
    }

    // Months and years, and everything on one sheet.
    let dates = MONTHS.iter().map(|month| month.0.parse()).collect::<Result<Vec<CivilDate>, _>>()?;
    println!("\n{}", MonthlyTable::new(&dates, &returns)?);
    let conventions = Conventions::monthly(PeriodsPerYear::MONTHS)
        .with_risk_free(cash)
        .with_mar(Mar::annual(0.03))
        .with_confidences([Confidence::P90]);
    print!("{}", PerformanceSheet::of(&returns, Some(&benchmark), &conventions));
    Ok(())
}
