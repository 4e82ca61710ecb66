//! How many periods a year has.

use std::fmt;

/// How many periods of the series a year has; every annualised metric takes it, and none has a default.
///
/// ```
/// use bellwether_perf::PeriodsPerYear;
/// assert_eq!(PeriodsPerYear::TRADING_DAYS.get(), 252.0);
/// assert_eq!(PeriodsPerYear::new(0.0).unwrap_err().to_string(), "periods per year 0: expected a finite number over 0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "f64", into = "f64")
)]
pub struct PeriodsPerYear(f64);

/// A number of periods that no year has.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("periods per year {value}: expected a finite number over 0")]
pub struct InvalidPeriodsPerYear {
    /// The offending number.
    pub value: f64,
}

impl PeriodsPerYear {
    /// Trading days of a stock exchange: 252.
    pub const TRADING_DAYS: Self = Self(252.0);
    /// Days of a market that never closes: 365.
    pub const CALENDAR_DAYS: Self = Self(365.0);
    /// Hours of a market that never closes: 365.25 days of 24.
    pub const HOURS: Self = Self(8766.0);
    /// Weeks: 52.
    pub const WEEKS: Self = Self(52.0);
    /// Months: 12.
    pub const MONTHS: Self = Self(12.0);
    /// Quarters: 4.
    pub const QUARTERS: Self = Self(4.0);
    /// Years: 1. With it every annualised metric is the one per period.
    pub const YEARS: Self = Self(1.0);

    /// Any finite number over 0.
    pub fn new(value: f64) -> Result<Self, InvalidPeriodsPerYear> {
        if value.is_finite() && value > 0.0 { Ok(Self(value)) } else { Err(InvalidPeriodsPerYear { value }) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for PeriodsPerYear {
    type Error = InvalidPeriodsPerYear;
    fn try_from(value: f64) -> Result<Self, InvalidPeriodsPerYear> {
        Self::new(value)
    }
}

impl From<PeriodsPerYear> for f64 {
    fn from(periods: PeriodsPerYear) -> Self {
        periods.0
    }
}

impl fmt::Display for PeriodsPerYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_negative_and_not_finite_numbers_are_refused() {
        for bad in [0.0, -252.0, f64::NAN, f64::INFINITY] {
            assert!(PeriodsPerYear::new(bad).is_err(), "{bad}");
        }
        assert_eq!(PeriodsPerYear::new(8760.0).unwrap().get(), 8760.0);
    }
}
