//! Samples that wait to be sent.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Monotonic, SeriesKey};

use crate::push::PushFigures;

/// One sample of one series, stamped in milliseconds since the epoch.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) series: Arc<SeriesKey>,
    pub(super) millis: i64,
    pub(super) value: f64,
}

/// Samples that came together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) since: Monotonic,
    pub(super) samples: Vec<Queued>,
}

/// Batches in the order in which they came, bounded in samples and in age: beyond a bound the oldest go, and are counted.
///
/// No batch has more samples than one request takes. What is being sent counts as waiting until it is settled.
#[derive(Debug)]
pub(super) struct Queue {
    batches: VecDeque<Batch>,
    waiting: usize,
    under_way: usize,
    most: usize,
    max_age: Duration,
    per_request: usize,
    figures: Arc<PushFigures>,
}

impl Queue {
    pub(super) fn new(most: usize, max_age: Duration, per_request: usize, figures: Arc<PushFigures>) -> Self {
        Self { batches: VecDeque::new(), waiting: 0, under_way: 0, most, max_age, per_request, figures }
    }

    /// Puts samples at the end, in pieces that one request takes. O(samples).
    pub(super) fn push(&mut self, now: Monotonic, samples: &mut dyn ExactSizeIterator<Item = Queued>) {
        while samples.len() > 0 {
            let samples: Vec<_> = samples.take(self.per_request).collect();
            self.waiting += samples.len();
            self.batches.push_back(Batch { since: now, samples });
        }
        self.keep_bounds(now);
    }

    fn keep_bounds(&mut self, now: Monotonic) {
        while let Some(oldest) = self.batches.front() {
            let reason = if now.saturating_since(oldest.since) > self.max_age {
                &self.figures.dropped.age
            } else if self.waiting + self.under_way > self.most {
                &self.figures.dropped.queue_full
            } else {
                break;
            };
            reason.add(oldest.samples.len() as u64);
            self.waiting -= oldest.samples.len();
            self.batches.pop_front();
        }
        self.tell();
    }

    /// The oldest batches that one request takes, until they are [settled](Self::settle). Nothing if there is none.
    pub(super) fn take(&mut self, now: Monotonic) -> Option<Batch> {
        self.keep_bounds(now);
        let mut taken = self.batches.pop_front()?;
        while let Some(next) = self.batches.front()
            && taken.samples.len() + next.samples.len() <= self.per_request
            && let Some(mut next) = self.batches.pop_front()
        {
            taken.samples.append(&mut next.samples);
        }
        self.waiting -= taken.samples.len();
        self.under_way = taken.samples.len();
        self.tell();
        Some(taken)
    }

    /// What was taken is delivered or dropped.
    pub(super) fn settle(&mut self) {
        self.under_way = 0;
        self.tell();
    }

    /// Since when the oldest waits.
    pub(super) fn oldest(&self) -> Option<Monotonic> {
        self.batches.front().map(|batch| batch.since)
    }

    /// Whether a request would be full.
    pub(super) fn fills_a_request(&self) -> bool {
        self.waiting >= self.per_request
    }

    /// Drops all that waits; how many samples that is.
    pub(super) fn clear(&mut self) -> usize {
        self.batches.clear();
        let dropped = std::mem::take(&mut self.waiting);
        self.tell();
        dropped
    }

    fn tell(&self) {
        self.figures.set_queued(self.waiting + self.under_way);
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Descriptor, Labels, MetricName, Unit};
    use proptest::prelude::*;

    use super::*;

    fn samples(first: i64, n: usize) -> Vec<Queued> {
        let name = MetricName::new("x").unwrap();
        let series = SeriesKey {
            descriptor: Arc::new(Descriptor::gauge(name, Unit::None, "")),
            labels: Labels::empty(),
        };
        let series = Arc::new(series);
        (first..).take(n).map(|millis| Queued { series: Arc::clone(&series), millis, value: 0.0 }).collect()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        Wait(u64),
        Take,
        Settle,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0_usize..30).prop_map(Step::Push),
            (0_u64..40).prop_map(Step::Wait),
            Just(Step::Take),
            Just(Step::Settle),
        ];
        proptest::collection::vec(step, 1..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_sample_is_taken_once_in_order_or_counted_as_dropped(
            steps in steps(), most in 10_usize..60, per_request in 1_usize..10,
        ) {
            let figures = Arc::new(PushFigures::new("law"));
            let mut queue = Queue::new(most, Duration::from_mins(1), per_request, Arc::clone(&figures));
            let (mut now, mut next, mut taken, mut last) = (Monotonic::ORIGIN, 0_i64, 0_usize, -1);
            let mut under_way = 0;
            for step in steps {
                match step {
                    Step::Push(n) => {
                        queue.push(now, &mut samples(next, n).into_iter());
                        next += n as i64;
                        prop_assert!(figures.queued() <= most.max(under_way), "{} of {most}", figures.queued());
                    }
                    Step::Wait(seconds) => now = now.saturating_add(Duration::from_secs(seconds)),
                    Step::Take if under_way == 0 => if let Some(batch) = queue.take(now) {
                        prop_assert!(now.saturating_since(batch.since) <= Duration::from_mins(1));
                        under_way = batch.samples.len();
                        prop_assert!((1..=per_request).contains(&under_way));
                        for sample in batch.samples {
                            prop_assert!(sample.millis > last);
                            last = sample.millis;
                            taken += 1;
                        }
                    },
                    Step::Take => {}
                    Step::Settle => {
                        queue.settle();
                        under_way = 0;
                    }
                }
                let waiting = figures.queued() - under_way;
                prop_assert_eq!(next as usize, taken + waiting + figures.dropped() as usize);
            }
        }
    }

    #[test]
    fn the_oldest_are_dropped_first_and_by_their_reason() {
        let figures = Arc::new(PushFigures::new("bounds"));
        let mut queue = Queue::new(10, Duration::from_mins(1), 5, Arc::clone(&figures));
        let at = |seconds| Monotonic::after_origin(Duration::from_secs(seconds));
        queue.push(at(0), &mut samples(0, 5).into_iter());
        queue.push(at(1), &mut samples(5, 8).into_iter());
        assert_eq!((figures.dropped.queue_full.get(), queue.oldest()), (5, Some(at(1))));
        assert!(queue.take(at(62)).is_none());
        assert_eq!((figures.dropped.age.get(), figures.queued()), (8, 0));
    }
}
