//! A count that any thread may raise.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count that any thread may raise: one atomic, for the figures that a part keeps about itself.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// At zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// `n` more; wraps after 2^64.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
