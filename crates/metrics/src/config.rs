//! How much a registry may hold.

use std::ops::RangeInclusive;
use std::time::Duration;

use bellwether_core::HumanDuration;

#[cfg(feature = "config")]
mod section;

/// Metrics of a registry, instruments and collectors together: 1,000. Range: [`MAX_METRICS_RANGE`].
pub const DEFAULT_MAX_METRICS: usize = 1_000;
/// Range of `max_metrics`.
pub const MAX_METRICS_RANGE: RangeInclusive<usize> = 1..=100_000;

/// Series of a registry, instruments and collectors together: 10,000. Range: [`MAX_SERIES_RANGE`].
pub const DEFAULT_MAX_SERIES: usize = 10_000;
/// Range of `max_series`.
pub const MAX_SERIES_RANGE: RangeInclusive<usize> = 1..=10_000_000;

/// Label sets of one metric: 2,000. Range: [`MAX_SERIES_RANGE`].
pub const DEFAULT_MAX_SERIES_PER_METRIC: usize = 2_000;

/// Collectors of a registry: 200. Range: [`MAX_COLLECTORS_RANGE`].
pub const DEFAULT_MAX_COLLECTORS: usize = 200;
/// Range of `max_collectors`.
pub const MAX_COLLECTORS_RANGE: RangeInclusive<usize> = 1..=10_000;

/// Samples of one series in the history: 1,000. Range: [`MAX_SAMPLES_RANGE`].
pub const DEFAULT_MAX_SAMPLES: usize = 1_000;
/// Range of `max_samples`.
pub const MAX_SAMPLES_RANGE: RangeInclusive<usize> = 2..=1_048_576;

/// Age of a sample in the history: 24 hours. Range: [`MIN_MAX_AGE`] to [`MAX_MAX_AGE`].
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(24);
/// Least `max_age`: 1 second.
pub const MIN_MAX_AGE: Duration = Duration::from_secs(1);
/// Greatest `max_age`: 36,525 days, a century; replays of long histories need decades.
pub const MAX_MAX_AGE: Duration = Duration::from_hours(36_525 * 24);

/// Least `idle_expiry`: 1 second.
pub const MIN_IDLE_EXPIRY: Duration = Duration::from_secs(1);
/// Greatest `idle_expiry`: 36,525 days.
pub const MAX_IDLE_EXPIRY: Duration = Duration::from_hours(36_525 * 24);

/// How much a registry may hold: the section `metrics` of a configuration.
///
/// A registry brings a number outside of its range to the nearest end of it; the loader of the configuration tells
/// of it before.
///
/// ```
/// use std::time::Duration;
/// use bellwether_metrics::{HistoryConfig, RegistryConfig};
/// let config = RegistryConfig::default()
///     .with_max_series(50_000)
///     .with_history(HistoryConfig::default().with_max_age(Duration::from_secs(3_600)));
/// assert_eq!(config.max_series_per_metric, 2_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct RegistryConfig {
    /// Most metrics, instruments and collectors together. Default: [`DEFAULT_MAX_METRICS`].
    pub max_metrics: usize,
    /// Most series, instruments and collectors together. Beyond it a new label set goes to the overflow series of its
    /// metric. Default: [`DEFAULT_MAX_SERIES`].
    pub max_series: usize,
    /// Most label sets of one metric, beside its overflow series. Default: [`DEFAULT_MAX_SERIES_PER_METRIC`].
    pub max_series_per_metric: usize,
    /// Most collectors. Default: [`DEFAULT_MAX_COLLECTORS`].
    pub max_collectors: usize,
    /// How long a series of an instrument may be idle before it goes; see
    /// [`Family::set_idle_expiry`](crate::Family::set_idle_expiry). Default: for ever.
    pub idle_expiry: Option<HumanDuration>,
    /// How much of the past is kept in memory.
    pub history: HistoryConfig,
}

/// How much of the past a series keeps in memory.
///
/// A full history takes about 18 bytes times `max_samples` for each series, twice for a histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct HistoryConfig {
    /// Most samples of one series. Default: [`DEFAULT_MAX_SAMPLES`].
    pub max_samples: usize,
    /// Greatest age of a sample. Default: [`DEFAULT_MAX_AGE`].
    pub max_age: HumanDuration,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            max_metrics: DEFAULT_MAX_METRICS,
            max_series: DEFAULT_MAX_SERIES,
            max_series_per_metric: DEFAULT_MAX_SERIES_PER_METRIC,
            max_collectors: DEFAULT_MAX_COLLECTORS,
            idle_expiry: None,
            history: HistoryConfig::default(),
        }
    }
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { max_samples: DEFAULT_MAX_SAMPLES, max_age: HumanDuration::new(DEFAULT_MAX_AGE) }
    }
}

impl RegistryConfig {
    /// With another bound of metrics.
    #[must_use]
    pub fn with_max_metrics(mut self, most: usize) -> Self {
        self.max_metrics = most;
        self
    }

    /// With another bound of series.
    #[must_use]
    pub fn with_max_series(mut self, most: usize) -> Self {
        self.max_series = most;
        self
    }

    /// With another bound of label sets per metric.
    #[must_use]
    pub fn with_max_series_per_metric(mut self, most: usize) -> Self {
        self.max_series_per_metric = most;
        self
    }

    /// With another bound of collectors.
    #[must_use]
    pub fn with_max_collectors(mut self, most: usize) -> Self {
        self.max_collectors = most;
        self
    }

    /// With another time that a series may be idle; `None` for ever.
    #[must_use]
    pub fn with_idle_expiry(mut self, after: Option<Duration>) -> Self {
        self.idle_expiry = after.map(HumanDuration::new);
        self
    }

    /// With another history.
    #[must_use]
    pub fn with_history(mut self, history: HistoryConfig) -> Self {
        self.history = history;
        self
    }

    /// Every number within its range.
    pub(crate) fn clamped(self) -> Self {
        Self {
            max_metrics: clamp(self.max_metrics, MAX_METRICS_RANGE),
            max_series: clamp(self.max_series, MAX_SERIES_RANGE),
            max_series_per_metric: clamp(self.max_series_per_metric, MAX_SERIES_RANGE),
            max_collectors: clamp(self.max_collectors, MAX_COLLECTORS_RANGE),
            idle_expiry: self
                .idle_expiry
                .map(|after| HumanDuration::new(after.get().clamp(MIN_IDLE_EXPIRY, MAX_IDLE_EXPIRY))),
            history: self.history.clamped(),
        }
    }
}

impl HistoryConfig {
    /// With another bound of samples per series.
    #[must_use]
    pub fn with_max_samples(mut self, most: usize) -> Self {
        self.max_samples = most;
        self
    }

    /// With another greatest age.
    #[must_use]
    pub fn with_max_age(mut self, most: Duration) -> Self {
        self.max_age = HumanDuration::new(most);
        self
    }

    /// Every number within its range.
    pub(crate) fn clamped(&self) -> Self {
        Self {
            max_samples: clamp(self.max_samples, MAX_SAMPLES_RANGE),
            max_age: HumanDuration::new(self.max_age.get().clamp(MIN_MAX_AGE, MAX_MAX_AGE)),
        }
    }
}

fn clamp(value: usize, range: RangeInclusive<usize>) -> usize {
    value.clamp(*range.start(), *range.end())
}
