//! The configuration of everything that is switched on, in one tree.

use std::path::PathBuf;

use bellwether_core::config::{ConfigError, ConfigPath, Loader, Problems, Validate};
use serde::{Deserialize, Serialize};

/// One tree with a section per crate whose feature is on, read from TOML and the environment and checked whole.
///
/// ```
/// use bellwether::Config;
/// let config = Config::from_text("desk.toml", "[metrics]\nmax_series = 500\n")?;
/// # #[cfg(feature = "metrics")]
/// assert_eq!(config.metrics.max_series, 500);
///
/// let wrong = Config::from_text("desk.toml", "[metrics]\nmax_sries = 500\n").unwrap_err();
/// assert!(wrong.to_string().contains("max_sries"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The registry and its history.
    #[cfg(feature = "metrics")]
    pub metrics: bellwether_metrics::RegistryConfig,
    /// Routes, receivers and delivery.
    #[cfg(feature = "alerts")]
    pub alerts: bellwether_alerts::config::AlertsConfig,
    /// The database.
    #[cfg(feature = "store")]
    pub store: bellwether_store::StoreConfig,
}

/// What the variables begin with that override a key.
const ENVIRONMENT_PREFIX: &str = "BELLWETHER";

impl Config {
    /// Reads a file and the environment, in which `BELLWETHER__METRICS__MAX_SERIES=500` overrides a key. Every problem is
    /// told at once, each with its path.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Loader::file(path).environment(ENVIRONMENT_PREFIX).load()
    }

    /// Reads a text, without the environment; `name` stands for it in problems.
    pub fn from_text(name: impl Into<String>, text: impl Into<String>) -> Result<Self, ConfigError> {
        Loader::text(name, text).load()
    }
}

impl Validate for Config {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        #[cfg(feature = "metrics")]
        self.metrics.validate(&at.key("metrics"), problems);
        #[cfg(feature = "alerts")]
        self.alerts.validate(&at.key("alerts"), problems);
        #[cfg(feature = "store")]
        self.store.validate(&at.key("store"), problems);
        let _ = (at, problems);
    }
}
