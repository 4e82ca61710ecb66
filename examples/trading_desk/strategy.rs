//! The strategies: from past closing prices to a wanted exposure, and nothing else.
//!
//! A strategy keeps no state and sees no clock, no order and no price of the session that it decides for: the
//! desk hands it the closes up to the session before. So it cannot look ahead.

mod closing_prices;
mod momentum;
mod volatility_target;

pub(crate) use self::{
    closing_prices::ClosingPrices, momentum::TimeSeriesMomentum, volatility_target::VolatilityTarget,
};

use crate::session::Schedule;

/// No strategy holds more than this multiple of an instrument's share of the capital: the "50 % leverage"
/// that Moreira and Muir call consistent with a standard margin requirement.
const MAX_EXPOSURE: f64 = 1.5;

/// The volatility per year that each instrument's share of the capital aims at.
const TARGET_VOLATILITY: f64 = 0.10;

/// A rule that says how much of an instrument to hold.
pub(crate) trait Strategy {
    /// For labels: lower case with underscores.
    fn name(&self) -> &'static str;

    /// For people.
    fn title(&self) -> &'static str;

    /// The rule in one sentence, with its numbers.
    fn rule(&self) -> &'static str;

    /// Where the rule was published.
    fn citation(&self) -> &'static str;

    fn schedule(&self) -> Schedule;

    /// The exposure wanted at the next session, as a multiple of the instrument's share of the capital: 1.0
    /// is all of it, negative is short. `None` as long as the history is too short.
    fn exposure(&self, prices: &ClosingPrices) -> Option<f64>;
}

/// The strategies of this desk, each with a book of its own.
pub(crate) fn all() -> Vec<Box<dyn Strategy>> {
    vec![Box::new(VolatilityTarget), Box::new(TimeSeriesMomentum)]
}

/// The exposure at which a `volatility` per year becomes the target, capped; a price that does not move gets
/// the cap.
fn exposure_at_target(volatility: f64) -> f64 {
    (TARGET_VOLATILITY / volatility).min(MAX_EXPOSURE)
}
