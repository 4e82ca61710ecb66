//! Rolling expected shortfall.

use super::tail::each_tail;
use super::{RollingSeries, checked_window};
use crate::kernel::order::{sorted_tail_mean, tail_index};
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Undefined, defined};
use crate::{Confidence, Returns};

/// [`expected_shortfall`].
pub const ROLLING_CVAR_HISTORICAL_EXACT: MetricInfo = MetricInfo {
    name: "rolling_cvar_historical_exact",
    label: "Rolling expected shortfall (CVaR)",
    calculator: "rolling::expected_shortfall",
    formula: "-(sum of the k smallest r + (m - k) r[k + 1]) / m of each window",
    source: "Rockafellar & Uryasev 2002, prop. 8; Acerbi & Tasche 2002",
    unit: MetricUnit::Fraction,
    convention: "trailing window, positive = loss; exact tail",
    undefined_when: "fewer returns than the window",
    higher_is_better: Some(false),
};

/// The exact expected shortfall of each trailing window. About O(n tail); at worst O(n window).
pub fn expected_shortfall(
    returns: &Returns<'_>,
    window: usize,
    confidence: Confidence,
) -> Result<RollingSeries, Undefined> {
    checked_window(window, returns.len())?;
    let mut series = RollingSeries::with_capacity(window, returns.len() + 1 - window);
    let m = confidence.tail_observations(window);
    let needed = tail_index(window, m) + 1;
    each_tail(returns.as_slice(), window, needed, |tail| {
        series.push(defined(0.0 - sorted_tail_mean(&tail[..needed], m)));
    });
    Ok(series)
}
