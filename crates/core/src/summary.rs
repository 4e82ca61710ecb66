//! Quantiles of observed values.

/// The quantiles of observed values at one moment, with their count and sum.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SummarySnapshot {
    /// Pairs of a quantile in 0..=1 and the value there, by increasing quantile; all finite. Empty when there is none.
    pub quantiles: Box<[(f64, f64)]>,
    /// How many values were observed since the owner started.
    pub count: u64,
    /// Their sum; finite.
    pub sum: f64,
}

impl SummarySnapshot {
    /// The value at a quantile, if it is one of those that are told.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.quantiles.iter().find(|&&(quantile, _)| quantile == q).map(|&(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quantiles_that_are_told_have_a_value() {
        let summary = SummarySnapshot { quantiles: [(0.5, 2.0), (0.99, 7.0)].into(), count: 3, sum: 11.0 };
        assert_eq!((summary.quantile(0.99), summary.quantile(0.9)), (Some(7.0), None));
    }
}
