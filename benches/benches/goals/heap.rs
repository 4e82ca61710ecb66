//! What a thread keeps on the heap, and how often it asks for more.

#![allow(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

struct Counting;

/// Counting costs a peer that allocates more than one that does not, so it is off while time is taken.
static COUNTS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

fn count(allocations: u64, bytes: i64) {
    if COUNTS.load(Ordering::Relaxed) {
        ALLOCATIONS.with(|sum| sum.set(sum.get() + allocations));
        LIVE.with(|sum| sum.set(sum.get() + bytes));
    }
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's allocator as it came; counting touches an atomic and constant-initialised
// thread-locals without a destructor, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, size(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -size(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(1, size(bytes) - size(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What this thread did with the heap during a call.
pub(crate) struct Heap {
    pub(crate) allocations: u64,
    /// Bytes that are kept after it, by what the call returned too.
    pub(crate) growth: i64,
}

/// A call, and what it did with the heap. One thread counts at a time.
pub(crate) fn watch<T>(call: impl FnOnce() -> T) -> (T, Heap) {
    let before = (ALLOCATIONS.with(Cell::get), LIVE.with(Cell::get));
    COUNTS.store(true, Ordering::SeqCst);
    let kept = call();
    COUNTS.store(false, Ordering::SeqCst);
    let heap =
        Heap { allocations: ALLOCATIONS.with(Cell::get) - before.0, growth: LIVE.with(Cell::get) - before.1 };
    (kept, heap)
}
