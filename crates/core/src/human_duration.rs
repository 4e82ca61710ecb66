//! Durations as people write them: `5m`, `1h30m`, `250ms`.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The units with their nanoseconds, from the longest to the shortest.
const UNITS: [(&str, u128); 8] = [
    ("w", 604_800 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A duration that is written and printed as people write it.
///
/// Numbers with a unit, from the longest unit to the shortest, each unit once, with or without spaces: `2d`, `1h30m`,
/// `1h 30m`, `250 ms`. Units are `w`, `d` (24 h), `h`, `m`, `s`, `ms`, `us` or `µs`, `ns`. Seconds,
/// and only they, may have up to nine decimals: `1.5s`. There is no sign and no number without a unit.
///
/// Printed in its canonical form, without zero parts, and in weeks only when it is a whole number of weeks:
/// `90s` prints `1m30s`, `1.5s` prints `1s500ms`, `14d` prints `2w` and `10d` stays `10d`. What is printed reads
/// back as the same duration, for every [`Duration`].
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::HumanDuration;
///
/// let wait: HumanDuration = "90s".parse()?;
/// assert_eq!(wait.get(), Duration::from_secs(90));
/// assert_eq!(wait.to_string(), "1m30s");
/// assert_eq!(
///     "5".parse::<HumanDuration>().unwrap_err().to_string(),
///     "duration \"5\" has a number without a unit: write a unit, e.g. 5s"
/// );
/// # Ok::<(), bellwether_core::HumanDurationError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// The longest duration: about 585 thousand million years.
    pub const MAX: Self = Self(Duration::MAX);

    /// A duration that prints as people write it.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The plain duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

/// Why a text is not a duration. Texts longer than 64 characters are shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HumanDurationError {
    /// There is no text.
    #[error("an empty text is not a duration: write e.g. 5s")]
    Empty,
    /// A number without a unit.
    #[error("duration {text:?} has a number without a unit: write a unit, e.g. {number}s")]
    NoUnit {
        /// The offending text.
        text: String,
        /// The number that lacks its unit.
        number: String,
    },
    /// Something stands where a number belongs: a sign, a unit without a number, a foreign character.
    #[error("duration {text:?} has {found:?} where a number belongs: write e.g. 1h30m, without a sign")]
    NoNumber {
        /// The offending text.
        text: String,
        /// The character.
        found: char,
    },
    /// A unit that does not exist.
    #[error("duration {text:?} has the unknown unit {unit:?}: the units are w, d, h, m, s, ms, us, ns")]
    UnknownUnit {
        /// The offending text.
        text: String,
        /// The unit.
        unit: String,
    },
    /// A unit that stands twice, or after a shorter one.
    #[error("duration {text:?} has {unit:?} out of order: each unit once, from the longest to the shortest")]
    Order {
        /// The offending text.
        text: String,
        /// The unit.
        unit: &'static str,
    },
    /// Decimals of something else than seconds, no digit after the point, or more than nine.
    #[error("duration {text:?} has decimals that are not allowed: only seconds may have them, at most nine")]
    Decimals {
        /// The offending text.
        text: String,
    },
    /// More than [`HumanDuration::MAX`].
    #[error("duration {text:?} is longer than {max}", max = HumanDuration::MAX)]
    Overflow {
        /// The offending text.
        text: String,
    },
}

/// The text as an error tells it: at most 64 characters.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 64;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Splits `text` after its first characters that satisfy `belongs`.
fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c: char| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// `digits` as a number of at most `u128::MAX`, or none if there are too many.
fn whole(digits: &str) -> Option<u128> {
    digits
        .bytes()
        .try_fold(0_u128, |sum, digit| sum.checked_mul(10)?.checked_add(u128::from(digit.wrapping_sub(b'0'))))
}

impl FromStr for HumanDuration {
    type Err = HumanDurationError;

    fn from_str(text: &str) -> Result<Self, HumanDurationError> {
        let shown = || shortened(text);
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(HumanDurationError::Empty);
        }
        let mut total = 0_u128;
        let mut allowed = UNITS.iter();
        while let Some(found) = rest.chars().next() {
            let (number, after) = split_while(rest, |c| c.is_ascii_digit());
            if number.is_empty() {
                return Err(HumanDurationError::NoNumber { text: shown(), found });
            }
            let (decimals, after) = match after.strip_prefix('.') {
                Some(after) => {
                    let (decimals, after) = split_while(after, |c| c.is_ascii_digit());
                    (Some(decimals), after)
                }
                None => (None, after),
            };
            let (unit, after) = split_while(after.trim_start(), char::is_alphabetic);
            if unit.is_empty() {
                let number = shortened(number);
                return Err(HumanDurationError::NoUnit { text: shown(), number });
            }
            let unit: Cow<'_, str> = match unit {
                "µs" | "μs" => "us".into(), // U+00B5 and U+03BC
                unit => unit.into(),
            };
            let Some((unit, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(HumanDurationError::UnknownUnit { text: shown(), unit: shortened(&unit) });
            };
            if !allowed.any(|(name, _)| name == unit) {
                return Err(HumanDurationError::Order { text: shown(), unit });
            }
            let overflow = || HumanDurationError::Overflow { text: shown() };
            let part = whole(number).and_then(|number| number.checked_mul(*nanos)).ok_or_else(overflow)?;
            total = total.checked_add(part).ok_or_else(overflow)?;
            if let Some(decimals) = decimals {
                let digits = decimals.len();
                if *unit != "s" || !(1..=9).contains(&digits) {
                    return Err(HumanDurationError::Decimals { text: shown() });
                }
                let part = whole(decimals).unwrap_or(0) * 10_u128.pow(9 - digits as u32);
                total = total.checked_add(part).ok_or_else(overflow)?;
            }
            rest = after.trim_start();
        }
        let seconds = u64::try_from(total / NANOS_PER_SECOND)
            .map_err(|_| HumanDurationError::Overflow { text: shown() })?;
        Ok(Self(Duration::new(seconds, (total % NANOS_PER_SECOND) as u32)))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (unit, nanos) in UNITS {
            let count = rest / nanos;
            if count == 0 || (unit == "w" && !rest.is_multiple_of(nanos)) {
                continue;
            }
            text.push_str(&count.to_string());
            text.push_str(unit);
            rest %= nanos;
        }
        f.pad(&text)
    }
}

impl fmt::Debug for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Duration> for HumanDuration {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<HumanDuration> for Duration {
    fn from(duration: HumanDuration) -> Self {
        duration.0
    }
}

impl TryFrom<&str> for HumanDuration {
    type Error = HumanDurationError;
    fn try_from(text: &str) -> Result<Self, HumanDurationError> {
        text.parse()
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = HumanDurationError;
    fn try_from(text: String) -> Result<Self, HumanDurationError> {
        text.parse()
    }
}

impl From<Infallible> for HumanDurationError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What an interface takes as a duration: a [`Duration`], or a text as `"2m"`.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{HumanDurationError, IntoDuration};
///
/// fn deadline(after: impl IntoDuration) -> Result<Duration, HumanDurationError> {
///     after.into_duration()
/// }
/// assert_eq!(deadline("2m")?, deadline(Duration::from_secs(120))?);
/// # Ok::<(), HumanDurationError>(())
/// ```
pub trait IntoDuration {
    /// The duration, or why the text is none.
    fn into_duration(self) -> Result<Duration, HumanDurationError>;
}

impl<T> IntoDuration for T
where
    T: TryInto<HumanDuration>,
    HumanDurationError: From<T::Error>,
{
    fn into_duration(self) -> Result<Duration, HumanDurationError> {
        Ok(self.try_into()?.get())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for HumanDuration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for HumanDuration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = HumanDuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, e.g. \"5s\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HumanDuration, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_count_as_fractions_of_a_second() {
        assert_eq!("1.000000001s".parse(), Ok(HumanDuration(Duration::new(1, 1))));
        assert_eq!("0.05s".parse(), Ok(HumanDuration(Duration::from_millis(50))));
    }

    #[test]
    fn a_long_text_is_shortened_in_errors() {
        let text = "x".repeat(10_000);
        let error = text.parse::<HumanDuration>().unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }
}
