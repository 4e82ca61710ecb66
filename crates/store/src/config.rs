//! How a store is opened: the section `store` of a configuration.

mod section;

use std::ops::RangeInclusive;
use std::time::Duration;

use bellwether_core::HumanDuration;
use bellwether_core::config::{ConfigPath, Problems, Validate};
use serde::{Deserialize, Serialize};

use crate::DatabaseUrl;

/// Range of `busy_timeout`.
pub const BUSY_TIMEOUT_RANGE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(1);
/// Range of `acquire_timeout` and `read_timeout`.
pub const TIMEOUT_RANGE: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_mins(10);
/// Range of `readers`.
pub const READERS_RANGE: RangeInclusive<usize> = 1..=16;
/// Range of `queue`.
pub const QUEUE_RANGE: RangeInclusive<usize> = 1..=100_000;
/// Least `max_bytes`: 1 MiB.
pub const MIN_MAX_BYTES: u64 = 1 << 20;
/// Range of `samples.queue`.
pub const SAMPLE_QUEUE_RANGE: RangeInclusive<usize> = 1..=100_000_000;
/// Range of `samples.flush_batches`.
pub const FLUSH_BATCHES_RANGE: RangeInclusive<usize> = 1..=100_000;
/// Range of `samples.max_series`.
pub const MAX_SERIES_RANGE: RangeInclusive<usize> = 1..=10_000_000;
/// Range of `samples.max_age`.
pub const MAX_AGE_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(36_525 * 24);
/// Range of every bound of rows.
pub const ROWS_RANGE: RangeInclusive<u32> = 1..=100_000_000;

/// How a store is opened: the section `store` of a configuration. Checked whole before anything opens.
///
/// ```
/// use bellwether_core::config::Validate;
/// use bellwether_store::StoreConfig;
/// let config = StoreConfig::file("desk.db").with_readers(0);
/// assert_eq!(config.check().unwrap_err().to_string(), "readers: 0 is outside of [1, 16]");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Which database. Default: the file `bellwether.db` in the working directory.
    pub url: DatabaseUrl,
    /// How long to wait for another program's lock on the file. Default: 5 s.
    pub busy_timeout: HumanDuration,
    /// How long a read waits for a free connection. Default: 5 s.
    pub acquire_timeout: HumanDuration,
    /// How long one page may take to read; then it is interrupted. Default: 5 s.
    pub read_timeout: HumanDuration,
    /// Connections for reading. Default: 2.
    pub readers: usize,
    /// Requests that wait for the writer; when it is full, callers are told that it is busy. Default: 1,024.
    pub queue: usize,
    /// Greatest size of the file in bytes, without its log. Default: no bound.
    pub max_bytes: Option<u64>,
    /// Samples.
    pub samples: SampleConfig,
    /// Outbox, notification log and alert history.
    pub alerts: AlertConfig,
    /// Snapshots.
    pub snapshots: SnapshotConfig,
}

/// How samples are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SampleConfig {
    /// Samples that wait to be written; beyond it the oldest batch is dropped and counted. Default: 500,000, which
    /// take about 8 MB.
    pub queue: usize,
    /// Batches that must wait before the writer starts by itself: with 1 at once, with more fewer and larger commits.
    /// What waits is lost when the process dies. Default: 1.
    pub flush_batches: usize,
    /// Series that are kept; samples of further ones are dropped and counted. Default: 100,000.
    pub max_series: usize,
    /// Greatest age of a sample; older ones are not read. They are deleted once the store was open for so long since they came and
    /// nothing older than they has come in that time, so that a clock that jumps deletes nothing. Default: no bound.
    pub max_age: Option<HumanDuration>,
}

/// How much is kept of alerts. Beyond a bound the oldest rows go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AlertConfig {
    /// Open deliveries. When it is full, a new delivery takes the place of the oldest of the mildest that is not claimed,
    /// if that is not worse; what had to go becomes a dead letter. Default: 10,000.
    pub open_deliveries: u32,
    /// Settled deliveries whose keys are remembered, so that putting them again puts nothing. Default: 100,000.
    pub settled_keys: u32,
    /// Dead letters. Default: 10,000.
    pub dead_letters: u32,
    /// Records of the notification log. Default: 1,000,000.
    pub notification_log: u32,
    /// Changes in the alert history; the beginnings of alerts that still fire are kept beyond it. Default: 1,000,000.
    pub alert_history: u32,
}

/// How many snapshots are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SnapshotConfig {
    /// Snapshots; beyond it those that were put first go, whether they were replaced since or not. Default: 1,000,000.
    pub snapshots: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        let seconds = |seconds| HumanDuration::new(Duration::from_secs(seconds));
        Self {
            url: DatabaseUrl::file("bellwether.db"),
            busy_timeout: seconds(5),
            acquire_timeout: seconds(5),
            read_timeout: seconds(5),
            readers: 2,
            queue: 1_024,
            max_bytes: None,
            samples: SampleConfig::default(),
            alerts: AlertConfig::default(),
            snapshots: SnapshotConfig::default(),
        }
    }
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self { queue: 500_000, flush_batches: 1, max_series: 100_000, max_age: None }
    }
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            open_deliveries: 10_000,
            settled_keys: 100_000,
            dead_letters: 10_000,
            notification_log: 1_000_000,
            alert_history: 1_000_000,
        }
    }
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self { snapshots: 1_000_000 }
    }
}

impl StoreConfig {
    /// The defaults, for this database.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url, ..Self::default() }
    }

    /// The defaults, for this SQLite file.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self::new(DatabaseUrl::file(path))
    }

    /// With another wait for foreign locks.
    #[must_use]
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = HumanDuration::new(timeout);
        self
    }

    /// With another wait for a free connection.
    #[must_use]
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = HumanDuration::new(timeout);
        self
    }

    /// With another deadline of reads.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = HumanDuration::new(timeout);
        self
    }

    /// With another number of connections for reading.
    #[must_use]
    pub fn with_readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// With another bound of waiting requests.
    #[must_use]
    pub fn with_queue(mut self, requests: usize) -> Self {
        self.queue = requests;
        self
    }

    /// With a bound of the file's size.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// With another keeping of samples.
    #[must_use]
    pub fn with_samples(mut self, samples: SampleConfig) -> Self {
        self.samples = samples;
        self
    }

    /// With other bounds of alerts.
    #[must_use]
    pub fn with_alerts(mut self, alerts: AlertConfig) -> Self {
        self.alerts = alerts;
        self
    }

    /// With another bound of snapshots.
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: SnapshotConfig) -> Self {
        self.snapshots = snapshots;
        self
    }
}

impl SampleConfig {
    /// With another bound of waiting samples.
    #[must_use]
    pub fn with_queue(mut self, samples: usize) -> Self {
        self.queue = samples;
        self
    }

    /// With another number of batches at which the writer starts by itself.
    #[must_use]
    pub fn with_flush_batches(mut self, batches: usize) -> Self {
        self.flush_batches = batches;
        self
    }

    /// With another bound of series.
    #[must_use]
    pub fn with_max_series(mut self, most: usize) -> Self {
        self.max_series = most;
        self
    }

    /// With a greatest age.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(HumanDuration::new(age));
        self
    }
}

fn durations(range: &RangeInclusive<Duration>) -> RangeInclusive<HumanDuration> {
    HumanDuration::new(*range.start())..=HumanDuration::new(*range.end())
}

impl Validate for StoreConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        if let Err(error) = self.url.check() {
            problems.push(&at.key("url"), error.to_string());
        }
        problems.within(&at.key("busy_timeout"), &self.busy_timeout, durations(&BUSY_TIMEOUT_RANGE));
        problems.within(&at.key("acquire_timeout"), &self.acquire_timeout, durations(&TIMEOUT_RANGE));
        problems.within(&at.key("read_timeout"), &self.read_timeout, durations(&TIMEOUT_RANGE));
        problems.within(&at.key("readers"), &self.readers, READERS_RANGE);
        problems.within(&at.key("queue"), &self.queue, QUEUE_RANGE);
        if let Some(bytes) = &self.max_bytes {
            problems.within(&at.key("max_bytes"), bytes, MIN_MAX_BYTES..);
        }
        self.samples.validate(&at.key("samples"), problems);
        self.alerts.validate(&at.key("alerts"), problems);
        self.snapshots.validate(&at.key("snapshots"), problems);
    }
}

impl Validate for SampleConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("queue"), &self.queue, SAMPLE_QUEUE_RANGE);
        problems.within(&at.key("flush_batches"), &self.flush_batches, FLUSH_BATCHES_RANGE);
        problems.within(&at.key("max_series"), &self.max_series, MAX_SERIES_RANGE);
        if let Some(age) = &self.max_age {
            problems.within(&at.key("max_age"), age, durations(&MAX_AGE_RANGE));
        }
    }
}

impl Validate for AlertConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        for (key, rows) in [
            ("open_deliveries", &self.open_deliveries),
            ("settled_keys", &self.settled_keys),
            ("dead_letters", &self.dead_letters),
            ("notification_log", &self.notification_log),
            ("alert_history", &self.alert_history),
        ] {
            problems.within(&at.key(key), rows, ROWS_RANGE);
        }
    }
}

impl Validate for SnapshotConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("snapshots"), &self.snapshots, ROWS_RANGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_at_once_with_its_path() {
        let text = r#"
            url = "sqlite://desk.db"
            readers = 99
            busy_timeout = "0s"
            max_bytes = 10
            [samples]
            queue = 0
            max_age = "0s"
            [alerts]
            settled_keys = 0
        "#;
        let config: StoreConfig = toml::from_str(text).unwrap();
        let problems = config.check().unwrap_err();
        let paths: Vec<String> = problems.iter().map(|problem| problem.path.to_string()).collect();
        assert_eq!(
            paths,
            [
                "busy_timeout",
                "readers",
                "max_bytes",
                "samples.queue",
                "samples.max_age",
                "alerts.settled_keys"
            ]
        );
    }

    #[test]
    fn the_defaults_are_valid_and_survive_a_file() {
        let config = StoreConfig::default();
        assert_eq!(config.check(), Ok(()));
        let text = "url = \"bellwether.db\"\nreaders = 2\n[samples]\nqueue = 500000\n";
        assert_eq!(toml::from_str::<StoreConfig>(text).unwrap(), config);
        assert!(toml::from_str::<StoreConfig>("pool = 3").is_err());
    }
}
