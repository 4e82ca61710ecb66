//! Slots that each thread writes for itself: what makes recording cheap.
//!
//! A count that many threads raise is kept once per thread, in a *lane*, and added up when it is read. A lane has one
//! writer at a time, so that a plain load and store do where a shared count needs a locked instruction; and the lanes of
//! two threads share no cache line. The slots of all series lie close together in the pages of a lane, so that a series
//! costs 8 bytes per slot and thread, and not a cache line.
//!
//! - A thread takes a lane when it first records, and gives it back when it ends. The next thread goes on from what is
//!   there: nothing moves when a thread ends, so that no reader sees a count fall or counts it twice.
//! - There are at most [`MAX_LANES`] lanes. More threads than that, and those that record while their thread-local values
//!   are destroyed, share a lane of their own, by locked instructions.
//! - Pages come when a thread first writes to them, and stay. Slots are used again when the last handle of their series
//!   is gone: only then can no one write to them any more.
//!
//! This is the only state that belongs to the process: a lane must be the thread's, whichever registry a series is in.

mod cells;
mod lane;
mod pool;

use std::cell::Cell;

pub(crate) use self::cells::Cells;
use self::lane::Lane;
use self::pool::{Lease, Pool};

static POOL: Pool = Pool::new();

/// Which lane this thread writes to.
#[derive(Clone, Copy)]
enum Mine {
    /// None yet.
    Untaken,
    /// One of its own.
    Own(&'static Lane),
    /// That of all who have none: there are too many threads, or this one is about to end.
    Shared,
}

/// Given back when the thread ends.
struct ThreadLease(Lease<'static>);

impl Drop for ThreadLease {
    fn drop(&mut self) {
        // What still records on this thread must not write to a lane that another may take now.
        MINE.set(Mine::Shared);
    }
}

thread_local! {
    /// Has no destructor, so that it can be read as long as the thread runs.
    static MINE: Cell<Mine> = const { Cell::new(Mine::Untaken) };
    static LEASE: Cell<Option<ThreadLease>> = const { Cell::new(None) };
}

/// The lane that this thread alone writes to, if it has one.
#[inline]
fn mine() -> Option<&'static Lane> {
    match MINE.get() {
        Mine::Own(lane) => Some(lane),
        Mine::Untaken => take(),
        Mine::Shared => None,
    }
}

#[cold]
fn take() -> Option<&'static Lane> {
    let lease = POOL.lease();
    let lane = lease.as_ref().map(Lease::lane);
    // Where the slot for it is gone already, the lease goes at once, and so must the lane.
    let kept = LEASE.try_with(|slot| slot.set(lease.map(ThreadLease))).is_ok();
    let lane = lane.filter(|_| kept);
    MINE.set(lane.map_or(Mine::Shared, Mine::Own));
    lane
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_come_and_go_lose_no_count() {
        let cells = Arc::new(Cells::new(2));
        for _ in 0..50 {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let cells = Arc::clone(&cells);
                    thread::spawn(move || {
                        for _ in 0..1_000 {
                            cells.add(0, 1);
                            cells.add_real(1, 0.5);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        assert_eq!((cells.read(0), cells.read_real(1)), (200_000, 100_000.0));
    }

    #[test]
    fn what_is_recorded_while_a_thread_ends_is_counted() {
        struct Late(Arc<Cells>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.add(0, 1);
            }
        }
        thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });
        let cells = Arc::new(Cells::new(1));
        for first_records in [true, false] {
            let cells = Arc::clone(&cells);
            thread::spawn(move || {
                // Destructors run in an order of their own; both orders are tried.
                if first_records {
                    cells.add(0, 1);
                    LATE.set(Some(Late(Arc::clone(&cells))));
                } else {
                    LATE.set(Some(Late(Arc::clone(&cells))));
                    cells.add(0, 1);
                }
            })
            .join()
            .unwrap();
        }
        assert_eq!(cells.read(0), 4);
    }

    #[test]
    fn slots_that_are_used_again_begin_at_zero() {
        for _ in 0..10 {
            let cells = Cells::new(20);
            for at in 0..20 {
                assert_eq!(cells.read(at), 0);
                cells.add(at, 7);
            }
        }
    }
}
