//! What a metric is: stated once, beside its code, and printed wherever its number is.

use std::fmt;

/// What a metric is: its formula, source and convention. A constant stands beside every calculator; documents,
/// sheets and JSON print it, and [`METRICS`](crate::METRICS) lists all.
///
/// ```
/// use bellwether_perf::{METRICS, MetricUnit};
/// let sharpe = METRICS.iter().find(|metric| metric.name == "sharpe").unwrap();
/// assert_eq!(sharpe.source, "Sharpe 1994");
/// assert_eq!(sharpe.unit, MetricUnit::Ratio);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricInfo {
    /// Its name in JSON and in goldens: `max_drawdown`.
    pub name: &'static str,
    /// Its name for people: `Maximum drawdown`.
    pub label: &'static str,
    /// The function that computes it: `drawdown::max_drawdown`.
    pub calculator: &'static str,
    /// The formula in plain text; `r` returns, `n` their number, `s` their sample deviation, `ppy` periods per
    /// year.
    pub formula: &'static str,
    /// Where the formula comes from: author and year.
    pub source: &'static str,
    /// The unit of the value.
    pub unit: MetricUnit,
    /// The choices that change the number.
    pub convention: &'static str,
    /// When there is no value.
    pub undefined_when: &'static str,
    /// Whether more is better; none where neither is.
    pub higher_is_better: Option<bool>,
}

/// The unit of a metric's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum MetricUnit {
    /// A fraction: 0.01 is 1 %.
    Fraction,
    /// A fraction per year: 0.01 is 1 % a year.
    FractionPerYear,
    /// A pure number.
    Ratio,
    /// A count.
    Count,
    /// A count of periods of the series.
    Periods,
    /// The unit of the outcomes: money for trades, a fraction for returns.
    Outcome,
}

impl MetricUnit {
    /// The word for it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::FractionPerYear => "fraction_per_year",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Periods => "periods",
            Self::Outcome => "outcome",
        }
    }
}

impl fmt::Display for MetricUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
