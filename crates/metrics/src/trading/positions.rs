//! The metrics of positions: quantity, exposure, profit and loss.

use std::collections::HashMap;
use std::sync::Arc;

use bellwether_core::{Collect, CollectError, Descriptor, Labels, SampleSink, Unit};
use parking_lot::Mutex;

use super::Preset;
use crate::{Gauge, GaugeFamily, Registry, RegistryError};

/// The metrics of positions, per strategy and symbol.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::trading::{Mark, PositionMetrics};
/// # use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let positions = PositionMetrics::register(&metrics)?;
/// let es = positions.at("momentum", "ESZ6");
/// // two contracts short, sold at 5010 and now at 5000, of 50 dollars a point
/// es.mark(Mark::new(-2.0, 5_010.0, 5_000.0).with_multiplier(50.0));
/// es.realised.add(250.0);
/// assert_eq!(es.exposure.get(), Some(-500_000.0));
/// assert_eq!(es.unrealised.get(), Some(1_000.0));
/// assert!(metrics.text().contains("\nstrategy_pnl_usd{strategy=\"momentum\"} 1250\n"));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
///
/// | metric (after the prefix; the currency ends the names of money) | labels | what |
/// | --- | --- | --- |
/// | `position_quantity` | `strategy`, `symbol` | units held; below zero when short |
/// | `position_exposure_usd` | `strategy`, `symbol` | market value; below zero when short |
/// | `position_realised_pnl_usd` | `strategy`, `symbol` | profit and loss of what was closed |
/// | `position_unrealised_pnl_usd` | `strategy`, `symbol` | profit and loss of what is open |
/// | `strategy_gross_exposure_usd` | `strategy` | sum of the exposures without their signs |
/// | `strategy_net_exposure_usd` | `strategy` | sum of the exposures with their signs |
/// | `strategy_pnl_usd` | `strategy` | realised and unrealised profit and loss |
///
/// All are gauges. Those of a strategy are summed at each look at the registry, over its positions that have a value; they
/// are what limits and alerts are about. Gauges are `f64`: accounts belong in a ledger of decimals.
///
/// Positions beyond the bound of series share the overflow series, where the last value stays, and are in no sum: an alert
/// on `bellwether_metrics_overflowed_total` shows that.
#[derive(Debug, Clone)]
pub struct PositionMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    quantity: GaugeFamily<2>,
    exposure: GaugeFamily<2>,
    realised: GaugeFamily<2>,
    unrealised: GaugeFamily<2>,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    positions: usize,
    most: usize,
    of: HashMap<Box<str>, Book>,
}

/// The positions of a strategy.
#[derive(Debug)]
struct Book {
    labels: Labels,
    positions: HashMap<Box<str>, Position>,
}

/// The handles of one position. Cloning copies pointers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Position {
    /// Units held; below zero when short.
    pub quantity: Gauge,
    /// Market value; below zero when short.
    pub exposure: Gauge,
    /// Profit and loss of what was closed.
    pub realised: Gauge,
    /// Profit and loss of what is open.
    pub unrealised: Gauge,
}

/// A position seen at the market's price.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Mark {
    /// Units held; below zero when short.
    pub quantity: f64,
    /// What a unit was bought or sold at, on average.
    pub average_price: f64,
    /// What a unit is worth now.
    pub price: f64,
    /// Money per point of a unit: 50 for an E-mini S&P 500 future, 1 for a share.
    pub multiplier: f64,
}

impl Mark {
    /// Of a unit whose price is money.
    pub const fn new(quantity: f64, average_price: f64, price: f64) -> Self {
        Self { quantity, average_price, price, multiplier: 1.0 }
    }

    /// Of a unit with another value of a point.
    #[must_use]
    pub const fn with_multiplier(self, multiplier: f64) -> Self {
        Self { multiplier, ..self }
    }

    /// Market value.
    pub fn exposure(&self) -> f64 {
        self.quantity * self.price * self.multiplier
    }

    /// Profit and loss of what is open.
    pub fn unrealised(&self) -> f64 {
        self.quantity * (self.price - self.average_price) * self.multiplier
    }
}

impl Position {
    /// Sets quantity, exposure and unrealised profit; what is not finite is refused and counted, each by itself.
    pub fn mark(&self, mark: Mark) {
        self.quantity.set(mark.quantity);
        self.exposure.set(mark.exposure());
        // Of nothing there is none, whatever the prices are: a closed position may have no average any more.
        self.unrealised.set(if mark.quantity == 0.0 { 0.0 } else { mark.unrealised() });
    }

    /// Takes all values away: the position is in no page and no sum any more.
    pub fn clear(&self) {
        for gauge in [&self.quantity, &self.exposure, &self.realised, &self.unrealised] {
            gauge.clear();
        }
    }
}

impl PositionMetrics {
    /// Registers the metrics in US dollars under their plain names, once per registry. [`Preset`] registers them under
    /// others and in another currency.
    pub fn register(metrics: &Registry) -> Result<Self, RegistryError> {
        Self::register_as(&Preset::new(), metrics)
    }

    pub(super) fn register_as(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let labels = ["strategy", "symbol"];
        let money = |name, help| metrics.gauge_family(preset.money(name)?, preset.currency(), help, labels);
        let sum = |name, help| {
            Ok::<_, RegistryError>(Descriptor::gauge(preset.money(name)?, preset.currency(), help))
        };
        let descriptors = [
            sum("strategy_gross_exposure", "Sum of the exposures of a strategy without their signs.")?,
            sum("strategy_net_exposure", "Sum of the exposures of a strategy with their signs.")?,
            sum("strategy_pnl", "Realised and unrealised profit and loss of a strategy.")?,
        ];
        let inner = Arc::new(Inner {
            quantity: metrics.gauge_family(
                preset.name("position_quantity")?,
                Unit::None,
                "Units held; below zero when short.",
                labels,
            )?,
            exposure: money("position_exposure", "Market value of the position; below zero when short.")?,
            realised: money("position_realised_pnl", "Profit and loss of what was closed.")?,
            unrealised: money("position_unrealised_pnl", "Profit and loss of what is open.")?,
            books: Mutex::new(Books { most: metrics.config().max_series_per_metric, ..Books::default() }),
        });
        metrics.collect(StrategySums { descriptors, metrics: Arc::clone(&inner) })?;
        Ok(Self(inner))
    }

    /// The handles of a position: take them once.
    pub fn at(&self, strategy: &str, symbol: &str) -> Position {
        let make = || Position {
            quantity: self.0.quantity.with([strategy, symbol]),
            exposure: self.0.exposure.with([strategy, symbol]),
            realised: self.0.realised.with([strategy, symbol]),
            unrealised: self.0.unrealised.with([strategy, symbol]),
        };
        let mut books = self.0.books.lock();
        let known = books.of.get(strategy).and_then(|book| book.positions.get(symbol));
        if let Some(position) = known {
            return position.clone();
        }
        let labels = Labels::new([("strategy", strategy)]);
        let (Ok(labels), true) = (labels, books.positions < books.most) else {
            drop(books);
            return make();
        };
        let position = make();
        // Elsewhere in the registry there may be no room: then it is one of many on the overflow series.
        if position.exposure.labels().get(crate::OVERFLOW_LABEL).is_none() {
            books.positions += 1;
            let book = || Book { labels, positions: HashMap::new() };
            let book = books.of.entry(strategy.into()).or_insert_with(book);
            book.positions.insert(symbol.into(), position.clone());
        }
        position
    }
}

/// Tells the sums over the positions of each strategy.
struct StrategySums {
    descriptors: [Descriptor; 3],
    metrics: Arc<Inner>,
}

impl Collect for StrategySums {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let books = self.metrics.books.lock();
        let tell = |descriptor, part: &dyn Fn(&Position) -> Option<f64>, out: &mut dyn SampleSink| {
            for book in books.of.values() {
                let parts = book.positions.values().filter_map(part);
                // A strategy without any value has no sum, and not one of zero.
                if let Some(sum) = parts.reduce(|sum, part| sum + part) {
                    out.gauge(descriptor, &book.labels, sum);
                }
            }
        };
        let [gross, net, pnl] = &self.descriptors;
        tell(gross, &|position| position.exposure.get().map(f64::abs), out);
        tell(net, &|position| position.exposure.get(), out);
        tell(
            pnl,
            &|position| match (position.realised.get(), position.unrealised.get()) {
                (None, None) => None,
                (realised, unrealised) => Some(realised.unwrap_or(0.0) + unrealised.unwrap_or(0.0)),
            },
            out,
        );
        Ok(())
    }
}
