//! All subscribers of a registry, and which batch goes to whom.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bellwether_core::{Descriptor, MetricName, SampleBatch, Selector};
use parking_lot::Mutex;

use super::{Inbox, MAX_SUBSCRIBERS, SubscribeError, Wanted};
use crate::own_metrics::Figures;

/// All subscribers of a registry.
pub(crate) struct Audience {
    /// Replaced as a whole when it changes: the sampler copies a pointer.
    seats: Mutex<Arc<Seats>>,
    figures: Arc<Figures>,
}

#[derive(Default)]
struct Seats {
    inboxes: Vec<Arc<Inbox>>,
    /// Who wants which series of a metric.
    by_metric: HashMap<MetricName, Vec<(usize, Selector)>>,
}

impl Seats {
    fn of(inboxes: Vec<Arc<Inbox>>) -> Self {
        let mut by_metric: HashMap<_, Vec<_>> = HashMap::new();
        for (seat, inbox) in inboxes.iter().enumerate() {
            let Wanted::Any(selectors) = &inbox.wanted.0 else { continue };
            for selector in selectors {
                by_metric.entry(selector.metric_name().clone()).or_default().push((seat, selector.clone()));
            }
        }
        Self { inboxes, by_metric }
    }
}

impl Audience {
    pub(crate) fn new(figures: &Arc<Figures>) -> Self {
        Self { seats: Mutex::default(), figures: Arc::clone(figures) }
    }

    pub(super) fn add(&self, inbox: &Arc<Inbox>) -> Result<(), SubscribeError> {
        let mut seats = self.seats.lock();
        if seats.inboxes.len() >= MAX_SUBSCRIBERS {
            return Err(SubscribeError::TooMany { limit: MAX_SUBSCRIBERS });
        }
        let inboxes = seats.inboxes.iter().chain([inbox]).map(Arc::clone).collect();
        self.reseat(&mut seats, inboxes);
        Ok(())
    }

    pub(super) fn remove(&self, inbox: &Arc<Inbox>) {
        let mut seats = self.seats.lock();
        let stay = seats.inboxes.iter().filter(|other| !Arc::ptr_eq(other, inbox)).map(Arc::clone).collect();
        self.reseat(&mut seats, stay);
    }

    fn reseat(&self, seats: &mut Arc<Seats>, inboxes: Vec<Arc<Inbox>>) {
        self.figures.subscribers.store(inboxes.len(), Ordering::Relaxed);
        *seats = Arc::new(Seats::of(inboxes));
    }

    /// Sends each subscriber its part of a batch, if it has one. O(samples), and a look-up per metric. Called by one sampler at a
    /// time.
    pub(crate) fn tell(&self, batch: &SampleBatch) {
        let seats = Arc::clone(&self.seats.lock());
        if seats.inboxes.is_empty() || batch.is_empty() {
            return;
        }
        let mut parts = vec![SampleBatch::new(batch.at); seats.inboxes.len()];
        if !seats.by_metric.is_empty() {
            let mut last: Option<&Arc<Descriptor>> = None;
            let mut wanted: &[(usize, Selector)] = &[];
            for (key, value) in &batch.values {
                if !last.is_some_and(|last| Arc::ptr_eq(last, &key.descriptor)) {
                    last = Some(&key.descriptor);
                    wanted = seats.by_metric.get(&key.descriptor.name).map_or(&[], Vec::as_slice);
                }
                let mut taken = None;
                for (seat, _) in wanted.iter().filter(|(_, selector)| selector.matches(&key.labels)) {
                    // Two selectors of one subscriber may mean the same series; its selectors stand side by side.
                    if taken.replace(*seat) != Some(*seat)
                        && let Some(part) = parts.get_mut(*seat)
                    {
                        part.values.push((Arc::clone(key), *value));
                    }
                }
            }
        }
        let mut whole = None;
        for (inbox, part) in seats.inboxes.iter().zip(parts) {
            let part = match inbox.wanted.0 {
                Wanted::Everything => Arc::clone(whole.get_or_insert_with(|| Arc::new(batch.clone()))),
                Wanted::Any(_) if part.is_empty() => continue,
                Wanted::Any(_) => Arc::new(part),
            };
            inbox.send(part, &self.figures);
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.seats.get_mut().inboxes.iter().for_each(|inbox| inbox.close());
    }
}
