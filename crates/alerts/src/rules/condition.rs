//! What rules wait for.
use std::fmt;
use std::ops;

use bellwether_core::config::{ConfigPath, Problems};

use super::expr::{Comparison, Expr, MAX_NODES, MetricRef, Node};

/// A truth, or one truth for each label set: what a rule waits for.
///
/// Combined with `&`, `|` and `!`. Label sets meet as those of an [`Expr`] do. Where one side has no data the result is
/// known if the other decides it (false for `&`, true for `|`), and is missing otherwise.
///
/// ```
/// use bellwether_alerts::rules::Expr;
///
/// let deep = Expr::last("drawdown_ratio").above(0.10);
/// let open = Expr::last("market_open").above(0.0);
/// assert_eq!((deep & open).to_string(), "(drawdown_ratio > 0.1 and market_open > 0)");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(pub(crate) Test);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Compare { left: Node, comparison: Comparison, right: Node },
    Absent { metric: Node },
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
}

impl Condition {
    pub(super) fn compare(left: Expr, comparison: Comparison, right: Expr) -> Self {
        Self(Test::Compare { left: left.0, comparison, right: right.0 })
    }

    /// Holds while no series that is meant has a sample in the last 5 minutes. Its labels are those that the metric is asked to equal.
    pub fn absent(metric: impl Into<MetricRef>) -> Self {
        Self(Test::Absent { metric: Expr::last(metric).0 })
    }

    pub(crate) fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let nodes = self.0.validate(at, problems);
        problems.require(at, nodes <= MAX_NODES, format!("{nodes} parts are more than {MAX_NODES}"));
    }
}

impl Test {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) -> usize {
        match self {
            Self::Compare { left, right, .. } => {
                1 + left.validate(at, problems) + right.validate(at, problems)
            }
            Self::Absent { metric } => metric.validate(at, problems),
            Self::And(left, right) | Self::Or(left, right) => {
                1 + left.validate(at, problems) + right.validate(at, problems)
            }
            Self::Not(inner) => 1 + inner.validate(at, problems),
        }
    }
}

impl ops::BitAnd for Condition {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(Test::And(Box::new(self.0), Box::new(other.0)))
    }
}

impl ops::BitOr for Condition {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(Test::Or(Box::new(self.0), Box::new(other.0)))
    }
}

impl ops::Not for Condition {
    type Output = Self;
    fn not(self) -> Self {
        Self(Test::Not(Box::new(self.0)))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { left, comparison, right } => write!(f, "{left} {} {right}", comparison.as_str()),
            Self::Absent { metric } => write!(f, "absent({metric})"),
            Self::And(left, right) => write!(f, "({left} and {right})"),
            Self::Or(left, right) => write!(f, "({left} or {right})"),
            Self::Not(inner) => write!(f, "not ({inner})"),
        }
    }
}
