//! All numbers of a series on one sheet, each with its unit and its convention, or the reason why there is none.

mod markdown;
mod number;
mod row;
mod text;

use crate::co_moments::CoMoments;
use crate::growth::Growth;
use crate::information::Active;
use crate::undefined::{Undefined, at_least};
use crate::{
    Conventions, Drawdowns, MetricInfo, MetricUnit, Moments, PeriodsPerYear, Returns, TradeResults,
    WinsAndLosses, catalogue, expected_shortfall, value_at_risk,
};

pub use self::row::{SheetGroup, SheetRow};

/// All numbers of a series on one sheet, beside those of its benchmark.
///
/// `Display` writes an aligned table for people, [`to_markdown`](Self::to_markdown) one for messages; with the
/// feature `serde` it is JSON in which a value that does not exist is `null` beside its reason.
///
/// ```
/// use bellwether_perf::{Conventions, PerformanceSheet, PeriodsPerYear, Returns, Undefined};
/// let returns = Returns::new(&[0.02, -0.01, 0.015, 0.03])?;
/// let sheet = PerformanceSheet::of(&returns, None, &Conventions::monthly(PeriodsPerYear::MONTHS));
/// assert_eq!(sheet.value("max_drawdown"), Some(Ok(-0.01)));
/// println!("{sheet}");
///
/// let gains = Returns::new(&[0.02, 0.01])?;
/// let sheet = PerformanceSheet::of(&gains, None, &Conventions::monthly(PeriodsPerYear::MONTHS));
/// assert_eq!(sheet.value("profit_factor"), Some(Err(Undefined::NoLosses)));
/// # Ok::<(), bellwether_perf::InvalidReturn>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PerformanceSheet {
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "crate::schema_version::known::<_, { PerformanceSheet::SCHEMA_VERSION }>")
    )]
    schema_version: u32,
    conventions: Conventions,
    observations: usize,
    #[cfg_attr(feature = "serde", serde(rename = "values"))]
    rows: Vec<SheetRow>,
}

impl PerformanceSheet {
    /// The version of the JSON form: it grows when a field changes its meaning or goes.
    pub const SCHEMA_VERSION: u32 = 1;

    /// Computes everything that the conventions ask for. O(n log n) for the quantiles, which share one sort.
    ///
    /// A benchmark must have as many returns; with another length the numbers against it are undefined, and say
    /// so.
    pub fn of(returns: &Returns<'_>, benchmark: Option<&Returns<'_>>, conventions: &Conventions) -> Self {
        let mut sheet = Self {
            schema_version: Self::SCHEMA_VERSION,
            conventions: conventions.clone(),
            observations: returns.len(),
            rows: Vec::new(),
        };
        Computed::of(returns).each_value(conventions, |group, info, name, label, value| {
            sheet.rows.push(SheetRow::new(group, info, name, label, value));
        });
        if let Some(benchmark) = benchmark {
            let mut rows = sheet.rows.iter_mut();
            Computed::of(benchmark).each_value(conventions, |_, _, _, _, value| {
                if let Some(row) = rows.next() {
                    row.benchmark = Some(value);
                }
            });
            sheet.against(returns, benchmark);
        }
        let needed = conventions.minimum_sample();
        if let Err(few) = at_least(needed, returns.len()) {
            for row in &mut sheet.rows {
                row.value = Err(few);
                row.benchmark = row.benchmark.map(|_| Err(few));
            }
        }
        sheet
    }

    fn against(&mut self, returns: &Returns<'_>, benchmark: &Returns<'_>) {
        let both = CoMoments::of(returns, benchmark);
        let active = Active::of(returns, benchmark);
        let (rf, ppy) = (self.conventions.risk_free(), self.conventions.periods_per_year());
        let mut push = |info: &'static MetricInfo, value: Result<f64, Undefined>| {
            self.rows.push(SheetRow::new(
                SheetGroup::Benchmark,
                info,
                info.name.into(),
                info.label.into(),
                value,
            ));
        };
        push(&catalogue::BETA, both.and_then(|both| both.beta()));
        push(&catalogue::ALPHA, both.and_then(|both| crate::alpha::of_co_moments(&both, rf, ppy)));
        push(&catalogue::CORRELATION, both.and_then(|both| both.correlation()));
        push(&catalogue::R_SQUARED, both.and_then(|both| both.correlation()).map(|rho| rho * rho));
        push(&catalogue::TRACKING_ERROR, active.and_then(|active| active.tracking_error(ppy)));
        push(&catalogue::INFORMATION_RATIO, active.and_then(|active| active.information_ratio(ppy)));
        push(&catalogue::TREYNOR, crate::treynor(returns, benchmark, rf, ppy));
        push(&catalogue::M2, both.and_then(|both| crate::m2::of_co_moments(&both, rf, ppy)));
        push(&catalogue::UP_CAPTURE, crate::up_capture(returns, benchmark, ppy));
        push(&catalogue::DOWN_CAPTURE, crate::down_capture(returns, benchmark, ppy));
        push(&catalogue::BATTING_AVERAGE, crate::batting_average(returns, benchmark));
    }

    /// With the round trips of the same time: a group of its own, in the money of the trades. Those of before go.
    ///
    /// ```
    /// use bellwether_perf::{Conventions, PerformanceSheet, PeriodsPerYear, Returns, TradeResults};
    /// let conventions = Conventions::daily(PeriodsPerYear::TRADING_DAYS);
    /// let trades = TradeResults::new(&[120.0, -40.0, -20.0])?;
    /// let sheet = PerformanceSheet::of(&Returns::empty(), None, &conventions).with_trades(&trades);
    /// assert_eq!(sheet.value("trade_profit_factor"), Some(Ok(2.0)));
    /// # Ok::<(), bellwether_perf::InvalidTradeResult>(())
    /// ```
    #[must_use]
    pub fn with_trades(mut self, trades: &TradeResults<'_>) -> Self {
        self.rows.retain(|row| row.group != SheetGroup::Trades);
        let all = WinsAndLosses::of(trades);
        let mut push = |info: &'static MetricInfo, value: Result<f64, Undefined>| {
            let name = format!("trade_{}", info.name).into();
            let mut row = SheetRow::new(SheetGroup::Trades, info, name, info.label.into(), value);
            row.unit = info.unit;
            self.rows.push(row);
        };
        push(&catalogue::COUNT, Ok(trades.len() as f64));
        push(&catalogue::WIN_RATE, crate::win_rate(trades));
        push(&catalogue::PROFIT_FACTOR, all.and_then(|all| crate::profit_factor::of_sums(&all)));
        push(&catalogue::PAYOFF_RATIO, all.and_then(|all| crate::profit_factor::payoff_of(&all)));
        push(&catalogue::EXPECTANCY, crate::expectancy(trades));
        push(&catalogue::AVERAGE_WIN, all.and_then(|all| crate::profit_factor::average_win_of(&all)));
        push(&catalogue::AVERAGE_LOSS, all.and_then(|all| crate::profit_factor::average_loss_of(&all)));
        push(&catalogue::BEST, crate::best(trades));
        push(&catalogue::WORST, crate::worst(trades));
        push(&catalogue::LONGEST_WIN_STREAK, crate::longest_win_streak(trades).map(|n| n as f64));
        push(&catalogue::LONGEST_LOSS_STREAK, crate::longest_loss_streak(trades).map(|n| n as f64));
        self
    }

    /// The version of the JSON form of this sheet.
    pub fn schema_version(&self) -> u32 {
        self.schema_version
    }

    /// The choices behind the numbers.
    pub fn conventions(&self) -> &Conventions {
        &self.conventions
    }

    /// How many returns there were.
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// The rows in the order of the sheet.
    pub fn rows(&self) -> &[SheetRow] {
        &self.rows
    }

    /// The row of that name: `sharpe`, `var_historical_99`.
    pub fn row(&self, name: &str) -> Option<&SheetRow> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The value of that name; none if the sheet has no such row.
    pub fn value(&self, name: &str) -> Option<Result<f64, Undefined>> {
        self.row(name).map(|row| row.value)
    }

    fn has_benchmark(&self) -> bool {
        self.rows.iter().any(|row| row.benchmark.is_some())
    }

    /// Rows that stand together, in order.
    fn groups(&self) -> impl Iterator<Item = &[SheetRow]> {
        self.rows.chunk_by(|a, b| a.group == b.group)
    }
}

/// What one pass over a series gives; every value of the sheet is read from it.
struct Computed<'a> {
    returns: &'a Returns<'a>,
    moments: Moments,
    growth: Result<Growth, Undefined>,
    drawdowns: Result<Drawdowns, Undefined>,
    outcomes: Result<WinsAndLosses, Undefined>,
    sorted: Vec<f64>,
}

impl<'a> Computed<'a> {
    fn of(returns: &'a Returns<'a>) -> Self {
        let mut sorted = returns.as_slice().to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self {
            returns,
            moments: returns.moments(),
            growth: Growth::of(returns),
            drawdowns: Drawdowns::of(returns),
            outcomes: WinsAndLosses::of(returns),
            sorted,
        }
    }

    /// Gives each value, with its group, what it is, its name and its label, in the order of the sheet.
    fn each_value(
        &self,
        conventions: &Conventions,
        mut give: impl FnMut(
            SheetGroup,
            &'static MetricInfo,
            std::borrow::Cow<'static, str>,
            std::borrow::Cow<'static, str>,
            Result<f64, Undefined>,
        ),
    ) {
        use SheetGroup::{Drawdown, Growth, Outcomes, Ratios, Shape, Tail};
        let (rf, mar, ppy) = (conventions.risk_free(), conventions.mar(), conventions.periods_per_year());
        let (r, moments) = (self.returns, &self.moments);
        let threshold = mar.at(ppy);
        let growth = self.growth;
        let drawdowns = self.drawdowns;
        let outcomes = self.outcomes;
        let both = growth.and_then(|growth| Ok((growth, drawdowns?)));
        let mut put = |group, info: &'static MetricInfo, value| {
            give(group, info, info.name.into(), info.label.into(), value);
        };

        put(Growth, &catalogue::TOTAL_RETURN, growth.and_then(crate::growth::Growth::total_return));
        put(Growth, &catalogue::CAGR, growth.and_then(|growth| growth.cagr(ppy)));
        put(Growth, &catalogue::MEAN, crate::arithmetic_mean(r));
        put(Growth, &catalogue::ANNUALIZED_MEAN, crate::annualized_mean(r, ppy));
        put(Growth, &catalogue::GEOMETRIC_MEAN, growth.and_then(crate::growth::Growth::geometric_mean));
        put(Growth, &catalogue::STABILITY, crate::stability(r));

        put(Shape, &catalogue::ANNUALIZED_VOLATILITY, crate::volatility::of_moments(moments, ppy));
        put(Shape, &catalogue::DOWNSIDE_DEVIATION, crate::downside_deviation(r, mar, ppy));
        put(Shape, &catalogue::STDEV, moments.stdev());
        put(Shape, &catalogue::SKEWNESS, moments.skewness());
        put(Shape, &catalogue::EXCESS_KURTOSIS, moments.excess_kurtosis());
        put(Shape, &catalogue::JARQUE_BERA, crate::normality::of_moments(moments));
        put(Shape, &catalogue::AUTOCORRELATION, crate::autocorrelation(r, 1));
        put(Shape, &catalogue::BEST, moments.max());
        put(Shape, &catalogue::WORST, moments.min());

        put(Drawdown, &catalogue::MAX_DRAWDOWN, drawdowns.map(|all| all.deepest()));
        put(Drawdown, &catalogue::CURRENT_DRAWDOWN, drawdowns.map(|all| all.current()));
        put(Drawdown, &catalogue::AVERAGE_DRAWDOWN_DEPTH, drawdowns.and_then(|all| all.average_depth()));
        put(Drawdown, &catalogue::LONGEST_DRAWDOWN, drawdowns.map(|all| all.longest() as f64));
        put(Drawdown, &catalogue::TIME_UNDER_WATER, drawdowns.map(|all| all.share_under_water()));
        put(Drawdown, &catalogue::ULCER_INDEX, drawdowns.and_then(|all| all.root_mean_square()));
        put(Drawdown, &catalogue::PAIN_INDEX, drawdowns.and_then(|all| all.pain()));

        put(Ratios, &catalogue::SHARPE, crate::sharpe::of_moments(moments, rf, ppy));
        put(Ratios, &catalogue::SHARPE_STANDARD_ERROR_IID, self.sharpe_error(conventions));
        put(Ratios, &catalogue::SORTINO, crate::sortino(r, mar, ppy));
        put(Ratios, &catalogue::OMEGA, threshold.and_then(|threshold| crate::omega(r, threshold)));
        put(Ratios, &catalogue::CALMAR, both.and_then(|(g, d)| crate::calmar::of_parts(&g, &d, ppy)));
        put(
            Ratios,
            &catalogue::MARTIN_RATIO,
            both.and_then(|(g, d)| crate::ulcer::of_parts(&g, &d, rf, ppy)),
        );
        let pain = both.and_then(|(g, d)| crate::pain::of_parts(&g, d.pain()?, rf, ppy));
        put(Ratios, &catalogue::PAIN_RATIO, pain);
        let recovery = both.and_then(|(g, d)| crate::calmar::recovery_of_parts(&g, &d));
        put(Ratios, &catalogue::RECOVERY_FACTOR, recovery);

        put(Outcomes, &catalogue::WIN_RATE, outcomes.map(|all| all.wins() as f64 / all.count() as f64));
        put(
            Outcomes,
            &catalogue::PROFIT_FACTOR,
            outcomes.and_then(|all| crate::profit_factor::of_sums(&all)),
        );
        put(
            Outcomes,
            &catalogue::PAYOFF_RATIO,
            outcomes.and_then(|all| crate::profit_factor::payoff_of(&all)),
        );
        put(
            Outcomes,
            &catalogue::AVERAGE_WIN,
            outcomes.and_then(|all| crate::profit_factor::average_win_of(&all)),
        );
        put(
            Outcomes,
            &catalogue::AVERAGE_LOSS,
            outcomes.and_then(|all| crate::profit_factor::average_loss_of(&all)),
        );
        put(
            Outcomes,
            &catalogue::GAIN_TO_PAIN,
            outcomes.and_then(|all| crate::profit_factor::gain_to_pain_of(&all)),
        );
        put(Outcomes, &catalogue::KELLY_FRACTION, outcomes.and_then(|all| crate::expectancy::kelly_of(&all)));
        put(Outcomes, &catalogue::LONGEST_WIN_STREAK, crate::longest_win_streak(r).map(|n| n as f64));
        put(Outcomes, &catalogue::LONGEST_LOSS_STREAK, crate::longest_loss_streak(r).map(|n| n as f64));

        put(Tail, &catalogue::TAIL_RATIO, crate::tail_ratio::of_sorted(&self.sorted, crate::Confidence::P95));
        for &confidence in conventions.confidences() {
            let percent = confidence.to_string();
            let digits = percent.trim_end_matches(" %").replace('.', "_");
            let mut at_level = |info: &'static MetricInfo, value| {
                let (name, label) = (format!("{}_{digits}", info.name), format!("{} {percent}", info.label));
                give(Tail, info, name.into(), label.into(), value);
            };
            let var = value_at_risk::historical_of_sorted(&self.sorted, confidence, conventions.quantile());
            at_level(&catalogue::VAR_HISTORICAL, var);
            let shortfall = expected_shortfall::historical_of_sorted(&self.sorted, confidence);
            at_level(&catalogue::CVAR_HISTORICAL_EXACT, shortfall);
        }
    }

    fn sharpe_error(&self, conventions: &Conventions) -> Result<f64, Undefined> {
        let risk_free = conventions.risk_free().at(conventions.periods_per_year())?;
        let per_period = crate::RiskFree::per_period(risk_free);
        let ratio = crate::sharpe::of_moments(&self.moments, per_period, PeriodsPerYear::YEARS)?;
        crate::undefined::defined(((1.0 + ratio * ratio / 2.0) / self.moments.count() as f64).sqrt())
    }
}

/// The unit that a value has on the sheet: outcomes of returns are fractions.
fn unit_on_sheet(unit: MetricUnit) -> MetricUnit {
    if unit == MetricUnit::Outcome { MetricUnit::Fraction } else { unit }
}
