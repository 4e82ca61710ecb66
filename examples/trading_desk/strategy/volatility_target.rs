//! Volatility targeting: hold less when the market has lately moved more.
//!
//! A. Moreira and T. Muir, "Volatility-Managed Portfolios", Journal of Finance 72(4), 2017, pages 1611-1644.
//! They scale a portfolio by the inverse of the realised variance of the past month; their variants (tables
//! IV and V, pages 1625-1626) scale by the inverse of the volatility, or cap the weight at 1.5. This desk
//! takes both variants: `min(target / volatility, 1.5)`. It differs in that it looks every day, not every
//! month, and in that the target is fixed beforehand, where theirs is fitted to the whole sample (which no
//! desk could know).

use super::{ClosingPrices, Strategy, exposure_at_target};
use crate::session::Schedule;

/// Days of the realised volatility: a month.
const WINDOW: usize = 21;

/// Trading days that make a daily variance one per year.
const DAYS_PER_YEAR: f64 = 252.0;

/// Long only: 10 % volatility per year from the realised volatility of the last 21 days, at most 1.5 times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VolatilityTarget;

impl Strategy for VolatilityTarget {
    fn name(&self) -> &'static str {
        "volatility_target"
    }

    fn title(&self) -> &'static str {
        "Volatility targeting"
    }

    fn rule(&self) -> &'static str {
        "long every instrument, each with an equal share of the capital, scaled daily to 10 % volatility per \
         year by the realised volatility of the last 21 days, at most 1.5 times the share"
    }

    fn citation(&self) -> &'static str {
        "A. Moreira, T. Muir: Volatility-Managed Portfolios. Journal of Finance 72(4), 2017, 1611-1644"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Daily
    }

    fn exposure(&self, prices: &ClosingPrices) -> Option<f64> {
        realised_volatility(prices).map(exposure_at_target)
    }
}

/// The root of the mean squared deviation from the mean of the window's returns, per year.
fn realised_volatility(prices: &ClosingPrices) -> Option<f64> {
    let returns = prices.returns(WINDOW)?;
    let mean = returns.clone().sum::<f64>() / WINDOW as f64;
    let variance = returns.map(|value| (value - mean).powi(2)).sum::<f64>() / WINDOW as f64;
    Some((variance * DAYS_PER_YEAR).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closes whose returns are `up` and `-down` in turn.
    fn seesaw(days: usize, size: f64) -> ClosingPrices {
        let mut prices = ClosingPrices::default();
        let mut close = 100.0;
        prices.push(close);
        for day in 0..days {
            close *= if day % 2 == 0 { 1.0 + size } else { 1.0 - size };
            prices.push(close);
        }
        prices
    }

    #[test]
    fn the_volatility_of_a_seesaw_is_its_size_per_day() {
        // 21 returns of +/- 2 %: the mean is 2 %/21, so the variance is 0.02^2 (1 - 1/441).
        let volatility = realised_volatility(&seesaw(21, 0.02)).unwrap();
        let expected = 0.02 * (1.0 - 1.0 / 441.0_f64).sqrt() * 252_f64.sqrt();
        assert!((volatility - expected).abs() < 1e-12, "{volatility} {expected}");
    }

    #[test]
    fn twice_the_volatility_gets_half_the_exposure() {
        let exposure = |size| VolatilityTarget.exposure(&seesaw(21, size)).unwrap();
        assert!((exposure(0.01) / exposure(0.02) - 2.0).abs() < 1e-9);
        assert!((exposure(0.01) - 0.631).abs() < 0.001);
    }

    #[test]
    fn a_calm_or_flat_market_gets_the_cap_and_a_short_history_nothing() {
        assert_eq!(VolatilityTarget.exposure(&seesaw(21, 0.001)), Some(1.5));
        assert_eq!(VolatilityTarget.exposure(&seesaw(21, 0.0)), Some(1.5));
        assert_eq!(VolatilityTarget.exposure(&seesaw(20, 0.01)), None);
    }
}
