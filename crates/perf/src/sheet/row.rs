//! One value of the sheet.

use std::borrow::Cow;
use std::fmt;

use super::number::number;
use super::unit_on_sheet;
use crate::{MetricInfo, MetricUnit, Undefined};

/// What stands together on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SheetGroup {
    /// What was gained.
    Growth,
    /// How returns are spread.
    Shape,
    /// How far wealth fell.
    Drawdown,
    /// What is gained per risk.
    Ratios,
    /// Which periods won and lost.
    Outcomes,
    /// What happens in the tail.
    Tail,
    /// How it compares with the benchmark.
    Benchmark,
    /// What the round trips brought, in money.
    Trades,
}

impl fmt::Display for SheetGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Growth => "Growth",
            Self::Shape => "Risk and shape",
            Self::Drawdown => "Drawdown",
            Self::Ratios => "Return per risk",
            Self::Outcomes => "Periods won and lost",
            Self::Tail => "Tail",
            Self::Benchmark => "Against the benchmark",
            Self::Trades => "Round trips",
        })
    }
}

/// One value of the sheet, with what it is.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "record::Record", try_from = "record::Record"))]
#[non_exhaustive]
pub struct SheetRow {
    /// Where it stands.
    pub group: SheetGroup,
    /// Its name on the sheet: `var_historical_99`.
    pub name: Cow<'static, str>,
    /// The name of its metric in [`METRICS`](crate::METRICS): `var_historical`.
    pub metric: Cow<'static, str>,
    /// Its name for people: `Value at risk 99 %`.
    pub label: Cow<'static, str>,
    /// The unit of the value.
    pub unit: MetricUnit,
    /// The choices that change the number.
    pub convention: Cow<'static, str>,
    /// The value, or why there is none.
    pub value: Result<f64, Undefined>,
    /// The same of the benchmark, where there is one and the value is not against it.
    pub benchmark: Option<Result<f64, Undefined>>,
}

impl SheetRow {
    /// The value as it reads on the sheet: `12.34 %`, `0.283`; a dash where there is none.
    pub fn value_text(&self) -> String {
        number(self.value, self.unit)
    }

    /// The value of the benchmark as it reads on the sheet, where there is one.
    pub fn benchmark_text(&self) -> Option<String> {
        self.benchmark.map(|value| number(value, self.unit))
    }

    pub(super) fn new(
        group: SheetGroup,
        info: &'static MetricInfo,
        name: Cow<'static, str>,
        label: Cow<'static, str>,
        value: Result<f64, Undefined>,
    ) -> Self {
        Self {
            group,
            name,
            metric: info.name.into(),
            label,
            unit: unit_on_sheet(info.unit),
            convention: info.convention.into(),
            value,
            benchmark: None,
        }
    }
}

#[cfg(feature = "serde")]
mod record {
    //! The JSON form of a row: a number, or `null` beside its reason.

    use super::{Cow, MetricUnit, SheetGroup, SheetRow, Undefined};

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Record {
        group: SheetGroup,
        name: Cow<'static, str>,
        metric: Cow<'static, str>,
        label: Cow<'static, str>,
        unit: MetricUnit,
        convention: Cow<'static, str>,
        #[serde(flatten)]
        answer: Answer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        benchmark: Option<Answer>,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Answer {
        value: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undefined: Option<Undefined>,
    }

    impl From<Result<f64, Undefined>> for Answer {
        fn from(answer: Result<f64, Undefined>) -> Self {
            Self { value: answer.ok(), undefined: answer.err() }
        }
    }

    impl Answer {
        fn read(self, name: &str) -> Result<Result<f64, Undefined>, String> {
            match (self.value, self.undefined) {
                (Some(value), None) => Ok(Ok(value)),
                (None, Some(why)) => Ok(Err(why)),
                _ => Err(format!("value {name:?}: expected a number, or null beside why it is undefined")),
            }
        }
    }

    impl From<SheetRow> for Record {
        fn from(row: SheetRow) -> Self {
            Self {
                group: row.group,
                name: row.name,
                metric: row.metric,
                label: row.label,
                unit: row.unit,
                convention: row.convention,
                answer: row.value.into(),
                benchmark: row.benchmark.map(Answer::from),
            }
        }
    }

    impl TryFrom<Record> for SheetRow {
        type Error = String;
        fn try_from(record: Record) -> Result<Self, String> {
            Ok(Self {
                value: record.answer.read(&record.name)?,
                benchmark: record.benchmark.map(|answer| answer.read(&record.name)).transpose()?,
                group: record.group,
                name: record.name,
                metric: record.metric,
                label: record.label,
                unit: record.unit,
                convention: record.convention,
            })
        }
    }
}
