//! How a channel is sent to.
use bellwether_core::HumanDuration;
use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::resilience::MAX_PERMITS;

use super::{DAY, millis, seconds};

/// How a channel is sent to: deadline, retries, rate limit, circuit breaker.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct DeliveryConfig {
    /// How long one attempt may take. Default 10 s; 1 ms to 10 min.
    pub timeout: HumanDuration,
    /// How long after the first failure the second attempt is made, about. Default 0.5 s; 1 ms to 1 h.
    pub first_retry: HumanDuration,
    /// What each wait is multiplied by to give the next. Default 2; 1 to 10.
    pub retry_factor: f64,
    /// The longest wait between attempts. Default 1 min; `first_retry` to 1 day.
    pub longest_retry: HumanDuration,
    /// How far waits are spread, as a fraction of each. Default 0.5; 0 to 0.99.
    pub jitter: f64,
    /// Most attempts, the first included. As many as fit into `give_up_after` if not said; 1 to 1,000,000. Those made for a
    /// message whose place a newer one took count for the newer one, unless an alert [fires anew](crate::Notification::fires_anew) by it.
    pub max_attempts: Option<u32>,
    /// How long after a message was made its last attempt may begin; then it is a dead letter. Default 4 h, when the engine tells again
    /// anyway; 1 s to 30 days. One that took the place of an older message counts from when that was made, unless an alert
    /// [fires anew](crate::Notification::fires_anew) by it.
    pub give_up_after: HumanDuration,
    /// How many messages may be sent in which time.
    pub rate: RateConfig,
    /// When a channel that keeps failing is left alone.
    pub breaker: BreakerConfig,
    /// How long closing the channel may take. Default 5 s; 1 ms to 10 min.
    pub close_timeout: HumanDuration,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            timeout: seconds(10),
            first_retry: millis(500),
            retry_factor: 2.0,
            longest_retry: seconds(60),
            jitter: 0.5,
            max_attempts: None,
            give_up_after: seconds(4 * 3_600),
            rate: RateConfig::default(),
            breaker: BreakerConfig::default(),
            close_timeout: seconds(5),
        }
    }
}

/// At most so many messages in any stretch of time.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct RateConfig {
    /// How many. Default 60; 1 to 65,536.
    pub permits: u32,
    /// In which time. Default 1 min; 1 ms to 1 day.
    pub per: HumanDuration,
    /// How many of them are for critical messages alone. Default 12; 0 to one less than `permits`.
    pub reserved_for_critical: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self { permits: 60, per: seconds(60), reserved_for_critical: 12 }
    }
}

/// When a channel that keeps failing is left alone, and for how long.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct BreakerConfig {
    /// Failures in a row that open the circuit. Default 5; 1 to 1,000.
    pub failures: u32,
    /// How long it stays open the first time; twice as long each time the attempt after it fails. Default 30 s; 1 ms to 1 day.
    pub open_for: HumanDuration,
    /// The longest time it stays open. Default 5 min; `open_for` to 1 day.
    pub open_at_most: HumanDuration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures: 5, open_for: seconds(30), open_at_most: seconds(300) }
    }
}

impl Validate for DeliveryConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        problems.within(&at.key("timeout"), &self.timeout, millis(1)..=seconds(600));
        problems.within(&at.key("first_retry"), &self.first_retry, millis(1)..=seconds(3_600));
        problems.within(&at.key("retry_factor"), &self.retry_factor, 1.0..=10.0);
        problems.within(&at.key("longest_retry"), &self.longest_retry, self.first_retry..=seconds(DAY));
        problems.within(&at.key("jitter"), &self.jitter, 0.0..=0.99);
        if let Some(attempts) = &self.max_attempts {
            problems.within(&at.key("max_attempts"), attempts, 1..=1_000_000);
        }
        problems.within(&at.key("give_up_after"), &self.give_up_after, seconds(1)..=seconds(30 * DAY));
        problems.within(&at.key("close_timeout"), &self.close_timeout, millis(1)..=seconds(600));
        let rate = at.key("rate");
        problems.within(&rate.key("permits"), &self.rate.permits, 1..=MAX_PERMITS);
        problems.within(&rate.key("per"), &self.rate.per, millis(1)..=seconds(DAY));
        let shared = self.rate.permits.saturating_sub(1);
        problems.within(&rate.key("reserved_for_critical"), &self.rate.reserved_for_critical, 0..=shared);
        let breaker = at.key("breaker");
        problems.within(&breaker.key("failures"), &self.breaker.failures, 1..=1_000);
        problems.within(&breaker.key("open_for"), &self.breaker.open_for, millis(1)..=seconds(DAY));
        problems.within(
            &breaker.key("open_at_most"),
            &self.breaker.open_at_most,
            self.breaker.open_for..=seconds(DAY),
        );
    }
}
