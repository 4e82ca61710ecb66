//! Time that a thread had a processor.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long this thread has run so far.
pub(crate) fn time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// How long this thread was ready so far and no processor was free; nothing where the system does not say.
pub(crate) fn waited() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().nth(1)?.parse().ok()?))
}

/// Nanoseconds of the processor per operation, of a call that does so many.
pub(crate) fn nanos(operations: u64, call: impl FnOnce()) -> f64 {
    let before = time();
    call();
    (time() - before).as_nanos() as f64 / operations as f64
}

/// The median of so many measurements, after one to warm up.
pub(crate) fn median_nanos(repeats: usize, operations: u64, mut call: impl FnMut()) -> f64 {
    call();
    median((0..repeats).map(|_| nanos(operations, &mut call)).collect())
}

/// The middle one; of an even number the upper.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
