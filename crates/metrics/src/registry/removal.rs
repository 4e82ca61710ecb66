//! How a metric leaves the registry.

use super::Registry;

impl Registry {
    /// Takes a metric out, with all its series: its name and its places in the bounds are free again. Whether there was an
    /// instrument of this name; what a collector tells cannot be taken out.
    ///
    /// Its past stays in the history for as long as that keeps it. Handles of it go on counting for themselves, in no
    /// exposition. A family of it makes no series any more: what it is asked to record goes nowhere and is counted in
    /// `bellwether_metrics_refused_total` with the reason `removed`. To have the metric again, define it again.
    pub fn remove(&self, name: &str) -> bool {
        let mut names = self.0.names.lock();
        let Some(metric) = names.remove_instrument(name) else { return false };
        metric.end();
        // With the names still locked: who defines it anew comes after this.
        let mut arrivals = self.0.arrivals.lock();
        arrivals.metrics.retain(|metric| !metric.is_removed());
        arrivals.parted = true;
        true
    }
}
