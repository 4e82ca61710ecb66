//! Time-series momentum: long what rose over the last twelve months, short what fell.
//!
//! T. J. Moskowitz, Y. H. Ooi and L. H. Pedersen, "Time series momentum", Journal of Financial Economics
//! 104(2), 2012, pages 228-250. The sign of the past twelve months' return sets the side, the inverse of the
//! ex-ante volatility (equation 1: exponentially weighted, centre of mass 60 days, 261 days per year) the
//! size, once a month. They skip no month between the signal and the position, and neither does this desk. It
//! differs in three points: the volatility aimed at is 10 %, not their 40 % (which they choose for a
//! portfolio of 58 instruments); the return is not in excess of a Treasury bill, as the data hold none; the
//! size is capped.

use super::{ClosingPrices, Strategy, exposure_at_target};
use crate::session::Schedule;

/// Weight that a day's return keeps on the next day: the weights' centre of mass is 60 days.
const DECAY: f64 = 60.0 / 61.0;

/// The paper's number of days per year.
const DAYS_PER_YEAR: f64 = 261.0;

/// Long or short by the sign of the last 252 days, scaled to 10 % volatility per year, at most 1.5 times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeSeriesMomentum;

impl Strategy for TimeSeriesMomentum {
    fn name(&self) -> &'static str {
        "momentum"
    }

    fn title(&self) -> &'static str {
        "12-month momentum"
    }

    fn rule(&self) -> &'static str {
        "long or short every instrument by the sign of its return over the last 252 days, each with an equal \
         share of the capital, scaled monthly to 10 % volatility per year, at most 1.5 times the share"
    }

    fn citation(&self) -> &'static str {
        "T. J. Moskowitz, Y. H. Ooi, L. H. Pedersen: Time series momentum. Journal of Financial Economics \
         104(2), 2012, 228-250"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Monthly
    }

    fn exposure(&self, prices: &ClosingPrices) -> Option<f64> {
        let change = prices.change(ClosingPrices::YEAR)?;
        let size = exposure_at_target(ex_ante_volatility(prices)?);
        Some(if change > 0.0 {
            size
        } else if change < 0.0 {
            -size
        } else {
            0.0
        })
    }
}

/// Exponentially weighted over the year that is kept; the weights are made to sum to one.
fn ex_ante_volatility(prices: &ClosingPrices) -> Option<f64> {
    let returns = prices.returns(ClosingPrices::YEAR)?.rev();
    let weighted_mean = |values: &mut dyn Iterator<Item = f64>| {
        let (mut sum, mut total, mut weight) = (0.0, 0.0, 1.0);
        for value in values {
            sum += weight * value;
            total += weight;
            weight *= DECAY;
        }
        sum / total
    };
    let mean = weighted_mean(&mut returns.clone());
    let variance = weighted_mean(&mut returns.map(|value| (value - mean).powi(2)));
    Some((variance * DAYS_PER_YEAR).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(values: impl IntoIterator<Item = f64>) -> ClosingPrices {
        let mut prices = ClosingPrices::default();
        values.into_iter().for_each(|close| prices.push(close));
        prices
    }

    /// 253 closes that alternate around a straight line.
    fn trend(slope: f64, noise: f64) -> ClosingPrices {
        closes((0..253).map(|day| 100.0 + slope * f64::from(day) + if day % 2 == 0 { noise } else { -noise }))
    }

    #[test]
    fn a_year_that_rose_is_held_long_and_one_that_fell_short_with_the_same_rule_for_size() {
        let up = TimeSeriesMomentum.exposure(&trend(0.1, 1.0)).unwrap();
        let down = TimeSeriesMomentum.exposure(&trend(-0.1, 1.0)).unwrap();
        assert!(up > 0.0 && up < 1.5 && down < 0.0 && down > -1.5, "{up} {down}");
    }

    #[test]
    fn a_year_that_ends_where_it_began_is_held_flat() {
        assert_eq!(TimeSeriesMomentum.exposure(&trend(0.0, 1.0)), Some(0.0));
        assert_eq!(TimeSeriesMomentum.exposure(&trend(0.0, 0.0)), Some(0.0));
    }

    #[test]
    fn less_than_a_year_of_returns_has_no_signal() {
        assert_eq!(TimeSeriesMomentum.exposure(&closes((1..=252).map(f64::from))), None);
        assert_eq!(
            TimeSeriesMomentum.exposure(&closes((1..=253).map(f64::from))).map(f64::signum),
            Some(1.0)
        );
    }

    #[test]
    fn a_shock_of_yesterday_weighs_more_than_one_of_last_year() {
        let with_shock_after = |calm: usize| {
            let mut prices = ClosingPrices::default();
            let mut close = 100.0;
            for day in 0..253 {
                close *= if day == calm { 1.1 } else { 1.0 };
                prices.push(close);
            }
            ex_ante_volatility(&prices).unwrap()
        };
        let (late, early) = (with_shock_after(252), with_shock_after(1));
        // One return of 10 % with weight w among zeros has the variance 0.01 w (1 - w).
        let variance = |weight: f64| 0.01 * weight * (1.0 - weight);
        let total = (1.0 - DECAY.powi(252)) / (1.0 - DECAY);
        let expected = |weight: f64| (variance(weight) * 261.0).sqrt();
        assert!((late - expected(1.0 / total)).abs() < 1e-12, "{late}");
        assert!((early - expected(DECAY.powi(251) / total)).abs() < 1e-12, "{early}");
        assert!(late > 5.0 * early);
    }
}
