//! Which database: a file or a URL, checked, never printed with a secret.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bellwether_core::{MaskedUrl, MaskedUrlError, UrlSource};

/// Which database to open: a path (`desk.db`), a URL (`sqlite://desk.db`, `sqlite:///var/lib/desk.db`), or in a
/// configuration the place where the URL is kept (`{ env = "DATABASE_URL" }`).
///
/// A URL takes `%20` for a blank and so on, and no parameters: how a database is opened is said in
/// [`StoreConfig`](crate::StoreConfig). Printed with its secrets masked.
///
/// ```
/// use bellwether_store::DatabaseUrl;
/// assert!("sqlite://desk.db".parse::<DatabaseUrl>().is_ok());
/// assert_eq!(
///     "sqlite://desk.db?mode=memory".parse::<DatabaseUrl>().unwrap_err().to_string(),
///     "database url has the parameter \"mode\": SQLite urls take none"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Path(PathBuf),
    Url(UrlSource),
}

/// Why a text names no database. Repeats no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// There is no path.
    #[error("database path is empty: write e.g. sqlite://desk.db")]
    Empty,
    /// A database in memory is a different one for each connection.
    #[error("database {name:?} would live in memory: name a file")]
    InMemory {
        /// What was asked for.
        name: String,
    },
    /// A kind of database that is not known.
    #[error(
        "database url has the scheme {scheme:?}; expected sqlite, or a path (write ./{scheme}:... for a file of that name)"
    )]
    Scheme {
        /// The offending scheme.
        scheme: String,
    },
    /// A file has neither user nor password.
    #[error("database url has a user or password: SQLite urls have none")]
    Credentials,
    /// A parameter after `?`.
    #[error("database url has the parameter {name:?}: SQLite urls take none")]
    Parameter {
        /// Its name, shortened.
        name: String,
    },
    /// A part after `#`.
    #[error("database url has a # part: write %23 for a # in the file's name")]
    Fragment,
    /// The decoded path is not text.
    #[error("database url does not decode to a path in UTF-8")]
    Encoding,
    /// Not a URL at all.
    #[error(transparent)]
    Url(#[from] MaskedUrlError),
    /// The place where the URL is kept gave none.
    #[error("{reason}")]
    Source {
        /// Why; names the place, not the value.
        reason: String,
    },
}

impl DatabaseUrl {
    /// A SQLite file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::Path(path.into()))
    }

    /// Where the URL is to be read from when the store opens.
    pub fn from_source(source: UrlSource) -> Self {
        Self(Source::Url(source))
    }

    /// The file to open. Reads the place where the URL is kept, if it is kept somewhere.
    pub(crate) fn resolve(&self) -> Result<PathBuf, DatabaseUrlError> {
        match &self.0 {
            Source::Path(path) => checked(path.clone()),
            Source::Url(UrlSource::Plain(url)) => sqlite_file(url),
            Source::Url(source) => {
                let url = source.resolve();
                sqlite_file(&url.map_err(|error| DatabaseUrlError::Source { reason: error.to_string() })?)
            }
        }
    }

    /// What can be told without reading the place where the URL is kept.
    pub(crate) fn check(&self) -> Result<(), DatabaseUrlError> {
        match &self.0 {
            Source::Url(UrlSource::Secret(_)) => Ok(()),
            _ => self.resolve().map(drop),
        }
    }
}

fn checked(path: PathBuf) -> Result<PathBuf, DatabaseUrlError> {
    match path.to_str() {
        Some("") => Err(DatabaseUrlError::Empty),
        Some(name) if name.starts_with(":memory:") => {
            Err(DatabaseUrlError::InMemory { name: name.chars().take(40).collect() })
        }
        _ => Ok(path),
    }
}

fn sqlite_file(url: &MaskedUrl) -> Result<PathBuf, DatabaseUrlError> {
    if !url.scheme().eq_ignore_ascii_case("sqlite") {
        return Err(DatabaseUrlError::Scheme { scheme: url.scheme().chars().take(40).collect() });
    }
    if url.has_credentials() {
        return Err(DatabaseUrlError::Credentials);
    }
    let text = url.expose();
    let rest = text.get(url.scheme().len() + 1..).unwrap_or_default();
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    if rest.contains('#') {
        return Err(DatabaseUrlError::Fragment);
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if let Some(parameter) = query.split('&').find(|parameter| !parameter.is_empty()) {
        let name = parameter.split_once('=').map_or("(without a value)", |(name, _)| name);
        return Err(DatabaseUrlError::Parameter { name: name.chars().take(40).collect() });
    }
    checked(decoded(path)?.into())
}

fn decoded(path: &str) -> Result<String, DatabaseUrlError> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        let [high, low, after @ ..] = rest else { return Err(DatabaseUrlError::Encoding) };
        let (Some(high), Some(low)) = (hex(high), hex(low)) else { return Err(DatabaseUrlError::Encoding) };
        bytes.push((high * 16 + low) as u8);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0')).ok_or(DatabaseUrlError::Encoding)
}

/// Whether the text begins as URLs do. A single letter is a drive.
fn has_scheme(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(allowed)
    })
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;
    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let url = if has_scheme(text) {
            Self(Source::Url(UrlSource::Plain(MaskedUrl::parse(text)?)))
        } else {
            Self::file(text)
        };
        url.check()?;
        Ok(url)
    }
}

impl From<&Path> for DatabaseUrl {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for DatabaseUrl {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Path(path) => fmt::Display::fmt(&path.display(), f),
            Source::Url(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl serde::Serialize for DatabaseUrl {
    /// The path, or the masked URL.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Source::Path(path) => serializer.collect_str(&path.display()),
            Source::Url(url) => url.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::Deserialize as _;
        use serde::de::value::{MapAccessDeserializer, StrDeserializer};
        use serde::de::{Error, MapAccess, Visitor};

        struct TextOrSource;

        impl<'de> Visitor<'de> for TextOrSource {
            type Value = DatabaseUrl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, a url, or where it is kept: { env = \"NAME\" }, { file = \"/path\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DatabaseUrl, E> {
                if has_scheme(text) {
                    // Refuses a password that is written out, in the words of every other URL.
                    UrlSource::deserialize(StrDeserializer::<E>::new(text))?;
                }
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DatabaseUrl, A::Error> {
                UrlSource::deserialize(MapAccessDeserializer::new(map)).map(DatabaseUrl::from_source)
            }
        }

        deserializer.deserialize_any(TextOrSource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<PathBuf, DatabaseUrlError> {
        text.parse::<DatabaseUrl>()?.resolve()
    }

    #[test]
    fn paths_and_urls_of_one_file_are_the_same_file() {
        for text in
            ["desk.db", "sqlite:desk.db", "sqlite://desk.db", "SQLite://desk.db", "sqlite://desk%2Edb"]
        {
            assert_eq!(file(text), Ok(PathBuf::from("desk.db")), "{text}");
        }
        assert_eq!(file("sqlite:///var/my%20desk.db"), Ok(PathBuf::from("/var/my desk.db")));
        assert_eq!(file("my desk.db"), Ok(PathBuf::from("my desk.db")));
        assert_eq!(file("C:\\desk.db"), Ok(PathBuf::from("C:\\desk.db")));
    }

    #[test]
    fn what_names_no_file_is_refused() {
        assert_eq!(file(""), Err(DatabaseUrlError::Empty));
        assert_eq!(file("sqlite://"), Err(DatabaseUrlError::Empty));
        assert!(matches!(file("sqlite::memory:"), Err(DatabaseUrlError::InMemory { .. })));
        assert!(matches!(file(":memory:"), Err(DatabaseUrlError::InMemory { .. })));
        assert!(matches!(file("postgres://db/desk"), Err(DatabaseUrlError::Scheme { .. })));
        assert_eq!(file("sqlite://u:hunter2@desk.db"), Err(DatabaseUrlError::Credentials));
        assert_eq!(file("sqlite://a.db#x"), Err(DatabaseUrlError::Fragment));
        assert_eq!(file("sqlite://a%ff.db"), Err(DatabaseUrlError::Encoding));
        assert_eq!(file("sqlite://a%00.db"), Err(DatabaseUrlError::Encoding));
    }

    #[test]
    fn no_form_of_it_prints_a_password() {
        for text in [
            "sqlite://u:hunter2@desk.db",
            "postgres://desk:hunter2@db/x?password=hunter2",
            "sqlite://a.db?key=hunter2",
        ] {
            let error = file(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            let url = DatabaseUrl::from_source(UrlSource::Plain(MaskedUrl::parse(text).unwrap()));
            let written = serde_json::to_string(&url).unwrap();
            assert!(!format!("{url} {url:?} {written}").contains("hunter2"), "{url} {written}");
        }
    }
}
