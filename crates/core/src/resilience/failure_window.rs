//! Failures among the calls of the recent past.
use std::time::Duration;

use crate::Monotonic;

/// A window is counted in this many slices.
const SLICES: usize = 10;

/// Counts of calls and failures over a sliding window, to a tenth of its length: it sees between nine and ten
/// tenths of it.
#[derive(Debug, Clone)]
pub(super) struct FailureWindow {
    slice: Duration,
    slices: [Slice; SLICES],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    /// Which slice of time since the origin this is.
    number: u128,
    calls: u64,
    failures: u64,
}

impl FailureWindow {
    pub(super) fn new(window: Duration) -> Self {
        // A window shorter than ten nanoseconds has slices of one.
        let slice = (window / SLICES as u32).max(Duration::from_nanos(1));
        Self { slice, slices: [Slice::default(); SLICES] }
    }

    fn number(&self, now: Monotonic) -> u128 {
        now.since_origin().as_nanos() / self.slice.as_nanos()
    }

    /// Notes a call. `now` must not step back.
    pub(super) fn note(&mut self, failed: bool, now: Monotonic) {
        let number = self.number(now);
        let Some(slice) = self.slices.get_mut((number % SLICES as u128) as usize) else { return };
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.calls += 1;
        slice.failures += u64::from(failed);
    }

    /// Failures and calls in the window that ends at `now`.
    pub(super) fn count(&self, now: Monotonic) -> (u64, u64) {
        let number = self.number(now);
        let recent = self.slices.iter().filter(|slice| slice.number + SLICES as u128 > number);
        recent.fold((0, 0), |(failures, calls), slice| (failures + slice.failures, calls + slice.calls))
    }

    pub(super) fn clear(&mut self) {
        self.slices = [Slice::default(); SLICES];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn it_sees_all_calls_of_nine_tenths_and_none_beyond_ten(
            calls in proptest::collection::vec((0_u64..40, any::<bool>()), 1..120),
        ) {
            let window = 100_u64;
            let mut counted = FailureWindow::new(Duration::from_nanos(window));
            let (mut now, mut log) = (0, Vec::new());
            for (step, failed) in calls {
                now += step;
                log.push((now, failed));
                let at = Monotonic::after_origin(Duration::from_nanos(now));
                counted.note(failed, at);
                let (failures, seen) = counted.count(at);
                let within = |length: u64| log.iter().filter(move |(then, _)| now - then < length);
                prop_assert!(seen >= within(window - window / 10).count() as u64);
                prop_assert!(seen <= within(window).count() as u64);
                prop_assert!(failures >= within(window - window / 10).filter(|(_, failed)| *failed).count() as u64);
                prop_assert!(failures <= within(window).filter(|(_, failed)| *failed).count() as u64);
            }
        }
    }
}
