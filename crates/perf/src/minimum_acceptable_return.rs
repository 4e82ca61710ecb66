//! The minimum acceptable return, with its unit.

use std::fmt;

use crate::rate::Rate;
use crate::{Domain, PeriodsPerYear, Undefined};

/// The minimum acceptable return (MAR), per period or per year, as a fraction (0.05 = 5 %).
///
/// What lies under it is downside. A yearly figure becomes one per period geometrically, as
/// [`RiskFree`](crate::RiskFree) does; one that is not finite or not over -1 makes the metric undefined
/// ([`Domain::MinimumAcceptableReturn`]).
///
/// ```
/// use bellwether_perf::{Mar, PeriodsPerYear};
/// let monthly = Mar::annual(0.06).at(PeriodsPerYear::MONTHS)?;
/// assert!(((1.0 + monthly).powi(12) - 1.06).abs() < 1e-15);
/// # Ok::<(), bellwether_perf::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Mar(Rate);

impl Mar {
    /// Every loss is downside, no gain is.
    pub const ZERO: Self = Self(Rate::PerPeriod(0.0));

    /// A return per period of the series.
    pub const fn per_period(rate: f64) -> Self {
        Self(Rate::PerPeriod(rate))
    }

    /// A return per year.
    pub const fn annual(rate: f64) -> Self {
        Self(Rate::Annual(rate))
    }

    /// The return per period where a year has so many periods.
    pub fn at(self, periods: PeriodsPerYear) -> Result<f64, Undefined> {
        self.0.per_period(periods).ok_or(Undefined::OutsideDomain { what: Domain::MinimumAcceptableReturn })
    }
}

impl fmt::Display for Mar {
    /// `5 % a year` or `0.01 % a period`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
