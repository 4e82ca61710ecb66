//! The trait of a health check.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::Health;

/// How long a check may take when it does not say so itself: 5 s.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// Which question a check answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// Does the process still make progress? Must not depend on anything outside of it.
    Liveness,
    /// Can it do its work now?
    Readiness,
    /// Has it finished starting?
    Startup,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Startup => "startup",
        })
    }
}

/// Says how a part is.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// What is checked, in few words; unique within one monitor.
    fn name(&self) -> &str;

    /// Which question it answers.
    fn probe(&self) -> Probe {
        Probe::Readiness
    }

    /// How long it may take. One that takes longer is dropped and counts as failed.
    fn deadline(&self) -> Duration {
        DEFAULT_DEADLINE
    }

    /// Looks, now. Dropped when the deadline passes; must be cancel-safe.
    async fn check(&self) -> Health;
}

/// A check made of a closure.
///
/// ```
/// use bellwether_health::{Health, Probe, check};
/// let margin = check("margin", Probe::Readiness, || async { Health::from_headroom(0.4, 0.25, 0.10) });
/// ```
pub fn check<F, Fut>(name: impl Into<String>, probe: Probe, look: F) -> CheckFn<F>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Health> + Send,
{
    CheckFn { name: name.into(), probe, look }
}

/// A check made of a closure, by [`check`].
pub struct CheckFn<F> {
    name: String,
    probe: Probe,
    look: F,
}

impl<F> fmt::Debug for CheckFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckFn")
            .field("name", &self.name)
            .field("probe", &self.probe)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<F, Fut> HealthCheck for CheckFn<F>
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Health> + Send,
{
    fn name(&self) -> &str {
        &self.name
    }
    fn probe(&self) -> Probe {
        self.probe
    }
    async fn check(&self) -> Health {
        (self.look)().await
    }
}
