//! The risk-free rate, with its unit.

use std::fmt;

use crate::rate::Rate;
use crate::{Domain, PeriodsPerYear, Undefined};

/// The risk-free rate, per period or per year, as a fraction (0.02 = 2 %).
///
/// A yearly rate becomes one per period geometrically: `(1 + x)^(1 / periods) - 1`. A rate that is not finite
/// or not over -1 makes the metric that uses it undefined ([`Domain::RiskFreeRate`]).
///
/// ```
/// use bellwether_perf::{PeriodsPerYear, RiskFree};
/// let daily = RiskFree::annual(0.05).at(PeriodsPerYear::TRADING_DAYS)?;
/// assert!((daily - 0.000_193_63).abs() < 1e-8);
/// assert_eq!(RiskFree::per_period(0.001).at(PeriodsPerYear::MONTHS)?, 0.001);
/// # Ok::<(), bellwether_perf::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct RiskFree(Rate);

impl RiskFree {
    /// No risk-free return.
    pub const ZERO: Self = Self(Rate::PerPeriod(0.0));

    /// A rate per period of the series.
    pub const fn per_period(rate: f64) -> Self {
        Self(Rate::PerPeriod(rate))
    }

    /// A rate per year.
    pub const fn annual(rate: f64) -> Self {
        Self(Rate::Annual(rate))
    }

    /// The rate per period where a year has so many periods.
    pub fn at(self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        self.0.per_period(periods).ok_or(Undefined::OutsideDomain { what: Domain::RiskFreeRate })
    }

    /// The rate per year where a year has so many periods.
    pub fn per_year(self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        self.0.per_year(periods).ok_or(Undefined::OutsideDomain { what: Domain::RiskFreeRate })
    }
}

impl fmt::Display for RiskFree {
    /// `2 % a year` or `0.01 % a period`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
