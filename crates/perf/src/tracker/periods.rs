//! The closed periods of a tracker, and what is known of them at once.

use std::collections::VecDeque;

use rust_decimal::Decimal;

use super::TrackerError;
use crate::ledger::period_return;
use crate::sharpe::of_moments;
use crate::undefined::Undefined;
use crate::{
    Conventions, EquityCurve, EquityPoint, Moments, Returns, UnixMicros, annualized_volatility, sharpe,
    value_at_risk,
};

/// A closed period and its return.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeriodReturn {
    /// When the period ended.
    pub at: UnixMicros,
    /// What was gained over it, as a fraction.
    pub value: f64,
    /// What the benchmark gained over it, where that was told.
    pub benchmark: Option<f64>,
}

/// What closing a period gave.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ClosedPeriod {
    /// When it ended.
    pub at: UnixMicros,
    /// What the account is worth.
    pub equity: Decimal,
    /// What was gained over the period, as a fraction.
    pub value: f64,
    /// Whether the return is larger, either way, than the conventions hold plausible. It is kept and counted.
    pub implausible: bool,
}

/// What the last closed period says, computed when it closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Latest {
    pub(super) value: Option<f64>,
    pub(super) volatility: Option<f64>,
    pub(super) rolling_sharpe: Option<f64>,
    pub(super) sharpe: Option<f64>,
    /// Value at risk of the rolling window, a level each: the forecast for the next period.
    pub(super) value_at_risk: Vec<Option<f64>>,
    /// The loss of the period minus the value at risk that stood before it, a level each.
    pub(super) beyond: Vec<Option<f64>>,
}

#[derive(Debug)]
pub(super) struct Periods {
    kept: VecDeque<PeriodReturn>,
    limit: usize,
    closed: u64,
    implausible: u64,
    /// Equity at the end of the last period; at first the capital.
    equity: Decimal,
    /// The highest equity at the end of a period, the capital included.
    peak: Decimal,
    /// What one unit of wealth became in the benchmark; nothing once a period has had none.
    benchmark: Option<f64>,
    /// Of all returns, also of those that are no longer kept.
    moments: Moments,
    latest: Latest,
}

impl Periods {
    pub(super) fn new(capital: Decimal, limit: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            limit,
            closed: 0,
            implausible: 0,
            equity: capital,
            peak: capital,
            benchmark: Some(1.0),
            moments: Moments::EMPTY,
            latest: Latest::default(),
        }
    }

    pub(super) fn close(
        &mut self,
        at: UnixMicros,
        equity: Decimal,
        benchmark: Option<f64>,
        curve: &mut EquityCurve,
        conventions: &Conventions,
        window: usize,
    ) -> Result<ClosedPeriod, TrackerError> {
        let began = curve.last().map_or(at, |last| last.at);
        let from = EquityPoint { at: began, equity: self.equity };
        let value = period_return(&from, &EquityPoint { at, equity })?;
        curve.push(at, equity)?;

        let implausible = value.abs() > conventions.plausibility_bound();
        self.implausible += u64::from(implausible);
        self.closed += 1;
        self.equity = equity;
        self.peak = self.peak.max(equity);
        self.benchmark = self.benchmark.zip(benchmark).map(|(wealth, gain)| wealth * (1.0 + gain));
        self.moments = self.moments.merge(Moments::of(&[value]));
        self.kept.push_back(PeriodReturn { at, value, benchmark });
        if self.kept.len() > self.limit {
            self.kept.pop_front();
        }
        self.latest = self.latest_of(value, conventions, window);
        Ok(ClosedPeriod { at, equity, value, implausible })
    }

    fn latest_of(&self, value: f64, conventions: &Conventions, window: usize) -> Latest {
        let (risk_free, periods) = (conventions.risk_free(), conventions.periods_per_year());
        let from = self.kept.len().saturating_sub(window);
        let recent: Vec<f64> = self.kept.range(from..).map(|period| period.value).collect();
        let whole = recent.len() == window;
        let recent = whole.then(|| Returns::of_finite(recent));
        let of_recent = |metric: &dyn Fn(&Returns<'_>) -> Result<f64, Undefined>| {
            recent.as_ref().and_then(|recent| metric(recent).ok())
        };
        let levels = conventions.confidences();
        let enough = self.closed >= conventions.minimum_sample() as u64;
        Latest {
            value: Some(value),
            volatility: of_recent(&|recent| annualized_volatility(recent, periods)),
            rolling_sharpe: of_recent(&|recent| sharpe(recent, risk_free, periods)),
            sharpe: of_moments(&self.moments, risk_free, periods).ok().filter(|_| enough),
            value_at_risk: levels
                .iter()
                .map(|&level| {
                    of_recent(&|recent| value_at_risk::historical(recent, level, conventions.quantile()))
                })
                .collect(),
            beyond: self.latest.value_at_risk.iter().map(|before| before.map(|var| -value - var)).collect(),
        }
    }

    pub(super) fn latest(&self) -> &Latest {
        &self.latest
    }

    /// How many periods were closed, also those that are no longer kept.
    pub(super) fn closed(&self) -> u64 {
        self.closed
    }

    pub(super) fn dropped(&self) -> u64 {
        self.closed - self.kept.len() as u64
    }

    pub(super) fn implausible(&self) -> u64 {
        self.implausible
    }

    /// The highest equity at the end of a period, or now.
    pub(super) fn peak(&self, now: Decimal) -> Decimal {
        self.peak.max(now)
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = PeriodReturn> + '_ {
        self.kept.iter().copied()
    }

    pub(super) fn returns(&self) -> Returns<'static> {
        let values: Vec<f64> = self.kept.iter().map(|period| period.value).collect();
        Returns::of_finite(values)
    }

    /// What one unit of wealth became in the benchmark over all periods, if every one of them had a return of it.
    pub(super) fn benchmark_growth(&self) -> Option<f64> {
        self.benchmark.filter(|wealth| wealth.is_finite())
    }

    /// The benchmark's returns, if every kept period has one.
    pub(super) fn benchmark(&self) -> Option<Returns<'static>> {
        let values: Option<Vec<f64>> = self.kept.iter().map(|period| period.benchmark).collect();
        values.filter(|values| !values.is_empty()).map(Returns::of_finite)
    }
}
