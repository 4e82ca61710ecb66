//! How the returns follow a benchmark: beta, correlation, Treynor ratio.

use crate::co_moments::CoMoments;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns, RiskFree};

/// [`beta`].
pub const BETA: MetricInfo = MetricInfo {
    name: "beta",
    label: "Beta",
    calculator: "beta::beta",
    formula: "cov(r, b) / var(b)",
    source: "Sharpe 1964",
    unit: MetricUnit::Ratio,
    convention: "least squares on simple returns",
    undefined_when: "fewer than 2 returns; lengths differ; a flat benchmark",
    higher_is_better: None,
};

/// The slope of the returns on the benchmark. O(n).
///
/// ```
/// use bellwether_perf::{Returns, beta};
/// let benchmark = Returns::new(&[0.25, -0.25, 0.75])?;
/// let leveraged = Returns::new(&[0.5, -0.5, 1.5])?;
/// assert_eq!(beta(&leveraged, &benchmark)?, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn beta(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<f64, Undefined> {
    CoMoments::of(returns, benchmark)?.beta()
}

/// [`correlation`].
pub const CORRELATION: MetricInfo = MetricInfo {
    name: "correlation",
    label: "Correlation",
    calculator: "beta::correlation",
    formula: "cov(r, b) / (s(r) s(b))",
    source: "Pearson 1895",
    unit: MetricUnit::Ratio,
    convention: "in -1 to 1",
    undefined_when: "fewer than 2 returns; lengths differ; either does not vary",
    higher_is_better: None,
};

/// Pearson's correlation with the benchmark. O(n).
pub fn correlation(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<f64, Undefined> {
    CoMoments::of(returns, benchmark)?.correlation()
}

/// [`r_squared`].
pub const R_SQUARED: MetricInfo = MetricInfo {
    name: "r_squared",
    label: "R squared",
    calculator: "beta::r_squared",
    formula: "correlation^2",
    source: "definition",
    unit: MetricUnit::Ratio,
    convention: "share of the variance that the benchmark explains",
    undefined_when: "fewer than 2 returns; lengths differ; either does not vary",
    higher_is_better: None,
};

/// The share of the variance that the benchmark explains. O(n).
pub fn r_squared(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<f64, Undefined> {
    correlation(returns, benchmark).map(|correlation| correlation * correlation)
}

/// [`treynor`].
pub const TREYNOR: MetricInfo = MetricInfo {
    name: "treynor",
    label: "Treynor ratio",
    calculator: "beta::treynor",
    formula: "(cagr - rf) / beta",
    source: "Treynor 1965",
    unit: MetricUnit::Ratio,
    convention: "compound growth and risk-free rate per year",
    undefined_when: "as beta; no beta beyond rounding; a return under -1",
    higher_is_better: Some(true),
};

/// Compound growth per year over the risk-free rate, per unit of beta. O(n).
///
/// Returns that have nothing in common with the benchmark but the rounding of both have no beta to divide by.
pub fn treynor(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    risk_free: RiskFree,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    let beta = CoMoments::of(returns, benchmark)?.dividing_beta()?;
    defined((crate::cagr(returns, periods)? - risk_free.per_year(periods)?) / beta)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_follows_itself_with_beta_one() {
        let returns = Returns::new(&[0.01, -0.02, 0.03, 0.004, -0.011]).unwrap();
        assert!((beta(&returns, &returns).unwrap() - 1.0).abs() < 1e-15);
        assert!((correlation(&returns, &returns).unwrap() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_flat_benchmark_and_unlike_lengths_are_typed() {
        let returns = Returns::new(&[0.01, -0.02, 0.03]).unwrap();
        let flat = Returns::new(&[0.002; 3]).unwrap();
        assert_eq!(beta(&returns, &flat), Err(Undefined::FlatBenchmark));
        assert_eq!(correlation(&flat, &returns), Err(Undefined::ZeroVariance));
        let short = Returns::new(&[0.01]).unwrap();
        let mismatch = Undefined::LengthMismatch { returns: 3, benchmark: 1 };
        assert_eq!(beta(&returns, &short), Err(mismatch));
        assert_eq!(
            treynor(&flat, &returns, RiskFree::ZERO, PeriodsPerYear::MONTHS),
            Err(Undefined::ZeroBeta)
        );
    }
}
