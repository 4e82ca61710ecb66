//! Line charts: values over time whose level matters, not their distance from zero.

use crate::axis::Baseline;
use crate::heading::Heading;
use crate::series::Series;
use crate::time_chart::time_chart;
use crate::time_plot::TimePlot;

/// Lines over time.
///
/// Times are microseconds since 1970-01-01T00:00:00Z, values are in the base of the [`crate::Unit`]. Points may come in any
/// order. A value that is not finite, or beyond 1e300 in magnitude, is a hole: the line breaks there, and the chart
/// says how many are missing.
/// Up to five lines are told apart by colour; of more, the five with the highest last value, and the others are grey.
///
/// ```
/// use bellwether_chart::{Chart, Interval, LineChart, MarkerKind, Size, Unit};
///
/// const DAY: i64 = 86_400_000_000;
/// let equity = [(0, 100.0), (DAY, 101.5), (2 * DAY, 99.2), (3 * DAY, 104.0)];
/// let chart = LineChart::new("Equity")
///     .unit(Unit::money("USD"))
///     .interval(Interval::DAY)
///     .line("Momentum", equity)
///     .marker(2 * DAY, "drawdown 2.3 %", MarkerKind::Warning);
/// assert!(chart.to_svg(Size::WIDE).starts_with("<svg "));
/// assert!(chart.summary().contains("low 99.20 USD on 1970-01-03"));
/// ```
#[derive(Debug, Clone)]
pub struct LineChart {
    plot: TimePlot,
}

impl LineChart {
    /// A chart without lines yet.
    pub fn new(title: impl Into<String>) -> Self {
        let heading = Heading { title: title.into(), ..Heading::default() };
        Self { plot: TimePlot { heading, ..TimePlot::default() } }
    }

    /// Adds a line. The first one is drawn on top, and marks lie on it.
    #[must_use]
    pub fn line(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        self.plot.series.push(Series::new(name, points));
        self
    }

    /// Makes the value axis logarithmic, which the chart then says beside its title. Values at or below zero are holes.
    #[must_use]
    pub fn log_axis(mut self) -> Self {
        self.plot.baseline = Baseline::Log;
        self
    }
}

time_chart!(LineChart);
