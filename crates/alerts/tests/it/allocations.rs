//! The hot path, under an allocator that counts.
#![allow(unsafe_code, reason = "an allocator is unsafe to write; this one hands everything on")]
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bellwether_alerts::config::AlertsConfig;
use bellwether_alerts::{Alert, Alerts};
use bellwether_core::{Clock, ManualClock, Severity};
use chrono::DateTime;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are handed on with the call.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn raising_a_prepared_alert_allocates_nothing() {
    let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
    let alerts = Alerts::builder(&clock.shared(), AlertsConfig::default()).build().unwrap();
    let alert = Alert::builder("KillSwitch", clock.now()).severity(Severity::Critical);
    let alert = alert.annotation("summary", "down {{ $value }}").build().unwrap();
    let kill = alerts.handle().prepare(&alert).unwrap();
    let raise = || {
        // More than the queue holds: giving way allocates nothing either.
        for i in 0..5_000 {
            kill.raise(f64::from(i));
        }
        kill.resolve();
    };
    assert_eq!(allocations(raise), 0);
    assert_eq!(allocations(|| drop(Box::new(7_u64))), 1, "the count counts");
}
