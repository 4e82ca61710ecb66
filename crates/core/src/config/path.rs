//! Where something stands in a configuration: `alerts.routes[2].receiver`.

use std::fmt;

use crate::human_duration::shortened;

/// One step of a [`ConfigPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigStep {
    /// Into a table, by its key.
    Key(String),
    /// Into an array, by its index from 0.
    Index(usize),
}

/// Where something stands in a configuration: `alerts.routes[2].receiver`.
///
/// Keys that TOML would quote are quoted: `channels."on call".url`, and keys of more than 64 characters are shortened.
/// The root prints as nothing.
///
/// ```
/// use bellwether_core::config::ConfigPath;
/// let at = ConfigPath::root().key("alerts").key("routes").index(2).key("receiver");
/// assert_eq!(at.to_string(), "alerts.routes[2].receiver");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ConfigPath(Vec<ConfigStep>);

impl ConfigPath {
    /// The whole configuration.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path and a key.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.step(ConfigStep::Key(key.into()))
    }

    /// This path and an index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(ConfigStep::Index(index))
    }

    fn step(&self, step: ConfigStep) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[ConfigStep] {
        &self.0
    }

    /// Whether this is `other` or lies within it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl FromIterator<ConfigStep> for ConfigPath {
    fn from_iter<I: IntoIterator<Item = ConfigStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                ConfigStep::Index(index) => write!(f, "[{index}]")?,
                ConfigStep::Key(key) => {
                    f.write_str(if i > 0 { "." } else { "" })?;
                    let shown = shortened(key);
                    if is_bare(key) { f.write_str(&shown)? } else { write!(f, "{shown:?}")? }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigPath({self})")
    }
}

/// Whether TOML takes the key without quotes.
pub(super) fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
