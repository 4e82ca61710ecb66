//! The settings of a JSON-lines file.
use std::path::PathBuf;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use serde::{Deserialize, Serialize};

/// When lines are made to survive a power cut. They survive the end of the process in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncPolicy {
    /// Each line before it counts as delivered.
    #[default]
    EachLine,
    /// When the channel is closed, and when a file is full; for replays, and where another copy is kept. A file that somebody else
    /// moves away before is left as it is.
    WhenClosed,
}

/// The settings of a [`JsonLinesFile`](crate::JsonLinesFile).
///
/// ```toml
/// path = "/var/log/desk/alerts.jsonl"
/// max_bytes = 67108864
/// keep = 4
/// sync = "each_line"
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonLinesConfig {
    /// Whether it takes part; the file of a disabled channel is not opened. Default: true.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The file; its folder must exist.
    pub path: PathBuf,
    /// Bytes at which a file is full and a new one is begun. Default: 67,108,864 (64 MiB); 65,536 (64 KiB) to 1,099,511,627,776 (1 TiB).
    #[serde(default = "max_bytes")]
    pub max_bytes: u64,
    /// How many full files are kept beside the current one, as `PATH.1` (the youngest) to `PATH.4`. Default: 4; 0 to 1,000.
    #[serde(default = "keep")]
    pub keep: u16,
    /// When lines are made to survive a power cut: `each_line` or `when_closed`. Default: `each_line`.
    #[serde(default)]
    pub sync: SyncPolicy,
}

fn enabled() -> bool {
    true
}

fn max_bytes() -> u64 {
    64 << 20
}

fn keep() -> u16 {
    4
}

impl JsonLinesConfig {
    /// The defaults, for this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            enabled: enabled(),
            path: path.into(),
            max_bytes: max_bytes(),
            keep: keep(),
            sync: SyncPolicy::default(),
        }
    }

    /// With another size at which a file is full.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// With another number of full files that are kept.
    #[must_use]
    pub fn with_keep(mut self, keep: u16) -> Self {
        self.keep = keep;
        self
    }

    /// With another answer to when lines survive a power cut.
    #[must_use]
    pub fn with_sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }
}

impl Validate for JsonLinesConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.require(
            &at.key("path"),
            self.path.file_name().is_some(),
            format!("{:?} names no file: write e.g. \"alerts.jsonl\"", self.path.display()),
        );
        problems.within(&at.key("max_bytes"), &self.max_bytes, 64 << 10..=1 << 40);
        problems.within(&at.key("keep"), &self.keep, 0..=1_000);
    }
}
