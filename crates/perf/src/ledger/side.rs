//! Buy or sell, long or short.

use std::fmt;
use std::str::FromStr;

/// Whether a fill bought or sold.
///
/// ```
/// use bellwether_perf::Side;
/// assert_eq!("sell".parse(), Ok(Side::Sell));
/// assert_eq!("BUY".parse::<Side>().unwrap_err().to_string(), "side \"BUY\": expected `buy` or `sell`");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Side {
    /// Adds to the position.
    Buy,
    /// Takes from the position.
    Sell,
}

/// What is written there is no side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("side {text:?}: expected `buy` or `sell`")]
pub struct InvalidSide {
    /// The offending text.
    pub text: String,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// The direction of a position that this side opens.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Buy => Direction::Long,
            Self::Sell => Direction::Short,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

impl FromStr for Side {
    type Err = InvalidSide;
    fn from_str(text: &str) -> Result<Self, InvalidSide> {
        match text {
            "buy" => Ok(Self::Buy),
            "sell" => Ok(Self::Sell),
            _ => Err(InvalidSide { text: text.to_owned() }),
        }
    }
}

/// Whether a position gains when the price rises or when it falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Direction {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Long => "long",
            Self::Short => "short",
        })
    }
}
