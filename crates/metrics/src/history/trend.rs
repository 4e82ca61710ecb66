//! Where a series is going, and how sure that is.

use std::time::Duration;

use bellwether_core::Timestamp;

use super::confidence::Confidence;
use super::student_t;
use super::summary::Line;

/// Where a series is going: the least-squares line through the samples of a window, and how sure that is.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Sample, TimeRange, Timestamp};
/// use bellwether_metrics::{Confidence, Direction, HistoryConfig, Series};
///
/// // A process of 800 MB that gains 1 MB a minute, and breathes.
/// let mut resident = Series::new(&HistoryConfig::default());
/// for minute in 0..120 {
///     let bytes = 800e6 + 1e6 * minute as f64 + 2e6 * f64::from(minute % 3);
///     resident.push(Sample::new(Timestamp::from_seconds(60 * minute as i64)?, bytes))?;
/// }
/// let now = Timestamp::from_seconds(7_140)?;
/// let trend = resident.trend(TimeRange::ending(now, Duration::from_hours(2))).ok_or("no samples")?;
///
/// assert_eq!(trend.direction(Confidence::P99), Direction::Rising);
/// assert!((trend.slope() * 60.0 / 1e6 - 1.0).abs() < 0.01);
/// assert!((trend.growth(Duration::from_hours(1))? - 0.07).abs() < 0.001);
/// let full = trend.reaches(1e9).ok_or("never")?;
/// assert_eq!(full.saturating_since(now).as_secs() / 60, 78);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Assumptions.** The test of the slope takes the distances from the line for independent of one another. Those of most
/// things that are sampled are not: memory, prices and queues wander, and a walk without any direction has a "significant"
/// slope in most windows. [`discounted`](Self::discounted) allows for that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    line: Line,
    /// Of the test of the slope; none or fewer when there are too few samples for a test.
    degrees: f64,
}

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// Up, as sure as was asked.
    Rising,
    /// Down, as sure as was asked.
    Falling,
    /// Nowhere, as sure as was asked: all values are the same, or the slope is below the one that matters.
    Flat,
    /// The samples do not say.
    Unclear,
}

/// Why a trend has no rate of growth.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoGrowth {
    /// Growth is relative to a level above zero.
    #[error("growth is relative to a level above zero, and the mean of the window is {level}")]
    Level {
        /// Mean of the window.
        level: f64,
    },
    /// The number is beyond a `f64`.
    #[error("growth of {slope} a second from a level of {level} is beyond the numbers")]
    Beyond {
        /// Slope per second.
        slope: f64,
        /// Mean of the window.
        level: f64,
    },
}

impl Trend {
    pub(crate) fn of(line: Line) -> Self {
        Self { line, degrees: line.count as f64 - 2.0 }
    }

    /// How many samples the line goes through; at least two.
    pub fn samples(&self) -> u64 {
        self.line.count
    }

    /// When the first of them was measured.
    pub fn first(&self) -> Timestamp {
        stamp(self.line.first)
    }

    /// When the newest was.
    pub fn newest(&self) -> Timestamp {
        stamp(self.line.last)
    }

    /// Mean of the values.
    pub fn mean(&self) -> f64 {
        self.line.mean
    }

    /// How much the line rises, per second.
    pub fn slope(&self) -> f64 {
        self.line.slope
    }

    /// What the line is worth at the newest sample.
    pub fn level(&self) -> f64 {
        self.line.mean + self.line.slope * self.line.mean_to_last
    }

    /// What the line is worth at an instant, before, in or after the window; nothing where that is beyond a `f64`.
    pub fn at(&self, at: Timestamp) -> Option<f64> {
        let seconds = (at.as_micros() - self.line.last) as f64 / 1e6;
        let value = self.line.mean + self.line.slope * (self.line.mean_to_last + seconds);
        value.is_finite().then_some(value)
    }

    /// Share of the variance that the line explains, R^2 in 0..=1; nothing when all values are the same.
    pub fn r_squared(&self) -> Option<f64> {
        let Line { values, residual, .. } = self.line;
        (values > 0.0).then(|| (1.0 - residual / values).clamp(0.0, 1.0))
    }

    /// Standard error of the slope, per second (Draper and Smith 1998, equation 1.4.6); nothing of fewer samples than
    /// three.
    pub fn slope_error(&self) -> Option<f64> {
        let Line { residual, times, .. } = self.line;
        (self.degrees > 0.0).then(|| (residual / self.degrees / times).sqrt())
    }

    /// How likely a slope as steep as this, up or down, is where nothing but chance moves the values: the p-value of the
    /// two-sided t-test with n - 2 degrees of freedom (Draper and Smith 1998, section 1.5). Nothing of fewer samples than
    /// three, or when all values are the same.
    pub fn p_value(&self) -> Option<f64> {
        if self.line.values > 0.0 { self.chance_of(self.line.slope) } else { None }
    }

    /// How likely the slope is off by that much.
    fn chance_of(&self, off: f64) -> Option<f64> {
        let error = self.slope_error()?;
        if off == 0.0 {
            return Some(1.0);
        }
        Some(student_t::two_sided(off / error, self.degrees))
    }

    /// Where the line goes. Up or down when the test of the slope says so; flat only when all values are the same, for no
    /// noise proves that nothing moves: see [`direction_beyond`](Self::direction_beyond).
    pub fn direction(&self, confidence: Confidence) -> Direction {
        self.direction_beyond(0.0, confidence)
    }

    /// The same, where a slope of no more than `tolerance` a second, up or down, counts as flat.
    ///
    /// Up or down when the slope is beyond the tolerance and flat when it is within it, both as sure as was asked, by a
    /// two-sided test against the tolerance (for flatness that is stricter than the two one-sided tests of Schuirmann 1987).
    /// A tolerance that is below zero or no number is zero.
    pub fn direction_beyond(&self, tolerance: f64, confidence: Confidence) -> Direction {
        let tolerance = tolerance.max(0.0);
        let slope = self.line.slope;
        let beyond = slope.abs() - tolerance;
        if self.line.values == 0.0 {
            return Direction::Flat;
        }
        let sure = self.chance_of(beyond).is_some_and(|p| confidence.rejects(p));
        match (sure, beyond > 0.0) {
            (false, _) => Direction::Unclear,
            (true, false) => Direction::Flat,
            (true, true) if slope > 0.0 => Direction::Rising,
            (true, true) => Direction::Falling,
        }
    }

    /// How much the line grows in a span, relative to the mean of the window: 0.02 is 2 % per span. Linear, not
    /// compounded.
    pub fn growth(&self, per: Duration) -> Result<f64, NoGrowth> {
        let Line { mean: level, slope, .. } = self.line;
        if level <= 0.0 {
            return Err(NoGrowth::Level { level });
        }
        let growth = slope * per.as_secs_f64() / level;
        if growth.is_finite() { Ok(growth) } else { Err(NoGrowth::Beyond { slope, level }) }
    }

    /// When the line is worth this: the newest sample's instant or a later one, rounded up to a microsecond. Nothing when
    /// the line moves away from it, has passed it before, does not move, or does not come there before year 10000.
    pub fn reaches(&self, value: f64) -> Option<Timestamp> {
        let seconds = (value - self.level()) / self.line.slope;
        let micros = (seconds * 1e6).ceil();
        let most = (Timestamp::MAX.as_micros() - self.line.last) as f64;
        if micros >= 0.0 && micros < most {
            Timestamp::from_micros(self.line.last + micros as i64).ok()
        } else {
            None
        }
    }

    /// Correlation of each sample's distance from the line with that of the next, in -1..=1; nothing when the line is
    /// perfect. Near 1 for what wanders, near 0 for independent errors.
    pub fn autocorrelation(&self) -> Option<f64> {
        self.line.autocorrelation
    }

    /// The same line, judged by fewer samples: as many as would say the same if they knew nothing of one another,
    /// `n (1 - r) / (1 + r)` with the autocorrelation `r` (Santer et al. 2000, equation 6), where that is positive.
    ///
    /// Of walks of 600 steps that go nowhere, the plain test takes more than nine in ten for a trend at 99 %, and this one
    /// about one in six: nothing but a longer window tells a slow walk from a trend. A bend in a short window looks like
    /// wandering too, and is then unclear.
    #[must_use]
    pub fn discounted(self) -> Self {
        let r = self.line.autocorrelation.unwrap_or_default().max(0.0);
        Self { degrees: self.line.count as f64 * (1.0 - r) / (1.0 + r) - 2.0, ..self }
    }
}

fn stamp(micros: i64) -> Timestamp {
    // Every stamp in a series came from a `Timestamp`.
    Timestamp::from_micros(micros).unwrap_or_default()
}
