//! How steadily wealth grows.

use crate::drawdown::compounding;
use crate::kernel::neumaier::Neumaier;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::{Undefined, at_least, defined};
use crate::{Moments, Returns};

/// [`stability`].
pub const STABILITY: MetricInfo = MetricInfo {
    name: "stability",
    label: "Stability",
    calculator: "stability::stability",
    formula: "R^2 of the line through cumulated ln(1 + r) over time",
    source: "pyfolio",
    unit: MetricUnit::Ratio,
    convention: "least squares, one point after each return",
    undefined_when: "fewer than 2 returns; a return of -1 or under; log wealth does not vary",
    higher_is_better: Some(true),
};

/// The share of the variance of log wealth that a straight line in time explains: 1 is a perfect line. O(n).
pub fn stability(returns: &Returns<'_>) -> Result<f64, Undefined> {
    compounding(returns)?;
    at_least(2, returns.len())?;
    let mut wealth = Vec::with_capacity(returns.len());
    let mut sum = Neumaier::default();
    for &r in returns.as_slice() {
        if r == -1.0 {
            return Err(Undefined::TotalLoss);
        }
        sum.add(r.ln_1p());
        wealth.push(sum.total());
    }
    let moments = Moments::of(&wealth);
    if is_flat(moments.stdev()?, moments.magnitude()) {
        return Err(Undefined::ZeroVariance);
    }
    let n = wealth.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, moments.mean());
    let mut products = Neumaier::default();
    for (t, w) in wealth.iter().enumerate() {
        products.add((t as f64 - middle) * (w - mean));
    }
    // sum((t - middle)^2) = n (n^2 - 1) / 12
    let times = n * (n * n - 1.0) / 12.0;
    let products = products.total();
    let explained = defined(products / times * (products / moments.sum_of_squares()))?;
    Ok(explained.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_growth_is_a_perfect_line() {
        let stable = stability(&Returns::new(&[0.1; 50]).unwrap()).unwrap();
        assert!((stable - 1.0).abs() < 1e-14, "{stable}");
    }

    #[test]
    fn wealth_that_does_not_move_or_is_lost_has_no_stability() {
        assert_eq!(stability(&Returns::new(&[0.0; 5]).unwrap()), Err(Undefined::ZeroVariance));
        assert_eq!(stability(&Returns::new(&[0.1, -1.0]).unwrap()), Err(Undefined::TotalLoss));
        let few = Undefined::TooFewObservations { needed: 2, got: 1 };
        assert_eq!(stability(&Returns::new(&[0.1]).unwrap()), Err(few));
    }
}
