//! Machines that decide when to try, when to wait and when to give up.
//!
//! All of them are pure: the time goes in as a [`Monotonic`](crate::Monotonic), the answer comes out at once.
//! None reads a clock, waits, locks, or rolls dice: where chance belongs to the rule, the caller hands in a
//! fraction in `[0, 1)`, from [`Jitter`] or from a test. So a courier, a store writer and a page server use
//! the same machines, and a day of failures replays in a millisecond.
//!
//! | machine | question it answers |
//! | --- | --- |
//! | [`RateLimiter`] | may this go out now, or when? |
//! | [`RetrySchedule`], [`Retry`] | this failed: when to try again, or is it enough? |
//! | [`CircuitBreaker`] | is the other side worth asking at all? |
//! | [`RestartBudget`] | has this failed too often to be started once more? |

mod breaker_settings;
mod circuit_breaker;
mod failure_window;
mod jitter;
mod rate_limiter;
mod restart_budget;
mod retry;
mod retry_schedule;

pub use self::breaker_settings::{BreakerError, BreakerSettings, BreakerSettingsBuilder, FailureRatio};
pub use self::circuit_breaker::{Admission, BreakerChange, BreakerState, CircuitBreaker, Outcome, Ticket};
pub use self::jitter::Jitter;
pub use self::rate_limiter::{Acquire, MAX_PERMITS, RateLimitError, RateLimiter};
pub use self::restart_budget::{MAX_RESTARTS, RestartBudget, RestartBudgetError, Verdict};
pub use self::retry::{GiveUp, Next, Retry};
pub use self::retry_schedule::{RetrySchedule, RetryScheduleBuilder, RetryScheduleError};
