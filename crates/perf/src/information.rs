//! The difference to the benchmark: tracking error and information ratio.

use crate::co_moments::side_by_side;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::{Undefined, defined};
use crate::{Moments, PeriodsPerYear, Returns};

/// [`tracking_error`].
pub const TRACKING_ERROR: MetricInfo = MetricInfo {
    name: "tracking_error",
    label: "Tracking error per year",
    calculator: "information::tracking_error",
    formula: "s(r - b) * sqrt(ppy)",
    source: "definition",
    unit: MetricUnit::FractionPerYear,
    convention: "sample (n - 1), scaled by the root of time",
    undefined_when: "fewer than 2 returns; lengths differ",
    higher_is_better: Some(false),
};

/// The annualised sample deviation of the active return; 0 is a value. O(n), one copy.
pub fn tracking_error(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    Active::of(returns, benchmark)?.tracking_error(periods)
}

/// [`information_ratio`].
pub const INFORMATION_RATIO: MetricInfo = MetricInfo {
    name: "information_ratio",
    label: "Information ratio",
    calculator: "information::information_ratio",
    formula: "mean(r - b) / s(r - b) * sqrt(ppy)",
    source: "Goodwin 1998",
    unit: MetricUnit::Ratio,
    convention: "arithmetic mean, annualised",
    undefined_when: "fewer than 2 returns; lengths differ; the active return does not vary",
    higher_is_better: Some(true),
};

/// The mean active return per unit of tracking error, annualised. O(n), one copy.
pub fn information_ratio(
    returns: &Returns<'_>,
    benchmark: &Returns<'_>,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    Active::of(returns, benchmark)?.information_ratio(periods)
}

/// The returns minus the benchmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Active {
    moments: Moments,
    /// The largest magnitude among returns and benchmark: a difference is rounded by their size, not its own.
    magnitude: f64,
}

impl Active {
    pub(crate) fn of(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<Self, Undefined> {
        side_by_side(returns, benchmark)?;
        let magnitude = returns.magnitude().max(benchmark.magnitude());
        let pairs = returns.as_slice().iter().zip(benchmark.as_slice());
        let active: Vec<f64> = pairs.map(|(r, b)| r - b).collect();
        Ok(Self { moments: Moments::of(&active), magnitude })
    }

    pub(crate) fn tracking_error(&self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        defined(self.moments.stdev()? * periods.get().sqrt())
    }

    pub(crate) fn information_ratio(&self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        let deviation = self.moments.stdev()?;
        if is_flat(deviation, self.magnitude) {
            return Err(Undefined::ZeroVariance);
        }
        defined(self.moments.mean() / deviation * periods.get().sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_lead_over_the_benchmark_is_no_variance_whatever_its_rounding() {
        let benchmark: Vec<f64> = (0..100_i32).map(|i| 0.01 * (f64::from(i) * 0.7).sin()).collect();
        let ahead: Vec<f64> = benchmark.iter().map(|b| b + 1e-4).collect();
        let (returns, benchmark) = (Returns::new(&ahead).unwrap(), Returns::new(&benchmark).unwrap());
        let answer = information_ratio(&returns, &benchmark, PeriodsPerYear::TRADING_DAYS);
        assert_eq!(answer, Err(Undefined::ZeroVariance));
        assert!(tracking_error(&returns, &benchmark, PeriodsPerYear::TRADING_DAYS).unwrap() < 1e-15);
    }
}
