//! How a tracker is made.

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Labels, SharedClock};
use parking_lot::Mutex;
use rust_decimal::Decimal;

use super::own_metrics::descriptors;
use super::periods::Periods;
use super::{Shared, State, Tracker, TrackerError};
use crate::{Conventions, EquityCurve, Ledger, LedgerLimits, Matching};

/// A tracker to be; made by [`Tracker::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct TrackerBuilder {
    clock: SharedClock,
    conventions: Conventions,
    capital: Decimal,
    strategy: Option<String>,
    prefix: String,
    matching: Matching,
    limits: LedgerLimits,
    max_periods: usize,
    rolling_window: usize,
    max_period_ahead: Duration,
}

impl TrackerBuilder {
    /// Periods that are kept unless it is said: forty years of trading days.
    pub const MAX_PERIODS: usize = 10_080;

    /// Periods of the rolling figures unless it is said: a quarter of trading days.
    pub const ROLLING_WINDOW: usize = 63;

    /// How far ahead of the clock a period may end unless it is said: a day, for those who stamp a session with the
    /// end of its local day.
    pub const MAX_PERIOD_AHEAD: Duration = Duration::from_hours(24);

    pub(super) fn new(clock: &SharedClock, conventions: Conventions, capital: Decimal) -> Self {
        Self {
            clock: Arc::clone(clock),
            conventions,
            capital,
            strategy: None,
            prefix: "performance".to_owned(),
            matching: Matching::Fifo,
            limits: LedgerLimits::default(),
            max_periods: Self::MAX_PERIODS,
            rolling_window: Self::ROLLING_WINDOW,
            max_period_ahead: Self::MAX_PERIOD_AHEAD,
        }
    }

    /// The label `strategy` of its figures, so that several books can share one registry.
    pub fn strategy(mut self, strategy: impl Into<String>) -> Self {
        self.strategy = Some(strategy.into());
        self
    }

    /// What the names of its figures begin with: `desk` gives `desk_equity`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Which open lots a closing fill takes; first in, first out unless it is said.
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// How much its ledger keeps, and how far ahead of the tracker's clock it takes fills and marks.
    pub fn limits(mut self, limits: LedgerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How many closed periods it keeps, at least two; the oldest is dropped and counted.
    pub fn max_periods(mut self, periods: usize) -> Self {
        self.max_periods = periods.max(2);
        self
    }

    /// Over how many of the last periods the rolling figures run, at least two and no more than are kept.
    pub fn rolling_window(mut self, periods: usize) -> Self {
        self.rolling_window = periods;
        self
    }

    /// How far ahead of the clock a closed period may end; one further ahead is refused, as until its end no other
    /// could be closed.
    pub fn max_period_ahead(mut self, ahead: Duration) -> Self {
        self.max_period_ahead = ahead;
        self
    }

    /// Builds it, unless capital, window, prefix or strategy are not what they must be.
    pub fn build(self) -> Result<Tracker, TrackerError> {
        if self.capital <= Decimal::ZERO {
            return Err(TrackerError::Capital { capital: self.capital });
        }
        if self.rolling_window < 2 {
            return Err(TrackerError::RollingWindow { periods: self.rolling_window });
        }
        let rolling_window = self.rolling_window.min(self.max_periods);
        let labels = match &self.strategy {
            Some(strategy) => Labels::new([("strategy", strategy.as_str())])?,
            None => Labels::empty(),
        };
        let (kinds, descriptors) = descriptors(&self.prefix, self.conventions.confidences())
            .map_err(|source| TrackerError::Prefix { prefix: self.prefix.clone(), source })?;
        let state = State {
            ledger: Ledger::new(self.matching, self.limits),
            curve: EquityCurve::with_limit(self.max_periods),
            periods: Periods::new(self.capital, self.max_periods),
        };
        Ok(Tracker {
            shared: Arc::new(Shared {
                clock: self.clock,
                conventions: self.conventions,
                capital: self.capital,
                strategy: self.strategy,
                rolling_window,
                max_period_ahead: self.max_period_ahead,
                labels,
                descriptors,
                kinds,
                state: Mutex::new(state),
                sheet: Mutex::new(None),
            }),
        })
    }
}
