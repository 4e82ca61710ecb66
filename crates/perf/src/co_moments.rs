//! How two series vary together.

use crate::kernel::lanes;
use crate::moments::is_flat;
use crate::undefined::{Undefined, at_least, defined};
use crate::{Moments, Returns};

/// Means, sums of squares and the sum of products of two series side by side; the base of beta, correlation
/// and what follows from them.
///
/// Both series run on their distance from their first value, in two passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CoMoments {
    pub(crate) returns: Moments,
    pub(crate) benchmark: Moments,
    products: f64,
}

impl CoMoments {
    pub(crate) fn of(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<Self, Undefined> {
        side_by_side(returns, benchmark)?;
        let (xs, ys) = (returns.as_slice(), benchmark.as_slice());
        let (x, y) = (returns.moments(), benchmark.moments());
        let (mean_x, mean_y) = (x.mean(), y.mean());
        let products = lanes::sum_pairs_by(xs, ys, |x, y| (x - mean_x) * (y - mean_y));
        // The means are rounded; what that adds to the products is the product of the left-over sums.
        let left_x = lanes::sum_by(xs, |x| x - mean_x);
        let left_y = lanes::sum_by(ys, |y| y - mean_y);
        let products = products - left_x * left_y / xs.len().max(1) as f64;
        Ok(Self { returns: x, benchmark: y, products })
    }

    /// Slope of the returns on the benchmark.
    pub(crate) fn beta(&self) -> Result<f64, Undefined> {
        self.varying_benchmark()?;
        defined(self.products / self.benchmark.sum_of_squares())
    }

    /// The slope as a divisor: undefined when the products sum to no more than their rounding.
    pub(crate) fn dividing_beta(&self) -> Result<f64, Undefined> {
        let beta = self.beta()?;
        let (x, y) = (&self.returns, &self.benchmark);
        // Each distance is rounded by the size of its values, each product by that times the other distance; the
        // distances of one series sum to at most n of its deviations.
        let rounding = x.magnitude() * y.population_stdev()? + y.magnitude() * x.population_stdev()?;
        let flat = is_flat((self.products / x.count() as f64).abs(), rounding);
        if flat { Err(Undefined::ZeroBeta) } else { Ok(beta) }
    }

    /// Pearson's correlation.
    pub(crate) fn correlation(&self) -> Result<f64, Undefined> {
        self.varying_benchmark()?;
        self.returns.varying_stdev()?;
        let roots = self.returns.sum_of_squares().sqrt() * self.benchmark.sum_of_squares().sqrt();
        let correlation = defined(self.products / roots)?;
        // Rounding may carry it over 1 by some units in the last place.
        Ok(correlation.clamp(-1.0, 1.0))
    }

    fn varying_benchmark(&self) -> Result<(), Undefined> {
        match self.benchmark.varying_stdev() {
            Ok(_) => Ok(()),
            Err(Undefined::ZeroVariance) => Err(Undefined::FlatBenchmark),
            Err(why) => Err(why),
        }
    }
}

/// An error unless both series have one length and at least one observation.
pub(crate) fn side_by_side(returns: &Returns<'_>, benchmark: &Returns<'_>) -> Result<(), Undefined> {
    if returns.len() != benchmark.len() {
        return Err(Undefined::LengthMismatch { returns: returns.len(), benchmark: benchmark.len() });
    }
    at_least(1, returns.len())
}
