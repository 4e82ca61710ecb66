//! Which series are meant.

use std::fmt;

use crate::labels::Quoted;
use crate::{LabelName, Labels, MetricName};

/// Which series are meant: a metric and what its labels must be.
///
/// ```
/// use bellwether_core::{LabelName, Labels, MetricName, Selector};
/// let selector = Selector::metric(MetricName::new("fills_total")?).equal(LabelName::new("side")?, "buy");
/// assert!(selector.matches(&Labels::new([("side", "buy"), ("venue", "XNYS")])?));
/// assert_eq!(selector.to_string(), r#"fills_total{side="buy"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    metric: MetricName,
    tests: Vec<(LabelName, LabelTest)>,
}

/// What a label must be. A label that is missing is the same as an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LabelTest {
    /// Exactly this text.
    Equal(String),
    /// Any other text.
    NotEqual(String),
}

impl LabelTest {
    /// Whether a value passes.
    pub fn passes(&self, value: &str) -> bool {
        match self {
            Self::Equal(text) => value == text,
            Self::NotEqual(text) => value != text,
        }
    }
}

impl Selector {
    /// Every series of a metric.
    pub fn metric(metric: MetricName) -> Self {
        Self { metric, tests: Vec::new() }
    }

    /// Only those whose label is `value`.
    #[must_use]
    pub fn equal(mut self, label: LabelName, value: impl Into<String>) -> Self {
        self.tests.push((label, LabelTest::Equal(value.into())));
        self
    }

    /// Only those whose label is not `value`.
    #[must_use]
    pub fn not_equal(mut self, label: LabelName, value: impl Into<String>) -> Self {
        self.tests.push((label, LabelTest::NotEqual(value.into())));
        self
    }

    /// The metric.
    pub fn metric_name(&self) -> &MetricName {
        &self.metric
    }

    /// What the labels must be.
    pub fn tests(&self) -> &[(LabelName, LabelTest)] {
        &self.tests
    }

    /// Whether a label set of the metric is meant.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.tests.iter().all(|(name, test)| test.passes(labels.get(name.as_str()).unwrap_or("")))
    }
}

impl From<MetricName> for Selector {
    fn from(metric: MetricName) -> Self {
        Self::metric(metric)
    }
}

impl fmt::Display for Selector {
    /// As in PromQL: `fills_total{side="buy",venue!="XNYS"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        for (i, (name, test)) in self.tests.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            match test {
                LabelTest::Equal(value) => write!(f, "{open}{name}={}", Quoted(value))?,
                LabelTest::NotEqual(value) => write!(f, "{open}{name}!={}", Quoted(value))?,
            }
        }
        if self.tests.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}
