//! What the run came to, read back from Bellwether: snapshots, samples and alerts from the store, figures from the
//! registry, health from its checks.

use bellwether::alerts::{AlertChange, AlertQuery, NotificationLog, NotificationQuery, NotificationRecord};
use bellwether::health::HealthReport;
use bellwether::perf::{DrawdownEpisode, MonthlyTable, UnixMicros, drawdown_table};
use bellwether::prelude::*;

use crate::fault::Fault;
use crate::market::Market;
use crate::strategy::Strategy;
use crate::watch::Watch;

/// How many drawdowns are told.
const DRAWDOWNS: usize = 5;

/// Everything that is told at the end.
pub(crate) struct Results {
    pub(crate) books: Vec<BookResults>,
    pub(crate) changes: Vec<AlertChange>,
    pub(crate) told: Vec<NotificationRecord>,
    /// The worst severity first.
    pub(crate) alerts: Vec<AlertCount>,
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
    /// Of each session.
    pub(crate) returns: Vec<Sample>,
    pub(crate) drawdowns: Vec<DrawdownEpisode>,
    pub(crate) months: MonthlyTable,
    pub(crate) equity: Vec<Sample>,
    pub(crate) depth: Vec<Sample>,
    pub(crate) volatility: Vec<Sample>,
}

/// How many alerts of a severity there were.
pub(crate) struct AlertCount {
    pub(crate) severity: Severity,
    pub(crate) fired: f64,
    pub(crate) resolved: f64,
}

/// A figure of the registry.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
}

impl Results {
    pub(crate) async fn read(
        watch: &Watch,
        market: &Market,
        strategies: &[Box<dyn Strategy>],
    ) -> Result<Self, Fault> {
        let mut books = Vec::new();
        for strategy in strategies {
            books.push(BookResults::read(watch, market, &**strategy).await?);
        }
        let (stored, everything) = (watch.store.alerts(), Limit::new(Limit::MAX)?);
        let mut page = PageRequest::first(everything);
        let mut changes = Vec::new();
        loop {
            let read = AlertHistory::read(&stored, &AlertQuery::default(), &page).await?;
            changes.extend(read.items);
            let Some(next) = read.next else { break };
            page = PageRequest::after(everything, next);
        }
        let mut page = PageRequest::first(everything);
        let mut told = Vec::new();
        loop {
            let read = NotificationLog::read(&stored, &NotificationQuery::default(), &page).await?;
            told.extend(read.items);
            let Some(next) = read.next else { break };
            page = PageRequest::after(everything, next);
        }
        changes.sort_by_key(|change| change.at);
        told.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.channel.cmp(&b.channel)));
        let figures = FIGURES.iter().map(|name| Figure::read(watch, name)).collect::<Result<Vec<_>, _>>()?;
        let by_severity = Severity::ALL.into_iter().rev();
        let alerts =
            by_severity.map(|severity| AlertCount::read(watch, severity)).collect::<Result<Vec<_>, _>>()?;
        // Every book was closed against the same benchmark.
        let any = strategies.first().map_or("", |strategy| strategy.name());
        let benchmark_equity = series(watch, "desk_benchmark_equity", any).await?;
        let families = watch.metrics.snapshot().families;
        let exposed = families.into_iter().map(|family| Descriptor::clone(&family.descriptor)).collect();
        Ok(Self {
            books,
            changes,
            told,
            alerts,
            health: watch.health.run().await,
            figures,
            benchmark_equity,
            exposed,
        })
    }
}

impl Results {
    /// A figure of [`FIGURES`].
    pub(crate) fn figure(&self, name: &str) -> f64 {
        self.figures.iter().find(|figure| figure.name == name).map_or(0.0, |figure| figure.value)
    }
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
        Ok(Self { name: name.to_owned(), value: total(watch, &Selector::metric(name.parse()?)) })
    }
}

impl AlertCount {
    fn read(watch: &Watch, severity: Severity) -> Result<Self, Fault> {
        let of = |name: &str| {
            let label = LabelName::new("severity")?;
            let selector = Selector::metric(name.parse()?).equal(label, severity.as_str());
            Ok::<_, Fault>(total(watch, &selector))
        };
        let (fired, resolved) =
            (of("bellwether_alerts_fired_total")?, of("bellwether_alerts_resolved_total")?);
        Ok(Self { severity, fired, resolved })
    }
}

/// What the series of a figure come to now, all together.
fn total(watch: &Watch, selector: &Selector) -> f64 {
    let series = watch.metrics.values(selector);
    series.iter().filter_map(|one| one.value.as_f64()).fold(0.0, |sum, value| sum + value)
}

impl BookResults {
    async fn read(watch: &Watch, market: &Market, strategy: &dyn Strategy) -> Result<Self, Fault> {
        let snapshot = watch.store.snapshots().latest(strategy.name()).await?.ok_or(Absent)?;
        let snapshot: PerformanceSnapshot = serde_json::from_str(&snapshot.body)?;
        // The desk is looked at every day; on days without a session the return of the last one still stands.
        let mut returns = series(watch, "desk_return_ratio", strategy.name()).await?;
        let days = market.days();
        returns.retain(|one| days.binary_search_by_key(&one.at.into(), |day| day.at).is_ok());
        if returns.len() as u64 != snapshot.periods {
            return Err(Incomplete { held: returns.len(), closed: snapshot.periods }.into());
        }
        let values = Returns::new(returns.iter().map(|one| one.value).collect::<Vec<_>>())?;
        let dates: Vec<_> =
            returns.iter().map(|one| UnixMicros::from(one.at)).filter_map(UnixMicros::date).collect();
        Ok(Self {
            name: strategy.name(),
            title: strategy.title(),
            rule: strategy.rule(),
            citation: strategy.citation(),
            snapshot,
            drawdowns: drawdown_table(&values, DRAWDOWNS)?,
            months: MonthlyTable::new(&dates, &values)?,
            equity: series(watch, "desk_equity", strategy.name()).await?,
            depth: series(watch, "desk_drawdown_ratio", strategy.name()).await?,
            volatility: series(watch, "desk_rolling_volatility_ratio", strategy.name()).await?,
            returns,
        })
    }
}

/// A snapshot that was put is not there.
#[derive(Debug, thiserror::Error)]
#[error("the last snapshot is missing in the store")]
struct Absent;

/// Samples were dropped on the way to the store, as when its disk is too slow.
#[derive(Debug, thiserror::Error)]
#[error("the store holds {held} of {closed} sessions")]
struct Incomplete {
    held: usize,
    closed: u64,
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;
    use crate::session::Period;
    use crate::strategy;

    #[tokio::test]
    async fn a_session_that_the_store_does_not_hold_is_told() {
        let data = tempfile::tempdir().unwrap();
        let rows = "date,close\n2020-02-03,100\n2020-02-04,101\n2020-02-05,102\n";
        std::fs::write(data.path().join("gold.csv"), rows).unwrap();
        let market = Market::read(data.path(), Period::default()).unwrap();
        let out = tempfile::tempdir().unwrap();
        let (folder, strategies) = (Folder::prepare(out.path()).unwrap(), strategy::all());
        let start = market.days()[0].at;
        let watch = Watch::start(&market, &strategies, &folder, start).await.unwrap();
        for (at, day) in market.days().iter().enumerate() {
            watch.clock.advance_to(day.at);
            watch.close(day, 0.0).unwrap();
            if at != 1 {
                watch.look().await;
            }
        }
        watch.keep_snapshots().await.unwrap();
        let fault = Results::read(&watch, &market, &strategies).await.err().unwrap();
        assert_eq!(fault.to_string(), "the store holds 2 of 3 sessions");
        watch.stop().await.unwrap();
    }
}
