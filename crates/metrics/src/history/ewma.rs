//! A mean that forgets.

use std::time::Duration;

use bellwether_core::{Sample, Timestamp};

/// An exponentially weighted moving average of samples at any distance of time from one another.
///
/// What is a half-life old counts half. A sample that comes `d` after the one before moves the average by
/// `1 - 2^(-d / half-life)` of its distance, as if its value had held since then; the first sample is the first average
/// (Mueller 1991; Eckner 2019, "EMA next"). The result does not depend on how often a value that does not change is told.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{Sample, Timestamp};
/// use bellwether_metrics::Ewma;
///
/// let mut lag = Ewma::new(Duration::from_secs(10));
/// lag.update(Sample::new(Timestamp::from_seconds(0)?, 8.0));
/// assert_eq!(lag.update(Sample::new(Timestamp::from_seconds(10)?, 4.0)), Some(6.0));
/// assert_eq!(lag.update(Sample::new(Timestamp::from_seconds(30)?, 10.0)), Some(9.0));
/// # Ok::<(), bellwether_core::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ewma {
    /// In microseconds.
    half_life: f64,
    newest: Option<(i64, f64)>,
    /// A distance of time, and what is kept over it: samples on a grid have but one.
    kept: (i64, f64),
}

impl Ewma {
    /// Of no samples yet. A half-life of zero keeps nothing but the newest sample.
    pub fn new(half_life: Duration) -> Self {
        Self { half_life: half_life.as_nanos() as f64 / 1e3, newest: None, kept: (0, 1.0) }
    }

    /// Takes a sample and gives the average. One that is not finite, or not younger than the newest, changes nothing.
    pub fn update(&mut self, sample: Sample) -> Option<f64> {
        self.take(sample.at.as_micros(), sample.value);
        self.value()
    }

    pub(crate) fn take(&mut self, time: i64, value: f64) {
        if !value.is_finite() {
            return;
        }
        let Some((newest, average)) = self.newest else {
            self.newest = Some((time, value));
            return;
        };
        let distance = time - newest;
        if distance <= 0 {
            return;
        }
        if self.kept.0 != distance {
            self.kept = (distance, (-(distance as f64) / self.half_life).exp2());
        }
        let kept = self.kept.1;
        let moved = value + (average - value) * kept;
        // Between values of opposite sign the distance may be beyond a `f64`; the weighted mean never is.
        let moved = if moved.is_finite() { moved } else { average * kept + value * (1.0 - kept) };
        self.newest = Some((time, moved));
    }

    /// The average; nothing before the first sample. Always finite.
    pub fn value(&self) -> Option<f64> {
        self.newest.map(|(_, average)| average)
    }

    /// When the newest sample was measured.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest.and_then(|(time, _)| Timestamp::from_micros(time).ok())
    }
}

/// Half-lives after which a sample moves the average by less than a `f64` tells: 2^-64.
pub(crate) const HALF_LIVES: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    #[test]
    fn a_value_that_does_not_change_may_be_told_at_any_rate() {
        let (mut often, mut seldom) = (Ewma::new(Duration::from_secs(7)), Ewma::new(Duration::from_secs(7)));
        for ewma in [&mut often, &mut seldom] {
            ewma.update(Sample::new(at(0), 100.0));
        }
        for second in 1..=60 {
            often.update(Sample::new(at(second), 2.0));
        }
        seldom.update(Sample::new(at(60), 2.0));
        assert!((often.value().unwrap() - seldom.value().unwrap()).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_number_or_not_younger_changes_nothing() {
        let mut ewma = Ewma::new(Duration::from_secs(1));
        assert_eq!((ewma.value(), ewma.newest()), (None, None));
        assert_eq!(ewma.update(Sample::new(at(5), f64::NAN)), None);
        ewma.update(Sample::new(at(5), 1.0));
        for sample in [Sample::new(at(5), 9.0), Sample::new(at(4), 9.0), Sample::new(at(6), f64::INFINITY)] {
            assert_eq!(ewma.update(sample), Some(1.0));
        }
        assert_eq!(ewma.newest(), Some(at(5)));
    }

    #[test]
    fn the_ends_are_the_newest_value_and_no_forgetting() {
        let both = |half_life| {
            let mut ewma = Ewma::new(half_life);
            ewma.update(Sample::new(at(0), f64::MAX));
            ewma.update(Sample::new(at(1), f64::MIN)).unwrap()
        };
        assert_eq!(both(Duration::ZERO), f64::MIN);
        assert!(both(Duration::MAX) > 0.999 * f64::MAX);
        assert_eq!(both(Duration::from_secs(1)), 0.0);
    }
}
