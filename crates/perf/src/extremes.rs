//! The best and the worst outcome.

use crate::Outcomes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::Undefined;

/// [`best`].
pub const BEST: MetricInfo = MetricInfo {
    name: "best",
    label: "Best",
    calculator: "extremes::best",
    formula: "max(x)",
    source: "definition",
    unit: MetricUnit::Outcome,
    convention: "a single period or trade",
    undefined_when: "no outcome",
    higher_is_better: Some(true),
};

/// The largest outcome. O(n).
pub fn best(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    extreme(outcomes, f64::max)
}

/// [`worst`].
pub const WORST: MetricInfo = MetricInfo {
    name: "worst",
    label: "Worst",
    calculator: "extremes::worst",
    formula: "min(x)",
    source: "definition",
    unit: MetricUnit::Outcome,
    convention: "a single period or trade",
    undefined_when: "no outcome",
    higher_is_better: Some(true),
};

/// The smallest outcome. O(n).
pub fn worst(outcomes: &impl Outcomes) -> Result<f64, Undefined> {
    extreme(outcomes, f64::min)
}

fn extreme(outcomes: &impl Outcomes, of_two: fn(f64, f64) -> f64) -> Result<f64, Undefined> {
    outcomes.outcomes().iter().copied().reduce(of_two).ok_or_else(|| outcomes.missing())
}
