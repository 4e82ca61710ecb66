//! What the run came to, read back from Bellwether: snapshots, samples and alerts from the store, figures from the
//! registry, health from its checks.

use bellwether::alerts::{AlertChange, AlertQuery, NotificationLog, NotificationQuery, NotificationRecord};
use bellwether::health::HealthReport;
use bellwether::perf::{DrawdownEpisode, MonthlyTable, PeriodReturn, drawdown_table};
use bellwether::prelude::*;

use crate::fault::Fault;
use crate::strategy::Strategy;
use crate::watch::Watch;

/// How many drawdowns are told.
const DRAWDOWNS: usize = 5;

/// Everything that is told at the end.
pub(crate) struct Results {
    pub(crate) books: Vec<BookResults>,
    pub(crate) changes: Vec<AlertChange>,
    pub(crate) told: Vec<NotificationRecord>,
    pub(crate) health: HealthReport,
    pub(crate) figures: Vec<Figure>,
    pub(crate) benchmark_equity: Vec<Sample>,
    pub(crate) exposed: Vec<Descriptor>,
}

/// What one strategy came to.
pub(crate) struct BookResults {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) citation: &'static str,
    pub(crate) snapshot: PerformanceSnapshot,
    pub(crate) periods: Vec<PeriodReturn>,
    pub(crate) drawdowns: Vec<DrawdownEpisode>,
    pub(crate) months: MonthlyTable,
    pub(crate) equity: Vec<Sample>,
    pub(crate) depth: Vec<Sample>,
    pub(crate) volatility: Vec<Sample>,
}

/// A figure of the registry.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
}

impl Results {
    pub(crate) async fn read(watch: &Watch, strategies: &[Box<dyn Strategy>]) -> Result<Self, Fault> {
        let mut books = Vec::new();
        for (strategy, book) in strategies.iter().zip(&watch.books) {
            books.push(BookResults::read(watch, &**strategy, book).await?);
        }
        let (alerts, everything) = (watch.store.alerts(), Limit::new(Limit::MAX)?);
        let mut page = PageRequest::first(everything);
        let mut changes = Vec::new();
        loop {
            let read = AlertHistory::read(&alerts, &AlertQuery::default(), &page).await?;
            changes.extend(read.items);
            let Some(next) = read.next else { break };
            page = PageRequest::after(everything, next);
        }
        let mut page = PageRequest::first(everything);
        let mut told = Vec::new();
        loop {
            let read = NotificationLog::read(&alerts, &NotificationQuery::default(), &page).await?;
            told.extend(read.items);
            let Some(next) = read.next else { break };
            page = PageRequest::after(everything, next);
        }
        changes.sort_by_key(|change| change.at);
        told.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.channel.cmp(&b.channel)));
        let figures = FIGURES.iter().map(|name| Figure::read(watch, name)).collect::<Result<Vec<_>, _>>()?;
        let benchmark_equity = books.first().map(|book| growth(&book.periods)).unwrap_or_default();
        let families = watch.metrics.snapshot().families;
        let exposed = families.into_iter().map(|family| Descriptor::clone(&family.descriptor)).collect();
        Ok(Self {
            books,
            changes,
            told,
            health: watch.health.run().await,
            figures,
            benchmark_equity,
            exposed,
        })
    }
}

/// What the benchmark made of the capital, from the returns that the book kept beside its own.
fn growth(periods: &[PeriodReturn]) -> Vec<Sample> {
    let mut wealth = bellwether::perf::nearest_f64(crate::book::CAPITAL);
    let points = periods.iter().filter_map(|period| {
        wealth *= 1.0 + period.benchmark?;
        Some(Sample::new(period.at.try_into().ok()?, wealth))
    });
    points.collect()
}

/// The figures that the summary tells, summed over strategies.
const FIGURES: [&str; 10] = [
    "desk_orders_sent_total",
    "desk_orders_rejected_total",
    "desk_fills_total",
    "desk_refused_fills_total",
    "desk_round_trips_total",
    "bellwether_metrics_history_samples_total",
    "bellwether_store_samples_written_total",
    "bellwether_notifications_total",
    "bellwether_channel_delivered_total",
    "bellwether_channel_dead_letters_total",
];

impl Figure {
    fn read(watch: &Watch, name: &str) -> Result<Self, Fault> {
        let series = watch.metrics.values(&Selector::metric(name.parse()?));
        let value = series.iter().filter_map(|one| one.value.as_f64()).fold(0.0, |sum, value| sum + value);
        Ok(Self { name: name.to_owned(), value })
    }
}

impl BookResults {
    async fn read(watch: &Watch, strategy: &dyn Strategy, book: &Tracker) -> Result<Self, Fault> {
        let snapshot = watch.store.snapshots().latest(strategy.name()).await?.ok_or(Absent)?;
        let snapshot = serde_json::from_str(&snapshot.body)?;
        let periods = book.periods();
        let returns = Returns::new(periods.iter().map(|period| period.value).collect::<Vec<_>>())?;
        let dates: Vec<_> = periods.iter().filter_map(|period| period.at.date()).collect();
        Ok(Self {
            name: strategy.name(),
            title: strategy.title(),
            rule: strategy.rule(),
            citation: strategy.citation(),
            snapshot,
            drawdowns: drawdown_table(&returns, DRAWDOWNS)?,
            months: MonthlyTable::new(&dates, &returns)?,
            equity: series(watch, "desk_equity", strategy.name()).await?,
            depth: series(watch, "desk_drawdown_ratio", strategy.name()).await?,
            volatility: series(watch, "desk_rolling_volatility_ratio", strategy.name()).await?,
            periods,
        })
    }
}

/// A snapshot that was put is not there.
#[derive(Debug, thiserror::Error)]
#[error("the last snapshot is missing in the store")]
struct Absent;

/// All samples of a series of one strategy.
async fn series(watch: &Watch, metric: &str, strategy: &str) -> Result<Vec<Sample>, Fault> {
    let selector = Selector::metric(metric.parse()?).equal(LabelName::new("strategy")?, strategy);
    let query = HistoryQuery::new(selector, TimeRange::until(watch.clock.shared().timestamp()));
    let everything = Limit::new(Limit::MAX)?;
    let mut page = PageRequest::first(everything);
    let mut samples = Vec::new();
    loop {
        let read = SampleHistory::read(&watch.store.samples(), &query, &page).await?;
        samples.extend(read.items.into_iter().map(|point| point.sample));
        let Some(next) = read.next else { break Ok(samples) };
        page = PageRequest::after(everything, next);
    }
}
