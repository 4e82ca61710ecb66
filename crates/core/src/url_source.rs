//! What configuration says where a URL belongs that may hold a password.

use std::fmt;

use crate::masked_url::{MaskedUrl, MaskedUrlError};
use crate::secret::{SecretError, SecretProviders, SecretSource};

/// A URL in configuration: written out if it holds no password, otherwise the place where it is kept.
///
/// ```toml
/// url = "sqlite://desk.db"
/// url = { env = "DATABASE_URL" }
/// ```
///
/// A URL with a password, or with a query parameter that is called as secrets are, is refused where it is written
/// out, and not repeated in the error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlSource {
    /// The URL itself.
    Plain(MaskedUrl),
    /// Where it is kept.
    Secret(SecretSource),
}

/// Why a [`UrlSource`] gave no URL. Names the source, never the value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UrlSourceError {
    /// The source gave no text.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The text that the source gave is not a URL.
    #[error("{from} does not hold a url")]
    Url {
        /// The source.
        from: SecretSource,
        /// Why.
        #[source]
        error: MaskedUrlError,
    },
}

impl UrlSource {
    /// The URL, read from the environment or a file if it is kept there.
    pub fn resolve(&self) -> Result<MaskedUrl, UrlSourceError> {
        self.resolve_with(&SecretProviders::none())
    }

    /// The URL, asking the host's providers too.
    pub fn resolve_with(&self, providers: &SecretProviders) -> Result<MaskedUrl, UrlSourceError> {
        match self {
            Self::Plain(url) => Ok(url.clone()),
            Self::Secret(from) => {
                let text = from.resolve_with(providers)?;
                MaskedUrl::parse(text.expose())
                    .map_err(|error| UrlSourceError::Url { from: from.clone(), error })
            }
        }
    }
}

impl fmt::Display for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => fmt::Display::fmt(url, f),
            Self::Secret(source) => fmt::Display::fmt(source, f),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for UrlSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(url) => url.serialize(serializer),
            Self::Secret(source) => source.serialize(serializer),
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for UrlSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::Deserialize as _;
        use serde::de::value::MapAccessDeserializer;
        use serde::de::{Error, MapAccess, Visitor};

        const EXPECTED: &str = "a url, or where it is kept: { env = \"NAME\" }, { file = \"/path\" }";

        struct TextOrSource;

        impl<'de> Visitor<'de> for TextOrSource {
            type Value = UrlSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<UrlSource, E> {
                let url = MaskedUrl::parse(text).map_err(E::custom)?;
                if url.has_credentials() {
                    return Err(E::custom(crate::secret::INLINE_URL));
                }
                Ok(UrlSource::Plain(url))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UrlSource, A::Error> {
                SecretSource::deserialize(MapAccessDeserializer::new(map)).map(UrlSource::Secret)
            }
        }

        deserializer.deserialize_any(TextOrSource)
    }
}
