//! A confidence level that keeps its tail exactly.

use std::fmt;

/// A confidence level in (0, 1), with its tail probability as the exact decimal complement.
///
/// `0.8` keeps the tail `0.2`; the float subtraction `1.0 - 0.8` would keep 0.19999999999999996, and with it an
/// observation of the tail would be lost. Whichever of the two is given, the other is its decimal complement,
/// rounded once to the nearest float.
///
/// ```
/// use bellwether_perf::Confidence;
/// assert_eq!(Confidence::new(0.8)?.tail(), 0.2);
/// assert_eq!(Confidence::from_tail(0.05)?, Confidence::P95);
/// assert_eq!(Confidence::P975.to_string(), "97.5 %");
/// assert_eq!(Confidence::new(1.2).unwrap_err().to_string(), "confidence 1.2 is outside (0, 1)");
/// # Ok::<(), bellwether_perf::InvalidConfidence>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "f64", into = "f64")
)]
pub struct Confidence {
    level: f64,
    tail: f64,
}

/// A confidence level outside (0, 1).
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{what} {value} is outside (0, 1)")]
pub struct InvalidConfidence {
    what: &'static str,
    /// The offending number.
    pub value: f64,
}

impl Confidence {
    /// 90 %.
    pub const P90: Self = Self { level: 0.9, tail: 0.1 };
    /// 95 %.
    pub const P95: Self = Self { level: 0.95, tail: 0.05 };
    /// 97.5 %.
    pub const P975: Self = Self { level: 0.975, tail: 0.025 };
    /// 99 %.
    pub const P99: Self = Self { level: 0.99, tail: 0.01 };
    /// 99.9 %.
    pub const P999: Self = Self { level: 0.999, tail: 0.001 };

    /// From the level, such as 0.95.
    pub fn new(level: f64) -> Result<Self, InvalidConfidence> {
        if level > 0.0 && level < 1.0 {
            Ok(Self { level, tail: decimal_complement(level) })
        } else {
            Err(InvalidConfidence { what: "confidence", value: level })
        }
    }

    /// From the tail probability, such as 0.05.
    pub fn from_tail(tail: f64) -> Result<Self, InvalidConfidence> {
        if tail > 0.0 && tail < 1.0 {
            Ok(Self { level: decimal_complement(tail), tail })
        } else {
            Err(InvalidConfidence { what: "tail probability", value: tail })
        }
    }

    /// The level: 0.95.
    pub const fn level(self) -> f64 {
        self.level
    }

    /// The tail probability: 0.05.
    pub const fn tail(self) -> f64 {
        self.tail
    }

    /// The probability at which quantiles are read: `1 - level` as floats subtract, which is what numpy is asked
    /// for, so that both give the same observation. It differs from [`tail`](Self::tail) in the last bits only:
    /// 0.050000000000000044 for 0.95.
    ///
    /// Where a rule jumps, these last bits choose the side. For [`Quantile::InvertedCdf`](crate::Quantile) that is
    /// where `n (1 - level)` is a whole number `k`, and both the k-th smallest return and the next are then quantiles:
    /// it reads the k-th when the float product `n * probability()` is at most `k`, and the next when it is over.
    /// So 80 and 90 % (0.09999999999999998) always give the k-th, beyond which lie `k - 1` returns; 95, 97.5, 99
    /// and 99.9 %, all over their tail, give the next, beyond which lie exactly `k`, unless the product is rounded
    /// to `k`. Likewise types 2 and 3 where `n p` and `n p - 1/2` are whole, lower and higher where `(n - 1) p` is.
    /// Rules that interpolate change by a rounding only. The expected shortfall does not read it: it counts by
    /// [`tail_observations`](Self::tail_observations), and is never under either reading.
    pub const fn probability(self) -> f64 {
        1.0 - self.level
    }

    /// How many of `n` observations lie in the tail, with the fraction of the last one: `n * tail`, taken as
    /// the nearest whole number when it is within four units in the last place of it.
    ///
    /// ```
    /// use bellwether_perf::Confidence;
    /// assert_eq!(Confidence::new(0.8)?.tail_observations(10), 2.0);
    /// assert_eq!(Confidence::P95.tail_observations(250), 12.5);
    /// # Ok::<(), bellwether_perf::InvalidConfidence>(())
    /// ```
    pub fn tail_observations(self, n: usize) -> f64 {
        whole_if_near(n as f64 * self.tail)
    }
}

/// `x`, or the nearest whole number when it is within four units in the last place of `x`.
fn whole_if_near(x: f64) -> f64 {
    let whole = x.round();
    if (x - whole).abs() <= 4.0 * f64::EPSILON * x.abs() { whole } else { x }
}

/// The largest float under 1.
const UNDER_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

/// `1 - x` of the shortest decimal that reads back as `x`, rounded once; for `x` in (0, 1).
fn decimal_complement(x: f64) -> f64 {
    // `Display` writes the shortest decimal, without exponent: `0.` and digits, the last one not zero.
    let text = x.to_string();
    let digits = text.strip_prefix("0.").unwrap_or_default();
    let last = digits.len().saturating_sub(1);
    let mut complement = String::with_capacity(text.len());
    complement.push_str("0.");
    for (at, digit) in digits.bytes().enumerate() {
        // Nines' complement, and ten's for the last digit.
        let from = if at == last { b'9' + 1 } else { b'9' };
        complement.push(char::from(b'0' + (from - digit)));
    }
    let complement = complement.parse().unwrap_or(1.0 - x);
    f64::clamp(complement, f64::MIN_POSITIVE, UNDER_ONE)
}

/// A hundred times the shortest decimal of `x` in (0, 1), without rounding: no two levels read alike.
fn percent(x: f64) -> String {
    let text = x.to_string();
    let digits = text.strip_prefix("0.").unwrap_or_default();
    let padded = format!("{digits:0<2}");
    let (whole, fraction) = padded.split_at(2);
    let whole = whole.strip_prefix('0').unwrap_or(whole);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

impl TryFrom<f64> for Confidence {
    type Error = InvalidConfidence;
    fn try_from(level: f64) -> Result<Self, InvalidConfidence> {
        Self::new(level)
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.level
    }
}

impl fmt::Display for Confidence {
    /// As percent: `97.5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} %", percent(self.level)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_decimal_complement_for_every_level_of_four_digits() {
        for i in 1..10_000_u32 {
            let level: f64 = format!("0.{i:04}").parse().unwrap();
            let tail: f64 = format!("0.{:04}", 10_000 - i).parse().unwrap();
            assert_eq!(Confidence::new(level).unwrap().tail(), tail, "{level}");
            assert_eq!(Confidence::from_tail(tail).unwrap().level(), level, "{tail}");
        }
    }

    #[test]
    fn the_constants_are_what_the_constructors_give() {
        for (constant, level) in [
            (Confidence::P90, 0.9),
            (Confidence::P95, 0.95),
            (Confidence::P975, 0.975),
            (Confidence::P99, 0.99),
            (Confidence::P999, 0.999),
        ] {
            assert_eq!(Confidence::new(level).unwrap(), constant);
            assert_eq!(Confidence::from_tail(constant.tail()).unwrap(), constant);
        }
    }

    #[test]
    fn every_level_reads_as_itself_and_no_other() {
        for (level, text) in [
            (0.95, "95 %"),
            (0.975, "97.5 %"),
            (0.5, "50 %"),
            (0.05, "5 %"),
            (0.004, "0.4 %"),
            (1e-6, "0.0001 %"),
            (0.999_999_999_999_9, "99.99999999999 %"),
            (UNDER_ONE, "99.99999999999999 %"),
        ] {
            assert_eq!(Confidence::new(level).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_ends_and_what_is_no_number_are_refused() {
        for bad in [0.0, 1.0, 1.2, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Confidence::new(bad).is_err(), "{bad}");
            assert!(Confidence::from_tail(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn extreme_levels_keep_both_sides_inside_of_the_interval() {
        for level in [1e-300, f64::MIN_POSITIVE, 5e-324, UNDER_ONE, 1e-17] {
            for confidence in [Confidence::new(level).unwrap(), Confidence::from_tail(level).unwrap()] {
                assert!(confidence.level() > 0.0 && confidence.level() < 1.0, "{level}");
                assert!(confidence.tail() > 0.0 && confidence.tail() < 1.0, "{level}");
            }
        }
    }

    #[test]
    fn whole_tails_are_whole_for_every_length() {
        // The float products that the review found: 10 * (1 - 0.8) and 10 * (1 - 0.7).
        assert_eq!(Confidence::new(0.8).unwrap().tail_observations(10), 2.0);
        assert_eq!(Confidence::new(0.7).unwrap().tail_observations(10), 3.0);
        for per_mille in [500_usize, 800, 900, 950, 975, 990, 995, 999] {
            let confidence = Confidence::new(per_mille as f64 / 1000.0).unwrap();
            for n in 1..2000_usize {
                let exact = n * (1000 - per_mille);
                let m = confidence.tail_observations(n);
                if exact.is_multiple_of(1000) {
                    assert_eq!(m, (exact / 1000) as f64);
                } else {
                    assert_eq!(m.floor(), (exact / 1000) as f64);
                }
            }
        }
    }
}
