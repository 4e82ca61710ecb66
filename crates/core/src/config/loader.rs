//! Loads a configuration from a file, a text and the environment.

use std::ffi::OsString;
use std::fs::File as FsFile;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::diagnosis::diagnose;
use super::environment::overlay;
use super::problem::{Origin, Problems};
use super::tree::{File, Tree};
use super::validate::Validate;

/// Largest configuration file, in bytes.
pub const MAX_CONFIG_LEN: usize = 1024 * 1024;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not there.
    #[error("configuration file {path} does not exist", path = path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("configuration file {path} cannot be read", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// More than [`MAX_CONFIG_LEN`] bytes.
    #[error("configuration {name} has more than {MAX_CONFIG_LEN} bytes")]
    TooLarge {
        /// The file, or the name that the text was given.
        name: String,
    },
    /// Not UTF-8.
    #[error("configuration file {path} is not UTF-8 from byte {offset} on", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Bytes before the first that is not UTF-8.
        offset: usize,
    },
    /// Not TOML. Nothing else could be checked.
    #[error("{origin}: not TOML: {message}")]
    Syntax {
        /// File, line and column.
        origin: Origin,
        /// What is wrong there.
        message: String,
    },
    /// It was read whole, and this is all that is wrong with it.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// Loads a configuration from a TOML file or text, with environment variables laid over it.
///
/// Everything that is wrong is told at once, each with its path and its line: unknown keys, missing keys, wrong types,
/// numbers out of range, NaN and infinities, and what [`Validate`] says. Only where the text is not TOML nothing else
/// can be checked. No value whose key is named like a secret is repeated.
///
/// A variable `DESK__ALERTS__REPEAT` overrides the key `alerts.repeat` for the prefix `DESK`; a number between the
/// underscores is an index into a list. Its value is TOML if it reads as TOML and the key does not take a text,
/// otherwise the text itself. A variable with the prefix that names no key is a problem too.
///
/// ```
/// use bellwether_core::HumanDuration;
/// use bellwether_core::config::{ConfigPath, Loader, Problems, Validate};
///
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Desk { name: String, threads: u8, interval: HumanDuration }
///
/// impl Default for Desk {
///     fn default() -> Self {
///         let interval = HumanDuration::new(std::time::Duration::from_secs(10));
///         Self { name: "desk".into(), threads: 2, interval }
///     }
/// }
///
/// impl Validate for Desk {
///     fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
///         problems.within(&at.key("threads"), &self.threads, 1..=16);
///     }
/// }
///
/// let text = "thread = 4\ninterval = \"5\"\n";
/// let error = Loader::text("desk.toml", text)
///     .variables("DESK", [("DESK__THREADS", "0")])
///     .load::<Desk>()
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "desk.toml:1:1: thread: unknown key; did you mean \"threads\"?\n\
///      desk.toml:2:1: interval: duration \"5\" has a number without a unit: write a unit, e.g. 5s\n\
///      environment variable DESK__THREADS: threads: 0 is outside of [1, 16]"
/// );
/// ```
pub struct Loader {
    source: Source,
    prefix: Option<String>,
    variables: Vec<(OsString, OsString)>,
}

enum Source {
    File(PathBuf),
    Text { name: String, text: String },
}

impl Loader {
    /// From a file. It is read by [`load`](Self::load).
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::new(Source::File(path.into()))
    }

    /// From a text; `name` stands for the file in messages.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Source::Text { name: name.into(), text: text.into() })
    }

    /// From nothing but defaults and the environment.
    pub fn defaults() -> Self {
        Self::text("defaults", "")
    }

    fn new(source: Source) -> Self {
        Self { source, prefix: None, variables: Vec::new() }
    }

    /// Lays the variables of this process that begin with `prefix` and two underscores over the file.
    #[must_use]
    pub fn environment(self, prefix: impl Into<String>) -> Self {
        self.variables(prefix, std::env::vars_os())
    }

    /// Lays these variables over the file, in place of those of the process.
    #[must_use]
    pub fn variables<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        prefix: impl Into<String>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.prefix = Some(prefix.into());
        self.variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self
    }

    /// The configuration, or everything that is wrong with it. Blocks while it reads the file.
    pub fn load<T: DeserializeOwned + Validate>(self) -> Result<T, ConfigError> {
        let (name, text) = match self.source {
            Source::File(path) => (path.display().to_string(), read(&path)?),
            Source::Text { name, text } if text.len() > MAX_CONFIG_LEN => {
                return Err(ConfigError::TooLarge { name });
            }
            Source::Text { name, text } => (name, text),
        };
        let mut tree = Tree::parse(File::new(&name, text))
            .map_err(|(origin, message)| ConfigError::Syntax { origin, message })?;
        if let Some(prefix) = &self.prefix {
            overlay(&mut tree, prefix, self.variables);
        }
        Ok(diagnose(tree)?)
    }
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the text nor the variables: passwords may stand in them.
        let name = match &self.source {
            Source::File(path) => path.display().to_string(),
            Source::Text { name, .. } => name.clone(),
        };
        f.debug_struct("Loader").field("source", &name).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => ConfigError::NotFound { path: path.into() },
        _ => ConfigError::Io { path: path.into(), error },
    };
    let mut bytes = Vec::new();
    let file = FsFile::open(path).map_err(failed)?;
    file.take(MAX_CONFIG_LEN as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_CONFIG_LEN {
        return Err(ConfigError::TooLarge { name: path.display().to_string() });
    }
    String::from_utf8(bytes)
        .map_err(|error| ConfigError::NotUtf8 { path: path.into(), offset: error.utf8_error().valid_up_to() })
}
