//! What an engine has counted.

use bellwether_core::Severity;

/// What an [`Engine`](super::Engine) has counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EngineCounts {
    /// Alerts that began to fire, anew or again.
    pub fired: u64,
    /// Of those, how many of each severity, in the order of [`Severity::ALL`].
    pub fired_by_severity: [u64; Severity::ALL.len()],
    /// Raises of alerts that fired already.
    pub refreshed: u64,
    /// Alerts that ended, by a word or by their time.
    pub resolved: u64,
    /// Of those, how many of each severity, in the order of [`Severity::ALL`].
    pub resolved_by_severity: [u64; Severity::ALL.len()],
    /// Ends of alerts that were not known to fire.
    pub unknown_ends: u64,
    /// Alerts that were not taken because there are as many, and none milder.
    pub refused: u64,
    /// Alerts that gave way to worse ones.
    pub evicted: u64,
    /// Ends that nobody will be told of, since as many waited to be told as may.
    pub lost_ends: u64,
    /// Alerts that were told together with others of their route because there are as many groups as may be.
    pub overflowed_groups: u64,
    /// Notifications that were made.
    pub notifications: u64,
    /// Notifications that were reported lost, or not reported at all until the next tick of their group.
    pub not_told: u64,
    /// Changes that nobody took in time.
    pub lost_changes: u64,
}

impl EngineCounts {
    // A severity is its own place in `Severity::ALL`, as a test of core says.
    pub(super) fn count_fired(&mut self, severity: Severity) {
        self.fired += 1;
        self.fired_by_severity[severity as usize] += 1;
    }

    pub(super) fn count_resolved(&mut self, severity: Severity) {
        self.resolved += 1;
        self.resolved_by_severity[severity as usize] += 1;
    }
}
