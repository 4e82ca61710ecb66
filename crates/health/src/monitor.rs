//! All checks of a host, and what they found.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use bellwether_core::{HumanDuration, SharedClock};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::Serialize;

use crate::check::DEFAULT_DEADLINE;
use crate::health::reorders;
use crate::{Health, HealthCheck, Probe, Score, Status, Weight};

/// Most checks of one monitor.
pub const MAX_CHECKS: usize = 256;

/// Longest name of a check, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// What the share of a check may be.
pub const SHARES: RangeInclusive<f64> = 1e-6..=1e6;

/// A check cannot be added.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// There is a check of this name.
    #[error("there is a health check named {name:?} already")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// More than [`MAX_CHECKS`].
    #[error("more than {MAX_CHECKS} health checks")]
    TooMany,
    /// The name is none that stands in a line.
    #[error("health check named {name:?}: expected 1 to {MAX_NAME_LEN} bytes without control characters")]
    Name {
        /// The name, cut.
        name: String,
    },
    /// The share is not a number in [`SHARES`].
    #[error("weight of health check {name:?} is {share}; expected {:?} to {:?}", SHARES.start(), SHARES.end())]
    Weight {
        /// The check.
        name: String,
        /// Its share.
        share: f64,
    },
}

/// All checks of a host.
///
/// ```
/// use bellwether_core::{ManualClock, SharedClock};
/// use bellwether_health::{Health, HealthMonitor, Probe, check};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock: SharedClock = std::sync::Arc::new(ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH));
/// let monitor = HealthMonitor::new(&clock)
///     .check(check("margin", Probe::Readiness, || async { Health::warn("headroom 0.2 is below 0.25") }))?;
/// let report = monitor.run().await;
/// assert_eq!(report.score.value, 50.0);
/// # Ok(())
/// # }
/// ```
pub struct HealthMonitor {
    clock: SharedClock,
    checks: Vec<Known>,
}

/// A check as it was added.
struct Known {
    name: String,
    check: Box<dyn HealthCheck>,
    weight: Weight,
}

impl std::fmt::Debug for HealthMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|known| &known.name)).finish()
    }
}

impl HealthMonitor {
    /// Without checks so far.
    pub fn new(clock: &SharedClock) -> Self {
        Self { clock: SharedClock::clone(clock), checks: Vec::new() }
    }

    /// With one more check, of weight one.
    pub fn check(self, check: impl HealthCheck + 'static) -> Result<Self, MonitorError> {
        self.weighted_check(check, Weight::default())
    }

    /// With one more check whose failure caps the score.
    pub fn critical_check(self, check: impl HealthCheck + 'static) -> Result<Self, MonitorError> {
        self.weighted_check(check, Weight { critical: true, ..Weight::default() })
    }

    /// With one more check of its own weight.
    pub fn weighted_check(
        mut self,
        check: impl HealthCheck + 'static,
        weight: Weight,
    ) -> Result<Self, MonitorError> {
        let name = check.name();
        if name.is_empty() || name.len() > MAX_NAME_LEN || name.chars().any(|c| c.is_control() || reorders(c))
        {
            return Err(MonitorError::Name { name: name.chars().take(MAX_NAME_LEN).collect() });
        }
        if self.checks.len() >= MAX_CHECKS {
            return Err(MonitorError::TooMany);
        }
        if self.checks.iter().any(|known| known.name == name) {
            return Err(MonitorError::Duplicate { name: name.to_owned() });
        }
        if !SHARES.contains(&weight.share) {
            return Err(MonitorError::Weight { name: name.to_owned(), share: weight.share });
        }
        let name = name.to_owned();
        self.checks.push(Known { name, check: Box::new(check), weight });
        Ok(self)
    }

    /// Runs all checks at once, each with its deadline. A check that takes longer, or panics, has failed; the others
    /// are not touched by it. All run in the caller's task: one that blocks its thread holds up all of them.
    pub async fn run(&self) -> HealthReport {
        let results = join_all(self.checks.iter().map(|known| self.look(known))).await;
        let score = Score::of(
            results.iter().map(|result| (result.name.as_str(), result.health.status(), result.weight)),
        );
        let status = results.iter().map(|result| result.health.status()).max().unwrap_or(Status::Pass);
        HealthReport { at: self.clock.now(), status, score, checks: results }
    }

    async fn look(&self, Known { name, check, weight }: &Known) -> CheckResult {
        let start = self.clock.monotonic();
        let asked = catch_unwind(AssertUnwindSafe(|| (check.probe(), check.deadline())));
        let (probe, deadline) = *asked.as_ref().unwrap_or(&(Probe::Readiness, DEFAULT_DEADLINE));
        // Whatever the check is left in when its time is over is dropped in here as well.
        let looking = async {
            match asked {
                Ok(_) => self.clock.timeout(deadline, check.check()).await.ok(),
                Err(panic) => resume_unwind(panic),
            }
        };
        let health = match AssertUnwindSafe(looking).catch_unwind().await {
            Ok(Some(health)) => health,
            Ok(None) => Health::fail(format!("no answer within {}", HumanDuration::from(deadline))),
            Err(panic) => {
                // What it panicked with may panic when it goes, and what comes of that is not asked any more.
                std::mem::forget(catch_unwind(AssertUnwindSafe(|| drop(panic))));
                Health::fail("the check panicked")
            }
        };
        let took = self.clock.monotonic().saturating_since(start);
        CheckResult { name: name.clone(), probe, weight: *weight, took, health }
    }
}

/// What all checks found at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthReport {
    /// When the checks had finished.
    pub at: DateTime<Utc>,
    /// The worst status of all.
    pub status: Status,
    /// How well all is, with its parts.
    pub score: Score,
    /// Each check, in the order in which they were added.
    pub checks: Vec<CheckResult>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckResult {
    /// The check.
    pub name: String,
    /// Which question it answers.
    pub probe: Probe,
    /// How much it counts.
    pub weight: Weight,
    /// How long it took.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// What it found.
    #[serde(flatten)]
    pub health: Health,
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl std::fmt::Display for HealthReport {
    /// The score, then a line per check.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let capped = if self.score.capped { ", capped by a critical failure" } else { "" };
        write!(f, "{}  score {:.0} of 100{capped}", self.status, self.score.value)?;
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for (check, part) in self.checks.iter().zip(&self.score.parts) {
            write!(
                f,
                "\n  {:4}  {:width$}  {:>5.1} of {:>5.1}",
                check.health.status(),
                check.name,
                part.gained,
                part.possible
            )?;
            if let Some(output) = check.health.output() {
                write!(f, "  {output}")?;
            }
        }
        Ok(())
    }
}
