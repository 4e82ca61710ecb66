//! When a circuit breaker opens, and what closes it.
use std::num::NonZeroU32;
use std::time::Duration;

/// Why settings of a breaker do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BreakerError {
    /// A length that must not be zero is.
    #[error("{which} is zero; expected a length above zero")]
    Zero {
        /// Which setting.
        which: &'static str,
    },
    /// A failure ratio outside `(0, 1]`.
    #[error("failure ratio {ratio} is outside (0, 1]")]
    Ratio {
        /// What was asked for.
        ratio: f64,
    },
    /// A factor below one would open for shorter and shorter.
    #[error("open factor {factor} is not a finite number of 1 or more")]
    Factor {
        /// What was asked for.
        factor: f64,
    },
    /// The longest open time lies below the first.
    #[error("longest open time {longest:?} is below the first one {first:?}")]
    LongestBelowFirst {
        /// The longest open time asked for.
        longest: Duration,
        /// The first open time asked for.
        first: Duration,
    },
}

/// Opens a breaker on a share of failures among recent calls, for sides that fail often but not always.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailureRatio {
    /// Failures among all judged calls that open the breaker, in `(0, 1]`.
    pub ratio: f64,
    /// How far back calls count, to a tenth of it.
    pub window: Duration,
    /// Fewer calls than this in the window say nothing.
    pub least_calls: NonZeroU32,
}

/// When a [`CircuitBreaker`](super::CircuitBreaker) opens, for how long, and what closes it; checked as a
/// whole.
///
/// Default: 5 failures in a row open it for 30 s, twice as long after each failed probe, 5 minutes at most;
/// one success closes it; a probe has 30 s to report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    failures: NonZeroU32,
    failure_ratio: Option<FailureRatio>,
    open_for: Duration,
    open_factor: f64,
    open_at_most: Duration,
    successes: NonZeroU32,
    probe_lease: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: NonZeroU32::MIN.saturating_add(4),
            failure_ratio: None,
            open_for: Duration::from_secs(30),
            open_factor: 2.0,
            open_at_most: Duration::from_mins(5),
            successes: NonZeroU32::MIN,
            probe_lease: Duration::from_secs(30),
        }
    }
}

impl BreakerSettings {
    /// Begins with the default and changes what is said.
    pub fn builder() -> BreakerSettingsBuilder {
        BreakerSettingsBuilder { settings: Self::default() }
    }

    /// Failures in a row that open it.
    pub fn failures(&self) -> NonZeroU32 {
        self.failures
    }

    /// The share of failures that opens it as well, if any does.
    pub fn failure_ratio(&self) -> Option<FailureRatio> {
        self.failure_ratio
    }

    /// How long it stays open the first time.
    pub fn open_for(&self) -> Duration {
        self.open_for
    }

    /// The longest open time.
    pub fn open_at_most(&self) -> Duration {
        self.open_at_most
    }

    /// Successful probes, one after the other, that close it.
    pub fn successes(&self) -> NonZeroU32 {
        self.successes
    }

    /// How long a probe may go without a word before its place is given to another.
    pub fn probe_lease(&self) -> Duration {
        self.probe_lease
    }

    /// How long it stays open when it opens for the `nth` time in a row, counted from 0.
    pub fn open_time(&self, nth: u32) -> Duration {
        let exponent = i32::try_from(nth).unwrap_or(i32::MAX);
        let seconds = self.open_for.as_secs_f64() * self.open_factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.open_at_most).min(self.open_at_most)
    }
}

/// Makes [`BreakerSettings`], checked by [`build`](Self::build).
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is checked before `build`"]
pub struct BreakerSettingsBuilder {
    settings: BreakerSettings,
}

impl BreakerSettingsBuilder {
    /// Failures in a row that open the breaker.
    pub fn failures(mut self, failures: NonZeroU32) -> Self {
        self.settings.failures = failures;
        self
    }

    /// A share of failures that opens it as well.
    pub fn failure_ratio(mut self, ratio: FailureRatio) -> Self {
        self.settings.failure_ratio = Some(ratio);
        self
    }

    /// How long it stays open the first time; above zero.
    pub fn open_for(mut self, length: Duration) -> Self {
        self.settings.open_for = length;
        self
    }

    /// What the open time is multiplied by each time a probe fails; 1 or more.
    pub fn open_factor(mut self, factor: f64) -> Self {
        self.settings.open_factor = factor;
        self
    }

    /// The longest open time; not below the first.
    pub fn open_at_most(mut self, length: Duration) -> Self {
        self.settings.open_at_most = length;
        self
    }

    /// Successful probes, one after the other, that close it.
    pub fn successes(mut self, successes: NonZeroU32) -> Self {
        self.settings.successes = successes;
        self
    }

    /// How long a probe may go without a word before its place is given to another; above zero, and longer
    /// than the caller's own timeout.
    pub fn probe_lease(mut self, length: Duration) -> Self {
        self.settings.probe_lease = length;
        self
    }

    /// The settings, or what is wrong with them.
    pub fn build(self) -> Result<BreakerSettings, BreakerError> {
        let BreakerSettings { failure_ratio, open_for, open_factor, open_at_most, probe_lease, .. } =
            self.settings;
        if open_for.is_zero() {
            return Err(BreakerError::Zero { which: "the open time" });
        }
        if probe_lease.is_zero() {
            return Err(BreakerError::Zero { which: "the probe lease" });
        }
        if !(open_factor.is_finite() && open_factor >= 1.0) {
            return Err(BreakerError::Factor { factor: open_factor });
        }
        if open_at_most < open_for {
            return Err(BreakerError::LongestBelowFirst { longest: open_at_most, first: open_for });
        }
        if let Some(FailureRatio { ratio, window, .. }) = failure_ratio {
            if !(ratio > 0.0 && ratio <= 1.0) {
                return Err(BreakerError::Ratio { ratio });
            }
            if window.is_zero() {
                return Err(BreakerError::Zero { which: "the window of the failure ratio" });
            }
        }
        Ok(self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_setting_is_refused_with_its_value() {
        let wrong = |change: fn(BreakerSettingsBuilder) -> BreakerSettingsBuilder| {
            change(BreakerSettings::builder()).build().unwrap_err().to_string()
        };
        assert_eq!(
            wrong(|s| s.open_for(Duration::ZERO)),
            "the open time is zero; expected a length above zero"
        );
        assert_eq!(
            wrong(|s| s.probe_lease(Duration::ZERO)),
            "the probe lease is zero; expected a length above zero"
        );
        assert_eq!(wrong(|s| s.open_factor(0.9)), "open factor 0.9 is not a finite number of 1 or more");
        assert_eq!(
            wrong(|s| s.open_at_most(Duration::from_secs(1))),
            "longest open time 1s is below the first one 30s"
        );
        let ratio = |ratio, window| FailureRatio { ratio, window, least_calls: NonZeroU32::MIN };
        for share in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
            let built =
                BreakerSettings::builder().failure_ratio(ratio(share, Duration::from_secs(1))).build();
            assert!(matches!(built, Err(BreakerError::Ratio { .. })), "{share}");
        }
        let built = BreakerSettings::builder().failure_ratio(ratio(0.5, Duration::ZERO)).build();
        assert!(matches!(built, Err(BreakerError::Zero { .. })));
    }

    #[test]
    fn open_times_grow_to_the_longest_and_stay_there() {
        let settings = BreakerSettings::default();
        let seconds: Vec<u64> = [0, 1, 2, 3, 4, u32::MAX].map(|nth| settings.open_time(nth).as_secs()).into();
        assert_eq!(seconds, [30, 60, 120, 240, 300, 300]);
    }
}
