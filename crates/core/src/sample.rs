//! One measured value at one instant.

use crate::Timestamp;

/// A value at an instant. Whoever keeps samples accepts finite values only and counts what was refused.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sample {
    /// When it was measured.
    pub at: Timestamp,
    /// What was measured, in the unit of its metric.
    pub value: f64,
}

impl Sample {
    /// A value at an instant.
    pub fn new(at: Timestamp, value: f64) -> Self {
        Self { at, value }
    }
}
