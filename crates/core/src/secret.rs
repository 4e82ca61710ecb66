//! Secrets: never printed, wiped when dropped, and in configuration only named.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

mod name;
mod provider;
#[cfg(feature = "serde")]
mod reference;
mod source;

#[cfg(feature = "serde")]
pub(crate) use reference::INLINE_URL;
#[cfg(feature = "config")]
pub(crate) use reference::is_secret_advice;

pub use name::looks_secret;
pub use provider::{SecretProvider, SecretProviderError, SecretProviders};
pub use source::{MAX_SECRET_LEN, SecretError, SecretSource};

/// What is printed in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A secret text, or secret bytes: printed and serialised as `[redacted]`, wiped from memory when dropped.
///
/// It has no `Clone`, `PartialEq` or `Deserialize`: whoever needs it in two places shares an `Arc<Secret>`, and
/// whoever reads one from configuration reads a [`SecretSource`]. The value is seen through [`expose`](Self::expose)
/// only, which is easy to search for.
///
/// ```
/// use bellwether_core::Secret;
///
/// let token = Secret::new(String::from("xoxb-17653"));
/// assert_eq!(format!("{token} {token:?}"), "[redacted] Secret([redacted])");
/// assert_eq!(token.expose(), "xoxb-17653");
/// ```
pub struct Secret<T: Zeroize = String>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Keeps a value as a secret. Copies of it that exist elsewhere are not wiped.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl Secret<String> {
    /// The text, for the one who sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Secret<Vec<u8>> {
    /// The bytes, for the one who signs with them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Vec<u8>> for Secret<Vec<u8>> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(REDACTED)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({REDACTED})")
    }
}

#[cfg(feature = "serde")]
impl<T: Zeroize> serde::Serialize for Secret<T> {
    /// Always `"[redacted]"`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}
