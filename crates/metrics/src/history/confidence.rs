//! How sure a statement must be.

use std::fmt;

/// How sure a statement must be, in (0, 1): at 0.95 one in twenty is wrong where nothing happens.
///
/// ```
/// use bellwether_metrics::Confidence;
/// assert_eq!(Confidence::new(0.95)?, Confidence::P95);
/// assert_eq!(Confidence::new(1.2).unwrap_err().to_string(), "confidence 1.2 is outside (0, 1)");
/// # Ok::<(), bellwether_metrics::InvalidConfidence>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Confidence(f64);

/// A confidence that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("confidence {got} is outside (0, 1)")]
pub struct InvalidConfidence {
    /// The offending number.
    pub got: f64,
}

impl Confidence {
    /// 90 %.
    pub const P90: Self = Self(0.9);
    /// 95 %.
    pub const P95: Self = Self(0.95);
    /// 99 %.
    pub const P99: Self = Self(0.99);
    /// 99.9 %.
    pub const P999: Self = Self(0.999);

    /// Checks the level.
    pub fn new(level: f64) -> Result<Self, InvalidConfidence> {
        if level > 0.0 && level < 1.0 { Ok(Self(level)) } else { Err(InvalidConfidence { got: level }) }
    }

    /// The level: 0.95.
    pub fn level(self) -> f64 {
        self.0
    }

    /// Whether something that happens by chance with probability `p` is rare enough.
    pub(crate) fn rejects(self, p: f64) -> bool {
        p <= 1.0 - self.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
