//! Everything about a book at one moment.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::Tracker;
use super::own_metrics::depth;
use crate::{LedgerCounts, LedgerError, Matching, PerformanceSheet, Position, UnixMicros};

/// Everything about a book at one moment, in a form that is kept and sent: with the feature `serde` it is JSON, amounts of
/// money as text without loss.
///
/// The sheet covers the periods that are kept; its conventions stand in it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PerformanceSnapshot {
    /// The version of this form: it grows when a field changes its meaning or goes.
    #[cfg_attr(
        feature = "serde",
        serde(
            deserialize_with = "crate::schema_version::known::<_, { PerformanceSnapshot::SCHEMA_VERSION }>"
        )
    )]
    pub schema_version: u32,
    /// The strategy, if the book has one.
    pub strategy: Option<String>,
    /// When it was taken, by the clock of the book.
    pub taken_at: UnixMicros,
    /// When the last period was closed; none before the first.
    pub period_end: Option<UnixMicros>,
    /// Which open lots a closing fill takes.
    pub matching: Matching,
    /// What the account began with.
    pub capital: Decimal,
    /// What it is worth.
    pub equity: Decimal,
    /// Profit of all that was closed, before fees.
    pub realised: Decimal,
    /// Profit of all that is open, before fees.
    pub unrealised: Decimal,
    /// The fees of all fills.
    pub fees: Decimal,
    /// How far equity lies under its peak, as a fraction: negative or 0.
    pub drawdown: f64,
    /// How many periods were closed.
    pub periods: u64,
    /// Of those, how many are no longer kept, and so not on the sheet.
    pub periods_dropped: u64,
    /// How many returns were over the plausibility bound.
    pub implausible_returns: u64,
    /// How many of the last periods the rolling figures run over.
    pub rolling_window: usize,
    /// Volatility per year of the rolling window.
    pub rolling_volatility: Option<f64>,
    /// Sharpe ratio per year of the rolling window.
    pub rolling_sharpe: Option<f64>,
    /// What the ledger has counted.
    pub counts: LedgerCounts,
    /// What is open, or was, in each instrument.
    pub positions: Vec<Position>,
    /// All numbers of the kept periods, with the conventions behind them.
    pub sheet: PerformanceSheet,
}

impl PerformanceSnapshot {
    /// The version of this form.
    pub const SCHEMA_VERSION: u32 = 1;

    pub(super) fn of(tracker: &Tracker) -> Result<Self, LedgerError> {
        let shared = &*tracker.shared;
        let (sheet, rest) = tracker.sheet_with(|state| {
            let (ledger, periods) = (&state.ledger, &state.periods);
            let equity = ledger.equity(shared.capital)?;
            let drawdown = 0.0 - depth(equity, periods.peak(equity));
            let (matching, counts, positions) = (ledger.matching(), ledger.counts(), ledger.positions()?);
            let (realised, unrealised, fees) = (ledger.realised(), ledger.unrealised()?, ledger.fees());
            let (closed, dropped, implausible) = (periods.closed(), periods.dropped(), periods.implausible());
            let latest = periods.latest();
            let (rolling_volatility, rolling_sharpe) = (latest.volatility, latest.rolling_sharpe);
            let period_end = state.curve.last().map(|point| point.at);
            let taken_at = shared.clock.timestamp().into();
            Ok::<_, LedgerError>(move |sheet: PerformanceSheet| Self {
                schema_version: Self::SCHEMA_VERSION,
                strategy: shared.strategy.clone(),
                taken_at,
                period_end,
                matching,
                capital: shared.capital,
                equity,
                realised,
                unrealised,
                fees,
                drawdown,
                periods: closed,
                periods_dropped: dropped,
                implausible_returns: implausible,
                rolling_window: shared.rolling_window,
                rolling_volatility,
                rolling_sharpe,
                counts,
                positions,
                sheet,
            })
        });
        Ok((rest?)(Arc::unwrap_or_clone(sheet)))
    }
}
