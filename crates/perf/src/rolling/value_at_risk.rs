//! Rolling historical value at risk.

use super::tail::each_tail;
use super::{RollingSeries, checked_window};
use crate::kernel::order::between;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Confidence, Quantile, Returns};

/// [`value_at_risk`].
pub const ROLLING_VAR_HISTORICAL: MetricInfo = MetricInfo {
    name: "rolling_var_historical",
    label: "Rolling value at risk",
    calculator: "rolling::value_at_risk",
    formula: "-(quantile of r at the float 1 - c) of each window",
    source: "Hyndman & Fan 1996",
    unit: MetricUnit::Fraction,
    convention: "trailing window, positive = loss; the rule is named",
    undefined_when: "fewer returns than the window",
    higher_is_better: Some(false),
};

/// The historical value at risk of each trailing window. About O(n) for a small tail; at worst O(n window).
pub fn value_at_risk(
    returns: &Returns<'_>,
    window: usize,
    confidence: Confidence,
    rule: Quantile,
) -> Result<RollingSeries, Undefined> {
    checked_window(window, returns.len())?;
    let mut series = RollingSeries::with_capacity(window, returns.len() + 1 - window);
    let at = rule.rank(window, confidence.probability());
    let needed = if at.fraction > 0.0 { at.index + 2 } else { at.index + 1 };
    each_tail(returns.as_slice(), window, needed, |tail| {
        let low = tail[at.index];
        let quantile = if at.fraction > 0.0 { between(low, tail[at.index + 1], at.fraction) } else { low };
        series.push(defined(0.0 - quantile));
    });
    Ok(series)
}
