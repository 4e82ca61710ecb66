//! Which of the common collectors run, and how often.

use std::time::Duration;

use bellwether_core::HumanDuration;

#[cfg(feature = "config")]
mod section;

/// Interval of a common collector that says nothing else: 5 seconds.
pub const DEFAULT_COLLECTOR_INTERVAL: Duration = Duration::from_secs(5);
/// Window of the trend of memory: 10 minutes. Range: [`MIN_TREND_WINDOW`] to [`MAX_TREND_WINDOW`].
pub const DEFAULT_TREND_WINDOW: Duration = Duration::from_mins(10);
/// Least window of the trend of memory: 1 minute.
pub const MIN_TREND_WINDOW: Duration = Duration::from_mins(1);
/// Greatest window of the trend of memory: 1 day.
pub const MAX_TREND_WINDOW: Duration = Duration::from_hours(24);

/// Which of the common collectors run, and how often: the section `collectors` of a configuration. By default all of them do; of
/// those that need something of the host (allocator, database pools, feeds) the ones that it gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CollectorsConfig {
    /// Of the machine.
    pub system: CollectorSwitch,
    /// Of the control group of the process.
    pub cgroup: CollectorSwitch,
    /// Of the process.
    pub process: CollectorSwitch,
    /// Of the tokio runtime.
    pub runtime: CollectorSwitch,
    /// Of the allocator.
    pub allocator: CollectorSwitch,
    /// Of database pools.
    pub database: CollectorSwitch,
    /// Of data feeds.
    pub feeds: CollectorSwitch,
    /// Of the trend of memory and the sizes of collections.
    pub memory: CollectorSwitch,
    /// The trend of memory is that of so much time. Default: [`DEFAULT_TREND_WINDOW`].
    pub memory_window: HumanDuration,
}

/// Whether a common collector runs, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CollectorSwitch {
    /// Whether it runs. Default: it does.
    pub enabled: bool,
    /// How often. Default: [`DEFAULT_COLLECTOR_INTERVAL`].
    pub interval: HumanDuration,
}

impl CollectorSwitch {
    /// It runs, once per interval.
    pub fn every(interval: Duration) -> Self {
        Self { enabled: true, interval: HumanDuration::new(interval) }
    }

    /// It does not run.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}

impl Default for CollectorSwitch {
    fn default() -> Self {
        Self::every(DEFAULT_COLLECTOR_INTERVAL)
    }
}

impl Default for CollectorsConfig {
    fn default() -> Self {
        Self {
            system: CollectorSwitch::default(),
            cgroup: CollectorSwitch::default(),
            process: CollectorSwitch::default(),
            runtime: CollectorSwitch::default(),
            allocator: CollectorSwitch::default(),
            database: CollectorSwitch::default(),
            feeds: CollectorSwitch::default(),
            memory: CollectorSwitch::default(),
            memory_window: HumanDuration::new(DEFAULT_TREND_WINDOW),
        }
    }
}
