//! Sample quantiles by any of the rules in use.

use std::fmt;

use crate::Returns;
use crate::kernel::order;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Domain, Undefined, at_least, defined};

/// How a quantile is read from a finite sample: the nine definitions of Hyndman & Fan (1996) under the names
/// that numpy uses, and the two neighbours of the linear one.
///
/// [`Linear`](Self::Linear) (type 7) is what numpy, R and spreadsheets do, and the least cautious in a small
/// tail; Hyndman & Fan recommend [`MedianUnbiased`](Self::MedianUnbiased) (type 8).
/// [`InvertedCdf`](Self::InvertedCdf) (type 1) is the one of them that the exact expected shortfall averages over and
/// that back-tests count against: it always is an observation, and the shortfall is never under it. Where `n p` is a
/// whole number `k`, the k-th smallest and the next are both such quantiles; which one is read the float `n * p`
/// decides, as in numpy: the k-th when the product is at most `k`, the next when it is over.
/// [`Confidence::probability`](crate::Confidence::probability) says what that means at the usual levels.
///
/// ```
/// use bellwether_perf::{Quantile, Returns, quantile};
/// let returns = Returns::new(&[-0.04, -0.03, -0.01, 0.02])?;
/// assert!((quantile(&returns, 0.5, Quantile::Linear)? + 0.02).abs() < 1e-15);
/// assert_eq!(quantile(&returns, 0.5, Quantile::InvertedCdf)?, -0.03);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Quantile {
    /// Type 1: the smallest value that at least the share `p` does not exceed, `p` taken as the float it is.
    InvertedCdf,
    /// Type 2: as type 1, averaged where the distribution has a step.
    AveragedInvertedCdf,
    /// Type 3: the nearest observation, the even one of two (SAS).
    ClosestObservation,
    /// Type 4: linear between the steps of the distribution.
    InterpolatedInvertedCdf,
    /// Type 5: linear between the middles of the steps.
    Hazen,
    /// Type 6: linear, `p` as the mean position `k / (n + 1)`.
    Weibull,
    /// Type 7: linear, `p` as the position `(k - 1) / (n - 1)`.
    Linear,
    /// Type 8: linear, about unbiased for the median whatever the distribution.
    MedianUnbiased,
    /// Type 9: linear, about unbiased for a normal distribution.
    NormalUnbiased,
    /// The observation under the linear position.
    Lower,
    /// The observation over the linear position.
    Higher,
}

/// Where a quantile stands in ascending order: between `index` and the next by `fraction`. The fraction is 0
/// at the last index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rank {
    pub(crate) index: usize,
    pub(crate) fraction: f64,
}

impl Quantile {
    /// Every rule.
    pub const ALL: [Self; 11] = [
        Self::InvertedCdf,
        Self::AveragedInvertedCdf,
        Self::ClosestObservation,
        Self::InterpolatedInvertedCdf,
        Self::Hazen,
        Self::Weibull,
        Self::Linear,
        Self::MedianUnbiased,
        Self::NormalUnbiased,
        Self::Lower,
        Self::Higher,
    ];

    /// The name that numpy uses: `inverted_cdf`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvertedCdf => "inverted_cdf",
            Self::AveragedInvertedCdf => "averaged_inverted_cdf",
            Self::ClosestObservation => "closest_observation",
            Self::InterpolatedInvertedCdf => "interpolated_inverted_cdf",
            Self::Hazen => "hazen",
            Self::Weibull => "weibull",
            Self::Linear => "linear",
            Self::MedianUnbiased => "median_unbiased",
            Self::NormalUnbiased => "normal_unbiased",
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    /// The type of Hyndman & Fan, 1 to 9; none for the two neighbours.
    pub const fn hyndman_fan(self) -> Option<u8> {
        match self {
            Self::InvertedCdf => Some(1),
            Self::AveragedInvertedCdf => Some(2),
            Self::ClosestObservation => Some(3),
            Self::InterpolatedInvertedCdf => Some(4),
            Self::Hazen => Some(5),
            Self::Weibull => Some(6),
            Self::Linear => Some(7),
            Self::MedianUnbiased => Some(8),
            Self::NormalUnbiased => Some(9),
            Self::Lower | Self::Higher => None,
        }
    }

    /// Where the quantile of `n >= 1` ordered values stands, for `p` in 0 to 1. The position is the float that
    /// numpy computes; the index never leaves the values.
    pub(crate) fn rank(self, n: usize, p: f64) -> Rank {
        let count = n as f64;
        // The position h of Hyndman & Fan: the value is x[h], with x[1] the smallest.
        let step = |h: f64, at_step: Rank| if h.fract() == 0.0 { at_step } else { observation(h.floor(), n) };
        match self {
            Self::InvertedCdf => {
                let h = count * p;
                step(h, observation(h - 1.0, n))
            }
            Self::AveragedInvertedCdf => {
                let h = count * p;
                step(h, interpolated(h - 0.5, n))
            }
            Self::ClosestObservation => {
                let h = count * p - 0.5;
                if h.fract() == 0.0 && h.rem_euclid(2.0) == 0.0 {
                    observation(h - 1.0, n)
                } else {
                    observation(h.floor(), n)
                }
            }
            Self::InterpolatedInvertedCdf => interpolated(count * p - 1.0, n),
            Self::Hazen => interpolated(count * p - 0.5, n),
            Self::Weibull => interpolated((count + 1.0) * p - 1.0, n),
            Self::Linear => interpolated((count - 1.0) * p, n),
            Self::MedianUnbiased => interpolated((count + 1.0 / 3.0) * p - 2.0 / 3.0, n),
            Self::NormalUnbiased => interpolated((count + 0.25) * p - 0.625, n),
            Self::Lower => observation(((count - 1.0) * p).floor(), n),
            Self::Higher => observation(((count - 1.0) * p).ceil(), n),
        }
    }
}

/// The observation at a zero-based whole position, kept inside of the values.
fn observation(position: f64, n: usize) -> Rank {
    Rank { index: (position.max(0.0) as usize).min(n.saturating_sub(1)), fraction: 0.0 }
}

/// Between the observations around a zero-based position, kept inside of the values.
fn interpolated(position: f64, n: usize) -> Rank {
    let below = position.floor();
    let at = observation(below, n);
    if position <= 0.0 || at.index + 1 >= n { at } else { Rank { fraction: position - below, ..at } }
}

impl fmt::Display for Quantile {
    /// `linear (type 7)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hyndman_fan() {
            Some(kind) => f.pad(&format!("{} (type {kind})", self.name())),
            None => f.pad(self.name()),
        }
    }
}

/// [`quantile`].
pub const QUANTILE: MetricInfo = MetricInfo {
    name: "quantile",
    label: "Quantile",
    calculator: "quantile::quantile",
    formula: "x[h] + (h - floor h)(x[h + 1] - x[h]), h by the rule",
    source: "Hyndman & Fan 1996",
    unit: MetricUnit::Fraction,
    convention: "the rule is named; default type 7",
    undefined_when: "no observation; p outside 0 to 1",
    higher_is_better: None,
};

/// The quantile of the returns at the probability `p` in 0 to 1 by the rule. O(n), one copy.
pub fn quantile(returns: &Returns<'_>, p: f64, rule: Quantile) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    if !(0.0..=1.0).contains(&p) {
        return Err(Undefined::OutsideDomain { what: Domain::Probability });
    }
    defined(order::select_quantile(&mut returns.as_slice().to_vec(), p, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from the definitions of Hyndman & Fan.
    #[test]
    fn the_nine_types_on_seven_values() {
        let values = Returns::new(&[64.0, 1.0, 16.0, 2.0, 8.0, 4.0, 32.0]).unwrap();
        // p = 0.25: n p = 1.75.
        let quarter = [2.0, 2.0, 2.0, 1.75, 2.5, 2.0, 3.0, 2.333_333_333_333_333_5, 2.375, 2.0, 4.0];
        for (rule, expected) in Quantile::ALL.into_iter().zip(quarter) {
            let got = quantile(&values, 0.25, rule).unwrap();
            assert!((got - expected).abs() < 1e-14, "{rule}: {got} is not {expected}");
        }
    }

    #[test]
    fn the_step_rules_at_a_step() {
        let values = Returns::new(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        // n p = 2 exactly.
        assert_eq!(quantile(&values, 0.5, Quantile::InvertedCdf).unwrap(), 2.0);
        assert_eq!(quantile(&values, 0.5, Quantile::AveragedInvertedCdf).unwrap(), 2.5);
        // n p - 1/2 = 2 with p = 0.625: even, so the second; 1 with p = 0.375: odd, so the second as well.
        assert_eq!(quantile(&values, 0.625, Quantile::ClosestObservation).unwrap(), 2.0);
        assert_eq!(quantile(&values, 0.375, Quantile::ClosestObservation).unwrap(), 2.0);
    }

    #[test]
    fn no_rule_leaves_the_values_whatever_the_length_and_probability() {
        for rule in Quantile::ALL {
            for n in 1..200 {
                for p in
                    [0.0, 1e-300, 1e-12, 0.01, 0.05, 0.25, 0.5, 0.75, 0.99, 1.0 - f64::EPSILON / 2.0, 1.0]
                {
                    let at = rule.rank(n, p);
                    assert!(at.index < n, "{rule} {n} {p}");
                    assert!((0.0..1.0).contains(&at.fraction), "{rule} {n} {p}");
                    assert!(at.fraction == 0.0 || at.index + 1 < n, "{rule} {n} {p}");
                }
                assert_eq!(rule.rank(n, 0.0).index, 0, "{rule} {n}");
                assert_eq!(rule.rank(n, 1.0), Rank { index: n - 1, fraction: 0.0 }, "{rule} {n}");
            }
        }
    }

    #[test]
    fn the_tail_index_follows_whole_arithmetic_for_every_length() {
        for per_mille in [500_usize, 800, 900, 950, 975, 990, 995, 999] {
            let confidence = crate::Confidence::new(per_mille as f64 / 1000.0).unwrap();
            let (p, tail) = (confidence.probability(), 1000 - per_mille);
            for n in 1..2000_usize {
                // At a whole position both neighbours are quantiles; the last bit of `p` says which.
                let agrees = |rule: Quantile, position: usize, exact: usize| {
                    let index = rule.rank(n, p).index;
                    let either = position.is_multiple_of(1000) && index.abs_diff(exact) == 1;
                    assert!(index < n, "{rule} {n} {per_mille}");
                    assert!(index == exact || either, "{rule} {n} {per_mille}: {index} is not {exact}");
                };
                agrees(Quantile::InvertedCdf, n * tail, (n * tail).div_ceil(1000).max(1) - 1);
                agrees(Quantile::Lower, (n - 1) * tail, (n - 1) * tail / 1000);
                agrees(Quantile::Higher, (n - 1) * tail, ((n - 1) * tail).div_ceil(1000));
                agrees(Quantile::Linear, (n - 1) * tail, (n - 1) * tail / 1000);
            }
        }
    }

    #[test]
    fn a_probability_outside_of_zero_to_one_has_no_quantile() {
        let values = Returns::new(&[0.1]).unwrap();
        for p in [-0.1, 1.1, f64::NAN] {
            let answer = quantile(&values, p, Quantile::Linear);
            assert_eq!(answer, Err(Undefined::OutsideDomain { what: Domain::Probability }));
        }
        let none = Returns::new(&[]).unwrap();
        let answer = quantile(&none, 0.5, Quantile::Linear);
        assert_eq!(answer, Err(Undefined::TooFewObservations { needed: 1, got: 0 }));
    }
}
