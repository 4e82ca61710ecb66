//! What must not allocate does not: counted by the allocator of this test binary.

#![allow(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use bellwether_metrics::{Buckets, Unit};

use crate::desk::Desk;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; counting touches a constant-initialised thread-local
// without a destructor, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread during a call.
fn allocations<T>(call: impl FnOnce() -> T) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    let kept = call();
    let after = ALLOCATIONS.with(Cell::get);
    drop(kept);
    after - before
}

#[test]
fn the_counter_of_allocations_counts() {
    assert_eq!(allocations(|| vec![1u8]), 1);
}

#[test]
fn recording_and_known_label_sets_allocate_nothing() {
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    let ack = desk.timer("ack_seconds", "Ack.").unwrap();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    orders.with(["XNYS", "buy"]).increment();
    let spent = allocations(|| {
        for i in 0..1_000 {
            fills.increment();
            depth.set(f64::from(i));
            depth.add(1.0);
            depth.set(f64::NAN);
            ack.histogram().record(Duration::from_micros(50));
            ack.start().stop();
            orders.with(["XNYS", "buy"]).increment();
        }
    });
    assert_eq!(spent, 0);
}

#[test]
fn a_scrape_into_a_used_buffer_allocates_nothing() {
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let ack =
        desk.histogram_family("ack_seconds", Unit::Seconds, "Ack.", ["id"], Buckets::latency()).unwrap();
    for id in 0..50 {
        orders.with(&id.to_string()).increment();
        ack.with(&id.to_string()).record(0.1);
    }
    let mut page = String::new();
    desk.write_text(&mut page);
    let spent = allocations(|| {
        page.clear();
        desk.write_text(&mut page);
    });
    assert_eq!(spent, 0);
}

#[test]
fn an_append_to_a_full_series_allocates_nothing() {
    use bellwether_core::{Sample, Timestamp};
    let bounds = bellwether_metrics::HistoryConfig::default().with_max_samples(1_000);
    let mut series = bellwether_metrics::Series::new(&bounds);
    let push = |series: &mut bellwether_metrics::Series, second| {
        series.push(Sample::new(Timestamp::from_seconds(second).unwrap(), second as f64)).unwrap();
    };
    (0..2_000).for_each(|second| push(&mut series, second));
    assert_eq!(allocations(|| (2_000..20_000).for_each(|second| push(&mut series, second))), 0);
}
