//! Performance and risk numbers that name their convention, and an exact ledger.
//!
//! Three floors, each usable without the one above:
//!
//! - **Calculators**: pure functions from checked [`Returns`] to one number. No runtime, no clock, no allocation that is
//!   not said. [`PerformanceSheet`] puts all of them on one page.
//! - **`Ledger`** (feature `ledger`): fills in; positions, round trips and profit out, in exact decimals.
//! - **`Tracker`** (feature `tracker`): the book of one strategy, shared between threads, whose equity, drawdown and risk
//!   are figures that a metrics registry collects.
//!
//! ```
//! use bellwether_perf::{
//!     Confidence, Conventions, PerformanceSheet, PeriodsPerYear, Quantile, Returns, RiskFree, Undefined,
//!     expected_shortfall, sharpe, value_at_risk,
//! };
//!
//! let daily = [0.004, -0.011, 0.007, 0.002, -0.031, 0.012, 0.009, -0.004, 0.001, 0.006];
//! let returns = Returns::new(&daily)?; // finite, at least -1: checked here and never again
//!
//! let s = sharpe(&returns, RiskFree::annual(0.02), PeriodsPerYear::TRADING_DAYS)?;
//! let var = value_at_risk::historical(&returns, Confidence::P90, Quantile::Linear)?;
//! let es = expected_shortfall::historical(&returns, Confidence::P90)?;
//! assert_eq!(format!("{:.3} {:.3}", var, es), "0.013 0.031"); // losses of 1.3 % and 3.1 %
//! assert!(s < 0.0 && es >= var);
//!
//! let calm = Returns::new(&[0.001; 252])?;
//! let answer = sharpe(&calm, RiskFree::ZERO, PeriodsPerYear::TRADING_DAYS);
//! assert_eq!(answer, Err(Undefined::ZeroVariance)); // never 10^16
//!
//! println!("{}", PerformanceSheet::of(&returns, None, &Conventions::daily(PeriodsPerYear::TRADING_DAYS)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Conventions that hold everywhere
//!
//! A metric that deviates says so; [`METRICS`] and [`catalogue`] state formula, source, unit and convention of each.
//!
//! - **Returns** are simple, per period, as fractions: 0.01 is 1 %. Wealth is 1 before the first return, so a loss in the
//!   first period is a drawdown.
//! - **Deviations** are of the sample (`n - 1`); skewness and kurtosis are of the population, and kurtosis is excess,
//!   unless the name says otherwise.
//! - **Per year**: means times the periods of a year, deviations and ratios times their root, growth by power. The periods
//!   are an argument of every annualised metric and have no default ([`PeriodsPerYear`]); with
//!   [`PeriodsPerYear::YEARS`] each is the one per period.
//! - **Rates** say their unit ([`RiskFree`], [`Mar`]); a yearly one becomes one per period geometrically.
//! - **Signs**: drawdowns are negative or 0; value at risk and expected shortfall are positive for a loss, and negative
//!   when even the tail gains.
//! - **Quantiles** by a named rule ([`Quantile`]); tails by the exact decimal complement of the level ([`Confidence`]).
//! - **Wins** are over 0, losses under 0, and 0 is neither.
//! - **No variance** is relative: a deviation of at most 16 units in the last place of the largest value is none; of
//!   returns made from prices, of the largest ratio of two prices. What divides is measured so wherever it could be
//!   the rounding of something larger: downside, losses, drawdown, beta, tails.
//! - **Undefined is a type** ([`Undefined`]): no calculator answers with a made-up number, with infinity or NaN. Input that
//!   is wrong in itself is an error where it is checked.
//!
//! # Features
//!
//! | feature | brings |
//! | --- | --- |
//! | `ledger` (default) | fills, positions, round trips, equity curve (`rust_decimal`) |
//! | `serde` | JSON of sheets and snapshots, serde for the vocabulary |
//! | `calendar` | conversions from and to `chrono` |
//! | `tracker` | `Tracker` and its figures (`bellwether-core`, `parking_lot`) |
//!
//! Without features `thiserror` is the only dependency.
#![forbid(unsafe_code)]

// What a calculator takes, and what it answers.
pub mod catalogue;
mod civil_date;
mod confidence;
#[cfg(feature = "serde")]
mod finite_or_null;
mod metric_info;
mod minimum_acceptable_return;
mod outcomes;
mod periods_per_year;
mod quantile;
mod rate;
mod returns;
mod risk_free;
#[cfg(feature = "serde")]
mod schema_version;
mod undefined;
mod unix_micros;

// The sums that metrics are read from.
mod co_moments;
mod kernel;
mod moments;

// Growth.
mod growth;
mod monthly_table;
mod stability;

// Risk and shape.
mod autocorrelation;
mod downside;
mod extremes;
mod kurtosis;
mod normality;
mod skewness;
mod stdev;
mod volatility;

// The tail.
pub mod expected_shortfall;
mod tail_ratio;
pub mod value_at_risk;

// Drawdown.
mod burke;
mod calmar;
mod drawdown;
mod drawdown_table;
mod pain;
mod ulcer;

// Return per risk.
mod omega;
mod sharpe;
mod sortino;

// Wins and losses.
mod expectancy;
mod profit_factor;
mod streaks;
mod win_rate;

// Against a benchmark.
mod alpha;
mod beta;
mod capture;
mod information;
mod m2;

// Over time.
pub mod rolling;

// All on one page.
mod conventions;
mod sheet;

// From fills to performance.
#[cfg(feature = "ledger")]
mod ledger;
#[cfg(feature = "tracker")]
mod tracker;

pub use crate::alpha::{alpha, alpha_compounded};
pub use crate::autocorrelation::autocorrelation;
pub use crate::beta::{beta, correlation, r_squared, treynor};
pub use crate::burke::{BurkeEpisodes, burke, burke_modified};
pub use crate::calmar::{calmar, calmar_trailing, recovery_factor};
pub use crate::capture::{batting_average, down_capture, up_capture};
pub use crate::catalogue::METRICS;
pub use crate::civil_date::{CivilDate, InvalidDate};
pub use crate::confidence::{Confidence, InvalidConfidence};
pub use crate::conventions::{Conventions, Period};
pub use crate::downside::{
    d_ratio, downside_deviation, downside_deviation_per_period, downside_frequency, downside_potential,
    upside_deviation_per_period, upside_frequency, upside_potential, variability_skewness,
    volatility_skewness,
};
pub use crate::drawdown::{
    Drawdowns, average_drawdown_depth, current_drawdown, drawdown_series, longest_drawdown, max_drawdown,
    mean_drawdown, time_under_water,
};
pub use crate::drawdown_table::{DrawdownEpisode, drawdown_table};
pub use crate::expectancy::{expectancy, kelly_fraction};
pub use crate::extremes::{best, worst};
pub use crate::growth::{
    annualized_mean, arithmetic_mean, cagr, geometric_mean, log_growth_rate, total_return,
};
pub use crate::information::{information_ratio, tracking_error};
pub use crate::kurtosis::{excess_kurtosis, sample_excess_kurtosis};
#[cfg(feature = "ledger")]
pub use crate::ledger::{
    AmountError, Contract, Direction, EquityCurve, EquityError, EquityPoint, Fill, FillDraft, FillId,
    FillViolation, InvalidFill, InvalidSide, Ledger, LedgerCounts, LedgerError, LedgerLimits,
    MAX_FILL_TEXT_LEN, MAX_SIGNIFICANT_DIGITS, Matching, Position, Price, Quantity, Recorded, RoundTrip,
    Side, TripFilter, nearest_f64,
};
pub use crate::m2::{m2, m2_geometric};
pub use crate::metric_info::{MetricInfo, MetricUnit};
pub use crate::minimum_acceptable_return::Mar;
pub use crate::moments::Moments;
pub use crate::monthly_table::{DatesError, MonthReturn, MonthlyTable, YearReturns};
pub use crate::normality::jarque_bera;
pub use crate::omega::{bernardo_ledoit, kappa, omega, omega_sharpe};
pub use crate::outcomes::{InvalidTradeResult, Outcomes, TradeResults, WinsAndLosses, count};
pub use crate::pain::{Compounding, pain_index, pain_ratio};
pub use crate::periods_per_year::{InvalidPeriodsPerYear, PeriodsPerYear};
pub use crate::profit_factor::{average_loss, average_win, gain_to_pain, payoff_ratio, profit_factor};
pub use crate::quantile::{Quantile, quantile};
pub use crate::returns::{InvalidPrice, InvalidReturn, Returns};
pub use crate::risk_free::RiskFree;
pub use crate::rolling::RollingSeries;
pub use crate::sharpe::{
    sharpe, sharpe_adjusted, sharpe_geometric, sharpe_per_period, sharpe_standard_error_iid,
};
pub use crate::sheet::{PerformanceSheet, SheetGroup, SheetRow};
pub use crate::skewness::{sample_skewness, skewness};
pub use crate::sortino::{sortino, sortino_per_period};
pub use crate::stability::stability;
pub use crate::stdev::{population_stdev, stdev, variance};
pub use crate::streaks::{longest_loss_streak, longest_win_streak};
pub use crate::tail_ratio::tail_ratio;
#[cfg(feature = "tracker")]
pub use crate::tracker::{
    Booking, ClosedPeriod, PerformanceSnapshot, PeriodReturn, Tracker, TrackerBuilder, TrackerError,
};
pub use crate::ulcer::{martin_ratio, ulcer_index};
pub use crate::undefined::{Domain, Undefined};
pub use crate::unix_micros::UnixMicros;
pub use crate::volatility::annualized_volatility;
pub use crate::win_rate::{win_rate, win_rate_nonzero};
