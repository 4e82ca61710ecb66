//! Omega and Kappa: gains over a threshold per loss under it.

use crate::Returns;
use crate::downside::{checked, dividing_deviation};
use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Domain, Undefined, defined};

/// [`omega`].
pub const OMEGA: MetricInfo = MetricInfo {
    name: "omega",
    label: "Omega ratio",
    calculator: "omega::omega",
    formula: "sum(max(r - L, 0)) / sum(max(L - r, 0))",
    source: "Keating & Shadwick 2002",
    unit: MetricUnit::Ratio,
    convention: "threshold per period",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// Gains over the threshold per loss under it; the threshold is per period. O(n).
///
/// ```
/// use bellwether_perf::{Returns, omega};
/// assert_eq!(omega(&Returns::new(&[0.5, -0.25, 0.25])?, 0.0)?, 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn omega(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    dividing_deviation(returns, threshold)?;
    let gains = lanes::sum_by(returns.as_slice(), |r| (r - threshold).max(0.0));
    let losses = lanes::sum_by(returns.as_slice(), |r| (threshold - r).max(0.0));
    defined(gains / losses)
}

/// [`kappa`].
pub const KAPPA: MetricInfo = MetricInfo {
    name: "kappa",
    label: "Kappa",
    calculator: "omega::kappa",
    formula: "(mean - L) / (sum(max(L - r, 0)^k) / n)^(1 / k)",
    source: "Kaplan & Knowles 2004",
    unit: MetricUnit::Ratio,
    convention: "order k is named; 1 is omega - 1, 2 is Sortino",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// Mean over the threshold per root of the lower partial moment of the given order. O(n).
pub fn kappa(returns: &Returns<'_>, order: f64, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    if !(order.is_finite() && order > 0.0) {
        return Err(Undefined::OutsideDomain { what: Domain::MomentOrder });
    }
    dividing_deviation(returns, threshold)?;
    let n = returns.len() as f64;
    // A loss raised to the order could vanish; taken relative to the worst one it does not.
    let worst = returns.as_slice().iter().fold(0.0_f64, |most, &r| most.max(threshold - r));
    let moment = lanes::sum_by(returns.as_slice(), |r| {
        let loss = (threshold - r).max(0.0) / worst;
        if loss > 0.0 { loss.powf(order) } else { 0.0 }
    });
    let root = worst * (moment / n).powf(order.recip());
    defined((lanes::mean(returns.as_slice()) - threshold) / root)
}

/// [`omega_sharpe`].
pub const OMEGA_SHARPE: MetricInfo = MetricInfo {
    name: "omega_sharpe",
    label: "Omega-Sharpe ratio",
    calculator: "omega::omega_sharpe",
    formula: "(mean - L) / (sum(max(L - r, 0)) / n)",
    source: "Bacon 2008",
    unit: MetricUnit::Ratio,
    convention: "Kappa of order 1: omega - 1",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// Mean over the threshold per downside potential: omega minus 1. O(n).
pub fn omega_sharpe(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    kappa(returns, 1.0, threshold)
}

/// [`bernardo_ledoit`].
pub const BERNARDO_LEDOIT: MetricInfo = MetricInfo {
    name: "bernardo_ledoit",
    label: "Bernardo-Ledoit ratio",
    calculator: "omega::bernardo_ledoit",
    formula: "sum(max(r, 0)) / sum(max(-r, 0))",
    source: "Bernardo & Ledoit 2000",
    unit: MetricUnit::Ratio,
    convention: "omega at a threshold of 0",
    undefined_when: "no return; no loss",
    higher_is_better: Some(true),
};

/// The sum of gains per sum of losses. O(n).
pub fn bernardo_ledoit(returns: &Returns<'_>) -> Result<f64, Undefined> {
    omega(returns, 0.0).map_err(|why| if why == Undefined::NoDownside { Undefined::NoLosses } else { why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_only_have_no_omega() {
        let gains = Returns::new(&[0.01, 0.0]).unwrap();
        assert_eq!(omega(&gains, 0.0), Err(Undefined::NoDownside));
        assert_eq!(kappa(&gains, 3.0, 0.0), Err(Undefined::NoDownside));
        assert_eq!(bernardo_ledoit(&gains), Err(Undefined::NoLosses));
    }

    #[test]
    fn kappa_of_order_one_is_omega_minus_one_and_of_order_two_the_sortino_ratio() {
        let returns = Returns::new(&[0.03, -0.01, 0.007, -0.02, 0.011]).unwrap();
        let one = kappa(&returns, 1.0, 0.001).unwrap();
        assert!((one - (omega(&returns, 0.001).unwrap() - 1.0)).abs() < 1e-14);
        let two = kappa(&returns, 2.0, 0.001).unwrap();
        assert!((two - crate::sortino_per_period(&returns, 0.001).unwrap()).abs() < 1e-14);
    }

    #[test]
    fn an_order_that_is_none_is_outside_of_the_domain() {
        let returns = Returns::new(&[0.03, -0.01]).unwrap();
        for order in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let answer = kappa(&returns, order, 0.0);
            assert_eq!(answer, Err(Undefined::OutsideDomain { what: Domain::MomentOrder }));
        }
    }
}
