//! Bellwether on the desk: everything that is measured, kept, judged and told.

use std::time::Duration;

use bellwether::channels::{JsonLinesConfig, SyncPolicy};
use bellwether::metrics::GaugeFamily;
use bellwether::perf::TrackerBuilder;
use bellwether::prelude::*;
use bellwether::store::{DatabaseUrl, Snapshot};
use chrono::{DateTime, Utc};

use crate::fault::Fault;
use crate::folder::{ALERTS, DATABASE, Folder};
use crate::order::{self, DeskEvents, Order, RejectReason};
use crate::order_metrics::{OrderMetrics, StrategyOrders};
use crate::progress::Screen;
use crate::session::Day;
use crate::{book, market::Market, rules, strategy::Strategy};

/// Periods of the rolling figures: a year of trading days.
pub(crate) const ROLLING_WINDOW: usize = 252;

/// Beyond any weekend, also one that a holiday makes longer.
pub(crate) const FEED_SILENCE: Duration = Duration::from_hours(84);

/// How long the end may take.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Something could not be delivered or closed.
#[derive(Debug, thiserror::Error)]
#[error("not everything could be finished: {0}")]
struct Unfinished(String);

/// Everything that watches the desk.
pub(crate) struct Watch {
    pub(crate) clock: ManualClock,
    pub(crate) metrics: Registry,
    pub(crate) books: Vec<Tracker>,
    pub(crate) store: Store,
    pub(crate) alerts: Alerts,
    pub(crate) health: HealthMonitor,
    orders: Vec<StrategyOrders>,
    prices: Vec<(String, Gauge)>,
}

impl Watch {
    /// Wires everything; the clock stands at `start`.
    pub(crate) async fn start(
        market: &Market,
        strategies: &[Box<dyn Strategy>],
        folder: &Folder,
        start: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let config = Config::from_text("desk.toml", include_str!("desk.toml"))?; // every fault at once, each with its path
        let manual = ManualClock::starting_at(start);
        let clock = manual.shared();

        // measure: handles for the hot path, the recent past in memory
        let metrics = Registry::new(&clock, config.metrics);
        let orders = OrderMetrics::register(&metrics)?;
        let feed: GaugeFamily<1> =
            metrics.gauge_family("desk_feed_price", Unit::Usd, "Last close of the feed.", ["instrument"])?;

        // money: fills in, numbers with their conventions out
        let conventions = Conventions::daily(PeriodsPerYear::TRADING_DAYS);
        let max_periods = market.days().len().max(TrackerBuilder::MAX_PERIODS); // the sheet is to cover all
        let mut books = Vec::new();
        for strategy in strategies {
            let book = Tracker::builder(&clock, conventions.clone(), book::CAPITAL).prefix("desk");
            let book = book.strategy(strategy.name()).rolling_window(ROLLING_WINDOW);
            let book = book.max_periods(max_periods).build()?;
            metrics.collect(book.clone())?; // drawdown, VaR, Sharpe become ordinary series
            books.push(book);
        }

        // remember: one file
        let mut place = config.store;
        place.url = DatabaseUrl::file(folder.building(DATABASE));
        let store = Store::open(&place, &clock).await?;
        metrics.collect(store.clone())?;

        // tell: rules -> engine -> outbox -> channels
        let journal = JsonLinesConfig::new(folder.building(ALERTS)).with_sync(SyncPolicy::WhenClosed); // a replay can be run again
        let alerts = Alerts::builder(&clock, config.alerts)
            .watch(metrics.windows())
            .remember(store.alerts())
            .rules(rules::all())
            .channel(JsonLinesFile::new(ChannelName::new("journal")?, journal)?)
            .channel(Console::to(ChannelName::new("pager")?, Screen))
            .build()?;
        metrics.collect(alerts.clone())?;

        // is everything well?
        let feeds = MetricName::new("desk_feed_price")?;
        let lost = MetricName::new("bellwether_channel_dead_letters_total")?;
        let health = HealthMonitor::new(&clock)
            .critical_check(FeedFresh::new("price feeds", &clock, metrics.windows(), feeds, FEED_SILENCE))?
            .check(FigureWithin::new("lost notifications", &clock, metrics.windows(), lost, 0.0, 10.0)?)?
            .check(alerts.health())?
            .check(store.health())?;

        let orders = strategies.iter().map(|strategy| orders.of(strategy.name())).collect();
        let prices = market.instruments().iter().map(|one| (one.name.clone(), feed.with(&one.name)));
        Ok(Self { clock: manual, metrics, books, store, alerts, health, orders, prices: prices.collect() })
    }

    /// Takes the closes of a session, and closes the day of every book against the benchmark's return.
    pub(crate) fn close(&self, day: &Day, benchmark: f64) -> Result<(), Fault> {
        for (_, price) in &self.prices {
            price.clear(); // an instrument that did not trade has no price today
        }
        for tick in &day.ticks {
            let (instrument, price) = &self.prices[tick.instrument.index()];
            let close = Price::new(tick.price)?;
            price.set(bellwether::perf::nearest_f64(tick.price));
            for book in &self.books {
                book.mark(instrument.as_str(), close, day.at)?;
            }
        }
        for book in &self.books {
            book.close_period_against(day.at, benchmark)?;
        }
        Ok(())
    }

    /// Says that no instrument trades today.
    pub(crate) fn rest(&self) {
        for (_, price) in &self.prices {
            price.clear();
        }
    }

    /// Looks at everything: samples, rules, notifications, deliveries.
    pub(crate) async fn look(&self) {
        self.store.samples().push(self.metrics.sample());
        self.alerts.run_due().await;
    }
}

impl Watch {
    /// Puts the state of every book into the store, and waits until all samples are there as well.
    pub(crate) async fn keep_snapshots(&self) -> Result<(), Fault> {
        for book in &self.books {
            let snapshot = Snapshot {
                scope: book.strategy().unwrap_or_default().to_owned(),
                period: "whole run".to_owned(),
                at: self.clock.now(),
                schema_version: PerformanceSnapshot::SCHEMA_VERSION,
                body: serde_json::to_string(&book.snapshot()?)?,
            };
            self.store.snapshots().put(&snapshot).await?;
        }
        self.store.samples().flush().await?;
        Ok(())
    }

    /// Ends everything, and says what is left.
    pub(crate) async fn stop(self) -> Result<(), Fault> {
        let left = self.alerts.close(SHUTDOWN).await;
        if !left.is_clean() {
            return Err(Unfinished(format!("{left:?}")).into());
        }
        self.store.close(SHUTDOWN).await.into_result()?;
        Ok(())
    }
}

impl DeskEvents for Watch {
    fn sent(&mut self, order: &Order) {
        self.orders[order.strategy.index()].sent.increment();
    }

    fn acknowledged(&mut self, order: &Order, latency: Duration) {
        self.orders[order.strategy.index()].acknowledged.record(latency);
    }

    fn rejected(&mut self, order: &Order, reason: RejectReason, _latency: Duration) {
        self.orders[order.strategy.index()].rejected(reason.as_str()).increment();
    }

    fn filled(&mut self, fill: &order::Fill) {
        let order = &fill.order;
        let instrument = self.prices[order.instrument.index()].0.as_str();
        let booked = match order.side {
            order::Side::Buy => Fill::buy(instrument, order.quantity, fill.price),
            order::Side::Sell => Fill::sell(instrument, order.quantity, fill.price),
        };
        let booked = booked.at(fill.at).id(order.id.0).fee(fill.fee);
        // A refusal is counted in `desk_refused_fills_total`, which the summary shows.
        let _ = self.books[order.strategy.index()].record(booked);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;
    use crate::session::Period;
    use crate::strategy;

    #[tokio::test]
    async fn the_books_keep_every_session_however_many_there_are() {
        let data = tempfile::tempdir().unwrap();
        let first = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let dates = (0..10_100).map(|day| first + Days::new(day));
        let rows: String = dates.map(|date| format!("{date},0\n")).collect();
        std::fs::write(data.path().join("gold.csv"), format!("date,return\n{rows}")).unwrap();
        let market = Market::read(data.path(), Period::default()).unwrap();
        let out = tempfile::tempdir().unwrap();
        let (folder, strategies) = (Folder::prepare(out.path()).unwrap(), strategy::all());
        let watch = Watch::start(&market, &strategies, &folder, market.days()[0].at).await.unwrap();
        for day in market.days() {
            watch.clock.advance_to(day.at);
            watch.close(day, 0.0).unwrap();
        }
        for book in &watch.books {
            assert_eq!(book.periods().len(), 10_100);
        }
        watch.stop().await.unwrap();
    }
}
