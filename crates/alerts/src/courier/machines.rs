//! What decides whether and when a channel is sent to.
use std::num::NonZeroU32;
use std::time::Duration;

use bellwether_core::resilience::{BreakerSettings, CircuitBreaker, Jitter, RateLimiter, RetrySchedule};

use super::sent::Sent;
use crate::config::DeliveryConfig;

/// How much longer than an attempt the probe of a circuit may take until it is told.
const PROBE_MARGIN: Duration = Duration::from_secs(5);

/// What decides whether and when a channel is sent to.
pub(super) struct Machines {
    pub(super) limiter: RateLimiter,
    pub(super) breaker: CircuitBreaker,
    pub(super) jitter: Jitter,
    pub(super) sent: Sent,
}

impl Machines {
    /// As configured, or what in it contradicts itself.
    pub(super) fn new(config: &DeliveryConfig, jitter: Jitter) -> Result<Self, String> {
        let permits = NonZeroU32::new(config.rate.permits).unwrap_or(NonZeroU32::MIN);
        let breaker = BreakerSettings::builder()
            .failures(NonZeroU32::new(config.breaker.failures).unwrap_or(NonZeroU32::MIN))
            .open_for(config.breaker.open_for.get())
            .open_at_most(config.breaker.open_at_most.get())
            .probe_lease(config.timeout.get().saturating_add(PROBE_MARGIN))
            .build();
        Ok(Self {
            limiter: RateLimiter::new(permits, config.rate.per.get()).map_err(|error| error.to_string())?,
            breaker: CircuitBreaker::new(breaker.map_err(|error| error.to_string())?),
            jitter,
            sent: Sent::default(),
        })
    }
}

/// The schedule of attempts as configured, or what in it contradicts itself.
pub(super) fn schedule(config: &DeliveryConfig) -> Result<RetrySchedule, String> {
    let mut schedule = RetrySchedule::builder()
        .first(config.first_retry.get())
        .factor(config.retry_factor)
        .cap(config.longest_retry.get())
        .jitter(config.jitter)
        .budget(config.give_up_after.get());
    if let Some(attempts) = config.max_attempts.and_then(NonZeroU32::new) {
        schedule = schedule.max_attempts(attempts);
    }
    schedule.build().map_err(|error| error.to_string())
}
