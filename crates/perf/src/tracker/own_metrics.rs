//! The figures that a tracker tells a registry.

use bellwether_core::{Collect, CollectError, Descriptor, Kind, MetricName, NameError, SampleSink, Unit};
use rust_decimal::Decimal;

use super::{State, Tracker};
use crate::{Confidence, LedgerError, nearest_f64};

/// One figure; what it is stands in its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FigureKind {
    Equity,
    BenchmarkEquity,
    Realised,
    Unrealised,
    Fees,
    Drawdown,
    Return,
    RollingVolatility,
    RollingSharpe,
    Sharpe,
    OpenPositions,
    /// Of the confidence level at this place in the conventions.
    ValueAtRisk(usize),
    BeyondValueAtRisk(usize),
    Fills,
    Duplicates,
    Refused,
    Trips,
    TripsDropped,
    StaleMarks,
    UntradedMarks,
    UntradedMarksDropped,
    RefusedMarks,
    Periods,
    PeriodsDropped,
    Implausible,
}

const GAUGES: [(FigureKind, &str, Unit, &str); 11] = [
    (FigureKind::Equity, "equity", Unit::None, "What the account is worth, in its currency."),
    (
        FigureKind::BenchmarkEquity,
        "benchmark_equity",
        Unit::None,
        "What the capital would be worth in the benchmark at the end of the last period; none any more once a period had no benchmark.",
    ),
    (FigureKind::Realised, "realised_profit", Unit::None, "Profit of all that was closed, before fees."),
    (FigureKind::Unrealised, "unrealised_profit", Unit::None, "Profit of all that is open, before fees."),
    (FigureKind::Fees, "fees", Unit::None, "Fees of all fills, rebates taken off."),
    (FigureKind::Drawdown, "drawdown_ratio", Unit::Ratio, "How far equity lies under its peak: 0.05 is 5 %."),
    (FigureKind::Return, "return_ratio", Unit::Ratio, "Return of the last closed period."),
    (
        FigureKind::RollingVolatility,
        "rolling_volatility_ratio",
        Unit::Ratio,
        "Volatility per year of the last periods, those of the rolling window.",
    ),
    (
        FigureKind::RollingSharpe,
        "rolling_sharpe",
        Unit::None,
        "Sharpe ratio per year of the last periods, those of the rolling window.",
    ),
    (FigureKind::Sharpe, "sharpe", Unit::None, "Sharpe ratio per year of all periods."),
    (FigureKind::OpenPositions, "open_positions", Unit::None, "Instruments in which something is open."),
];

const COUNTERS: [(FigureKind, &str, &str); 12] = [
    (FigureKind::Fills, "fills_total", "Fills that were booked."),
    (FigureKind::Duplicates, "duplicate_fills_total", "Fills that came again and were ignored."),
    (FigureKind::Refused, "refused_fills_total", "Fills that were refused."),
    (FigureKind::Trips, "round_trips_total", "Round trips that were closed."),
    (FigureKind::TripsDropped, "dropped_round_trips_total", "Round trips that are no longer kept."),
    (FigureKind::StaleMarks, "stale_marks_total", "Prices that were older than the one in use."),
    (
        FigureKind::UntradedMarks,
        "untraded_marks_total",
        "Prices of instruments that were not traded yet; the last of each is kept for its first fill.",
    ),
    (
        FigureKind::UntradedMarksDropped,
        "dropped_untraded_marks_total",
        "Last prices of instruments that were not traded yet, dropped to make room.",
    ),
    (FigureKind::RefusedMarks, "refused_marks_total", "Prices that were refused."),
    (FigureKind::Periods, "periods_total", "Periods that were closed."),
    (FigureKind::PeriodsDropped, "dropped_periods_total", "Periods that are no longer kept."),
    (
        FigureKind::Implausible,
        "implausible_returns_total",
        "Returns over the plausibility bound; they are kept.",
    ),
];

/// Every figure and its descriptor, in the same order.
pub(super) fn descriptors(
    prefix: &str,
    confidences: &[Confidence],
) -> Result<(Vec<FigureKind>, Vec<Descriptor>), NameError> {
    let mut kinds = Vec::new();
    let mut descriptors = Vec::new();
    let name = |name: &str| MetricName::new(format!("{prefix}_{name}"));
    for (kind, suffix, unit, help) in GAUGES {
        kinds.push(kind);
        descriptors.push(Descriptor::gauge(name(suffix)?, unit, help));
    }
    for (at, level) in confidences.iter().enumerate() {
        let percent = level.to_string();
        let digits = percent.trim_end_matches(" %").replace('.', "_");
        kinds.push(FigureKind::ValueAtRisk(at));
        let help = format!("Historical value at risk {percent} of the rolling window: a loss is positive.");
        descriptors.push(Descriptor::gauge(name(&format!("rolling_var_{digits}_ratio"))?, Unit::Ratio, help));
        kinds.push(FigureKind::BeyondValueAtRisk(at));
        let help = format!("Loss of the last period minus the value at risk {percent} that stood before it.");
        descriptors.push(Descriptor::gauge(
            name(&format!("loss_beyond_var_{digits}_ratio"))?,
            Unit::Ratio,
            help,
        ));
    }
    for (kind, suffix, help) in COUNTERS {
        kinds.push(kind);
        descriptors.push(Descriptor::counter(name(suffix)?, Unit::None, help));
    }
    Ok((kinds, descriptors))
}

/// How far equity lies under its peak, positive. An account under nothing lies more than all of it under.
pub(super) fn depth(equity: Decimal, peak: Decimal) -> f64 {
    let (whole, under) = (nearest_f64(peak), nearest_f64(peak.saturating_sub(equity)));
    if whole > 0.0 { (under / whole).max(0.0) } else { 0.0 }
}

impl FigureKind {
    /// The value now; none where it is undefined.
    fn value(self, state: &State, capital: Decimal) -> Result<Option<f64>, LedgerError> {
        let (ledger, periods) = (&state.ledger, &state.periods);
        let (counts, latest) = (ledger.counts(), periods.latest());
        Ok(match self {
            Self::Equity => Some(nearest_f64(ledger.equity(capital)?)),
            Self::BenchmarkEquity => periods
                .benchmark_growth()
                .map(|growth| nearest_f64(capital) * growth)
                .filter(|v| v.is_finite()),
            Self::Realised => Some(nearest_f64(ledger.realised())),
            Self::Unrealised => Some(nearest_f64(ledger.unrealised()?)),
            Self::Fees => Some(nearest_f64(ledger.fees())),
            Self::Drawdown => {
                let equity = ledger.equity(capital)?;
                Some(depth(equity, periods.peak(equity)))
            }
            Self::Return => latest.value,
            Self::RollingVolatility => latest.volatility,
            Self::RollingSharpe => latest.rolling_sharpe,
            Self::Sharpe => latest.sharpe,
            Self::OpenPositions => Some(ledger.open_positions() as f64),
            Self::ValueAtRisk(at) => latest.value_at_risk.get(at).copied().flatten(),
            Self::BeyondValueAtRisk(at) => latest.beyond.get(at).copied().flatten(),
            Self::Fills => Some(counts.fills as f64),
            Self::Duplicates => Some(counts.duplicates as f64),
            Self::Refused => Some(counts.refused as f64),
            Self::Trips => Some(counts.trips as f64),
            Self::TripsDropped => Some(counts.trips_dropped as f64),
            Self::StaleMarks => Some(counts.stale_marks as f64),
            Self::UntradedMarks => Some(counts.untraded_marks as f64),
            Self::UntradedMarksDropped => Some(counts.untraded_marks_dropped as f64),
            Self::RefusedMarks => Some(counts.refused_marks as f64),
            Self::Periods => Some(periods.closed() as f64),
            Self::PeriodsDropped => Some(periods.dropped() as f64),
            Self::Implausible => Some(periods.implausible() as f64),
        })
    }
}

impl Collect for Tracker {
    fn descriptors(&self) -> &[Descriptor] {
        &self.shared.descriptors
    }

    /// Tells every figure that has a value. One that cannot be computed exactly is left out, the others are told, and
    /// the error says why.
    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let shared = &*self.shared;
        let values: Vec<_> = {
            let state = shared.state.lock();
            shared.kinds.iter().map(|kind| kind.value(&state, shared.capital)).collect()
        };
        let mut wrong = None;
        for (descriptor, value) in shared.descriptors.iter().zip(values) {
            match value {
                Ok(Some(value)) if descriptor.kind == Kind::Counter => {
                    out.counter(descriptor, &shared.labels, value);
                }
                Ok(Some(value)) => out.gauge(descriptor, &shared.labels, value),
                Ok(None) => {}
                Err(why) => wrong = Some(CollectError::new(format!("{}: {why}", descriptor.name))),
            }
        }
        wrong.map_or(Ok(()), Err)
    }
}
