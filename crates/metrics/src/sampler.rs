//! The task that samples a registry.

use std::fmt;
use std::time::Duration;

use bellwether_core::{RestartPolicy, SharedClock, SpawnError, Stop, Task, Tasks, Timestamp};

use crate::Registry;

/// Least interval of a [`Sampler`]: 1 millisecond, the resolution of timers.
pub const MIN_SAMPLE_INTERVAL: Duration = Duration::from_millis(1);
/// Greatest interval of a [`Sampler`]: 1 day.
pub const MAX_SAMPLE_INTERVAL: Duration = Duration::from_hours(24);

/// The task that samples a registry, once per interval, on a grid.
///
/// Ticks are due at whole multiples of the interval since 1970-01-01T00:00:00Z, so that the series of many hosts share
/// their stamps. A tick that is late by up to a tenth of the interval bears the instant it was due; a later one bears
/// the instant it was taken, since its values are of then, and so does one before whose turn the host took a sample of
/// its own: stamps never go back. Ticks that were missed altogether are not made up for.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Supervisor, SystemClock};
/// use bellwether_metrics::{Registry, RegistryConfig, Sampler};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let metrics = Registry::new(&clock, RegistryConfig::default());
/// let sampler = Sampler::start(&metrics, &tasks.tasks(), Duration::from_secs(1))?;
/// # drop(sampler);
/// tasks.shutdown(Duration::from_secs(10)).await.into_result()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Sampler {
    task: Task,
    interval: Duration,
}

/// Why a sampler was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// The interval is too short or too long.
    #[error("sample interval {interval:?} is outside of {MIN_SAMPLE_INTERVAL:?} to {MAX_SAMPLE_INTERVAL:?}")]
    Interval {
        /// The interval.
        interval: Duration,
    },
    /// There can be no task.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl Sampler {
    /// Starts to sample. The task is owned by the supervisor behind `tasks`, is started again for ever should it fail,
    /// and ends when the supervisor shuts down, after the tick that is under way.
    pub fn start(registry: &Registry, tasks: &Tasks, interval: Duration) -> Result<Self, SamplerError> {
        if !(MIN_SAMPLE_INTERVAL..=MAX_SAMPLE_INTERVAL).contains(&interval) {
            return Err(SamplerError::Interval { interval });
        }
        let registry = registry.clone();
        let run = move |stop| sample_until(registry.clone(), interval, stop);
        Ok(Self { task: tasks.spawn("metrics sampler", RestartPolicy::forever(), run)?, interval })
    }

    /// How often it samples.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Its task.
    pub fn task(&self) -> &Task {
        &self.task
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampler").field("interval", &self.interval).finish_non_exhaustive()
    }
}

async fn sample_until(registry: Registry, interval: Duration, stop: Stop) {
    let clock = SharedClock::clone(registry.clock());
    loop {
        let due = next_tick(clock.timestamp(), interval);
        loop {
            let wait = due.saturating_since(clock.timestamp());
            if wait > interval {
                // The wall clock was set back: another tick is the next.
                break;
            }
            if stop.or(clock.sleep(wait)).await.is_none() {
                return;
            }
            // A timer may wake a little early by the wall clock.
            if clock.timestamp() >= due {
                registry.sample_stamped(|now| stamp(due, now, interval));
                break;
            }
        }
    }
}

/// The first instant of the grid after `now`.
fn next_tick(now: Timestamp, interval: Duration) -> Timestamp {
    now.floor_to(interval).saturating_add(interval)
}

/// What a tick bears that was due and is taken `now`.
fn stamp(due: Timestamp, now: Timestamp, interval: Duration) -> Timestamp {
    if now.saturating_since(due) <= interval / 10 { due } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn ticks_lie_on_the_grid_of_the_epoch() {
        let second = Duration::from_secs(1);
        assert_eq!(next_tick(millis(1_500), second), millis(2_000));
        assert_eq!(next_tick(millis(2_000), second), millis(3_000));
        assert_eq!(next_tick(millis(-500), second), millis(0));
    }

    #[test]
    fn a_tick_that_is_a_little_late_bears_the_instant_it_was_due() {
        let second = Duration::from_secs(1);
        assert_eq!(stamp(millis(2_000), millis(2_100), second), millis(2_000));
        assert_eq!(stamp(millis(2_000), millis(2_101), second), millis(2_101));
    }
}
