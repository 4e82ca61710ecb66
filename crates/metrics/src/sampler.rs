//! The task that samples a registry.

use std::fmt;
use std::time::Duration;

use bellwether_core::{RestartPolicy, SharedClock, SpawnError, Stop, Task, Tasks};

use crate::Registry;
use crate::grid::next_tick;

/// Least interval of a [`Sampler`]: 1 millisecond, the resolution of timers.
pub const MIN_SAMPLE_INTERVAL: Duration = Duration::from_millis(1);
/// Greatest interval of a [`Sampler`]: 1 day.
pub const MAX_SAMPLE_INTERVAL: Duration = Duration::from_hours(24);

/// The task that samples a registry, once per interval, on a grid.
///
/// Ticks are due at whole multiples of the interval since 1970-01-01T00:00:00Z, so that the series of many hosts share
/// their stamps. A tick that is late by up to a tenth of the interval bears the instant it was due; a later one bears
/// the instant it was taken, since its values are of then, and so does one before whose turn the host took a sample of
/// its own: stamps never go back. Ticks that were missed altogether are not made up for; they are counted in
/// `bellwether_metrics_sampler_missed_ticks_total`, and how long each sample took is in `bellwether_metrics_sample_seconds`.
///
/// It also starts the registry's collectors that have an interval of their own.
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
        registry.start_collectors(tasks)?;
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
    while let Some(tick) = next_tick(&clock, interval, &stop).await {
        registry.count_missed(tick.missed);
        registry.sample_stamped(|now| tick.stamp(now, interval));
    }
}
