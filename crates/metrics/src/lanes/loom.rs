//! Every order in which threads can take, write, give back and read, up to what the memory model allows.
//!
//! Lanes and pages are made at once here (`OnceLock` is taken as it is): what is checked is who may write where, and who
//! sees what.

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use super::page::{add, add_shared};
use super::pool::{Lease, Pool};
use super::slot::{SLOTS, Slot};

fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(check);
}

/// As a thread does: takes a lane, or shares one, and adds.
fn record(pool: &Pool, slot: Slot, n: u64) {
    let lease = pool.lease();
    match lease.as_ref().map(Lease::lane) {
        Some(lane) => add(lane.page(slot).unwrap().slot(slot.at()), n),
        None => add_shared(pool.shared().page(slot).unwrap().slot(slot.at()), n),
    }
}

fn sum(pool: &Pool, slot: Slot) -> u64 {
    pool.lanes().map(|lane| lane.read(slot)).sum()
}

#[test]
fn whoever_takes_a_lane_over_goes_on_from_what_is_there() {
    model(|| {
        let pool = Arc::new(Pool::new());
        let slot = pool.take(1).unwrap();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || (0..2).for_each(|_| record(&pool, slot, 1)))
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(sum(&pool, slot), 4);
    });
}

#[test]
fn a_reader_sees_no_sum_fall_and_none_too_high() {
    model(|| {
        let pool = Arc::new(Pool::new());
        let slot = pool.take(1).unwrap();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || record(&pool, slot, 1))
            })
            .collect();
        let first = sum(&pool, slot);
        let second = sum(&pool, slot);
        assert!(first <= second && second <= 2);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(sum(&pool, slot), 2);
    });
}

#[test]
fn threads_that_find_no_lane_count_in_the_shared_one() {
    model(|| {
        let pool = Arc::new(Pool::new());
        let slot = pool.take(1).unwrap();
        // Both lanes are taken.
        let kept = (pool.lease(), pool.lease());
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || record(&pool, slot, 1))
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(sum(&pool, slot), 2);
        drop(kept);
    });
}

/// As the handles of a series share it: the last one gives its slot back.
struct Series {
    pool: Arc<Pool>,
    slot: Slot,
}

impl Drop for Series {
    fn drop(&mut self) {
        self.pool.give_back(self.slot, 1);
    }
}

#[test]
fn a_slot_that_is_taken_again_begins_at_zero_whatever_was_written_before() {
    model(|| {
        let pool = Arc::new(Pool::new());
        let series = Arc::new(Series { pool: Arc::clone(&pool), slot: pool.take(1).unwrap() });
        // No other slot is left.
        pool.take(SLOTS - 1).unwrap();
        let writer = {
            let series = Arc::clone(&series);
            thread::spawn(move || record(&series.pool, series.slot, 7))
        };
        record(&pool, series.slot, 7);
        drop(series);
        if let Some(slot) = pool.take(1) {
            assert_eq!(sum(&pool, slot), 0);
            record(&pool, slot, 1);
            assert_eq!(sum(&pool, slot), 1);
        }
        writer.join().unwrap();
    });
}

#[test]
fn two_series_that_are_made_at_once_have_slots_of_their_own() {
    model(|| {
        let pool = Arc::new(Pool::new());
        let other = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let slot = pool.take(1).unwrap();
                record(&pool, slot, 1);
                slot
            })
        };
        let slot = pool.take(1).unwrap();
        record(&pool, slot, 1);
        assert_ne!(other.join().unwrap(), slot);
        assert_eq!(sum(&pool, slot), 1);
    });
}
