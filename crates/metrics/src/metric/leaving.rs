//! How the series of a metric go, and how whoever scrapes keeps up.

use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use bellwether_core::Labels;
use papaya::{Equivalent as _, Guard as _};

use super::{AS_THE_REGISTRY, Entry, Metric, NEVER};
use crate::instrument::Instrument;
use crate::wanted::{Sought, Wanted};

/// How series go.
impl<I: Instrument> Metric<I> {
    /// Takes the series of these labels out; whether there was one.
    pub(crate) fn remove(&self, wanted: &impl Wanted) -> bool {
        let hash = wanted.hash_with(&self.hashes);
        let sought = Sought { hash, wanted };
        let mut leaving = self.turn.lock();
        let guard = self.table.guard();
        if let Some((entry, ())) = self.table.get_key_value(&sought, &guard) {
            entry.series.values().leave();
            self.table.remove(&sought, &guard);
            guard.flush();
        } else if let Some(at) = leaving.iter().position(|entry| sought.equivalent(entry)) {
            leaving.swap_remove(at).series.values().leave();
            self.leaving.store(leaving.len(), Ordering::Relaxed);
        } else {
            return false;
        }
        self.release(1);
        true
    }

    /// Takes the series out whose labels are not to be kept; how many there were. `keep` runs without a lock.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&Labels) -> bool) -> usize {
        let mut unwanted = Vec::new();
        {
            let leaving = self.turn.lock();
            unwanted.extend(leaving.iter().cloned());
            self.table.keys(&self.table.guard()).for_each(|entry| unwanted.push(entry.clone()));
        }
        unwanted.retain(|entry| !keep(&entry.series.key().labels));
        if unwanted.is_empty() {
            return 0;
        }
        let mut leaving = self.turn.lock();
        let guard = self.table.guard();
        let mut removed = 0;
        for entry in &unwanted {
            entry.series.values().leave();
            let same = |found: &Entry<I>, (): &()| found.is(&entry.series);
            removed += usize::from(matches!(self.table.remove_if(entry, same, &guard), Ok(Some(_))));
        }
        let before = leaving.len();
        leaving.retain(|entry| !entry.series.values().is_gone());
        self.leaving.store(leaving.len(), Ordering::Relaxed);
        removed += before - leaving.len();
        guard.flush();
        self.release(removed);
        removed
    }

    /// Ends the metric: all its series are taken out, and there will be none any more.
    pub(crate) fn end(&self) {
        let mut leaving = self.turn.lock();
        if self.removed.swap(true, Ordering::Relaxed) {
            return;
        }
        let guard = self.table.guard();
        let mut gone = usize::from(self.overflow.get().is_some());
        self.overflow.get().inspect(|series| series.values().leave());
        self.only.get().inspect(|series| series.values().leave());
        self.table.keys(&guard).for_each(|entry| entry.series.values().leave());
        self.table.clear(&guard);
        guard.flush();
        leaving.clear();
        self.leaving.store(0, Ordering::Relaxed);
        gone += self.series.swap(0, Ordering::Relaxed);
        self.figures.release_series(gone);
        self.changed.store(true, Ordering::Release);
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    fn release(&self, n: usize) {
        self.series.fetch_sub(n, Ordering::Relaxed);
        self.figures.release_series(n);
        self.changed.store(true, Ordering::Release);
    }

    /// Sets how long a series may be idle; `None` for ever.
    pub(crate) fn set_idle_expiry(&self, after: Option<Duration>) {
        let millis =
            |after: Duration| u64::try_from(after.as_millis()).map_or(NEVER, |n| n.min(AS_THE_REGISTRY - 1));
        self.idle_expiry.store(after.map_or(NEVER, millis), Ordering::Relaxed);
    }

    /// How long a series may be idle. That of a metric without labels stays.
    pub(crate) fn idle_expiry(&self) -> Option<Duration> {
        if self.labels.are_none() {
            return None;
        }
        match self.idle_expiry.load(Ordering::Relaxed) {
            AS_THE_REGISTRY => self.bounds.idle_expiry,
            NEVER => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }
}

/// How whoever scrapes keeps up.
impl<I: Instrument> Metric<I> {
    /// Whether series came or went since the last call.
    pub(crate) fn take_change(&self) -> bool {
        self.changed.load(Ordering::Relaxed) && self.changed.swap(false, Ordering::Acquire)
    }

    /// Meets the series that are not known yet. Those that are leaving are.
    pub(crate) fn newcomers(&self, mut meet: impl FnMut(&I)) {
        let mut meet_new = |series: &I| {
            if !series.values().is_gone() && series.values().know() {
                meet(series);
            }
        };
        self.only.get().inspect(|series| meet_new(series));
        self.overflow.get().inspect(|series| meet_new(series));
        self.table.keys(&self.table.guard()).for_each(|entry| meet_new(&entry.series));
    }

    /// Takes those out of the table that are marked as idle. O(series).
    pub(crate) fn let_leave(&self) {
        let mut leaving = self.turn.lock();
        let guard = self.table.guard();
        let stays = |entry: &Entry<I>, (): &()| {
            if entry.series.values().is_idle() {
                leaving.push(entry.clone());
            }
            !entry.series.values().is_idle()
        };
        self.table.retain(stays, &guard);
        self.leaving.store(leaving.len(), Ordering::Relaxed);
        guard.flush();
    }

    /// Whether any are leaving.
    pub(crate) fn are_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed) > 0
    }

    /// Parts with those that are leaving and that no one holds any more, and takes those back that were looked up.
    pub(crate) fn settle(&self) {
        /// Whoever scrapes, and the list of those that are leaving.
        const HOLDERS: usize = 2;
        let mut leaving = self.turn.lock();
        let guard = self.table.guard();
        let before = leaving.len();
        let mut back = 0;
        leaving.retain(|entry| {
            let is_free = entry.series.handles() <= HOLDERS;
            // What was done to the series before it was let go is seen from here on.
            fence(Ordering::Acquire);
            let values = entry.series.values();
            if values.was_looked_up() {
                values.set_idle(false);
                self.table.insert(entry.clone(), (), &guard);
                back += 1;
                return false;
            }
            if is_free {
                values.leave();
            }
            !is_free
        });
        self.leaving.store(leaving.len(), Ordering::Relaxed);
        let gone = before - leaving.len() - back;
        if gone > 0 {
            self.figures.expired.add(gone as u64);
            self.release(gone);
        }
        // So that more is free at the next look.
        guard.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::super::SeriesBounds;
    use super::super::tests::{add, orders};
    use super::*;
    use crate::Counter;
    use crate::instrument::Measure as _;

    #[test]
    fn a_series_that_is_looked_up_while_it_leaves_comes_back_with_its_total() {
        let orders = orders(SeriesBounds { per_metric: 2, all: 2, idle_expiry: None });
        add(&orders, "1");
        add(&orders, "2");
        let mut members = Vec::new();
        orders.newcomers(|series| members.push(series.clone()));
        let leave = || {
            for series in &members {
                Counter::values(series).take_look_up();
                series.values().set_idle(true);
            }
            // As a look-up that is under way would.
            let guard = orders.table.guard();
            orders.let_leave();
            orders.settle();
            assert_eq!(orders.leaving.load(Ordering::Relaxed), 2, "someone may still record to them");
            guard
        };
        // One is looked up the usual way and found among those that leave, though the bound is reached.
        let guard = leave();
        add(&orders, "1");
        assert_eq!(orders.leaving.load(Ordering::Relaxed), 1);
        // The other by a look-up that had found it before.
        let late = members.iter().find(|series| series.labels().get("id") == Some("2")).unwrap();
        late.increment();
        late.values().look_up();
        drop(guard);
        orders.settle();
        assert_eq!(orders.leaving.load(Ordering::Relaxed), 0);
        add(&orders, "2");
        let totals: Vec<_> = members.iter().map(Counter::get).collect();
        assert_eq!((totals.iter().sum::<u64>(), orders.series.load(Ordering::Relaxed)), (5, 2));
        assert_eq!(orders.overflow.get().map(Counter::get), None);
    }
}
