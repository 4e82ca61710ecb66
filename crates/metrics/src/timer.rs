//! How long something takes.

use std::fmt;
use std::time::Duration;

use bellwether_core::{Monotonic, SharedClock};

use crate::instrument::Instrument;
use crate::{Histogram, NativeHistogram, Summary};

/// What a [`Timer`] can record into: [`Histogram`], [`NativeHistogram`] or [`Summary`].
pub trait RecordTime: Instrument {
    /// Takes a length, in seconds.
    fn record_time(&self, length: Duration);
}

impl RecordTime for Histogram {
    #[inline]
    fn record_time(&self, length: Duration) {
        self.record(length);
    }
}

impl RecordTime for NativeHistogram {
    #[inline]
    fn record_time(&self, length: Duration) {
        self.record(length);
    }
}

impl RecordTime for Summary {
    #[inline]
    fn record_time(&self, length: Duration) {
        self.record(length);
    }
}

/// Measures how long something takes and records it, in seconds, in a histogram or summary.
///
/// Time comes from the monotonic time of the registry's clock. To make one: [`Registry::timer`](crate::Registry::timer), or
/// [`Timer::new`] with any [`RecordTime`].
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Quantiles, Registry, RegistryConfig, Timer, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let quoting = metrics.summary("quote_seconds", Unit::Seconds, "From tick to quote.", Quantiles::latency())?;
/// let quoting = Timer::new(quoting, metrics.clock());
/// quoting.time(|| "a call");
/// let running = quoting.start();
/// let took = running.stop();
/// assert_eq!(quoting.instrument().snapshot().count, 2);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Timer<I = Histogram> {
    instrument: I,
    clock: SharedClock,
}

impl Timer {
    /// What was recorded.
    pub fn histogram(&self) -> &Histogram {
        &self.instrument
    }
}

impl<I: RecordTime> Timer<I> {
    /// Records into `instrument`, by `clock`.
    pub fn new(instrument: I, clock: &SharedClock) -> Self {
        Self { instrument, clock: SharedClock::clone(clock) }
    }

    /// Measures until the guard is dropped or stopped. It may be held over an `await`, and sent to another thread.
    pub fn start(&self) -> RunningTimer<'_, I> {
        RunningTimer { timer: self, since: self.clock.monotonic(), records: true }
    }

    /// Measures a call. One that panics is recorded too.
    pub fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let _running = self.start();
        call()
    }

    /// Measures a future, from its first poll until it is ready. One that is dropped before is recorded too, with the time
    /// until then.
    pub async fn time_future<F: Future>(&self, future: F) -> F::Output {
        let _running = self.start();
        future.await
    }

    /// What is recorded into.
    pub fn instrument(&self) -> &I {
        &self.instrument
    }
}

impl<I: fmt::Debug> fmt::Debug for Timer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.instrument).finish()
    }
}

/// A measurement under way: recorded when it is dropped or [stopped](RunningTimer::stop).
#[derive(Debug)]
#[must_use = "a measurement ends when its guard is dropped"]
pub struct RunningTimer<'a, I: RecordTime = Histogram> {
    timer: &'a Timer<I>,
    since: Monotonic,
    records: bool,
}

impl<I: RecordTime> RunningTimer<'_, I> {
    /// Ends the measurement and says how long it was.
    pub fn stop(mut self) -> Duration {
        self.records = false;
        let length = self.elapsed();
        self.timer.instrument.record_time(length);
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

impl<I: RecordTime> Drop for RunningTimer<'_, I> {
    fn drop(&mut self) {
        if self.records {
            self.timer.instrument.record_time(self.elapsed());
        }
    }
}
