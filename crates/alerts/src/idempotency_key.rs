//! What tells one message from every other.
use std::fmt;
use std::hash::Hasher;
use std::str::FromStr;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::{GroupKey, ReceiverName};

/// 128 bits that are the same each time the same message is sent, and differ between messages.
///
/// SipHash-2-4 with a zero key over receiver, group key, the title and the body of a digest, and the sequence, each text preceded by its
/// length as eight little-endian bytes. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(u128);

impl IdempotencyKey {
    /// The key of a group's message.
    pub fn new(receiver: &ReceiverName, group: &GroupKey, sequence: u64) -> Self {
        Self::of_words(receiver, group, sequence, [])
    }

    /// The key of a message that is told from others of its number by its words.
    pub(crate) fn of_words<'a>(
        receiver: &ReceiverName,
        group: &GroupKey,
        sequence: u64,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut hasher = SipHasher24::new();
        let mut write = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        write(receiver.as_str());
        write(group.as_str());
        // The words come before the number, so that no words are the key without them.
        words.into_iter().for_each(write);
        hasher.write(&sequence.to_le_bytes());
        Self(u128::from_le_bytes(hasher.finish128().as_bytes()))
    }

    /// The bits.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// From the bits, as they were stored.
    pub fn from_u128(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("idempotency key {text:?} is not 32 hexadecimal digits")]
pub struct IdempotencyKeyError {
    /// The offending text, shortened.
    pub text: String,
}

impl FromStr for IdempotencyKey {
    type Err = IdempotencyKeyError;
    fn from_str(text: &str) -> Result<Self, IdempotencyKeyError> {
        let wrong = || IdempotencyKeyError { text: text.chars().take(40).collect() };
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| wrong())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for IdempotencyKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_same_everywhere_and_always() {
        let receiver = ReceiverName::new("desk").unwrap();
        let key = IdempotencyKey::new(&receiver, &GroupKey::from_text("{}:{}"), 7);
        assert_eq!(key.to_string(), "b75c8eaa8a33200bdb555fb01db9df66");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_ne!(key, IdempotencyKey::new(&receiver, &GroupKey::from_text("{}:{}"), 8));
        assert!("+75c8eaa8a33200bdb555fb01db9df66".parse::<IdempotencyKey>().is_err());
    }
}
