//! How the series of a metric go, and how whoever scrapes keeps up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bellwether_core::Labels;

use super::{AS_THE_REGISTRY, Metric, NEVER, SeriesOf};
use crate::instrument::Instrument;
use crate::wanted::Wanted;

/// How series go.
impl<I: Instrument> Metric<I> {
    /// Takes the series of these labels out; whether there was one.
    pub(crate) fn remove(&self, wanted: &impl Wanted) -> bool {
        let SeriesOf::Labels(table) = &self.series_of else { return false };
        let mut filling = self.turn.lock();
        let removed =
            table.find(wanted, wanted.hash_with(&self.hashes), |series| series.values().leave()).is_ok();
        if removed {
            table.part(&mut filling, 1);
            self.release(1);
        }
        removed
    }

    /// Takes the series out whose labels are not to be kept; how many there were. `keep` runs without a lock.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&Labels) -> bool) -> usize {
        let SeriesOf::Labels(table) = &self.series_of else { return 0 };
        let mut unwanted = Vec::new();
        table.each(|series| unwanted.push(series.clone()));
        unwanted.retain(|series| !keep(&series.key().labels));
        let mut filling = self.turn.lock();
        // Another thread may have been quicker with some.
        unwanted.retain(|series| !series.values().is_gone());
        for series in &unwanted {
            series.values().leave();
        }
        table.part(&mut filling, unwanted.len());
        self.release(unwanted.len());
        unwanted.len()
    }

    /// Takes those out that no one holds or looks up any more; how many there were. They are found idle by whoever scrapes,
    /// who holds each of them as the table does, and no other.
    ///
    /// No recording is lost however late it comes: look-ups pass the idle ones by from now on, and wait for their turn; when
    /// the look-ups are over that had begun before, it shows which of them someone has taken up after all. Those stay.
    pub(crate) fn expire(&self, idle: &[&I]) -> usize {
        let SeriesOf::Labels(table) = &self.series_of else { return 0 };
        let mut filling = self.turn.lock();
        for series in idle {
            series.values().set_idle(true);
        }
        table.wait_for_look_ups();
        let mut gone = 0;
        for series in idle.iter().filter(|series| !series.values().is_gone()) {
            if series.values().was_looked_up() || is_held(*series) {
                series.values().set_idle(false);
            } else {
                series.values().leave();
                gone += 1;
            }
        }
        table.part(&mut filling, gone);
        self.figures.expired.add(gone as u64);
        self.release(gone);
        gone
    }

    /// Whether this is the series of what has none of its own, which stays.
    pub(crate) fn is_overflow(&self, series: &I) -> bool {
        self.overflow.get().is_some_and(|overflow| Arc::ptr_eq(overflow.key(), series.key()))
    }

    /// Ends the metric: all its series are taken out, and there will be none any more.
    pub(crate) fn end(&self) {
        let mut filling = self.turn.lock();
        if self.removed.swap(true, Ordering::Relaxed) {
            return;
        }
        let series = self.series.swap(0, Ordering::Relaxed);
        if let SeriesOf::Labels(table) = &self.series_of {
            table.each(|series| series.values().leave());
            table.part(&mut filling, series);
        }
        self.figures.release_series(series + usize::from(self.overflow.get().is_some()));
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    fn release(&self, n: usize) {
        if n > 0 {
            self.series.fetch_sub(n, Ordering::Relaxed);
            self.figures.release_series(n);
            self.changed.store(true, Ordering::Release);
        }
    }

    /// Sets how long a series may be idle; `None` for ever.
    pub(crate) fn set_idle_expiry(&self, after: Option<Duration>) {
        let millis =
            |after: Duration| u64::try_from(after.as_millis()).map_or(NEVER, |n| n.min(AS_THE_REGISTRY - 1));
        self.idle_expiry.store(after.map_or(NEVER, millis), Ordering::Relaxed);
    }

    /// How long a series may be idle. That of a metric without labels stays.
    pub(crate) fn idle_expiry(&self) -> Option<Duration> {
        let SeriesOf::Labels(_) = self.series_of else { return None };
        match self.idle_expiry.load(Ordering::Relaxed) {
            AS_THE_REGISTRY => self.bounds.idle_expiry,
            NEVER => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }
}

/// Whether anyone holds a series beside its table and whoever scrapes.
pub(crate) fn is_held(series: &impl Instrument) -> bool {
    const TABLE_AND_SCRAPER: usize = 2;
    series.handles() > TABLE_AND_SCRAPER
}

/// How whoever scrapes keeps up.
impl<I: Instrument> Metric<I> {
    /// Whether series came or went since the last call.
    pub(crate) fn take_change(&self) -> bool {
        self.changed.load(Ordering::Relaxed) && self.changed.swap(false, Ordering::Acquire)
    }

    /// Meets the series that are not known yet.
    pub(crate) fn newcomers(&self, mut meet: impl FnMut(&I)) {
        let mut meet_new = |series: &I| {
            if series.values().know() {
                meet(series);
            }
        };
        self.overflow.get().inspect(|series| meet_new(series));
        match &self.series_of {
            SeriesOf::NoLabels(series) => meet_new(series),
            SeriesOf::Labels(table) => table.each(meet_new),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread;

    use super::super::SeriesBounds;
    use super::super::tests::{add, orders};
    use crate::Counter;
    use crate::instrument::Measure as _;
    use crate::wanted::ByPlace;

    const BOUNDS: SeriesBounds = SeriesBounds { per_metric: 2, all: 2, idle_expiry: None };

    #[test]
    fn a_series_that_is_taken_up_while_it_goes_stays_with_its_total() {
        let orders = orders(BOUNDS);
        add(&orders, "1");
        add(&orders, "2");
        let mut members = Vec::new();
        orders.newcomers(|series| members.push(series.clone()));
        for series in &members {
            assert!(Counter::values(series).take_look_up());
        }
        let expired = Cell::new(usize::MAX);
        thread::scope(|scope| {
            let (orders, members) = (&orders, &members);
            let is_idle = |at: usize| !members[at].values().is_there();
            let second = orders.on(&ByPlace { values: &["2"], order: &[0] }, |series| {
                // A look-up that is under way while the series is found idle.
                series.values().take_look_up();
                let expiry = scope.spawn(|| orders.expire(&members.iter().collect::<Vec<_>>()));
                while !is_idle(0) || !is_idle(1) {
                    thread::yield_now();
                }
                // Another look-up, at the bound: it waits for its turn rather than to overflow.
                let late = scope.spawn(|| add(orders, "1"));
                series.increment();
                series.values().look_up();
                (expiry, late)
            });
            expired.set(second.0.join().unwrap());
            second.1.join().unwrap();
        });
        // The first one went, and came again; the second has both.
        assert_eq!(expired.get(), 1);
        let get = |id| orders.on(&ByPlace { values: &[id], order: &[0] }, Counter::get);
        assert_eq!((get("1"), get("2")), (1, 2));
        assert!(orders.overflow.get().is_none());
    }
}
