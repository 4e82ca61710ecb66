//! A rate that knows the time it is for.

use std::fmt;

use crate::PeriodsPerYear;

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum Rate {
    PerPeriod(#[cfg_attr(feature = "serde", serde(with = "crate::finite_or_null"))] f64),
    Annual(#[cfg_attr(feature = "serde", serde(with = "crate::finite_or_null"))] f64),
}

impl Rate {
    fn value(self) -> f64 {
        match self {
            Self::PerPeriod(rate) | Self::Annual(rate) => rate,
        }
    }

    fn is_valid(self) -> bool {
        self.value().is_finite() && self.value() > -1.0
    }

    /// Geometric: `(1 + x)^(1 / periods) - 1`. `None` unless the rate is finite and over -1.
    pub(crate) fn per_period(self, periods: PeriodsPerYear) -> Option<f64> {
        let rate = match self {
            Self::PerPeriod(rate) => rate,
            Self::Annual(rate) => (rate.ln_1p() / periods.get()).exp_m1(),
        };
        (self.is_valid() && rate.is_finite()).then_some(rate)
    }

    /// Geometric: `(1 + x)^periods - 1`. `None` unless the rate is finite and over -1.
    pub(crate) fn per_year(self, periods: PeriodsPerYear) -> Option<f64> {
        let rate = match self {
            Self::PerPeriod(rate) => (rate.ln_1p() * periods.get()).exp_m1(),
            Self::Annual(rate) => rate,
        };
        (self.is_valid() && rate.is_finite()).then_some(rate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = format!("{:.6}", self.value() * 100.0);
        let percent = if percent.contains('.') {
            percent.trim_end_matches('0').trim_end_matches('.')
        } else {
            &percent
        };
        let time = match self {
            Self::PerPeriod(_) => "period",
            Self::Annual(_) => "year",
        };
        f.pad(&format!("{percent} % a {time}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_a_year_is_the_geometric_rate_per_day() {
        let daily = Rate::Annual(0.05).per_period(PeriodsPerYear::TRADING_DAYS).unwrap();
        assert!((daily - 1.936_305_065e-4).abs() < 1e-11, "{daily}");
        let back = Rate::PerPeriod(daily).per_year(PeriodsPerYear::TRADING_DAYS).unwrap();
        assert!((back - 0.05).abs() < 1e-16);
    }

    #[test]
    fn rates_that_are_no_rates_have_no_value() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, -2.0] {
            assert_eq!(Rate::Annual(bad).per_period(PeriodsPerYear::MONTHS), None);
            assert_eq!(Rate::PerPeriod(bad).per_period(PeriodsPerYear::MONTHS), None);
            assert_eq!(Rate::PerPeriod(bad).per_year(PeriodsPerYear::MONTHS), None);
        }
    }

    #[test]
    fn a_rate_reads_as_people_write_it() {
        assert_eq!(Rate::Annual(0.02).to_string(), "2 % a year");
        assert_eq!(Rate::PerPeriod(0.0).to_string(), "0 % a period");
        assert_eq!(Rate::PerPeriod(0.000_19).to_string(), "0.019 % a period");
    }
}
