//! How much of the benchmark's good and bad periods is captured.

use crate::co_moments::side_by_side;
use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::{Undefined, defined};
use crate::{PeriodsPerYear, Returns, cagr};

/// [`up_capture`].
pub const UP_CAPTURE: MetricInfo = MetricInfo {
    name: "up_capture",
    label: "Up capture",
    calculator: "capture::up_capture",
    formula: "cagr(r) / cagr(b), both where b > 0",
    source: "Morningstar",
    unit: MetricUnit::Ratio,
    convention: "geometric; periods with a benchmark of 0 in neither",
    undefined_when: "lengths differ; no such period; a return under -1",
    higher_is_better: Some(true),
};

/// Compound growth of the returns per compound growth of the benchmark over the periods in which the benchmark
/// gains. O(n), two copies.
pub fn up_capture(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    capture(returns, benchmark, periods, |b| b > 0.0)
}

/// [`down_capture`].
pub const DOWN_CAPTURE: MetricInfo = MetricInfo {
    name: "down_capture",
    label: "Down capture",
    calculator: "capture::down_capture",
    formula: "cagr(r) / cagr(b), both where b < 0",
    source: "Morningstar",
    unit: MetricUnit::Ratio,
    convention: "geometric; periods with a benchmark of 0 in neither",
    undefined_when: "lengths differ; no such period; a return under -1",
    higher_is_better: Some(false),
};

/// Compound growth of the returns per compound growth of the benchmark over the periods in which the benchmark
/// loses. O(n), two copies.
pub fn down_capture(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    capture(returns, benchmark, periods, |b| b < 0.0)
}

fn capture(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    periods: PeriodsPerYear,
    belongs: impl Fn(f64) -> bool,
) -> Result<f64, Undefined> {
    side_by_side(returns, benchmark)?;
    let pairs = returns.as_slice().iter().zip(benchmark.as_slice());
    let (mine, theirs): (Vec<f64>, Vec<f64>) = pairs.filter(|&(_, &b)| belongs(b)).unzip();
    let growth = |values: Vec<f64>, whole: &Returns<'_>| {
        // The index of a return under -1 is that of the whole series.
        cagr(&Returns::of_finite(values), periods).map_err(|why| match (why, whole.beyond_total_loss()) {
            (Undefined::BeyondTotalLoss { .. }, Some(index)) => Undefined::BeyondTotalLoss { index },
            _ => why,
        })
    };
    // Gains that are the rounding of the benchmark's losses, or the other way round, are none.
    let rounding = theirs.iter().fold(0.0_f64, |most, b| most.max(b.abs()));
    let flat = is_flat(rounding, benchmark.magnitude());
    let theirs = growth(theirs, benchmark)?;
    if theirs == 0.0 || flat {
        return Err(Undefined::FlatBenchmark);
    }
    defined(growth(mine, returns)? / theirs)
}

/// [`batting_average`].
pub const BATTING_AVERAGE: MetricInfo = MetricInfo {
    name: "batting_average",
    label: "Batting average",
    calculator: "capture::batting_average",
    formula: "count(r > b) / n",
    source: "definition",
    unit: MetricUnit::Fraction,
    convention: "strictly ahead of the benchmark",
    undefined_when: "no return; lengths differ",
    higher_is_better: Some(true),
};

/// The share of periods in which the returns are ahead of the benchmark. O(n).
pub fn batting_average(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<f64, Undefined> {
    side_by_side(returns, benchmark)?;
    let ahead =
        lanes::sum_pairs_by(returns.as_slice(), benchmark.as_slice(), |r, b| f64::from(u8::from(r > b)));
    defined(ahead / returns.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_exposure_captures_about_half_and_zeros_belong_to_neither() {
        let benchmark = Returns::new(&[0.02, -0.02, 0.0, 0.01]).unwrap();
        let returns = Returns::new(&[0.01, -0.01, 0.5, 0.005]).unwrap();
        let up = up_capture(&returns, &benchmark, PeriodsPerYear::YEARS).unwrap();
        let down = down_capture(&returns, &benchmark, PeriodsPerYear::YEARS).unwrap();
        assert!((up - 0.5).abs() < 1e-3 && (down - 0.5).abs() < 1e-14, "{up} {down}");
        assert_eq!(batting_average(&returns, &benchmark), Ok(0.5));
    }

    #[test]
    fn a_benchmark_that_never_loses_has_no_down_capture() {
        let benchmark = Returns::new(&[0.02, 0.0]).unwrap();
        let few = Undefined::TooFewObservations { needed: 1, got: 0 };
        assert_eq!(down_capture(&benchmark, &benchmark, PeriodsPerYear::YEARS), Err(few));
    }
}
