//! Which series there are, by metric and labels.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::{MetricName, SeriesKey};
use parking_lot::RwLock;

use super::track::Track;

/// The series of one metric, in the order of their labels; replaced as a whole when it changes.
type Tracks = Arc<Vec<Arc<Track>>>;

/// Which series there are, by metric and labels. Readers hold the lock only to copy a pointer.
#[derive(Debug, Default)]
pub(crate) struct Index {
    metrics: RwLock<HashMap<MetricName, Tracks>>,
    tracks: AtomicUsize,
}

impl Index {
    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.tracks.load(Ordering::Relaxed)
    }

    /// The series of a metric, in the order of their labels.
    pub(crate) fn metric(&self, name: &MetricName) -> Option<Tracks> {
        self.metrics.read().get(name).map(Arc::clone)
    }

    /// The series with this key.
    pub(crate) fn find(&self, key: &SeriesKey) -> Option<Arc<Track>> {
        let tracks = self.metric(&key.descriptor.name)?;
        let at = tracks.binary_search_by(|track| track.labels().cmp(&key.labels)).ok()?;
        tracks.get(at).map(Arc::clone)
    }

    /// Every series.
    pub(crate) fn all(&self) -> Vec<Arc<Track>> {
        let metrics: Vec<Tracks> = self.metrics.read().values().map(Arc::clone).collect();
        metrics.iter().flat_map(|tracks| tracks.iter()).map(Arc::clone).collect()
    }

    /// Adds series that are not there yet. O(n log n) in the series of the metrics they belong to.
    pub(crate) fn insert(&self, new: Vec<Arc<Track>>) {
        self.tracks.fetch_add(new.len(), Ordering::Relaxed);
        for (name, mut tracks) in by_metric(new) {
            if let Some(known) = self.metric(&name) {
                tracks.extend(known.iter().map(Arc::clone));
            }
            tracks.sort_by(|a, b| a.labels().cmp(b.labels()));
            self.metrics.write().insert(name, Arc::new(tracks));
        }
    }

    /// Takes series out, and tells those who hold them.
    pub(crate) fn remove(&self, gone: &[Arc<Track>]) {
        for (name, gone) in by_metric(gone.iter().map(Arc::clone)) {
            for track in &gone {
                track.retire();
            }
            let Some(known) = self.metric(&name) else { continue };
            let stay: Vec<_> = known.iter().filter(|track| !track.is_retired()).map(Arc::clone).collect();
            self.tracks.fetch_sub(known.len() - stay.len(), Ordering::Relaxed);
            let mut metrics = self.metrics.write();
            if stay.is_empty() {
                metrics.remove(&name);
            } else {
                metrics.insert(name, Arc::new(stay));
            }
        }
    }
}

fn by_metric(tracks: impl IntoIterator<Item = Arc<Track>>) -> HashMap<MetricName, Vec<Arc<Track>>> {
    let mut metrics: HashMap<_, Vec<_>> = HashMap::new();
    for track in tracks {
        metrics.entry(track.key().descriptor.name.clone()).or_default().push(track);
    }
    metrics
}
