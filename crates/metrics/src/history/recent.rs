//! The recent past of every series, as a handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Aggregate, HistoryError, HistoryQuery, Labels, Page, PageRequest, SampleHistory, SampleWindows, Selector,
    SeriesSample, SeriesValue, TimeRange, Timestamp, async_trait, quantiles,
};

use super::series::Series;
use super::{History, Trend};

/// The recent past of every series of a registry: windows, trends, quantiles, and pages of samples.
///
/// Cloning copies a pointer. It does not keep the registry alive, so that a collector may hold it, and no call waits for a
/// scrape, a collector or an instrument. All answers come in the order of the labels of their series; a series without
/// samples in the range gives none, and one that has gone quiet no sample that is older than the bound of age now.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{ManualClock, MetricName, Selector, TimeRange};
/// use bellwether_metrics::{Confidence, Direction, Registry, RegistryConfig, Unit};
///
/// let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
/// let metrics = Registry::new(&clock.shared(), RegistryConfig::default());
/// let queue = metrics.gauge("queue_orders", Unit::None, "Orders that wait.")?;
/// for second in 0..60 {
///     clock.advance(Duration::from_secs(1));
///     queue.set(f64::from(10 + 2 * second));
///     metrics.sample();
/// }
///
/// let recent = metrics.recent();
/// let queue = Selector::metric(MetricName::new("queue_orders")?);
/// let last_minute = TimeRange::ending(clock.shared().timestamp(), Duration::from_mins(1));
/// // Is it rising, and when will a thousand orders wait?
/// let trend = recent.trend(&queue, last_minute).ok_or("no samples")?;
/// assert_eq!(trend.direction(Confidence::P99), Direction::Rising);
/// assert_eq!(trend.reaches(1_000.0).map(|at| at.as_seconds_f64()), Some(496.0));
/// // One copy of the samples serves all three.
/// let [p50, p95, p99] = recent.quantiles(&queue, last_minute, [0.5, 0.95, 0.99])[0].value;
/// assert!(p50 < p95 && p95 < p99);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recent(pub(crate) Arc<History>);

/// What one series answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// Labels of the series.
    pub labels: Labels,
    /// The answer.
    pub value: T,
    /// The newest sample that went into it.
    pub newest: Timestamp,
}

impl Recent {
    /// The trend of each series that is meant and has at least two samples in the range. O(64 + samples / 64) for each.
    pub fn trends(&self, selector: &Selector, range: TimeRange) -> Vec<Answer<Trend>> {
        self.ask(selector, range, |series, range| {
            let trend = series.trend(range)?;
            Some((trend, trend.newest()))
        })
    }

    /// The trend of the one series that is meant; nothing if there is none, or more than one.
    pub fn trend(&self, selector: &Selector, range: TimeRange) -> Option<Trend> {
        match &*self.trends(selector, range) {
            [one] => Some(one.value),
            _ => None,
        }
    }

    /// Exact quantiles, each in 0..=1, of each series that is meant, in the order they were asked for; nothing if one of
    /// them is none. The samples are copied once, and the lock of a series is held for that only. O(samples).
    pub fn quantiles<const N: usize>(
        &self,
        selector: &Selector,
        range: TimeRange,
        qs: [f64; N],
    ) -> Vec<Answer<[f64; N]>> {
        let Some(tracks) = self.0.index.metric(selector.metric_name()) else { return Vec::new() };
        let range = self.0.visible(range);
        let (mut scratch, mut answers) = (Vec::new(), Vec::new());
        for track in tracks.iter().filter(|track| selector.matches(track.labels())) {
            let newest = track.series().values(range, &mut scratch);
            if let Some(newest) = newest
                && let Some(value) = quantiles(&mut scratch, qs)
            {
                answers.push(Answer { labels: track.labels().clone(), value, newest });
            }
        }
        answers
    }

    /// The exponentially weighted moving average of each series that is meant, see [`Ewma`](crate::Ewma).
    pub fn ewma(&self, selector: &Selector, range: TimeRange, half_life: Duration) -> Vec<Answer<f64>> {
        self.ask(selector, range, |series, range| series.ewma_with_newest(range, half_life))
    }

    /// Asks each series that is meant for a value and the newest sample that went into it.
    fn ask<T>(
        &self,
        selector: &Selector,
        range: TimeRange,
        question: impl Fn(&Series, TimeRange) -> Option<(T, Timestamp)>,
    ) -> Vec<Answer<T>> {
        let Some(tracks) = self.0.index.metric(selector.metric_name()) else { return Vec::new() };
        let range = self.0.visible(range);
        let meant = tracks.iter().filter(|track| selector.matches(track.labels()));
        let answer = |(track, (value, newest)): (&Arc<super::Track>, (T, Timestamp))| Answer {
            labels: track.labels().clone(),
            value,
            newest,
        };
        meant.filter_map(|track| Some((track, question(&track.series(), range)?))).map(answer).collect()
    }
}

impl SampleWindows for Recent {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        self.0.aggregate(selector, range, aggregate, out);
    }
}

#[async_trait]
impl SampleHistory for Recent {
    async fn read(
        &self,
        query: &HistoryQuery,
        page: &PageRequest,
    ) -> Result<Page<SeriesSample>, HistoryError> {
        self.0.page(query, page)
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("series", &self.0.index.len()).finish_non_exhaustive()
    }
}
