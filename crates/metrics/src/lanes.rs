//! Slots that each thread writes for itself: what makes recording cheap.
//!
//! A count that many threads raise is kept once per thread, in a *lane*, and added up when it is read. A lane has one
//! writer at a time, so that a plain load and store do where a shared count needs a locked instruction; and the lanes of
//! two threads share no cache line. The slots of all series lie close together in the pages of a lane, so that a series
//! costs 8 bytes per slot and thread, and not a cache line.
//!
//! - A thread takes a lane when it first records, and gives it back when it ends. The next thread goes on from what is
//!   there: nothing moves when a thread ends, so that no reader sees a count fall or counts it twice.
//! - There are at most 256 lanes. More threads than that at a time, and those that record while their thread-local values
//!   are destroyed, share a lane of their own, by locked instructions; a thread that found none asks again now and then.
//! - Pages of 4,096 slots come when a thread first writes to them, and stay: at most 255 per lane, 8 MB. Slots are used
//!   again when the last handle of their series is gone: only then can no one write to them any more. A series for whose
//!   slots there is no room keeps them itself, and is recorded by locked instructions.
//! - A thread finds its page of a slot in a table of its own, by a byte: one look, no comparison but whether it is there.
//!
//! A signal handler must not record: it could come between a load and its store.
//!
//! This is the only state that belongs to the process: a lane must be the thread's, whichever registry a series is in.

mod cells;
mod lane;
mod page;
mod pool;
mod row;
mod rows;
mod slot;
mod sync;

#[cfg(all(test, loom_models))]
mod loom;

use std::cell::Cell;

pub(crate) use self::cells::Cells;
use self::page::Page;
pub use self::pool::LaneUse;
use self::pool::{Lease, Pool};
pub(crate) use self::row::Row;
pub(crate) use self::slot::Slot;

#[cfg(not(loom_models))]
static POOL: Pool = Pool::new();
#[cfg(loom_models)]
static POOL: std::sync::LazyLock<Pool> = std::sync::LazyLock::new(Pool::new);

/// Which lane this thread writes to.
#[derive(Clone, Copy)]
enum Mine {
    /// None yet.
    Untaken,
    /// One of its own.
    Own(&'static lane::Lane),
    /// That of all who have none, as there are too many threads; after so many times it asks again.
    Waiting(u16),
    /// That of all who have none, for good: the thread is about to end.
    Shared,
}

/// How often a thread without a lane records before it asks for one again.
const PATIENCE: u16 = 1_024;

/// Given back when the thread ends.
struct ThreadLease {
    _lease: Lease<'static>,
}

impl Drop for ThreadLease {
    fn drop(&mut self) {
        // What still records on this thread must not write to a lane that another may take now.
        MINE.set(Mine::Shared);
        PAGES.with(|pages| pages.iter().for_each(|page| page.set(None)));
    }
}

/// As many as a byte can tell apart: the last one is never there.
const PAGE_NAMES: usize = 256;

thread_local! {
    // Neither of these has a destructor, so that they can be read as long as the thread runs.
    static MINE: Cell<Mine> = const { Cell::new(Mine::Untaken) };
    /// The pages of this thread's own lane that it has written to.
    static PAGES: [Cell<Option<&'static Page>>; PAGE_NAMES] = const { [const { Cell::new(None) }; PAGE_NAMES] };
    static LEASE: Cell<Option<ThreadLease>> = const { Cell::new(None) };
}

/// A page of the lane that this thread alone writes to, if it has written to it before. This is all that lies between a
/// handle and its slot: one look into the thread's own table.
#[inline]
fn my_page(page: u8) -> Option<&'static Page> {
    PAGES.with(|pages| pages[usize::from(page)].get())
}

/// The slots of a series in the lane that this thread alone writes to, if it has one. From now on [`Slot::mine`] finds
/// them.
fn open(slot: Slot) -> Option<Row> {
    let lane = match MINE.get() {
        Mine::Own(lane) => lane,
        Mine::Untaken | Mine::Waiting(0) => take()?,
        Mine::Waiting(times) => {
            MINE.set(Mine::Waiting(times - 1));
            return None;
        }
        Mine::Shared => return None,
    };
    let page = lane.page(slot)?;
    PAGES.with(|pages| {
        if let Some(place) = pages.get(slot.page()) {
            place.set(Some(page));
        }
    });
    Some(Row::new(page, slot.at()))
}

fn take() -> Option<&'static lane::Lane> {
    let Some(lease) = POOL.lease() else {
        MINE.set(Mine::Waiting(PATIENCE));
        return None;
    };
    let lane = lease.lane();
    MINE.set(Mine::Own(lane));
    // Where the place for it is gone already, the lease goes at once, and the lane with it.
    LEASE.try_with(|place| place.set(Some(ThreadLease { _lease: lease }))).ok().map(|()| lane)
}

#[cfg(all(test, not(loom_models)))]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    fn add(cells: &Cells, at: usize, n: u64) {
        match cells.slot().mine() {
            Some(row) => row.add(at, n),
            None => cells.add(at, n),
        }
    }

    fn add_real(cells: &Cells, at: usize, value: f64) {
        match cells.slot().mine() {
            Some(row) => assert!(row.add_real(at, value)),
            None => assert!(cells.add_real(at, value)),
        }
    }

    /// Waits until the thread is gone, its thread-local values included.
    fn on_a_thread(run: impl FnOnce() + Send) -> thread::Result<()> {
        thread::scope(|scope| scope.spawn(run).join())
    }

    #[test]
    fn threads_that_come_and_go_lose_no_count() {
        let cells = Cells::new(2);
        for _ in 0..if cfg!(miri) { 2 } else { 100 } {
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..10 {
                            add(&cells, 0, 1);
                            add_real(&cells, 1, 0.5);
                        }
                    });
                }
            });
        }
        let threads = if cfg!(miri) { 8 } else { 400 };
        assert_eq!((cells.read(0), cells.read_real(1)), (threads * 10, threads as f64 * 5.0));
    }

    #[test]
    fn more_threads_than_lanes_lose_no_count_and_a_late_one_gets_a_lane_in_the_end() {
        const THREADS: usize = pool::MAX_LANES + 40;
        if cfg!(miri) {
            return;
        }
        let cells = Cells::new(1);
        let (there, gone) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    add(&cells, 0, 1);
                    there.wait();
                    add(&cells, 0, 1);
                    gone.wait();
                });
            }
            there.wait();
            assert_eq!(LaneUse::now().lanes, pool::MAX_LANES);
            gone.wait();
        });
        assert_eq!(cells.read(0), 2 * THREADS as u64);
        on_a_thread(|| {
            MINE.set(Mine::Waiting(2));
            for _ in 0..3 {
                assert!(cells.slot().mine().is_none());
                cells.add(0, 1);
            }
            assert!(cells.slot().mine().is_some(), "it asked again");
        })
        .unwrap();
        assert_eq!(cells.read(0), 2 * THREADS as u64 + 3);
    }

    #[test]
    fn what_is_recorded_while_a_thread_ends_is_counted() {
        static WITHOUT_LANE: AtomicU64 = AtomicU64::new(0);
        static IN_ANOTHERS_LANE: AtomicU64 = AtomicU64::new(0);
        struct Late(Arc<Cells>);
        impl Drop for Late {
            fn drop(&mut self) {
                if matches!(MINE.get(), Mine::Shared) {
                    WITHOUT_LANE.fetch_add(1, Ordering::Relaxed);
                    IN_ANOTHERS_LANE.fetch_add(self.0.slot().mine().is_some().into(), Ordering::Relaxed);
                }
                add(&self.0, 0, 1);
            }
        }
        thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });
        let cells = Arc::new(Cells::new(1));
        for first_records in [true, false] {
            on_a_thread(|| {
                // Destructors run in an order of their own; both orders are tried.
                if first_records {
                    add(&cells, 0, 1);
                    LATE.set(Some(Late(Arc::clone(&cells))));
                } else {
                    LATE.set(Some(Late(Arc::clone(&cells))));
                    add(&cells, 0, 1);
                }
            })
            .unwrap();
        }
        assert_eq!(cells.read(0), 4);
        assert_eq!(WITHOUT_LANE.load(Ordering::Relaxed), 1, "one order is such that the lane goes first");
        assert_eq!(IN_ANOTHERS_LANE.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_thread_that_panics_keeps_what_it_counted_and_gives_its_lane_back() {
        let cells = Cells::new(1);
        let outcome = on_a_thread(|| {
            add(&cells, 0, 3);
            let _ = catch_unwind(|| std::panic::resume_unwind(Box::new("once")));
            add(&cells, 0, 4);
            std::panic::resume_unwind(Box::new("twice"))
        });
        assert!(outcome.is_err());
        assert_eq!(cells.read(0), 7);
    }

    #[test]
    fn slots_that_are_used_again_begin_at_zero() {
        for _ in 0..10 {
            let cells = Cells::new(20);
            for at in 0..20 {
                assert_eq!(cells.read(at), 0);
                add(&cells, at, 7);
            }
        }
    }

    #[test]
    fn a_reader_never_sees_a_sum_fall_while_slots_beside_it_come_and_go() {
        let cells = Cells::new(1);
        let goes_on = AtomicBool::new(true);
        let rounds = if cfg!(miri) { 5 } else { 200 };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        // Each on a new thread, which takes over the lane of the one before.
                        thread::scope(|scope| {
                            scope.spawn(|| {
                                let beside = Cells::new(1);
                                for _ in 0..50 {
                                    add(&cells, 0, 1);
                                    add(&beside, 0, 1);
                                }
                                assert_eq!(beside.read(0), 50);
                            });
                        });
                    }
                });
            }
            scope.spawn(|| {
                let mut last = 0;
                while goes_on.load(Ordering::Relaxed) {
                    let now = cells.read(0);
                    assert!(now >= last, "{now} after {last}");
                    last = now;
                    if now == 100 * rounds {
                        goes_on.store(false, Ordering::Relaxed);
                    }
                    thread::yield_now();
                }
            });
        });
        assert_eq!(cells.read(0), 100 * rounds);
    }
}
