//! How a return depends on the ones before it.

use crate::Returns;
use crate::kernel::lanes;
use crate::metric_info::{MetricInfo, MetricUnit};
use crate::undefined::{Domain, Undefined, at_least, defined};

/// [`autocorrelation`].
pub const AUTOCORRELATION: MetricInfo = MetricInfo {
    name: "autocorrelation",
    label: "Autocorrelation",
    calculator: "autocorrelation::autocorrelation",
    formula: "sum(d[t] d[t - k]) / sum(d^2), d = r - mean",
    source: "Box & Jenkins 1970",
    unit: MetricUnit::Ratio,
    convention: "mean and variance of the whole sample",
    undefined_when: "no more returns than the lag; no variance; lag 0",
    higher_is_better: None,
};

/// The autocorrelation at a lag, with mean and variance of the whole sample. O(n).
pub fn autocorrelation(returns: &Returns<'_>, lag: usize) -> Result<f64, Undefined> {
    if lag == 0 {
        return Err(Undefined::OutsideDomain { what: Domain::Lag });
    }
    let values = returns.as_slice();
    at_least(lag.saturating_add(1).max(2), values.len())?;
    let moments = returns.moments();
    moments.varying_stdev()?;
    let mean = moments.mean();
    let products = lanes::sum_pairs_by(&values[lag..], values, |x, y| (x - mean) * (y - mean));
    defined(products / moments.sum_of_squares())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternating_returns_by_hand() {
        let returns = Returns::new(&[1.0, -1.0, 1.0, -1.0]).unwrap();
        assert_eq!(autocorrelation(&returns, 1), Ok(-0.75));
        assert_eq!(autocorrelation(&returns, 2), Ok(0.5));
    }

    #[test]
    fn lags_beyond_the_returns_and_no_lag_have_no_value() {
        let returns = Returns::new(&[0.1, -0.1]).unwrap();
        let few = Undefined::TooFewObservations { needed: 3, got: 2 };
        assert_eq!(autocorrelation(&returns, 2), Err(few));
        assert_eq!(autocorrelation(&returns, 0), Err(Undefined::OutsideDomain { what: Domain::Lag }));
        assert!(autocorrelation(&returns, usize::MAX).is_err());
        assert_eq!(autocorrelation(&Returns::new(&[0.1; 9]).unwrap(), 1), Err(Undefined::ZeroVariance));
    }
}
