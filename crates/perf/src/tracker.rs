//! The book of one strategy: fills and prices in, performance out, safe to share between threads.

mod builder;
mod own_metrics;
mod periods;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{Descriptor, Labels, LabelsError, NameError, SharedClock};
use parking_lot::{Mutex, MutexGuard};
use rust_decimal::Decimal;

use self::own_metrics::FigureKind;
use self::periods::Periods;
use crate::ledger::horizon;
use crate::{
    Contract, Conventions, EquityCurve, EquityError, Fill, InvalidReturn, Ledger, LedgerCounts, LedgerError,
    PerformanceSheet, Position, Price, Recorded, Returns, RoundTrip, TradeResults, TripFilter, UnixMicros,
};

pub use self::builder::TrackerBuilder;
pub use self::periods::{ClosedPeriod, PeriodReturn};
pub use self::snapshot::PerformanceSnapshot;

/// The book of one strategy: takes fills and prices, closes periods, and tells performance.
///
/// Clones share one book; every method takes `&self`. A period is what the host says it is, usually a session:
/// [`close_period`](Self::close_period) values all positions, appends a point of the equity curve and a return.
/// All that is kept is bounded, and what is dropped is counted.
///
/// It is a [`Collect`](bellwether_core::Collect): equity, drawdown, return, volatility, value at risk and more become
/// ordinary figures, labelled with the strategy, so that rules about performance are ordinary rules. A figure that is
/// undefined is left out.
///
/// ```
/// use bellwether_core::ManualClock;
/// use bellwether_perf::{Conventions, Fill, PeriodsPerYear, Price, Tracker};
/// use rust_decimal::Decimal;
///
/// let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1)).shared();
/// let conventions = Conventions::daily(PeriodsPerYear::TRADING_DAYS);
/// let book = Tracker::builder(&clock, conventions, Decimal::from(100_000)).strategy("momentum").build()?;
///
/// let (morning, evening) = (34_200_000_000, 57_600_000_000); // microseconds of the first of January 1970
/// book.record(Fill::buy("ACME", 100, 50).at(morning).id("x-1").fee(1))?;
/// book.mark("ACME", Price::new(Decimal::from(55))?, evening)?;
/// let day = book.close_period(evening)?;
/// assert_eq!(day.equity, Decimal::from(100_499));
/// assert_eq!(day.value, 0.00499);
/// println!("{}", book.snapshot()?.sheet);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tracker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    conventions: Conventions,
    capital: Decimal,
    strategy: Option<String>,
    rolling_window: usize,
    max_period_ahead: Duration,
    labels: Labels,
    descriptors: Vec<Descriptor>,
    kinds: Vec<FigureKind>,
    state: Mutex<State>,
    /// The last sheet. A lock of its own: a sheet is computed once, and never while a fill waits.
    sheet: Mutex<Option<KeptSheet>>,
}

/// A sheet, and of how many closed periods and round trips it is.
#[derive(Debug)]
struct KeptSheet {
    version: (u64, u64),
    sheet: Arc<PerformanceSheet>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    curve: EquityCurve,
    periods: Periods,
}

/// What happened to a fill that was handed to a tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Booking {
    /// It was booked, and closed these trips.
    Booked(Vec<RoundTrip>),
    /// It was booked before; nothing changed.
    Duplicate,
}

/// Why a tracker was not built, or refused to close a period.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrackerError {
    /// An account cannot begin with nothing.
    #[error("capital {capital}: expected over 0")]
    Capital {
        /// The offending amount.
        capital: Decimal,
    },
    /// The rolling window is too short for a deviation.
    #[error("rolling window of {periods} periods: expected at least 2")]
    RollingWindow {
        /// The offending length.
        periods: usize,
    },
    /// The prefix does not make names of metrics.
    #[error("prefix {prefix:?} does not make metric names")]
    Prefix {
        /// The offending prefix.
        prefix: String,
        /// Why.
        source: NameError,
    },
    /// The strategy does not make a label.
    #[error(transparent)]
    Strategy(#[from] LabelsError),
    /// Equity could not be computed exactly.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The period does not follow the one before, or begins with nothing.
    #[error(transparent)]
    Equity(#[from] EquityError),
    /// The period ends further ahead of the clock than [`TrackerBuilder::max_period_ahead`] allows: if it were closed,
    /// none could be closed until then. Of a clock that stands still every period is ahead.
    #[error(
        "a period that ends at {at} is ahead of the tracker's clock, which stands at {now}: expected not after {horizon}; \
         move on the clock that the tracker was built with or raise TrackerBuilder::max_period_ahead"
    )]
    Ahead {
        /// When it ends.
        at: UnixMicros,
        /// Where the clock stands.
        now: UnixMicros,
        /// The last time that is taken now.
        horizon: UnixMicros,
    },
    /// The return of the benchmark is none.
    #[error("benchmark: {0}")]
    Benchmark(#[source] InvalidReturn),
}

impl Shared {
    /// The state, its ledger told the time.
    fn at_time(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.ledger.set_time(self.clock.timestamp());
        state
    }
}

impl Tracker {
    /// A book without a strategy label, under the default prefix `performance`, that begins with the capital.
    pub fn new(
        clock: &SharedClock,
        conventions: Conventions,
        capital: impl Into<Decimal>,
    ) -> Result<Self, TrackerError> {
        Self::builder(clock, conventions, capital).build()
    }

    /// Begins a book with a strategy label, another prefix, or other bounds.
    pub fn builder(
        clock: &SharedClock,
        conventions: Conventions,
        capital: impl Into<Decimal>,
    ) -> TrackerBuilder {
        TrackerBuilder::new(clock, conventions, capital.into())
    }

    /// Says what a unit of an instrument is, before its first fill.
    pub fn define(&self, instrument: impl Into<Arc<str>>, contract: Contract) -> Result<(), LedgerError> {
        self.shared.state.lock().ledger.define(instrument, contract)
    }

    /// Books a fill, or a draft of one; see [`Ledger::record`]. One further ahead of the clock than the limits allow is
    /// refused: it would make everything before it late.
    pub fn record<F>(&self, fill: F) -> Result<Booking, LedgerError>
    where
        F: TryInto<Fill>,
        LedgerError: From<F::Error>,
    {
        match self.shared.at_time().ledger.record(fill)? {
            Recorded::Booked(trips) => Ok(Booking::Booked(trips.to_vec())),
            Recorded::Duplicate => Ok(Booking::Duplicate),
        }
    }

    /// Values an instrument at a price seen at a time; see [`Ledger::mark`].
    pub fn mark(
        &self,
        instrument: impl Into<Arc<str>>,
        price: Price,
        at: impl Into<UnixMicros>,
    ) -> Result<bool, LedgerError> {
        self.shared.at_time().ledger.mark(instrument, price, at)
    }

    /// Closes the period that ends at `at`: values all positions, appends a point of the equity curve and a return.
    ///
    /// The first period began with the capital, each other one with the end of the one before; what was booked or seen
    /// until the call is in it. On an error nothing has changed: when the time is not after that of the last period, or
    /// further ahead of the clock than [`TrackerBuilder::max_period_ahead`] allows, when the period began with nothing, or when equity is beyond
    /// the range of a decimal.
    pub fn close_period(&self, at: impl Into<UnixMicros>) -> Result<ClosedPeriod, TrackerError> {
        self.close(at.into(), None)
    }

    /// As [`close_period`](Self::close_period), with the return of the benchmark over the same period. When every
    /// kept period has one, the sheet stands against the benchmark.
    pub fn close_period_against(
        &self,
        at: impl Into<UnixMicros>,
        benchmark: f64,
    ) -> Result<ClosedPeriod, TrackerError> {
        Returns::new(&[benchmark]).map_err(TrackerError::Benchmark)?;
        self.close(at.into(), Some(benchmark + 0.0))
    }

    fn close(&self, at: UnixMicros, benchmark: Option<f64>) -> Result<ClosedPeriod, TrackerError> {
        let shared = &*self.shared;
        let now = UnixMicros::from(shared.clock.timestamp());
        let horizon = horizon(now, shared.max_period_ahead);
        if at > horizon {
            return Err(TrackerError::Ahead { at, now, horizon });
        }
        let mut state = shared.state.lock();
        let State { ledger, curve, periods } = &mut *state;
        let equity = ledger.equity(shared.capital)?;
        periods.close(at, equity, benchmark, curve, &shared.conventions, shared.rolling_window)
    }

    /// What the account is worth now, at the prices it has seen.
    pub fn equity(&self) -> Result<Decimal, LedgerError> {
        self.shared.state.lock().ledger.equity(self.shared.capital)
    }

    /// What is open in each instrument.
    pub fn positions(&self) -> Result<Vec<Position>, LedgerError> {
        self.shared.state.lock().ledger.positions()
    }

    /// The kept round trips that the filter lets through, in order of closing.
    pub fn trips(&self, filter: &TripFilter) -> Vec<RoundTrip> {
        self.shared.state.lock().ledger.trips_where(filter).cloned().collect()
    }

    /// The kept points of equity, one per closed period.
    pub fn equity_curve(&self) -> EquityCurve {
        self.shared.state.lock().curve.clone()
    }

    /// The kept periods with their returns.
    pub fn periods(&self) -> Vec<PeriodReturn> {
        self.shared.state.lock().periods.kept().collect()
    }

    /// What the ledger has counted.
    pub fn counts(&self) -> LedgerCounts {
        self.shared.state.lock().ledger.counts()
    }

    /// The choices behind the numbers.
    pub fn conventions(&self) -> &Conventions {
        &self.shared.conventions
    }

    /// What the account began with.
    pub fn capital(&self) -> Decimal {
        self.shared.capital
    }

    /// The label of the strategy, if it has one.
    pub fn strategy(&self) -> Option<&str> {
        self.shared.strategy.as_deref()
    }

    /// All numbers of the kept periods and round trips. Computed by the first who asks after a period or a trip was
    /// closed; others get the same.
    pub fn sheet(&self) -> Arc<PerformanceSheet> {
        self.sheet_with(|_| ()).0
    }

    /// The sheet, and what `read` takes from the state of the same moment. Locks go in one order, sheet before state,
    /// and the sheet is computed with the state unlocked.
    fn sheet_with<T>(&self, read: impl FnOnce(&State) -> T) -> (Arc<PerformanceSheet>, T) {
        let mut kept = self.shared.sheet.lock();
        let state = self.shared.state.lock();
        let taken = read(&state);
        let version = (state.periods.closed(), state.ledger.counts().trips);
        if let Some(kept) = &*kept
            && kept.version == version
        {
            return (Arc::clone(&kept.sheet), taken);
        }
        let (returns, benchmark) = (state.periods.returns(), state.periods.benchmark());
        let trades = TradeResults::of_trips(state.ledger.trips());
        drop(state);
        let sheet = PerformanceSheet::of(&returns, benchmark.as_ref(), &self.shared.conventions);
        let sheet = Arc::new(sheet.with_trades(&trades));
        *kept = Some(KeptSheet { version, sheet: Arc::clone(&sheet) });
        (sheet, taken)
    }

    /// Everything about the book at one moment.
    pub fn snapshot(&self) -> Result<PerformanceSnapshot, LedgerError> {
        PerformanceSnapshot::of(self)
    }
}
