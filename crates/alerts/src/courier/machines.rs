//! What decides whether and when a channel is sent to.
use std::num::NonZeroU32;
use std::time::Duration;

use bellwether_core::resilience::{BreakerSettings, CircuitBreaker, Jitter, RateLimiter, RetrySchedule};

use super::recent::Recent;
use crate::IdempotencyKey;
use crate::config::DeliveryConfig;

/// How much longer than an attempt the probe of a circuit may take until it is told.
const PROBE_MARGIN: Duration = Duration::from_secs(5);

/// How many keys of what has been sent are remembered.
const SENT: usize = 10_000;

/// What decides whether and when a channel is sent to.
pub(super) struct Machines {
    pub(super) limiter: RateLimiter,
    pub(super) breaker: CircuitBreaker,
    /// The message whose failure opened the circuit.
    pub(super) failed_probe: Option<IdempotencyKey>,
    pub(super) jitter: Jitter,
    /// Keys of what has been sent lately: if the outbox could not be told, it is not sent again.
    pub(super) sent: Recent<IdempotencyKey, ()>,
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
            failed_probe: None,
            jitter,
            sent: Recent::new(SENT),
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
