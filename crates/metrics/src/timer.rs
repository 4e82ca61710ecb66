//! How long something takes.

use std::fmt;
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};

use crate::Histogram;

/// Measures how long something takes and records it, in seconds, in a histogram.
///
/// Time comes from the monotonic time of the registry's clock. To make one: [`Registry::timer`](crate::Registry::timer).
#[derive(Clone)]
pub struct Timer {
    histogram: Histogram,
    clock: SharedClock,
}

impl Timer {
    /// Records into `histogram`, by `clock`.
    pub fn new(histogram: Histogram, clock: &SharedClock) -> Self {
        Self { histogram, clock: SharedClock::clone(clock) }
    }

    /// Measures until the guard is dropped or stopped.
    pub fn start(&self) -> RunningTimer<'_> {
        RunningTimer { timer: self, since: self.clock.monotonic(), records: true }
    }

    /// Measures a call. One that panics is recorded too.
    pub fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let _running = self.start();
        call()
    }

    /// What was recorded.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.histogram).finish()
    }
}

/// A measurement under way: recorded when it is dropped or [stopped](RunningTimer::stop).
#[derive(Debug)]
#[must_use = "a measurement ends when its guard is dropped"]
pub struct RunningTimer<'a> {
    timer: &'a Timer,
    since: Monotonic,
    records: bool,
}

impl RunningTimer<'_> {
    /// Ends the measurement and says how long it was.
    pub fn stop(mut self) -> Duration {
        self.records = false;
        let length = self.elapsed();
        self.timer.histogram.record(length);
        length
    }

    /// Ends the measurement without recording it.
    pub fn discard(mut self) {
        self.records = false;
    }

    /// How long it is so far.
    pub fn elapsed(&self) -> Duration {
        self.timer.clock.monotonic().saturating_since(self.since)
    }
}

impl Drop for RunningTimer<'_> {
    fn drop(&mut self) {
        if self.records {
            self.timer.histogram.record(self.elapsed());
        }
    }
}
