//! Finds the series of a metric by its labels.

use std::cell::Cell;
use std::hint::cold_path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use parking_lot::{RwLock, RwLockReadGuard};

use crate::instrument::Instrument;
use crate::padded::Padded;
use crate::wanted::Wanted;

/// Finds the series of a metric by its labels. Any number of threads look up; one at a time changes it.
///
/// The slots are filled one after the other and never emptied, so that who looks up needs no lock against who adds. Only
/// where slots are replaced as a whole, to have more of them or to be rid of series that are gone, must no one look at the
/// old ones. For that each thread looks up by a *door* of its own, whose lock no other thread touches as a rule, and who
/// changes the table goes through one door after the other. A thread that finds its door shut takes the next: it waits for no
/// one.
pub(super) struct Table<I> {
    doors: Box<[Padded<Door<I>>]>,
}

type Door<I> = RwLock<Arc<Slots<I>>>;

/// Open addressing with linear probing; a power of two of slots, at most three quarters of them filled.
struct Slots<I>(Box<[OnceLock<Slot<I>>]>);

/// One known combination of label values.
struct Slot<I> {
    hash: u64,
    series: I,
}

/// What a look-up wanted to call, when there is no series to call it with.
pub(super) struct Missed<F> {
    pub(super) call: F,
    /// There is one, but it is about to go for being idle.
    pub(super) is_idle: bool,
}

/// What belongs to the one who changes the table.
#[derive(Debug, Default)]
pub(super) struct Filling {
    /// Slots that are filled.
    filled: usize,
    /// Those of them whose series is gone.
    gone: usize,
}

/// So many series that are gone may keep their slots, and half as many as there are others.
const MOST_GONE: usize = 16;

impl<I: Instrument> Table<I> {
    /// Without series so far.
    pub(super) fn new() -> Self {
        let slots = Arc::new(Slots::with_room(0));
        Self { doors: (0..doors()).map(|_| Padded::new(RwLock::new(Arc::clone(&slots)))).collect() }
    }

    /// Calls with the series of these labels, if there is one that a look-up may find.
    #[inline]
    pub(super) fn find<R, F: FnOnce(&I) -> R>(
        &self,
        wanted: &impl Wanted,
        hash: u64,
        call: F,
    ) -> Result<R, Missed<F>> {
        let slots = self.enter();
        match slots.find(wanted, hash) {
            Some(series) if series.values().is_there() => {
                let done = call(series);
                // After the call: whoever takes note of the look-up then also finds what was recorded by it.
                series.values().look_up();
                Ok(done)
            }
            idle => {
                cold_path();
                Err(Missed { call, is_idle: idle.is_some() })
            }
        }
    }

    #[inline]
    fn enter(&self) -> RwLockReadGuard<'_, Arc<Slots<I>>> {
        let mine = my_door();
        let at = mine & (self.doors.len() - 1);
        match self.doors[at].try_read() {
            Some(slots) => slots,
            None => self.enter_elsewhere(at),
        }
    }

    /// Only one door is shut at a time.
    #[cold]
    fn enter_elsewhere(&self, at: usize) -> RwLockReadGuard<'_, Arc<Slots<I>>> {
        let others = (1..self.doors.len()).map(|next| (at + next) & (self.doors.len() - 1));
        let open = others.map(|at| &self.doors[at]).find_map(|door| door.try_read());
        open.unwrap_or_else(|| self.doors[at].read())
    }

    /// Meets every series that is not gone.
    pub(super) fn each(&self, mut meet: impl FnMut(&I)) {
        let slots = Arc::clone(&self.enter());
        slots.filled().filter(|slot| !slot.series.values().is_gone()).for_each(|slot| meet(&slot.series));
    }

    /// Adds a series whose labels are not there yet. Amortized O(1).
    pub(super) fn insert(&self, filling: &mut Filling, hash: u64, series: I) {
        let slots = Arc::clone(&self.enter());
        if (filling.filled + 1) * 4 > slots.0.len() * 3 {
            drop(slots);
            self.refill(filling);
            self.enter().insert(hash, series);
        } else {
            slots.insert(hash, series);
        }
        filling.filled += 1;
    }

    /// Takes note that so many series are gone, and parts with them when they are many. Amortized O(1).
    pub(super) fn part(&self, filling: &mut Filling, gone: usize) {
        filling.gone += gone;
        if filling.gone > MOST_GONE + (filling.filled - filling.gone) / 2 {
            self.refill(filling);
        }
    }

    /// New slots for the series that are not gone, with room for more.
    fn refill(&self, filling: &mut Filling) {
        let old = Arc::clone(&self.enter());
        let stay = || old.filled().filter(|slot| !slot.series.values().is_gone());
        let n = stay().count();
        let new = Slots::with_room(n + 1);
        stay().for_each(|slot| new.insert(slot.hash, slot.series.clone()));
        let new = Arc::new(new);
        for door in &self.doors {
            *door.write() = Arc::clone(&new);
        }
        *filling = Filling { filled: n, gone: 0 };
    }

    /// Returns when every look-up that had begun before is over.
    pub(super) fn wait_for_look_ups(&self) {
        self.doors.iter().for_each(|door| drop(door.write()));
    }
}

impl<I: Instrument> Slots<I> {
    /// With room for so many series, and as many again before there must be new slots; without any for none.
    fn with_room(n: usize) -> Self {
        let slots = if n == 0 { 0 } else { (n * 2).next_power_of_two().max(4) };
        Self((0..slots).map(|_| OnceLock::new()).collect())
    }

    #[inline]
    fn find(&self, wanted: &impl Wanted, hash: u64) -> Option<&I> {
        let mut at = hash as usize;
        loop {
            at &= self.0.len().wrapping_sub(1);
            // There always is an empty one.
            let Slot { hash: other, series } = self.0.get(at)?.get()?;
            // One that is gone may have a successor with the same labels.
            if *other == hash && wanted.is(series.values()) && !series.values().is_gone() {
                return Some(series);
            }
            at += 1;
        }
    }

    fn insert(&self, hash: u64, series: I) {
        let mut slot = Slot { hash, series };
        let mut at = hash as usize;
        loop {
            at &= self.0.len().wrapping_sub(1);
            let Some(place) = self.0.get(at) else { return };
            match place.set(slot) {
                Ok(()) => return,
                Err(taken) => slot = taken,
            }
            at += 1;
        }
    }

    fn filled(&self) -> impl Iterator<Item = &Slot<I>> {
        self.0.iter().filter_map(OnceLock::get)
    }
}

/// How many doors a table has: as many as threads may be in it at once without two of them at one, for the most part.
fn doors() -> usize {
    static DOORS: OnceLock<usize> = OnceLock::new();
    *DOORS.get_or_init(|| {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        (2 * processors).next_power_of_two().clamp(8, 64)
    })
}

/// The door of this thread, one of any number.
#[inline]
fn my_door() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        /// Has no destructor, so that it can be read as long as the thread runs.
        static MINE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    MINE.get().unwrap_or_else(|| {
        cold_path();
        let mine = NEXT.fetch_add(1, Ordering::Relaxed);
        MINE.set(Some(mine));
        mine
    })
}
