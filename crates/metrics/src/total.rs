//! The total of a counter.

use std::fmt;

/// The total of a counter: whole as instruments count, or real as collectors tell it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Total {
    /// Exact.
    Whole(u64),
    /// Finite, not negative.
    Real(f64),
}

impl Total {
    /// As a sample has it; a whole total above 2^53 loses its last digits.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(total) => total as f64,
            Self::Real(total) => total,
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(total) => fmt::Display::fmt(total, f),
            Self::Real(total) => fmt::Display::fmt(total, f),
        }
    }
}
