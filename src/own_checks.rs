//! Bellwether's own parts as health checks.

use bellwether_core::{Supervisor, TaskState};
use bellwether_health::{Health, HealthCheck, Probe, check};

/// A part of Bellwether that a [`HealthMonitor`](bellwether_health::HealthMonitor) can look at.
///
/// ```
/// use bellwether::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let health = HealthMonitor::new(&clock).check(tasks.health())?;
/// assert_eq!(health.run().await.score.value, 100.0);
/// # Ok(())
/// # }
/// ```
pub trait OwnCheck {
    /// The check, which looks at this part whenever it is run.
    fn health(&self) -> impl HealthCheck + 'static;
}

/// Fails when a task has been given up, and warns while one waits to be started again. Named `tasks`.
impl OwnCheck for Supervisor {
    fn health(&self) -> impl HealthCheck + 'static {
        let tasks = self.tasks();
        check("tasks", Probe::Liveness, move || {
            let statuses = tasks.statuses();
            let told = |state: TaskState| {
                let of_state = statuses.iter().filter(|status| status.state == state);
                let words = of_state.map(|status| {
                    let why = status.gave_up.as_ref().or(status.last_error.as_ref());
                    format!(
                        "{} {state}{}",
                        status.name,
                        why.map(|why| format!(": {why}")).unwrap_or_default()
                    )
                });
                words.collect::<Vec<_>>().join("; ")
            };
            let (failed, restarting) = (told(TaskState::Failed), told(TaskState::Restarting));
            std::future::ready(match (failed.is_empty(), restarting.is_empty()) {
                (false, _) => Health::fail(failed),
                (true, false) => Health::warn(restarting),
                (true, true) => Health::pass(),
            })
        })
    }
}

/// Fails when a channel could not be started or keeps failing, and warns when its last attempt failed. Named `alert channels`.
#[cfg(feature = "alerts")]
impl OwnCheck for bellwether_alerts::Alerts {
    fn health(&self) -> impl HealthCheck + 'static {
        use bellwether_alerts::ChannelState;
        let alerts = self.clone();
        check("alert channels", Probe::Readiness, move || {
            let channels = alerts.channels();
            let told = |is_meant: fn(&ChannelState) -> bool| {
                let meant = channels.iter().filter(|channel| is_meant(&channel.state));
                meant
                    .map(|channel| format!("{} {}", channel.name, channel.state))
                    .collect::<Vec<_>>()
                    .join("; ")
            };
            let failed = told(|state| {
                matches!(state, ChannelState::FailedToStart { .. } | ChannelState::OpenCircuit { .. })
            });
            let degraded = told(|state| matches!(state, ChannelState::Degraded { .. }));
            std::future::ready(match (failed.is_empty(), degraded.is_empty()) {
                (false, _) => Health::fail(failed),
                (true, false) => Health::warn(degraded),
                (true, true) => Health::pass(),
            })
        })
    }
}

/// Fails when the file has gone, does not answer, or was last not written to, and warns about rows that cannot be read. Named
/// `store`.
#[cfg(feature = "store")]
impl OwnCheck for bellwether_store::Store {
    fn health(&self) -> impl HealthCheck + 'static {
        let store = self.clone();
        check("store", Probe::Readiness, move || {
            let store = store.clone();
            async move {
                let found = store.check().await;
                match found.problem {
                    Some(problem) => Health::fail(problem.to_string()),
                    None if found.damaged_rows > 0 => {
                        Health::warn(format!("{} rows cannot be read", found.damaged_rows))
                    }
                    None => Health::pass(),
                }
            }
        })
    }
}
