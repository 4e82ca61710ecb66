//! Versions of JSON forms: one that is not known is refused, as its fields may mean something else.

use serde::de::{Deserialize, Deserializer, Error};

/// The version, if it is the one that is known.
pub(crate) fn known<'de, D: Deserializer<'de>, const KNOWN: u32>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        version if version == KNOWN => Ok(version),
        other => Err(Error::custom(format!("schema version {other}: expected {KNOWN}"))),
    }
}
