//! Area charts: values whose distance from zero matters, such as a drawdown that hangs below it.

use crate::axis::Baseline;
use crate::heading::Heading;
use crate::series::Series;
use crate::time_chart::time_chart;
use crate::time_plot::TimePlot;

/// Areas between values and zero, over time. Values below zero hang from it, as a drawdown does.
///
/// Times, holes and colours are those of [`crate::LineChart`]; zero is always on the axis.
///
/// ```
/// use bellwether_chart::{AreaChart, Chart, Size, Unit};
///
/// const DAY: i64 = 86_400_000_000;
/// let drawdown = [(0, 0.0), (DAY, -0.034), (2 * DAY, -0.012)];
/// let chart = AreaChart::new("Drawdown").unit(Unit::Percent).area("Momentum", drawdown).flat();
/// assert!(chart.summary().contains("low −3.40 % on 1970-01-02"));
/// ```
#[derive(Debug, Clone)]
pub struct AreaChart {
    plot: TimePlot,
}

impl AreaChart {
    /// A chart without areas yet.
    pub fn new(title: impl Into<String>) -> Self {
        let heading = Heading { title: title.into(), ..Heading::default() };
        Self { plot: TimePlot { heading, baseline: Baseline::Zero, ..TimePlot::default() } }
    }

    /// Adds an area. Areas are not stacked: each is measured from zero, and the first is drawn on top.
    #[must_use]
    pub fn area(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        self.plot.series.insert(self.plot.filled, Series::new(name, points));
        self.plot.filled += 1;
        self
    }

    /// Adds a line to compare with, on the same axis and not filled.
    #[must_use]
    pub fn line(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        self.plot.series.push(Series::new(name, points));
        self
    }
}

time_chart!(AreaChart);
