//! A 128-bit fingerprint of labels that is the same everywhere and always.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::human_duration::shortened;

/// 128 bits that stand for a label set outside of the process.
///
/// SipHash-2-4 with a zero key (Aumasson and Bernstein 2012) over the sorted pairs, each text preceded by its
/// length as eight little-endian bytes. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The bits.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// From the bits, as they were stored.
    pub fn from_u128(bits: u128) -> Self {
        Self(bits)
    }
}

pub(crate) fn fingerprint<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Fingerprint {
    let mut hasher = SipHasher24::new();
    for text in pairs.flat_map(|(name, value)| [name, value]) {
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    }
    Fingerprint(u128::from_le_bytes(hasher.finish128().as_bytes()))
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fingerprint {text:?} is not 32 hexadecimal digits")]
pub struct FingerprintError {
    /// The offending text, shortened.
    pub text: String,
}

impl std::str::FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let wrong = || FingerprintError { text: shortened(text) };
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| wrong())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
