//! What lies under a minimum acceptable return: deviation, potential, frequency, and the upside beside them.

use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::moments::is_flat;
use crate::undefined::{Domain, Undefined, at_least, defined};
use crate::{Mar, PeriodsPerYear, Returns};

/// [`downside_deviation`].
pub const DOWNSIDE_DEVIATION: MetricInfo = MetricInfo {
    name: "downside_deviation",
    label: "Downside deviation per year",
    calculator: "downside::downside_deviation",
    formula: "sqrt(sum(min(r - mar, 0)^2) / n) * sqrt(ppy)",
    source: "Sortino & van der Meer 1991; Sortino & Price 1994",
    unit: MetricUnit::FractionPerYear,
    convention: "mean over all n returns, not over the losses",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The annualised root mean square of what lies under the minimum acceptable return, over **all** returns;
/// 0 is a value. O(n).
///
/// ```
/// use bellwether_perf::{Mar, PeriodsPerYear, Returns, downside_deviation};
/// let returns = Returns::new(&[0.02, -0.02, 0.01, 0.0])?;
/// assert_eq!(downside_deviation(&returns, Mar::ZERO, PeriodsPerYear::QUARTERS)?, 0.02);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn downside_deviation(
    returns: &Returns<'_>,
    mar: Mar,
    periods: PeriodsPerYear,
) -> Result<f64, Undefined> {
    defined(downside_deviation_per_period(returns, mar.at(periods)?)? * periods.get().sqrt())
}

/// [`downside_deviation_per_period`].
pub const DOWNSIDE_DEVIATION_PER_PERIOD: MetricInfo = MetricInfo {
    name: "downside_deviation_per_period",
    label: "Downside deviation",
    calculator: "downside::downside_deviation_per_period",
    formula: "sqrt(sum(min(r - threshold, 0)^2) / n)",
    source: "Sortino & van der Meer 1991; Sortino & Price 1994",
    unit: MetricUnit::Fraction,
    convention: "mean over all n returns, not over the losses",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The root mean square of what lies under the threshold, per period, over **all** returns. O(n).
pub fn downside_deviation_per_period(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    root_mean(returns, |r| (r - threshold).min(0.0))
}

/// [`upside_deviation_per_period`].
pub const UPSIDE_DEVIATION_PER_PERIOD: MetricInfo = MetricInfo {
    name: "upside_risk",
    label: "Upside deviation",
    calculator: "downside::upside_deviation_per_period",
    formula: "sqrt(sum(max(r - threshold, 0)^2) / n)",
    source: "Bacon 2008",
    unit: MetricUnit::Fraction,
    convention: "the mean runs over all n returns, not over the gains",
    undefined_when: "no return",
    higher_is_better: Some(true),
};

/// The root mean square of what lies over the threshold, per period, over **all** returns. O(n).
pub fn upside_deviation_per_period(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    root_mean(returns, |r| (r - threshold).max(0.0))
}

/// [`downside_potential`].
pub const DOWNSIDE_POTENTIAL: MetricInfo = MetricInfo {
    name: "downside_potential",
    label: "Downside potential",
    calculator: "downside::downside_potential",
    formula: "sum(max(threshold - r, 0)) / n",
    source: "Fishburn 1977",
    unit: MetricUnit::Fraction,
    convention: "over all n returns; positive",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The mean of what lies under the threshold, per period, over all returns; positive. O(n).
pub fn downside_potential(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    defined(lanes::sum_by(returns.as_slice(), |r| (threshold - r).max(0.0)) / returns.len() as f64)
}

/// [`upside_potential`].
pub const UPSIDE_POTENTIAL: MetricInfo = MetricInfo {
    name: "upside_potential",
    label: "Upside potential",
    calculator: "downside::upside_potential",
    formula: "sum(max(r - threshold, 0)) / n",
    source: "Sortino, van der Meer & Plantinga 1999",
    unit: MetricUnit::Fraction,
    convention: "over all n returns",
    undefined_when: "no return",
    higher_is_better: Some(true),
};

/// The mean of what lies over the threshold, per period, over all returns. O(n).
pub fn upside_potential(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    defined(lanes::sum_by(returns.as_slice(), |r| (r - threshold).max(0.0)) / returns.len() as f64)
}

/// [`downside_frequency`].
pub const DOWNSIDE_FREQUENCY: MetricInfo = MetricInfo {
    name: "downside_frequency",
    label: "Downside frequency",
    calculator: "downside::downside_frequency",
    formula: "count(r < threshold) / n",
    source: "Bacon 2008",
    unit: MetricUnit::Fraction,
    convention: "strictly under the threshold",
    undefined_when: "no return",
    higher_is_better: Some(false),
};

/// The share of returns under the threshold. O(n).
pub fn downside_frequency(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    Ok(lanes::count(returns.as_slice(), |r| r < threshold) as f64 / returns.len() as f64)
}

/// [`upside_frequency`].
pub const UPSIDE_FREQUENCY: MetricInfo = MetricInfo {
    name: "upside_frequency",
    label: "Upside frequency",
    calculator: "downside::upside_frequency",
    formula: "count(r > threshold) / n",
    source: "Bacon 2008",
    unit: MetricUnit::Fraction,
    convention: "strictly over the threshold",
    undefined_when: "no return",
    higher_is_better: Some(true),
};

/// The share of returns over the threshold. O(n).
pub fn upside_frequency(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    checked(returns, threshold)?;
    Ok(lanes::count(returns.as_slice(), |r| r > threshold) as f64 / returns.len() as f64)
}

/// [`volatility_skewness`].
pub const VOLATILITY_SKEWNESS: MetricInfo = MetricInfo {
    name: "volatility_skewness",
    label: "Volatility skewness",
    calculator: "downside::volatility_skewness",
    formula: "sum(max(r - threshold, 0)^2) / sum(min(r - threshold, 0)^2)",
    source: "Bacon 2008",
    unit: MetricUnit::Ratio,
    convention: "upside variance over downside variance",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// Upside variance over downside variance. O(n).
pub fn volatility_skewness(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    let ratio = variability_skewness(returns, threshold)?;
    defined(ratio * ratio)
}

/// [`variability_skewness`].
pub const VARIABILITY_SKEWNESS: MetricInfo = MetricInfo {
    name: "variability_skewness",
    label: "Variability skewness",
    calculator: "downside::variability_skewness",
    formula: "sqrt(sum(max(r - threshold, 0)^2) / sum(min(r - threshold, 0)^2))",
    source: "Bacon 2008",
    unit: MetricUnit::Ratio,
    convention: "upside deviation over downside deviation",
    undefined_when: "no return; none under the threshold",
    higher_is_better: Some(true),
};

/// Upside deviation over downside deviation. O(n).
pub fn variability_skewness(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    let downside = dividing_deviation(returns, threshold)?;
    defined(upside_deviation_per_period(returns, threshold)? / downside)
}

/// [`d_ratio`].
pub const D_RATIO: MetricInfo = MetricInfo {
    name: "d_ratio",
    label: "d-ratio",
    calculator: "downside::d_ratio",
    formula: "count(r < 0) sum(max(-r, 0)) / (count(r > 0) sum(max(r, 0)))",
    source: "Lavinio 2000",
    unit: MetricUnit::Ratio,
    convention: "zeros are neither gain nor loss",
    undefined_when: "no return; no gain beyond rounding",
    higher_is_better: Some(false),
};

/// How often and how much is lost, over how often and how much is gained. O(n).
pub fn d_ratio(returns: &Returns<'_>) -> Result<f64, Undefined> {
    at_least(1, returns.len())?;
    let values = returns.as_slice();
    let gained = lanes::sum_by(values, |r| r.max(0.0));
    if is_flat(gained, returns.magnitude()) {
        return Err(Undefined::NoGains);
    }
    let gains = lanes::count(values, |r| r > 0.0) as f64 * gained;
    let losses = lanes::count(values, |r| r < 0.0) as f64 * lanes::sum_by(values, |r| (-r).max(0.0));
    defined(losses / gains)
}

/// The downside deviation as a divisor: undefined when nothing lies under the threshold by more than rounding.
pub(crate) fn dividing_deviation(returns: &Returns<'_>, threshold: f64) -> Result<f64, Undefined> {
    let deviation = downside_deviation_per_period(returns, threshold)?;
    if is_flat(deviation, returns.magnitude().max(threshold.abs())) {
        Err(Undefined::NoDownside)
    } else {
        Ok(deviation)
    }
}

fn root_mean(returns: &Returns<'_>, part: impl Fn(f64) -> f64) -> Result<f64, Undefined> {
    let squares = lanes::sum_by(returns.as_slice(), |r| {
        let x = part(r);
        x * x
    });
    defined((squares / returns.len() as f64).sqrt())
}

pub(crate) fn checked(returns: &Returns<'_>, threshold: f64) -> Result<(), Undefined> {
    at_least(1, returns.len())?;
    if threshold.is_finite() { Ok(()) } else { Err(Undefined::OutsideDomain { what: Domain::Threshold }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_only_have_a_downside_deviation_of_zero_which_is_no_divisor() {
        let gains = Returns::new(&[0.01, 0.02, 0.0]).unwrap();
        assert_eq!(downside_deviation(&gains, Mar::ZERO, PeriodsPerYear::MONTHS), Ok(0.0));
        assert_eq!(volatility_skewness(&gains, 0.0), Err(Undefined::NoDownside));
    }

    #[test]
    fn a_return_under_the_threshold_by_a_rounding_is_no_downside() {
        let values = [0.02, 0.01_f64.next_down(), 0.03];
        let returns = Returns::new(&values).unwrap();
        assert_eq!(dividing_deviation(&returns, 0.01), Err(Undefined::NoDownside));
    }

    #[test]
    fn a_threshold_that_is_no_number_is_outside_of_the_domain() {
        let returns = Returns::new(&[0.01]).unwrap();
        let outside = Err(Undefined::OutsideDomain { what: Domain::Threshold });
        assert_eq!(downside_potential(&returns, f64::NAN), outside);
        assert_eq!(upside_frequency(&returns, f64::INFINITY), outside);
        assert_eq!(
            downside_deviation(&returns, Mar::annual(-1.0), PeriodsPerYear::MONTHS),
            Err(Undefined::OutsideDomain { what: Domain::MinimumAcceptableReturn })
        );
    }

    #[test]
    fn frequencies_and_potentials_by_hand() {
        let returns = Returns::new(&[0.5, -0.25, 0.0, 0.25]).unwrap();
        assert_eq!(downside_frequency(&returns, 0.0), Ok(0.25));
        assert_eq!(upside_frequency(&returns, 0.0), Ok(0.5));
        assert_eq!(downside_potential(&returns, 0.0), Ok(0.0625));
        assert_eq!(upside_potential(&returns, 0.0), Ok(0.1875));
        // One loss of 0.25 against two gains of 0.75 together.
        assert_eq!(d_ratio(&returns), Ok(0.25 / 1.5));
        assert_eq!(volatility_skewness(&returns, 0.0).map(|x| (x * 1e12).round()), Ok(5e12));
    }
}
