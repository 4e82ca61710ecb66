//! Charts in a report.

use bellwether_chart::{AreaChart, BarChart, Chart as _, Interval, Layout, LineChart, MarkerKind, Unit};
use bellwether_core::{Sample, Severity, Timestamp};
use serde::{Serialize, Serializer};

/// How a chart over time draws its first series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ChartKind {
    /// As lines.
    Line,
    /// As an area from zero.
    Area,
}

/// A series of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    name: String,
    points: Vec<Sample>,
}

/// An event on a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Marker {
    /// When.
    pub at: Timestamp,
    /// What.
    pub label: String,
    /// How bad.
    pub severity: Severity,
}

/// A chart of series over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    title: String,
    kind: ChartKind,
    #[serde(serialize_with = "unit_name")]
    unit: Unit,
    #[serde(skip)]
    interval: Interval,
    series: Vec<Series>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    markers: Vec<Marker>,
}

fn unit_name<S: Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(unit.name())
}

impl Chart {
    /// Without series so far.
    pub fn new(title: impl Into<String>, kind: ChartKind, unit: Unit) -> Self {
        let title = title.into();
        Self { title, kind, unit, interval: Interval::Unknown, series: Vec::new(), markers: Vec::new() }
    }

    /// With one more series, in order of time. Samples that are not finite are left out.
    #[must_use]
    pub fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = Sample>) -> Self {
        let points = points.into_iter().filter(|sample| sample.value.is_finite()).collect();
        self.series.push(Series { name: name.into(), points });
        self
    }

    /// With the time between two samples: a line breaks where samples are missing.
    #[must_use]
    pub fn interval(mut self, interval: Interval) -> Self {
        self.interval = interval;
        self
    }

    /// With events marked on the first series.
    #[must_use]
    pub fn markers(mut self, markers: impl IntoIterator<Item = Marker>) -> Self {
        self.markers.extend(markers);
        self
    }

    /// The picture with its data, as HTML.
    pub(super) fn to_figure(&self) -> String {
        match self.kind {
            ChartKind::Line => {
                let chart = LineChart::new(&self.title).unit(self.unit.clone()).interval(self.interval);
                let chart =
                    self.series.iter().fold(chart, |chart, series| chart.line(&series.name, series.xy()));
                self.events()
                    .fold(chart, |chart, (at, label, kind)| chart.marker(at, label, kind))
                    .to_figure(Layout::Full)
            }
            ChartKind::Area => {
                let chart = AreaChart::new(&self.title).unit(self.unit.clone()).interval(self.interval);
                let mut series = self.series.iter();
                let chart = series.next().map_or(chart.clone(), |first| chart.area(&first.name, first.xy()));
                let chart = series.fold(chart, |chart, other| chart.line(&other.name, other.xy()));
                self.events()
                    .fold(chart, |chart, (at, label, kind)| chart.marker(at, label, kind))
                    .to_figure(Layout::Full)
            }
        }
    }

    fn events(&self) -> impl Iterator<Item = (i64, &str, MarkerKind)> {
        self.markers.iter().map(|marker| {
            let kind = match marker.severity {
                Severity::Info => MarkerKind::Info,
                Severity::Warning => MarkerKind::Warning,
                Severity::Error => MarkerKind::Error,
                Severity::Critical => MarkerKind::Critical,
            };
            (marker.at.as_micros(), marker.label.as_str(), kind)
        })
    }

    /// A sentence per series.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        self.series.iter().map(|series| {
            let chart = LineChart::new(&self.title).unit(self.unit.clone()).line(&series.name, series.xy());
            format!("{}: {}", self.title, chart.summary())
        })
    }
}

impl Series {
    fn xy(&self) -> impl Iterator<Item = (i64, f64)> {
        self.points.iter().map(|sample| (sample.at.as_micros(), sample.value))
    }
}

/// Bars, one per category, from zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bars {
    title: String,
    #[serde(serialize_with = "unit_name")]
    unit: Unit,
    series: Vec<BarSeries>,
    #[serde(skip)]
    is_last_unfinished: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct BarSeries {
    name: String,
    bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Bar {
    category: String,
    value: f64,
}

impl Bars {
    /// Without series so far.
    pub fn new(title: impl Into<String>, unit: Unit) -> Self {
        Self { title: title.into(), unit, series: Vec::new(), is_last_unfinished: false }
    }

    /// With one more series. Values that are not finite are left out.
    #[must_use]
    pub fn series<C: Into<String>>(
        mut self,
        name: impl Into<String>,
        bars: impl IntoIterator<Item = (C, f64)>,
    ) -> Self {
        let bars = bars.into_iter().filter(|(_, value)| value.is_finite());
        let bars = bars.map(|(category, value)| Bar { category: category.into(), value }).collect();
        self.series.push(BarSeries { name: name.into(), bars });
        self
    }

    /// Says that the period of the last category is not over.
    #[must_use]
    pub fn unfinished_last(mut self) -> Self {
        self.is_last_unfinished = true;
        self
    }

    fn drawn(&self) -> BarChart {
        let chart = BarChart::new(&self.title).unit(self.unit.clone());
        let chart = self.series.iter().fold(chart, |chart, series| {
            chart.bars(&series.name, series.bars.iter().map(|bar| (bar.category.clone(), bar.value)))
        });
        if self.is_last_unfinished { chart.unfinished_last() } else { chart }
    }

    pub(super) fn to_figure(&self) -> String {
        self.drawn().to_figure(Layout::Full)
    }

    pub(super) fn sentence(&self) -> String {
        format!("{}: {}", self.title, self.drawn().summary())
    }
}
