//! What a figure is: name, kind, unit, help.

use std::borrow::Cow;
use std::fmt;

use crate::MetricName;

/// How a figure behaves over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Kind {
    /// Only grows, and starts again from zero when its owner does.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of observed values in buckets, with their sum.
    Histogram,
    /// Quantiles of observed values, with their count and sum.
    Summary,
    /// What something is, told by labels; the value is always 1.
    Info,
    /// The states of an enumeration, one series each: 1 for a state that holds, else 0.
    StateSet,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "state_set",
        })
    }
}

/// The unit of a figure. Base units only: seconds and not milliseconds, ratios and not percent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// A count or an index without a unit.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A fraction: 0.01 is 1 %.
    Ratio,
    /// Basis points of a notional: 1 is 0.0001.
    BasisPoints,
    /// US dollars.
    Usd,
    /// Any other unit, in lower case as it stands at the end of metric names.
    Other(Cow<'static, str>),
}

impl Unit {
    /// The word that ends a metric name with this unit; empty for [`Unit::None`].
    pub fn as_str(&self) -> &str {
        match self {
            Self::None => "",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "ratio",
            Self::BasisPoints => "bps",
            Self::Usd => "usd",
            Self::Other(unit) => unit,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a figure is: told once, beside every value that is collected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// Its name; counters end in `_total`.
    pub name: MetricName,
    /// How it behaves over time.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// One sentence for people.
    pub help: Cow<'static, str>,
}

impl Descriptor {
    /// A counter.
    pub fn counter(name: MetricName, unit: Unit, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::Counter, unit, help: help.into() }
    }

    /// A gauge.
    pub fn gauge(name: MetricName, unit: Unit, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::Gauge, unit, help: help.into() }
    }

    /// A histogram.
    pub fn histogram(name: MetricName, unit: Unit, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::Histogram, unit, help: help.into() }
    }

    /// A summary.
    pub fn summary(name: MetricName, unit: Unit, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::Summary, unit, help: help.into() }
    }

    /// What something is; the name ends in `_info`.
    pub fn info(name: MetricName, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::Info, unit: Unit::None, help: help.into() }
    }

    /// States of an enumeration; the label that names the state is called like the metric.
    pub fn state_set(name: MetricName, help: impl Into<Cow<'static, str>>) -> Self {
        Self { name, kind: Kind::StateSet, unit: Unit::None, help: help.into() }
    }
}
