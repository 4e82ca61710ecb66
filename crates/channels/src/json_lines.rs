//! Notifications as lines of JSON in a file.
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
use bellwether_core::Blocking;
use bellwether_core::config::{Problems, Validate};

use self::log_file::LogFile;
use self::record::Record;
use crate::share::fit;
use crate::write_fault::{Stage, job_fault, write_fault};

mod config;
mod log_file;
mod record;

pub use self::config::{JsonLinesConfig, SyncPolicy};

/// Appends each notification as one line of JSON to a file: an audit trail that every tool reads.
///
/// A line is one JSON object with these fields; times are RFC 3339 in UTC, and readers must pass over fields they do not know:
///
/// | field | what |
/// | --- | --- |
/// | `version` | version of this schema: 1 |
/// | `at` | when the notification was made |
/// | `channel`, `receiver` | names |
/// | `kind` | `alerts`, `digest` or `test` |
/// | `key` | 32 hexadecimal digits, the same each time this notification is sent: a line with a key that was there before is a repeat |
/// | `group_key`, `group_labels`, `sequence` | which group, and which of its messages |
/// | `status` | `firing` or `resolved` |
/// | `severity` | `info`, `warning`, `error` or `critical` |
/// | `title` | one line for people |
/// | `text` | the words of a digest or test; other kinds have none |
/// | `firing`, `resolved` | exact numbers of alerts |
/// | `not_listed` | how many of them are not in `alerts` |
/// | `alerts[]` | `status`, `severity`, `category`, `labels`, `annotations`, `value` (if there is one), `starts_at`, `resolved_at` (if it is), `fingerprint` |
///
/// A line has at most [`MAX_LINE_LEN`](Self::MAX_LINE_LEN) bytes: beyond it annotations are shortened first, then fewer alerts listed.
///
/// A line is written whole, in one write, on a thread of its own, and with [`SyncPolicy::EachLine`] is on the disk when
/// it counts as delivered. The file may be moved away at any time: the next line begins a new one. A line that a crash or a full
/// disk tore is closed before the next one, so that only that line is no JSON. A full file is put aside as `PATH.1`, and so
/// on; what falls off the end is counted by [`discarded`](Self::discarded). Several processes of one machine may write to a file, with the
/// same settings: they take turns by a lock on it, where the file system has locks.
///
/// A full disk is [`SendError::Retry`], a missing permission [`SendError::Permanent`].
///
/// ```
/// use bellwether_alerts::{AlertChannel, ChannelName, Notification, ReceiverName};
/// use bellwether_channels::JsonLinesFile;
/// use chrono::DateTime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("alerts.jsonl");
/// let audit = JsonLinesFile::open(ChannelName::new("audit")?, &path)?;
/// audit.send(&Notification::test(ReceiverName::new("desk")?, DateTime::UNIX_EPOCH)).await?;
/// let line = std::fs::read_to_string(&path)?;
/// assert!(line.starts_with(r#"{"version":1,"at":"1970-01-01T00:00:00Z","channel":"audit","kind":"test","#));
/// # Ok(())
/// # }
/// ```
pub struct JsonLinesFile {
    name: ChannelName,
    enabled: bool,
    path: PathBuf,
    max_line: usize,
    discarded: Arc<AtomicU64>,
    file: Blocking<LogFile>,
}

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonLinesError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] Problems),
    /// The file, or its folder, cannot be used. Nothing was written.
    #[error("{path} cannot {what}: {error}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        error: io::Error,
    },
    /// There is something else than a file: a folder, a device, a pipe.
    #[error("{path} is not a regular file", path = path.display())]
    NotAFile {
        /// What was opened.
        path: PathBuf,
    },
    /// A line was not written, or only a part of it.
    #[error("{path} cannot be written: {error}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl From<JsonLinesError> for SendError {
    fn from(fault: JsonLinesError) -> Self {
        match &fault {
            JsonLinesError::Open { path, error, .. } => write_fault(path.display(), Stage::Before, error),
            JsonLinesError::Write { path, error } => write_fault(path.display(), Stage::During, error),
            JsonLinesError::Config(_) | JsonLinesError::NotAFile { .. } => Self::permanent(fault),
        }
    }
}

impl JsonLinesFile {
    /// Most bytes of a line, its newline included.
    pub const MAX_LINE_LEN: usize = 1 << 20;

    /// Appends to this file, which is made if it is not there, with the default settings. Blocks while it opens the file.
    pub fn open(name: ChannelName, path: impl Into<PathBuf>) -> Result<Self, JsonLinesError> {
        Self::new(name, JsonLinesConfig::new(path))
    }

    /// Appends as the settings say. Blocks while it opens the file; the file of a disabled channel is not opened.
    pub fn new(name: ChannelName, config: JsonLinesConfig) -> Result<Self, JsonLinesError> {
        config.check()?;
        let (enabled, path) = (config.enabled, config.path.clone());
        let max_line = Self::MAX_LINE_LEN.min(usize::try_from(config.max_bytes).unwrap_or(usize::MAX)) - 1;
        let discarded = Arc::new(AtomicU64::new(0));
        let mut file = LogFile::new(config, Arc::clone(&discarded));
        if enabled {
            file.begin()?;
        }
        Ok(Self { name, enabled, path, max_line, discarded, file: Blocking::new("alert-file", file) })
    }

    /// How many full files were overwritten since the start, because there were more than are kept.
    pub fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl AlertChannel for JsonLinesFile {
    fn name(&self) -> &ChannelName {
        &self.name
    }

    fn enabled(&self) -> bool {
        self.enabled
    }

    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        let name = self.name.as_str();
        let line =
            fit(notification.listed().count(), self.max_line, |share| Record::new(name, notification, share))
                .map_err(SendError::permanent)?;
        self.file.run(move |file| file.append(&line)).await.map_err(|error| job_fault(&error))??;
        Ok(Receipt::delivered())
    }

    async fn close(&self) -> Result<(), SendError> {
        if self.enabled {
            self.file.run(LogFile::finish).await.map_err(|error| job_fault(&error))??;
        }
        Ok(())
    }
}

impl fmt::Debug for JsonLinesFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLinesFile")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
