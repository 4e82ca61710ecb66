//! The recent samples of one series.

use std::ops::Range;
use std::time::Duration;

use bellwether_core::{Aggregate, Sample, TimeRange, Timestamp, quantiles};

use super::ewma::{Ewma, HALF_LIVES};
use super::restarts::{Restarts, Told};
use super::ring::Ring;
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
        Self { ring: Ring::new(bounds.max_samples), max_age, restarts }
    }

    /// Takes a sample, and says how many went for it. Amortized O(1).
    pub fn push(&mut self, sample: Sample) -> Result<Dropped, RefusedSample> {
        let Sample { at, value } = sample;
        if !value.is_finite() {
            return Err(RefusedSample::NotFinite { value });
        }
        if let Some((newest, _)) = self.ring.newest()
            && micros(at) <= newest
        {
            return Err(if micros(at) == newest {
                RefusedSample::Repeated { at }
            } else {
                RefusedSample::OutOfOrder { at, newest: stamp(newest) }
            });
        }
        let by_age = self.drop_older(at);
        let by_count = usize::from(self.ring.push(micros(at), value));
        self.forget_restarts();
        Ok(Dropped { by_count, by_age })
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
        let before = self.ring.newest().map(|(_, value)| value);
        let dropped = self.push(sample)?;
        if let Restarts::Told(told) = &mut self.restarts {
            told.took(micros(sample.at), before);
        }
        self.forget_restarts();
        Ok(dropped)
    }

    /// Restarts outside of the samples that there are say nothing any more.
    fn forget_restarts(&mut self) {
        if let Restarts::Told(told) = &mut self.restarts {
            told.keep(self.ring.oldest().map(|(time, _)| time), self.ring.newest().map(|(time, _)| time));
        }
    }

    /// Drops what is older than the bound of age at `now`, and says how many that were.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        let dropped = self.drop_older(now);
        self.ring.shrink();
        self.forget_restarts();
        dropped
    }

    fn drop_older(&mut self, now: Timestamp) -> usize {
        let before = micros(now).saturating_sub(self.max_age);
        let mut dropped = 0;
        while self.ring.oldest().is_some_and(|(time, _)| time < before) {
            self.ring.pop_oldest();
            dropped += 1;
        }
        dropped
    }

    /// Drops what is younger than `at`, and says how many that were: for a clock that was set back.
    pub fn truncate(&mut self, at: Timestamp) -> usize {
        let mut dropped = 0;
        while self.ring.newest().is_some_and(|(time, _)| time > micros(at)) {
            self.ring.pop_newest();
            dropped += 1;
        }
        self.forget_restarts();
        dropped
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }

    /// The oldest sample.
    pub fn oldest(&self) -> Option<Sample> {
        self.ring.oldest().map(sample)
    }

    /// The newest sample.
    pub fn newest(&self) -> Option<Sample> {
        self.ring.newest().map(sample)
    }

    /// The samples of a range, oldest first.
    pub fn samples(&self, range: TimeRange) -> impl Iterator<Item = Sample> {
        self.ring.samples(self.places(range)).map(sample)
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
        self.ring.summary(self.places(range))?.line().map(Trend::of)
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
        let places = self.places(range);
        let oldest = self.ring.get(places.start)?;
        let newest = self.ring.get(places.end.checked_sub(1)?)?;
        let summary = || self.ring.summary(places.clone());
        let value = match aggregate {
            _ if places.is_empty() => None,
            Aggregate::Last => Some(newest.1),
            Aggregate::First => Some(oldest.1),
            Aggregate::Count => Some(places.len() as f64),
            Aggregate::Sum => summary().map(|summary| summary.sum()),
            Aggregate::Min => summary().map(|summary| summary.min()),
            Aggregate::Max => summary().map(|summary| summary.max()),
            Aggregate::Mean => summary().map(|summary| summary.mean()),
            Aggregate::StdDev => summary().and_then(|summary| summary.std_dev()),
            Aggregate::Increase => self.increase(&places, oldest, newest),
            Aggregate::Rate => {
                let seconds = (newest.0 - oldest.0) as f64 / 1e6;
                self.increase(&places, oldest, newest).map(|increase| increase / seconds)
            }
            Aggregate::Slope => summary().and_then(|summary| summary.slope()),
            _ => None,
        };
        Some((value.filter(|value| value.is_finite())?, sample(newest).at))
    }

    /// What a total gained between two samples and at the places from one to the other; nothing if they are one.
    fn increase(&self, places: &Range<usize>, oldest: (i64, f64), newest: (i64, f64)) -> Option<f64> {
        match &self.restarts {
            Restarts::Falls => self.ring.summary(places.clone())?.increase(),
            Restarts::Told(_) if places.len() < 2 => None,
            Restarts::Told(told) => Some((newest.1 - oldest.1) + told.before(oldest.0, newest.0)),
        }
    }

    /// Copies the values of a range and says when the newest was measured; nothing if there are none.
    pub(crate) fn values(&self, range: TimeRange, into: &mut Vec<f64>) -> Option<Timestamp> {
        let places = self.places(range);
        let newest = self.ring.get(places.end.checked_sub(1)?)?;
        into.clear();
        into.extend(self.ring.samples(places).map(|(_, value)| value));
        (!into.is_empty()).then(|| sample(newest).at)
    }

    /// Where in the ring the samples of a range are.
    fn places(&self, range: TimeRange) -> Range<usize> {
        self.ring.between(micros(range.start()), micros(range.end()))
    }
}
