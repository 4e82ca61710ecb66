//! What something is, told by labels.

use bellwether_core::Labels;

use crate::Gauge;

/// What something is, told by labels: a version, a venue's protocol. Its value is always 1.
///
/// To make one: [`Registry::info`](crate::Registry::info). It stays in every exposition until it is
/// [withdrawn](Info::withdraw), whether this handle is kept or not; it has no past, and is in no sample of a history.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// metrics.info("build_info", "What runs here.", [("version", "1.4.2"), ("commit", "9fceb02")])?;
/// assert!(metrics.text().contains("build_info{commit=\"9fceb02\",version=\"1.4.2\"} 1\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Info(Gauge);

impl Info {
    pub(crate) fn new(gauge: Gauge) -> Self {
        // What is asked for its value is never idle.
        gauge.follow(|| 1.0);
        Self(gauge)
    }

    /// Takes it out of every exposition: it is no longer so.
    pub fn withdraw(&self) {
        self.0.unfollow();
    }

    /// What it says.
    pub fn labels(&self) -> &Labels {
        self.0.labels()
    }
}
