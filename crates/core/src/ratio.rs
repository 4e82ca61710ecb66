//! Fractions as people write them: `2.5 %`, `15 bps`, `0.025`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;

use crate::human_duration::shortened;

/// A finite fraction that is written and printed as people write it: 0.025 is `2.5 %` is `250 bps`.
///
/// Written as a plain number (a fraction of one), as percent (`2.5 %`, `2.5%`) or in basis points (`15 bps`,
/// `15bps`, `1 bp`); a basis point is a hundredth of a percent. The decimal text is shifted before it becomes a number, so
/// `15 bps` is the `f64` nearest to 0.0015 and not the result of a division.
///
/// Printed as percent with the fewest digits that read back as the same fraction; with a precision,
/// `{:.1}`, it is rounded.
///
/// ```
/// use bellwether_core::Ratio;
///
/// let fee: Ratio = "15 bps".parse()?;
/// assert_eq!(fee.get(), 0.0015);
/// assert_eq!(fee.to_string(), "0.15 %");
/// assert_eq!(fee.as_bps(), 15.0);
/// assert!("150 %".parse::<Ratio>()?.within(Ratio::ZERO..=Ratio::ONE).is_err());
/// # Ok::<(), bellwether_core::RatioError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Ratio(f64);

/// Why a text or a number is not a ratio. Texts longer than 64 characters are shortened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RatioError {
    /// The text is not a number with an allowed unit.
    #[error("{text:?} is not a ratio: write e.g. 2.5 %, 15 bps or 0.025")]
    Text {
        /// The offending text.
        text: String,
    },
    /// NaN, infinite, or beyond the numbers of an `f64`.
    #[error("{text} is not a finite ratio")]
    NotFinite {
        /// The offending number as text.
        text: String,
    },
    /// Outside of the bounds that were asked for.
    #[error("{value} is outside of {bounds}")]
    Outside {
        /// The offending ratio.
        value: Ratio,
        /// The bounds, as an interval: `[0 %, 100 %)`.
        bounds: String,
    },
}

impl Ratio {
    /// 0 %.
    pub const ZERO: Self = Self(0.0);
    /// 100 %.
    pub const ONE: Self = Self(1.0);

    /// From a fraction of one: 0.025 is 2.5 %. NaN and infinities are refused.
    pub fn new(fraction: f64) -> Result<Self, RatioError> {
        if fraction.is_finite() {
            Ok(Self(fraction + 0.0)) // -0.0 becomes 0.0
        } else {
            Err(RatioError::NotFinite { text: fraction.to_string() })
        }
    }

    /// From basis points: 15 is 0.0015.
    pub fn from_bps(bps: f64) -> Result<Self, RatioError> {
        Self::new(shifted(bps, -4))
    }

    /// From percent: 2.5 is 0.025.
    pub fn from_percent(percent: f64) -> Result<Self, RatioError> {
        Self::new(shifted(percent, -2))
    }

    /// The fraction of one.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// In percent: 0.025 is 2.5. Stops at the largest `f64`.
    pub fn as_percent(self) -> f64 {
        shifted(self.0, 2).clamp(f64::MIN, f64::MAX)
    }

    /// In basis points: 0.0015 is 15. Stops at the largest `f64`.
    pub fn as_bps(self) -> f64 {
        shifted(self.0, 4).clamp(f64::MIN, f64::MAX)
    }

    /// This ratio if it lies within `bounds`; otherwise an error that names both.
    pub fn within(self, bounds: impl RangeBounds<Self>) -> Result<Self, RatioError> {
        if bounds.contains(&self) {
            Ok(self)
        } else {
            Err(RatioError::Outside { value: self, bounds: interval(&bounds) })
        }
    }
}

/// `value * 10^exponent`, rounded once: the shortest decimal text of `value` with its point moved.
fn shifted(value: f64, exponent: i32) -> f64 {
    let (digits, power) = scientific(value);
    // Only NaN and infinities are not read back; they stay what they are.
    format!("{digits}e{}", power + exponent).parse().unwrap_or(value)
}

/// The shortest text of `value` as `d.ddd` and its power of ten.
fn scientific(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) => (digits.to_owned(), power.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

/// Bounds as an interval in the notation of mathematics: `[a, b)`.
pub(crate) fn interval<T: fmt::Display>(bounds: &impl RangeBounds<T>) -> String {
    let low = match bounds.start_bound() {
        Bound::Included(low) => format!("[{low}"),
        Bound::Excluded(low) => format!("({low}"),
        Bound::Unbounded => "(-inf".to_owned(),
    };
    let high = match bounds.end_bound() {
        Bound::Included(high) => format!("{high}]"),
        Bound::Excluded(high) => format!("{high})"),
        Bound::Unbounded => "inf)".to_owned(),
    };
    format!("{low}, {high}")
}

impl FromStr for Ratio {
    type Err = RatioError;

    fn from_str(text: &str) -> Result<Self, RatioError> {
        let trimmed = text.trim();
        let (number, exponent) = if let Some(number) = trimmed.strip_suffix('%') {
            (number, -2)
        } else if let Some(number) = trimmed.strip_suffix("bps").or_else(|| trimmed.strip_suffix("bp")) {
            (number, -4)
        } else {
            (trimmed, 0)
        };
        let number = number.trim_end();
        let wrong = || RatioError::Text { text: shortened(text) };
        let (digits, power) = match number.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i32>().map_err(|_| wrong())?),
            None => (number, 0),
        };
        let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(decimals) {
            return Err(wrong());
        }
        let power = power.saturating_add(exponent);
        let fraction: f64 = format!("{digits}e{power}").parse().map_err(|_| wrong())?;
        Self::new(fraction).map_err(|_| RatioError::NotFinite { text: shortened(text) })
    }
}

impl TryFrom<f64> for Ratio {
    type Error = RatioError;
    fn try_from(fraction: f64) -> Result<Self, RatioError> {
        Self::new(fraction)
    }
}

impl TryFrom<&str> for Ratio {
    type Error = RatioError;
    fn try_from(text: &str) -> Result<Self, RatioError> {
        text.parse()
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(decimals) = f.precision() else {
            return f.pad(&percent_text(self.0));
        };
        // Not `pad`, for which a precision is a length to cut at.
        let text = format!("{:.decimals$} %", self.as_percent());
        write!(f, "{text:>width$}", width = f.width().unwrap_or(0))
    }
}

fn percent_text(fraction: f64) -> String {
    if fraction == 0.0 {
        return "0 %".to_owned();
    }
    let (digits, power) = scientific(fraction);
    let power = power + 2;
    // Within this range people read plain digits; beyond it, a power of ten.
    if !(-9..=15).contains(&power) {
        return format!("{digits}e{power} %");
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", &*digits), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let plain = if power < 0 {
        format!("0.{}{digits}", "0".repeat((-power - 1) as usize))
    } else {
        let whole = power as usize + 1;
        match digits.split_at_checked(whole) {
            Some((whole, "")) => whole.to_owned(),
            Some((whole, decimals)) => format!("{whole}.{decimals}"),
            None => format!("{digits:0<whole$}"),
        }
    };
    format!("{sign}{plain} %")
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Ratio {}

impl Hash for Ratio {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.to_bits());
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Default for Ratio {
    fn default() -> Self {
        Self::ZERO
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Ratio {
    /// As a text with its unit: `"2.5 %"`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Ratio {
    /// From a text as `"2.5 %"`, or from a number, which is a fraction of one.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl serde::de::Visitor<'_> for TextOrNumber {
            type Value = Ratio;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a ratio as \"2.5 %\", \"15 bps\" or 0.025")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Ratio, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: serde::de::Error>(self, fraction: f64) -> Result<Ratio, E> {
                Ratio::new(fraction).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, fraction: i64) -> Result<Ratio, E> {
                Ratio::new(fraction as f64).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, fraction: u64) -> Result<Ratio, E> {
                Ratio::new(fraction as f64).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}
