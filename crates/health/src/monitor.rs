//! All checks of a host, and what they found.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bellwether_core::{HumanDuration, SharedClock};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::Serialize;

use crate::{Health, HealthCheck, Probe, Score, Status, Weight};

/// Most checks of one monitor.
pub const MAX_CHECKS: usize = 256;

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
    /// The share is not a number above zero.
    #[error("weight of health check {name:?} is {share}; expected a finite number above 0")]
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
    checks: Vec<(Box<dyn HealthCheck>, Weight)>,
}

impl std::fmt::Debug for HealthMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|(check, _)| check.name())).finish()
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
        if self.checks.len() >= MAX_CHECKS {
            return Err(MonitorError::TooMany);
        }
        if self.checks.iter().any(|(other, _)| other.name() == name) {
            return Err(MonitorError::Duplicate { name: name.to_owned() });
        }
        if !weight.share.is_finite() || weight.share <= 0.0 {
            return Err(MonitorError::Weight { name: name.to_owned(), share: weight.share });
        }
        self.checks.push((Box::new(check), weight));
        Ok(self)
    }

    /// Runs all checks at once, each with its deadline. A check that takes longer, or panics, has failed; the others
    /// are not touched by it.
    pub async fn run(&self) -> HealthReport {
        let results = join_all(self.checks.iter().map(|(check, weight)| self.look(&**check, *weight))).await;
        let score = Score::of(
            results.iter().map(|result| (result.name.as_str(), result.health.status(), result.weight)),
        );
        let status = results.iter().map(|result| result.health.status()).max().unwrap_or(Status::Pass);
        HealthReport { at: self.clock.now(), status, score, checks: results }
    }

    async fn look(&self, check: &dyn HealthCheck, weight: Weight) -> CheckResult {
        let start = self.clock.monotonic();
        let deadline = check.deadline();
        let looked = AssertUnwindSafe(self.clock.timeout(deadline, check.check())).catch_unwind().await;
        let health = match looked {
            Ok(Ok(health)) => health,
            Ok(Err(_)) => Health::fail(format!("no answer within {}", HumanDuration::from(deadline))),
            Err(_) => Health::fail("the check panicked"),
        };
        CheckResult {
            name: check.name().to_owned(),
            probe: check.probe(),
            weight,
            took: self.clock.monotonic().saturating_since(start),
            health,
        }
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
