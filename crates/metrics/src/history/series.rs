//! The recent samples of one series.

use std::ops::Range;
use std::time::Duration;

use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp, quantiles};

use super::ewma::{Ewma, HALF_LIVES};
use super::long::Long;
use super::restarts::{Restarts, Told};
use super::ring::Ring;
use super::summary::Summary;
use super::trend::Trend;
use crate::{Buckets, HistoryConfig};

/// The recent samples of one series: bounded by count and by age, in the order of time.
///
/// What the series does with a sample that does not fit:
///
/// | sample | what happens |
/// | --- | --- |
/// | a value that is not finite | refused |
/// | older than the newest | refused: [`RefusedSample::OutOfOrder`] |
/// | as old as the newest, with the same value or another | refused, the first stays: [`RefusedSample::Repeated`] |
/// | from the future | refused by [`push_by`](Series::push_by), to which the time is told: [`RefusedSample::Future`] |
/// | after the time that a clock was set back to | dropped by [`truncate`](Series::truncate) |
/// | one more than the bound | the oldest goes |
/// | older than the bound of age, seen from the newest | goes |
///
/// A series has no clock. A reader who knows the time gives a range that ends there, and asks
/// [`expire`](Series::expire) to drop what has become too old since the last sample. A registry knows the time: it refuses,
/// drops and counts all of the above by itself, and its readers see nothing that is too old, be the series ever so quiet.
///
/// With a second tier (feature `long-history`), samples that leave for a bound are summed up per span of time; every
/// aggregate, trend and step is made of both. Quantiles and moving averages need samples one by one, and are made of those
/// that there are.
///
/// Of no samples there is no aggregate, not even a count; of one there is no deviation, increase, rate, slope or trend.
///
/// Memory is 16 bytes a sample and about 2 more for summaries, from which aggregates over long ranges are made:
/// every aggregate but the quantile is O(64 + samples / 64).
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp, quantiles};
/// use bellwether_metrics::{HistoryConfig, Series};
///
/// let mut series = Series::new(&HistoryConfig::default());
/// for minute in 0..10 {
///     series.push(Sample::new(Timestamp::from_seconds(60 * minute)?, 2.0 * minute as f64))?;
/// }
/// let last_five = TimeRange::ending(Timestamp::from_seconds(540)?, Duration::from_secs(300));
/// assert_eq!(series.aggregate(last_five, Aggregate::Mean), Some(14.0));
/// assert_eq!(series.aggregate(last_five, Aggregate::Slope), Some(2.0 / 60.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Series {
    ring: Ring,
    /// In microseconds.
    max_age: i64,
    restarts: Restarts,
    /// What is known of the samples that have left the ring.
    long: Option<Box<Long>>,
}

/// Why a sample was not taken.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedSample {
    /// The value is not finite.
    #[error("value {value} is not finite")]
    NotFinite {
        /// The value.
        value: f64,
    },
    /// It lies before the newest sample.
    #[error("sample of {at} is older than the newest, of {newest}")]
    OutOfOrder {
        /// When it was measured.
        at: Timestamp,
        /// When the newest was.
        newest: Timestamp,
    },
    /// It lies after the present.
    #[error("sample of {at} lies in the future: it is {now}")]
    Future {
        /// When it is said to have been measured.
        at: Timestamp,
        /// What time it was.
        now: Timestamp,
    },
    /// There is a sample of this instant already.
    #[error("there is a sample of {at} already")]
    Repeated {
        /// When both were measured.
        at: Timestamp,
    },
}

/// How many samples left a series to make room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// For the bound of count.
    pub by_count: usize,
    /// For the bound of age.
    pub by_age: usize,
}

fn micros(at: Timestamp) -> i64 {
    at.as_micros()
}

fn stamp(micros: i64) -> Timestamp {
    // Every stamp in the ring came from a `Timestamp`.
    Timestamp::from_micros(micros).unwrap_or_default()
}

fn sample((time, value): (i64, f64)) -> Sample {
    Sample::new(stamp(time), value)
}

impl Series {
    /// Without samples so far.
    pub fn new(bounds: &HistoryConfig) -> Self {
        Self::with(bounds, Restarts::Falls)
    }

    /// Of the count or the sum of a histogram: where it started again, its buckets say.
    pub(crate) fn of_histogram(bounds: &HistoryConfig) -> Self {
        Self::with(bounds, Restarts::Told(Told::default()))
    }

    fn with(bounds: &HistoryConfig, restarts: Restarts) -> Self {
        let bounds = bounds.clamped();
        let max_age = i64::try_from(bounds.max_age.get().as_micros()).unwrap_or(i64::MAX);
        Self {
            ring: Ring::new(bounds.max_samples),
            max_age,
            restarts,
            long: bounds.long_tier().map(Box::new),
        }
    }

    /// Takes a sample, and says how many went for it. Amortized O(1).
    pub fn push(&mut self, sample: Sample) -> Result<Dropped, RefusedSample> {
        let Sample { at, value } = sample;
        if !value.is_finite() {
            return Err(RefusedSample::NotFinite { value });
        }
        if let Some((newest, _)) = self.newest_of_all()
            && micros(at) <= newest
        {
            return Err(if micros(at) == newest {
                RefusedSample::Repeated { at }
            } else {
                RefusedSample::OutOfOrder { at, newest: stamp(newest) }
            });
        }
        let mut dropped = self.drop_older(at);
        if let Some(gone) = self.ring.push(micros(at), value) {
            dropped.by_count += self.leave(gone);
        }
        self.forget_restarts();
        Ok(dropped)
    }

    /// The same at a time that is known: also refuses a sample from the future, which would be the newest until the future
    /// has come, and let the bound of age take the present.
    pub fn push_by(&mut self, sample: Sample, now: Timestamp) -> Result<Dropped, RefusedSample> {
        if sample.at > now {
            return Err(RefusedSample::Future { at: sample.at, now });
        }
        self.push(sample)
    }

    /// Takes a sample of a histogram that had these counts in its buckets.
    pub(crate) fn push_of_histogram(
        &mut self,
        sample: Sample,
        buckets: &Buckets,
        counts: &[u64],
    ) -> Result<Dropped, RefusedSample> {
        if let Restarts::Told(told) = &mut self.restarts {
            told.read(buckets, counts);
        }
        let before = self.newest_of_all().map(|(_, value)| value);
        let dropped = self.push(sample)?;
        if let Restarts::Told(told) = &mut self.restarts {
            told.took(micros(sample.at), before);
        }
        self.forget_restarts();
        Ok(dropped)
    }

    /// A sample has left the ring. Says how many are lost for it: it, or those it takes the place of.
    fn leave(&mut self, (time, value): (i64, f64)) -> usize {
        let Some(long) = &mut self.long else { return 1 };
        let restart = match &mut self.restarts {
            Restarts::Falls => None,
            Restarts::Told(told) => told.at(time),
        };
        long.take(time, value, restart)
    }

    /// Restarts outside of the samples that there are say nothing any more.
    fn forget_restarts(&mut self) {
        if let Restarts::Told(told) = &mut self.restarts {
            let oldest = self.ring.oldest().map(|(time, _)| time);
            // One before the oldest itself still says what was gained since what has left the ring.
            let oldest = if self.long.is_some() { oldest.map(|time| time - 1) } else { oldest };
            told.keep(oldest, self.ring.newest().map(|(time, _)| time));
        }
    }

    /// Drops what is older than the bound of age at `now`, and says how many that were.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let dropped = self.drop_older(now);
        self.ring.shrink();
        self.forget_restarts();
        dropped.by_age + dropped.by_count
    }

    fn drop_older(&mut self, now: Timestamp) -> Dropped {
        let before = micros(now).saturating_sub(self.max_age);
        let mut dropped = Dropped::default();
        while self.ring.oldest().is_some_and(|(time, _)| time < before)
            && let Some(gone) = self.ring.pop_oldest()
        {
            let lost = self.leave(gone);
            // Whoever has a second tier loses what that has no room for.
            *(if self.long.is_some() { &mut dropped.by_count } else { &mut dropped.by_age }) += lost;
            self.next_oldest();
        }
        if let Some(long) = &mut self.long {
            dropped.by_age += long.expire(micros(now));
        }
        dropped
    }

    /// The restart before the oldest sample is the first that is remembered.
    fn next_oldest(&mut self) {
        if self.long.is_some() {
            self.forget_restarts();
        }
    }

    /// Drops what is younger than `at`, and says how many that were: for a clock that was set back.
    pub fn truncate(&mut self, at: Timestamp) -> usize {
        let mut restarted = match &self.restarts {
            Restarts::Falls => false,
            Restarts::Told(told) => told.any_after(micros(at)),
        };
        let mut dropped = 0;
        while self.ring.newest().is_some_and(|(time, _)| time > micros(at)) {
            self.ring.pop_newest();
            dropped += 1;
        }
        self.forget_restarts();
        if let Some(long) = &mut self.long {
            let gone = long.truncate(micros(at));
            dropped += gone.samples;
            restarted |= gone.restart;
        }
        if let Restarts::Told(told) = &mut self.restarts
            && restarted
        {
            told.restarted();
        }
        dropped
    }

    /// How many samples there are, those that are summed up included.
    pub fn len(&self) -> usize {
        self.ring.len() + self.long.as_ref().map_or(0, |long| long.samples())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.newest_of_all().is_none()
    }

    fn newest_of_all(&self) -> Option<(i64, f64)> {
        self.ring.newest().or_else(|| self.long.as_ref()?.newest())
    }

    /// The oldest sample.
    pub fn oldest(&self) -> Option<Sample> {
        let long = self.long.as_ref().and_then(|long| long.oldest());
        long.or_else(|| self.ring.oldest()).map(sample)
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<Sample> {
        self.newest_of_all().map(sample)
    }

    /// The samples of a range, oldest first. Of those that are summed up, the newest of each span.
    pub fn samples(&self, range: TimeRange) -> impl Iterator<Item = Sample> {
        let spans = self.spans(range).into_iter().flatten().map(Summary::newest);
        spans.chain(self.ring.samples(self.places(range))).map(sample)
    }

    /// The aggregate of the samples in a range; nothing if there are none, or if it has no value for them. Always
    /// finite.
    pub fn aggregate(&self, range: TimeRange, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Quantile(q) => self.quantiles(range, [q]).map(|[value]| value),
            other => Some(self.aggregate_with_newest(range, other)?.0),
        }
    }

    /// The line through the samples of a range; nothing of fewer than two, or of values whose squares are beyond a `f64`.
    /// O(64 + samples / 64).
    pub fn trend(&self, range: TimeRange) -> Option<Trend> {
        self.ring.summary(self.spans(range), self.places(range))?.line().map(Trend::of)
    }

    /// The exponentially weighted moving average of the samples of a range, see [`Ewma`]; nothing of none. O(samples of
    /// the last 64 half-lives).
    pub fn ewma(&self, range: TimeRange, half_life: Duration) -> Option<f64> {
        Some(self.ewma_with_newest(range, half_life)?.0)
    }

    pub(crate) fn ewma_with_newest(&self, range: TimeRange, half_life: Duration) -> Option<(f64, Timestamp)> {
        let places = self.places(range);
        let (newest, _) = self.ring.get(places.end.checked_sub(1)?)?;
        let span = half_life.checked_mul(HALF_LIVES).and_then(|span| i64::try_from(span.as_micros()).ok());
        let start = newest.saturating_sub(span.unwrap_or(i64::MAX)).saturating_sub(1);
        let from = self.ring.between(start, newest).start.max(places.start);
        let mut ewma = Ewma::new(half_life);
        for (time, value) in self.ring.samples(from..places.end) {
            ewma.take(time, value);
        }
        Some((ewma.value()?, ewma.newest()?))
    }

    /// Exact quantiles of a range, each in 0..=1, in the order they were asked for, of one copy of the samples; nothing of
    /// none, or if one of them is no quantile. O(samples).
    pub fn quantiles<const N: usize>(&self, range: TimeRange, qs: [f64; N]) -> Option<[f64; N]> {
        let mut values = Vec::new();
        self.values(range, &mut values)?;
        quantiles(&mut values, qs)
    }

    /// Every aggregate but the quantile, with the stamp of the newest sample that went into it.
    pub(crate) fn aggregate_with_newest(
        &self,
        range: TimeRange,
        aggregate: Aggregate,
    ) -> Option<(f64, Timestamp)> {
        let (spans, places) = (self.spans(range), self.places(range));
        let (oldest, newest) = self.ends(spans, &places)?;
        let summary = || self.ring.summary(spans, places.clone());
        let value = match aggregate {
            Aggregate::Last => Some(newest.1),
            Aggregate::First => Some(oldest.1),
            Aggregate::Count => {
                let spans: usize = spans.into_iter().flatten().map(Summary::count).sum();
                Some((spans + places.len()) as f64)
            }
            Aggregate::Sum => summary().map(|summary| summary.sum()),
            Aggregate::Min => summary().map(|summary| summary.min()),
            Aggregate::Max => summary().map(|summary| summary.max()),
            Aggregate::Mean => summary().map(|summary| summary.mean()),
            Aggregate::StdDev => summary().and_then(|summary| summary.std_dev()),
            Aggregate::Increase => self.increase(spans, &places, oldest, newest),
            Aggregate::Rate => {
                let seconds = (newest.0 - oldest.0) as f64 / 1e6;
                self.increase(spans, &places, oldest, newest).map(|increase| increase / seconds)
            }
            Aggregate::Slope => summary().and_then(|summary| summary.slope()),
            _ => None,
        };
        Some((value.filter(|value| value.is_finite())?, sample(newest).at))
    }

    /// What a total gained between two samples and in what lies from one to the other; nothing if they are one.
    fn increase(
        &self,
        spans: [&[Summary]; 2],
        places: &Range<usize>,
        oldest: (i64, f64),
        newest: (i64, f64),
    ) -> Option<f64> {
        match &self.restarts {
            Restarts::Falls => self.ring.summary(spans, places.clone())?.increase(),
            Restarts::Told(_) if oldest.0 == newest.0 => None,
            Restarts::Told(told) => {
                let long = self.long.as_ref().map_or(0.0, |long| long.before(oldest.0, newest.0));
                Some((newest.1 - oldest.1) + long + told.before(oldest.0, newest.0))
            }
        }
    }

    /// The oldest and the newest sample of some spans and places.
    fn ends(&self, [older, old]: [&[Summary]; 2], places: &Range<usize>) -> Option<((i64, f64), (i64, f64))> {
        let in_ring = || places.clone().next().and_then(|place| self.ring.get(place));
        let oldest = older.first().or(old.first()).map(Summary::oldest).or_else(in_ring)?;
        let in_ring = places.clone().next_back().and_then(|place| self.ring.get(place));
        let newest = in_ring.or_else(|| old.last().or(older.last()).map(Summary::newest))?;
        Some((oldest, newest))
    }

    /// What is summed up of a range.
    fn spans(&self, range: TimeRange) -> [&[Summary]; 2] {
        self.long.as_ref().map_or([&[], &[]], |long| long.between(range))
    }

    /// Copies the values of a range and says when the newest was measured; nothing if there are none.
    pub(crate) fn values(&self, range: TimeRange, into: &mut Vec<f64>) -> Option<Timestamp> {
        let places = self.places(range);
        let newest = self.ring.get(places.end.checked_sub(1)?)?;
        into.clear();
        for piece in self.ring.values(places) {
            into.extend_from_slice(piece);
        }
        (!into.is_empty()).then(|| sample(newest).at)
    }

    /// Where in the ring the samples of a range are.
    fn places(&self, range: TimeRange) -> Range<usize> {
        self.ring.between(micros(range.start()), micros(range.end()))
    }
}

#[cfg(test)]
#[cfg(feature = "long-history")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::LongHistoryConfig;

    /// A total, and whether it started again from zero since the sample before.
    type Total = (i64, f64, bool);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + seconds).unwrap()
    }

    proptest! {
        /// The sum of a histogram gains and loses, and starts again: what it gained is right over both tiers, whatever span
        /// a restart lies in, and when the clock was set back over one.
        #[test]
        fn restarts_of_a_histogram_survive_the_way_into_the_second_tier(
            steps in prop::collection::vec((1i64..40, -5i32..6, prop::bool::weighted(0.1)), 2..250),
            max_samples in 2usize..40,
            max_age in 30u64..2_000,
            back in prop::option::of((50usize..200, 0i64..600)),
            from in 0i64..3_000,
        ) {
            let long = LongHistoryConfig::default().with_max_spans(1_000).with_resolution(Duration::from_mins(1));
            let bounds = HistoryConfig::default()
                .with_max_samples(max_samples)
                .with_max_age(Duration::from_secs(max_age))
                .with_long(long);
            let mut series = Series::of_histogram(&bounds);
            let buckets = Buckets::new([1.0]).unwrap();
            // A bucket that falls with each restart, and with nothing else.
            let (mut time, mut total, mut count) = (0, 0.0, 1_000_000u64);
            let mut list: Vec<Total> = Vec::new();
            // A restart whose sample was dropped is one before the next.
            let mut unseen = false;
            for (i, (after, gain, restarts)) in steps.into_iter().enumerate() {
                if let Some((when, length)) = back && when == i {
                    let to = time - length;
                    series.truncate(at(to));
                    // What is left is told by the series: spans go as a whole.
                    let newest = series.newest().map_or(i64::MIN, |newest| newest.at.as_micros());
                    while list.pop_if(|sample| at(sample.0).as_micros() > newest).is_some_and(|sample| {
                        unseen |= sample.2;
                        true
                    }) {}
                    time = to;
                }
                time += after;
                if restarts {
                    (total, count, unseen) = (0.0, count - 1_000, true);
                }
                total += f64::from(gain);
                count += 1;
                let sample = Sample::new(at(time), total);
                if series.push_of_histogram(sample, &buckets, &[count, 0]).is_ok() {
                    let seen = std::mem::take(&mut unseen);
                    list.push((time, total, seen));
                }
            }
            let range = TimeRange::new(at(from / 60 * 60 + 40), at(10_000)).unwrap();
            for range in [TimeRange::until(Timestamp::MAX), range] {
                let got = series.aggregate(range, Aggregate::Increase);
                let count = series.aggregate(range, Aggregate::Count).unwrap_or_default() as usize;
                let inside = &list[list.len() - count..];
                let gain = |[before, now]: &[Total; 2]| if now.2 { now.1 } else { now.1 - before.1 };
                let expected = (count >= 2).then(|| inside.array_windows().map(gain).sum::<f64>());
                prop_assert_eq!(got, expected);
            }
        }
    }
}
