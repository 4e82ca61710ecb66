//! Numbers that may be none, in JSON: `null` and never NaN or infinity, and read back as they were.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

// The signature is the one that serde calls.
#[expect(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    number.is_finite().then_some(*number).serialize(serializer)
}

/// `null` is no number: whatever takes it is undefined.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::deserialize(deserializer).map(|number| number.unwrap_or(f64::NAN))
}
