//! The choices that every number depends on.

use std::fmt;

use crate::{Confidence, Mar, PeriodsPerYear, Quantile, RiskFree};

/// What one return covers, for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// Any other time.
    Other,
}

impl Period {
    /// The word for one.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Other => "period",
        }
    }

    /// The word for several.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Day => "days",
            Self::Week => "weeks",
            Self::Month => "months",
            Self::Other => "periods",
        }
    }
}

/// The choices that every number depends on; a sheet and a snapshot print them beside the numbers.
///
/// ```
/// use bellwether_perf::{Confidence, Conventions, Mar, PeriodsPerYear, Quantile, RiskFree};
/// let conventions = Conventions::daily(PeriodsPerYear::TRADING_DAYS)
///     .with_risk_free(RiskFree::annual(0.02))
///     .with_mar(Mar::annual(0.02))
///     .with_confidences([Confidence::P95, Confidence::P99])
///     .with_quantile(Quantile::MedianUnbiased);
/// assert_eq!(
///     conventions.to_string(),
///     "252 days a year, risk-free rate 2 % a year, minimum acceptable return 2 % a year, \
///      quantiles median_unbiased (type 8)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Conventions {
    periods_per_year: PeriodsPerYear,
    period: Period,
    risk_free: RiskFree,
    mar: Mar,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "each_once"))]
    confidences: Vec<Confidence>,
    quantile: Quantile,
    minimum_sample: usize,
    #[cfg_attr(
        feature = "serde",
        serde(
            default = "no_bound",
            serialize_with = "crate::finite_or_null::serialize",
            deserialize_with = "bound_or_none"
        )
    )]
    plausibility_bound: f64,
}

impl Conventions {
    /// Return per period of a thousand percent: over it a return is told to be implausible unless the
    /// conventions say otherwise.
    pub const PLAUSIBILITY_BOUND: f64 = 10.0;

    /// Of daily returns.
    pub fn daily(periods_per_year: PeriodsPerYear) -> Self {
        Self::of(Period::Day, periods_per_year)
    }

    /// Of weekly returns.
    pub fn weekly(periods_per_year: PeriodsPerYear) -> Self {
        Self::of(Period::Week, periods_per_year)
    }

    /// Of monthly returns.
    pub fn monthly(periods_per_year: PeriodsPerYear) -> Self {
        Self::of(Period::Month, periods_per_year)
    }

    /// Of any returns: no risk-free return, every loss is downside, 95 and 99 %, linear quantiles, and no
    /// minimum sample.
    pub fn of(period: Period, periods_per_year: PeriodsPerYear) -> Self {
        Self {
            periods_per_year,
            period,
            risk_free: RiskFree::ZERO,
            mar: Mar::ZERO,
            confidences: vec![Confidence::P95, Confidence::P99],
            quantile: Quantile::Linear,
            minimum_sample: 1,
            plausibility_bound: Self::PLAUSIBILITY_BOUND,
        }
    }

    /// With this risk-free rate.
    #[must_use]
    pub fn with_risk_free(self, risk_free: RiskFree) -> Self {
        Self { risk_free, ..self }
    }

    /// With this minimum acceptable return.
    #[must_use]
    pub fn with_mar(self, mar: Mar) -> Self {
        Self { mar, ..self }
    }

    /// With these confidence levels for value at risk and expected shortfall, each taken once.
    #[must_use]
    pub fn with_confidences(self, confidences: impl Into<Vec<Confidence>>) -> Self {
        Self { confidences: distinct(confidences.into()), ..self }
    }

    /// With this rule for quantiles.
    #[must_use]
    pub fn with_quantile(self, quantile: Quantile) -> Self {
        Self { quantile, ..self }
    }

    /// Nothing is told of fewer returns than this. A policy of sheets and snapshots: the calculators need only
    /// what their formula does.
    #[must_use]
    pub fn with_minimum_sample(self, minimum_sample: usize) -> Self {
        Self { minimum_sample, ..self }
    }

    /// A return per period larger than this, either way, is counted as implausible by a tracker. Never clipped.
    /// What is no finite number, or under 0, is no bound: it is infinite then, and `null` or left out where it is written.
    #[must_use]
    pub fn with_plausibility_bound(self, plausibility_bound: f64) -> Self {
        Self { plausibility_bound: plausible(plausibility_bound), ..self }
    }

    /// How many periods a year has.
    pub fn periods_per_year(&self) -> PeriodsPerYear {
        self.periods_per_year
    }

    /// What one return covers.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The risk-free rate.
    pub fn risk_free(&self) -> RiskFree {
        self.risk_free
    }

    /// The minimum acceptable return.
    pub fn mar(&self) -> Mar {
        self.mar
    }

    /// The confidence levels.
    pub fn confidences(&self) -> &[Confidence] {
        &self.confidences
    }

    /// The rule for quantiles.
    pub fn quantile(&self) -> Quantile {
        self.quantile
    }

    /// The fewest returns of which anything is told.
    pub fn minimum_sample(&self) -> usize {
        self.minimum_sample
    }

    /// Over which size a return per period is implausible.
    pub fn plausibility_bound(&self) -> f64 {
        self.plausibility_bound
    }
}

/// Each level once, where it came first: a level names its row on the sheet and its figure.
fn distinct(confidences: Vec<Confidence>) -> Vec<Confidence> {
    let mut levels: Vec<Confidence> = Vec::with_capacity(confidences.len());
    for confidence in confidences {
        if levels.iter().all(|level| level.level().total_cmp(&confidence.level()).is_ne()) {
            levels.push(confidence);
        }
    }
    levels
}

fn plausible(bound: f64) -> f64 {
    if bound.is_finite() && bound >= 0.0 { bound } else { f64::INFINITY }
}

#[cfg(feature = "serde")]
fn no_bound() -> f64 {
    f64::INFINITY
}

#[cfg(feature = "serde")]
fn bound_or_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let bound: Option<f64> = serde::Deserialize::deserialize(deserializer)?;
    Ok(bound.map_or_else(no_bound, plausible))
}

#[cfg(feature = "serde")]
fn each_once<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Confidence>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(distinct)
}

impl fmt::Display for Conventions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} a year, risk-free rate {}, minimum acceptable return {}, quantiles {}",
            self.periods_per_year,
            self.period.plural(),
            self.risk_free,
            self.mar,
            self.quantile
        )?;
        if self.minimum_sample > 1 {
            write!(f, ", at least {} {}", self.minimum_sample, self.period.plural())?;
        }
        Ok(())
    }
}
