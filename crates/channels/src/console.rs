//! Notifications as lines of text on a terminal, or on anything else that takes text.
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
use bellwether_core::Blocking;
use bellwether_core::config::{ConfigPath, Problems, Validate};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};

use crate::write_fault::{Stage, job_fault, write_fault};

/// What the thread is called that writes.
const THREAD: &str = "alert-console";

/// Where a console writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConsoleStream {
    /// The standard error stream.
    #[default]
    Stderr,
    /// The standard output stream.
    Stdout,
}

impl ConsoleStream {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stderr => "standard error",
            Self::Stdout => "standard output",
        }
    }
}

/// The settings of a [`Console`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConsoleConfig {
    /// Whether it takes part. Default: true.
    pub enabled: bool,
    /// `stderr` or `stdout`. Default: `stderr`.
    pub stream: ConsoleStream,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { enabled: true, stream: ConsoleStream::default() }
    }
}

impl Validate for ConsoleConfig {
    fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
}

/// Writes each notification as text: a line with its time and title, and under it, indented, a line for each alert and annotation.
///
/// ```text
/// 2008-10-10T14:30:00Z [FIRING 1] critical Drawdown desk=index
///   firing {alertname="Drawdown",desk="index",severity="critical"} since 2008-10-10T14:29:00Z
///     summary: 12 % below the peak
/// ```
///
/// The text holds no control characters but its line breaks, so no alert can colour, clear or forge a line of the terminal.
/// A notification is one write, of at most [`MAX_LEN`](Self::MAX_LEN) bytes; what is beyond is told as a number of lines.
///
/// Writing is done on a thread of its own: a terminal that is paused, or a pipe that nobody reads, delays this channel only, and
/// neither runtime nor process waits for it at their end. A closed pipe is [`SendError::Permanent`].
///
/// ```
/// use bellwether_alerts::{AlertChannel, ChannelName, Notification, ReceiverName};
/// use bellwether_channels::Console;
/// use chrono::DateTime;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let console = Console::stderr(ChannelName::new("console")?);
/// let receipt = console.send(&Notification::test(ReceiverName::new("desk")?, DateTime::UNIX_EPOCH)).await?;
/// assert_eq!(receipt.provider_id(), None);
/// # Ok(())
/// # }
/// ```
pub struct Console {
    name: ChannelName,
    enabled: bool,
    target: &'static str,
    writer: Blocking<Box<dyn Write + Send>>,
}

impl Console {
    /// Most bytes that one notification writes.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Writes to the standard error stream.
    pub fn stderr(name: ChannelName) -> Self {
        Self::new(name, &ConsoleConfig { stream: ConsoleStream::Stderr, ..ConsoleConfig::default() })
    }

    /// Writes to the standard output stream.
    pub fn stdout(name: ChannelName) -> Self {
        Self::new(name, &ConsoleConfig { stream: ConsoleStream::Stdout, ..ConsoleConfig::default() })
    }

    /// Writes to whatever the host likes; on a thread of its own too.
    pub fn to(name: ChannelName, writer: impl Write + Send + 'static) -> Self {
        Self { name, enabled: true, target: "writer", writer: Blocking::new(THREAD, Box::new(writer)) }
    }

    /// Writes as a configuration says.
    pub fn new(name: ChannelName, config: &ConsoleConfig) -> Self {
        let writer: Box<dyn Write + Send> = match config.stream {
            ConsoleStream::Stderr => Box::new(io::stderr()),
            ConsoleStream::Stdout => Box::new(io::stdout()),
        };
        Self {
            name,
            enabled: config.enabled,
            target: config.stream.as_str(),
            writer: Blocking::new(THREAD, writer),
        }
    }

    async fn write(&self, text: String) -> Result<(), SendError> {
        let target = self.target;
        self.writer
            .run(move |writer| writer.write_all(text.as_bytes()).and_then(|()| writer.flush()))
            .await
            .map_err(|error| job_fault(&error))?
            .map_err(|error| write_fault(target, Stage::During, &error))
    }
}

#[async_trait]
impl AlertChannel for Console {
    fn name(&self) -> &ChannelName {
        &self.name
    }

    fn enabled(&self) -> bool {
        self.enabled
    }

    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        self.write(lines(notification)).await?;
        Ok(Receipt::delivered())
    }

    async fn close(&self) -> Result<(), SendError> {
        self.write(String::new()).await
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// The notification as text.
fn lines(notification: &Notification) -> String {
    /// Room for the line that tells how many are left out.
    const REST: usize = 64;
    let mut text = String::new();
    let at = notification.at().to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let body = notification.text();
    let title = format!("{at} {}", notification.title());
    let mut all = std::iter::once(("", title.as_str())).chain(body.lines().map(|line| ("  ", line)));
    for (indent, line) in all.by_ref() {
        if text.len() + indent.len() + line.len() + 1 > Console::MAX_LEN - REST {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  ({} more lines)", all.count() + 1);
            break;
        }
        text.push_str(indent);
        text.push_str(line);
        text.push('\n');
    }
    text
}
