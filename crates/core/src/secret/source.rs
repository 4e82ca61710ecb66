//! Where a secret is kept, and how it is read from there.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Secret, SecretProviderError, SecretProviders};

/// Longest secret that is taken from a file, the environment or a provider, in bytes.
pub const MAX_SECRET_LEN: usize = 64 * 1024;

/// Where a secret is kept: what configuration says instead of the secret.
///
/// ```toml
/// token = { env = "SLACK_TOKEN" }
/// password = { file = "/run/secrets/smtp" }
/// routing_key = { provider = "vault", key = "desk/pagerduty" }
/// ```
///
/// A secret that stands in the configuration itself is refused, and not repeated in the error.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file. One newline at its end is not part of the secret.
    File(PathBuf),
    /// A [`SecretProvider`](super::SecretProvider) of the host.
    Provider {
        /// The provider's name.
        provider: String,
        /// What the provider calls the secret.
        key: String,
    },
}

/// Why a [`SecretSource`] gave no secret. Names the source, never the value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The environment variable is not set.
    #[error("no secret: {from} is not set")]
    NotSet {
        /// The source.
        from: SecretSource,
    },
    /// The file cannot be read.
    #[error("no secret: {from} cannot be read")]
    Io {
        /// The source.
        from: SecretSource,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// Nothing is there, or only a newline.
    #[error("no secret: {from} is empty")]
    Empty {
        /// The source.
        from: SecretSource,
    },
    /// Longer than [`MAX_SECRET_LEN`].
    #[error("no secret: {from} has more than {MAX_SECRET_LEN} bytes")]
    TooLong {
        /// The source.
        from: SecretSource,
    },
    /// Not UTF-8 where a text is needed.
    #[error("no secret: {from} is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// The source.
        from: SecretSource,
        /// Bytes before the first that is not UTF-8.
        offset: usize,
    },
    /// The host has no provider of this name.
    #[error("no secret: the host has no provider called {provider:?}")]
    NoProvider {
        /// The provider that was asked for.
        provider: String,
    },
    /// The provider has no answer.
    #[error("no secret: {from} gave none")]
    Provider {
        /// The source.
        from: SecretSource,
        /// Why.
        #[source]
        error: SecretProviderError,
    },
}

impl SecretSource {
    /// Reads the secret text from the environment or a file. Blocks while it reads.
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        self.resolve_with(&SecretProviders::none())
    }

    /// Reads the secret text, asking the host's providers too. Blocks while it reads.
    pub fn resolve_with(&self, providers: &SecretProviders) -> Result<Secret, SecretError> {
        let mut bytes = self.read(providers, |name| std::env::var_os(name))?;
        String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            drop(Zeroizing::new(error.into_bytes()));
            SecretError::NotUtf8 { from: self.clone(), offset }
        })
    }

    /// As [`resolve_with`](Self::resolve_with), for a secret that need not be text, as a signing key.
    pub fn resolve_bytes_with(&self, providers: &SecretProviders) -> Result<Secret<Vec<u8>>, SecretError> {
        let mut bytes = self.read(providers, |name| std::env::var_os(name))?;
        Ok(Secret::new(std::mem::take(&mut *bytes)))
    }

    fn read(
        &self,
        providers: &SecretProviders,
        env: impl FnOnce(&str) -> Option<OsString>,
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let from = || self.clone();
        let bytes = match self {
            Self::Env(name) => {
                let value = env(name).ok_or_else(|| SecretError::NotSet { from: from() })?;
                Zeroizing::new(value.into_encoded_bytes())
            }
            Self::File(path) => {
                let mut bytes =
                    read_bounded(path).map_err(|error| SecretError::Io { from: from(), error })?;
                trim_newline(&mut bytes);
                bytes
            }
            Self::Provider { provider: name, key } => {
                let provider =
                    providers.get(name).ok_or_else(|| SecretError::NoProvider { provider: name.clone() })?;
                let secret =
                    provider.secret(key).map_err(|error| SecretError::Provider { from: from(), error })?;
                Zeroizing::new(secret.expose().as_bytes().to_vec())
            }
        };
        if bytes.is_empty() {
            return Err(SecretError::Empty { from: from() });
        }
        if bytes.len() > MAX_SECRET_LEN {
            return Err(SecretError::TooLong { from: from() });
        }
        Ok(bytes)
    }
}

/// At most three bytes more than may be (a newline is taken off later). Read into memory that does not move meanwhile,
/// also from a pipe, which has no length beforehand.
fn read_bounded(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    const MOST: usize = MAX_SECRET_LEN + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    File::open(path)?.take(MOST as u64).read_to_end(&mut bytes)?;
    Ok(Zeroizing::new(bytes.to_vec()))
}

fn trim_newline(bytes: &mut Vec<u8>) {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Provider { provider, key } => write!(f, "secret {key:?} of provider {provider:?}"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(value: Option<&str>) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        SecretSource::Env("TOKEN".into()).read(&SecretProviders::none(), |name| {
            assert_eq!(name, "TOKEN");
            value.map(OsString::from)
        })
    }

    #[test]
    fn a_variable_is_taken_as_it_is_and_must_hold_something() {
        assert_eq!(**env(Some("a b\n")).unwrap(), *b"a b\n");
        assert_eq!(env(Some("")).unwrap_err().to_string(), "no secret: environment variable TOKEN is empty");
        assert_eq!(env(None).unwrap_err().to_string(), "no secret: environment variable TOKEN is not set");
        let long = "x".repeat(MAX_SECRET_LEN + 1);
        assert!(matches!(env(Some(&long)), Err(SecretError::TooLong { .. })));
    }

    #[test]
    fn one_newline_is_taken_off_and_no_second_one() {
        for (text, expected) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r"), ("\n", "")] {
            let mut bytes = text.as_bytes().to_vec();
            trim_newline(&mut bytes);
            assert_eq!(bytes, expected.as_bytes(), "{text:?}");
        }
    }
}
