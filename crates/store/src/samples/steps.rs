//! One point per step, made while samples go by in the order of time.

use std::time::Duration;

use bellwether_core::{Aggregate, HistoryError, Kind, TimeRange};

use super::summary::{Columns, Summary};

/// Most values that one step may hold for a quantile: 8 MB.
const MAX_KEPT: usize = 1_000_000;

/// Makes points of the samples of one series: the `k`-th step of a range is `(start + k step, start + (k + 1) step]`, the last one ends
/// with the range. A step without samples, or without a value, gives no point.
#[derive(Debug)]
pub(super) struct Steps {
    origin: i64,
    end: i64,
    step: i64,
    aggregate: Aggregate,
    kind: Kind,
    /// The step that is being filled, and where it ends.
    open: Option<(i64, Summary)>,
    points: Vec<(i64, f64)>,
}

impl Steps {
    pub(super) fn new(range: TimeRange, step: Duration, aggregate: Aggregate, kind: Kind) -> Self {
        let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1);
        let (origin, end) = (range.start().as_micros(), range.end().as_micros());
        Self { origin, end, step, aggregate, kind, open: None, points: Vec::new() }
    }

    /// Length of a step in microseconds.
    pub(super) fn length(&self) -> i64 {
        self.step
    }

    /// Where the step ends that an instant lies in.
    fn end_of(&self, at: i64) -> i64 {
        let steps = (at - self.origin - 1).div_euclid(self.step) + 1;
        self.origin.saturating_add(steps.saturating_mul(self.step)).min(self.end)
    }

    fn summary(&mut self, at: i64) -> &mut Summary {
        let end = self.end_of(at);
        if self.open.as_ref().is_some_and(|(open, _)| *open != end) {
            self.finish();
        }
        &mut self.open.get_or_insert_with(|| (end, Summary::new(self.aggregate, self.kind))).1
    }

    pub(super) fn add(&mut self, sample: (i64, f64)) -> Result<(), HistoryError> {
        let summary = self.summary(sample.0);
        if summary.kept() >= MAX_KEPT {
            let reason = format!(
                "a step holds more than {MAX_KEPT} samples, too many for a quantile: use a shorter step"
            );
            return Err(HistoryError::Unavailable { reason });
        }
        summary.add(sample);
        Ok(())
    }

    /// A chunk that lies within one step.
    pub(super) fn add_columns(&mut self, columns: &Columns, from: i64, to: i64) {
        self.summary(from).add_columns(columns, from, to);
    }

    /// Ends the step that is being filled.
    pub(super) fn finish(&mut self) {
        if let Some((end, mut summary)) = self.open.take()
            && let Some(value) = summary.value(self.aggregate)
        {
            self.points.push((end, value));
        }
    }

    /// Points of steps that are complete.
    pub(super) fn points(&self) -> &[(i64, f64)] {
        &self.points
    }
}
