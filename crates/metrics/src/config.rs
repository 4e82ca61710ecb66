//! How much a registry may hold.

use std::ops::RangeInclusive;
use std::time::Duration;

use bellwether_core::HumanDuration;

use crate::history::Long;

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
/// Span of the second tier that samples are summed up in: a minute. Range: [`RESOLUTION_RANGE`].
#[cfg(feature = "long-history")]
pub const DEFAULT_RESOLUTION: Duration = Duration::from_mins(1);
/// Range of `resolution`: a second to a day.
#[cfg(feature = "long-history")]
pub const RESOLUTION_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
/// Range of `max_spans`; the default is 0, no second tier.
#[cfg(feature = "long-history")]
pub const MAX_SPANS_RANGE: RangeInclusive<usize> = 0..=1_048_576;
/// Age of what the second tier knows: 30 days. Range: [`MIN_MAX_AGE`] to [`MAX_MAX_AGE`].
#[cfg(feature = "long-history")]
pub const DEFAULT_LONG_MAX_AGE: Duration = Duration::from_hours(30 * 24);

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
    /// What becomes of samples that leave for a bound.
    #[cfg(feature = "long-history")]
    pub long: LongHistoryConfig,
}

/// The second tier of a series: what it remembers of samples that it does not keep one by one any more.
///
/// Samples that leave for `max_samples` or `max_age` are summed up in spans of `resolution` on a grid since the epoch. A
/// span takes 152 bytes, and is taken for lying where its newest sample lies. From both tiers together come all aggregates
/// but quantiles, and steps and trends over days; pages of samples have the newest of each span.
///
/// ```
/// use std::time::Duration;
/// use bellwether_metrics::{HistoryConfig, LongHistoryConfig};
/// // A week of minutes: 1.5 MB a series.
/// let config = HistoryConfig::default().with_long(LongHistoryConfig::default().with_max_spans(7 * 1_440));
/// assert_eq!(config.long.resolution.get(), Duration::from_secs(60));
/// ```
#[cfg(feature = "long-history")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct LongHistoryConfig {
    /// Most spans of one series. Default: 0, which is no second tier.
    pub max_spans: usize,
    /// How long a span is. Default: [`DEFAULT_RESOLUTION`].
    pub resolution: HumanDuration,
    /// Greatest age of the newest sample of a span. Default: [`DEFAULT_LONG_MAX_AGE`].
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
        Self {
            max_samples: DEFAULT_MAX_SAMPLES,
            max_age: HumanDuration::new(DEFAULT_MAX_AGE),
            #[cfg(feature = "long-history")]
            long: LongHistoryConfig::default(),
        }
    }
}

#[cfg(feature = "long-history")]
impl Default for LongHistoryConfig {
    fn default() -> Self {
        Self {
            max_spans: 0,
            resolution: HumanDuration::new(DEFAULT_RESOLUTION),
            max_age: HumanDuration::new(DEFAULT_LONG_MAX_AGE),
        }
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
            #[cfg(feature = "long-history")]
            long: self.long.clamped(),
        }
    }

    /// With another second tier.
    #[cfg(feature = "long-history")]
    #[must_use]
    pub fn with_long(mut self, long: LongHistoryConfig) -> Self {
        self.long = long;
        self
    }

    /// The second tier of a series, still empty; nothing if there is to be none.
    #[cfg(feature = "long-history")]
    pub(crate) fn long_tier(&self) -> Option<Long> {
        let LongHistoryConfig { max_spans, resolution, max_age } = &self.long;
        (*max_spans > 0).then(|| Long::new(resolution.get(), *max_spans, max_age.get()))
    }

    /// Without the feature there is no second tier.
    #[cfg(not(feature = "long-history"))]
    #[allow(clippy::unused_self, reason = "it says no more than the one with the feature")]
    pub(crate) fn long_tier(&self) -> Option<Long> {
        None
    }

    /// The age after which nothing is known of a sample.
    pub(crate) fn longest_age(&self) -> Duration {
        #[cfg(feature = "long-history")]
        if self.long.max_spans > 0 {
            return self.max_age.get().max(self.long.max_age.get());
        }
        self.max_age.get()
    }
}

#[cfg(feature = "long-history")]
impl LongHistoryConfig {
    /// With another bound of spans per series; 0 is no second tier.
    #[must_use]
    pub fn with_max_spans(mut self, most: usize) -> Self {
        self.max_spans = most;
        self
    }

    /// With spans of another length.
    #[must_use]
    pub fn with_resolution(mut self, length: Duration) -> Self {
        self.resolution = HumanDuration::new(length);
        self
    }

    /// With another greatest age.
    #[must_use]
    pub fn with_max_age(mut self, most: Duration) -> Self {
        self.max_age = HumanDuration::new(most);
        self
    }

    /// Every number within its range.
    fn clamped(&self) -> Self {
        let (shortest, longest) = (*RESOLUTION_RANGE.start(), *RESOLUTION_RANGE.end());
        Self {
            max_spans: clamp(self.max_spans, MAX_SPANS_RANGE),
            resolution: HumanDuration::new(self.resolution.get().clamp(shortest, longest)),
            max_age: HumanDuration::new(self.max_age.get().clamp(MIN_MAX_AGE, MAX_MAX_AGE)),
        }
    }
}

fn clamp(value: usize, range: RangeInclusive<usize>) -> usize {
    value.clamp(*range.start(), *range.end())
}
