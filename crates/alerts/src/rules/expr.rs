//! Numbers that rules judge.
use std::fmt;
use std::ops;
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems};
use bellwether_core::{Aggregate, HumanDuration, IntoDuration, LabelName, MetricName, Selector};

use super::Condition;
use crate::{MatchOp, Matcher};

/// How far back an expression looks for the newest sample of a series if nobody says: 5 minutes, as Prometheus does.
pub(crate) const DEFAULT_LOOKBACK: Duration = Duration::from_mins(5);

/// How far back [`Expr::age`] looks for a series at all: 31 days, longer than any market is closed.
pub(crate) const AGE_HORIZON: Duration = Duration::from_hours(31 * 24);

/// Most nodes of one condition with its expressions.
pub(crate) const MAX_NODES: usize = 256;

/// A metric, or some of its series, as rules name them: `desk_pnl`, or `desk_pnl{desk="eq",book!="test"}`.
///
/// Made from text, a [`MetricName`] or a [`Selector`]; a text that names nothing is told when the rule is built.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRef(Result<Selector, String>);

impl MetricRef {
    fn parse(text: &str) -> Result<Selector, String> {
        let text = text.trim();
        let (name, labels) = text.split_at(text.find('{').unwrap_or(text.len()));
        let name = MetricName::new(name.trim().to_owned()).map_err(|error| error.to_string())?;
        let mut selector = Selector::metric(name);
        for matcher in Matcher::parse_all(labels).map_err(|error| error.to_string())? {
            let label = LabelName::new(matcher.name().to_owned()).map_err(|error| error.to_string())?;
            selector = match matcher.op() {
                MatchOp::Equal => selector.equal(label, matcher.value()),
                MatchOp::NotEqual => selector.not_equal(label, matcher.value()),
                op => return Err(format!("series are selected by = and != only, not by {}", op.as_str())),
            };
        }
        Ok(selector)
    }

    pub(crate) fn selector(&self) -> Option<&Selector> {
        self.0.as_ref().ok()
    }
}

impl From<&str> for MetricRef {
    fn from(text: &str) -> Self {
        Self(Self::parse(text))
    }
}

impl From<String> for MetricRef {
    fn from(text: String) -> Self {
        Self(Self::parse(&text))
    }
}

impl From<MetricName> for MetricRef {
    fn from(name: MetricName) -> Self {
        Self(Ok(Selector::metric(name)))
    }
}

impl From<Selector> for MetricRef {
    fn from(selector: Selector) -> Self {
        Self(Ok(selector))
    }
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equals,
    /// `!=`
    Differs,
}

impl Comparison {
    /// Whether it holds. Nothing but `Differs` holds for NaN.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Equals => left == right,
            Self::Differs => left != right,
        }
    }

    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equals => "==",
            Self::Differs => "!=",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Arithmetic {
    pub(crate) fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

/// A number, or one number for each label set of a metric.
///
/// Comparing two expressions makes a [`Condition`], which is no number: a truth cannot be added to a price. Two sides that
/// both have label sets meet where these are equal; a side without labels (a constant, the time, a metric without labels) meets
/// every label set of the other.
///
/// ```
/// use bellwether_alerts::rules::Expr;
/// use bellwether_core::Aggregate;
///
/// let beyond_var = Expr::last("desk_loss_usd").above("desk_var_usd");
/// let rejects = Expr::window("rejects_total", Aggregate::Increase, "5m") / Expr::window("orders_total", Aggregate::Increase, "5m");
/// assert_eq!(beyond_var.to_string(), "desk_loss_usd > desk_var_usd");
/// assert_eq!(
///     rejects.above(0.05).to_string(),
///     "(increase(rejects_total[5m]) / increase(orders_total[5m])) > 0.05"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expr(pub(crate) Node);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Constant(f64),
    Time,
    Window { metric: MetricRef, aggregate: Aggregate, over: Result<Duration, String> },
    Age { metric: MetricRef },
    Absolute(Box<Node>),
    Binary { op: Arithmetic, left: Box<Node>, right: Box<Node> },
}

impl Expr {
    /// A fixed number.
    pub fn constant(value: f64) -> Self {
        Self(Node::Constant(value))
    }

    /// The time of the evaluation in seconds since 1970-01-01T00:00:00Z.
    pub fn time() -> Self {
        Self(Node::Time)
    }

    /// The newest value of each series, if it is less than 5 minutes old.
    pub fn last(metric: impl Into<MetricRef>) -> Self {
        Self::window(metric, Aggregate::Last, DEFAULT_LOOKBACK)
    }

    /// An aggregate of each series over a window that ends at the evaluation: `(now - over, now]`.
    pub fn window(metric: impl Into<MetricRef>, aggregate: Aggregate, over: impl IntoDuration) -> Self {
        let over = over.into_duration().map_err(|error| error.to_string());
        Self(Node::Window { metric: metric.into(), aggregate, over })
    }

    /// Seconds since the newest sample of each series that had one in the last 31 days.
    pub fn age(metric: impl Into<MetricRef>) -> Self {
        Self(Node::Age { metric: metric.into() })
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(Node::Absolute(Box::new(self.0)))
    }

    /// Holds where this compares so with the other.
    pub fn compare(self, comparison: Comparison, other: impl Into<Self>) -> Condition {
        Condition::compare(self, comparison, other.into())
    }

    /// Holds where this is above the other.
    pub fn above(self, other: impl Into<Self>) -> Condition {
        self.compare(Comparison::Above, other)
    }

    /// Holds where this is at least the other.
    pub fn at_least(self, other: impl Into<Self>) -> Condition {
        self.compare(Comparison::AtLeast, other)
    }

    /// Holds where this is below the other.
    pub fn below(self, other: impl Into<Self>) -> Condition {
        self.compare(Comparison::Below, other)
    }

    /// Holds where this is at most the other.
    pub fn at_most(self, other: impl Into<Self>) -> Condition {
        self.compare(Comparison::AtMost, other)
    }

    fn binary(self, op: Arithmetic, other: Self) -> Self {
        Self(Node::Binary { op, left: Box::new(self.0), right: Box::new(other.0) })
    }
}

impl Node {
    /// Tells what is wrong with it, and counts its nodes.
    pub(crate) fn validate(&self, at: &ConfigPath, problems: &mut Problems) -> usize {
        match self {
            Self::Constant(value) => {
                problems.require(at, value.is_finite(), format!("the constant {value} is not finite"));
                1
            }
            Self::Time => 1,
            Self::Window { metric, aggregate, over } => {
                validate_metric(metric, at, problems);
                if let Aggregate::Quantile(q) = aggregate {
                    problems.require(
                        at,
                        (0.0..=1.0).contains(q),
                        format!("quantile {q} is outside of [0, 1]"),
                    );
                }
                match over {
                    Ok(over) => problems.require(at, !over.is_zero(), "a window of 0s holds no sample"),
                    Err(error) => problems.push(at, error.clone()),
                }
                1
            }
            Self::Age { metric } => {
                validate_metric(metric, at, problems);
                1
            }
            Self::Absolute(inner) => 1 + inner.validate(at, problems),
            Self::Binary { left, right, .. } => {
                1 + left.validate(at, problems) + right.validate(at, problems)
            }
        }
    }
}

fn validate_metric(metric: &MetricRef, at: &ConfigPath, problems: &mut Problems) {
    if let Err(reason) = &metric.0 {
        problems.push(at, reason.clone());
    }
}

impl From<f64> for Expr {
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

impl From<&str> for Expr {
    /// [`Expr::last`] of the metric.
    fn from(metric: &str) -> Self {
        Self::last(metric)
    }
}

impl From<MetricName> for Expr {
    /// [`Expr::last`] of the metric.
    fn from(metric: MetricName) -> Self {
        Self::last(metric)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident) => {
        impl<T: Into<Expr>> ops::$trait<T> for Expr {
            type Output = Self;
            fn $method(self, other: T) -> Self {
                self.binary(Arithmetic::$op, other.into())
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Subtract);
operator!(Mul, mul, Multiply);
operator!(Div, div, Divide);

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for MetricRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(selector) => fmt::Display::fmt(selector, f),
            Err(_) => f.write_str("?"),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value}"),
            Self::Time => f.write_str("time()"),
            Self::Window { metric, aggregate: Aggregate::Last, over: Ok(DEFAULT_LOOKBACK) } => {
                write!(f, "{metric}")
            }
            Self::Window { metric, aggregate, over } => {
                let name = aggregate_name(*aggregate);
                let over = HumanDuration::new(*over.as_ref().unwrap_or(&Duration::ZERO));
                match aggregate {
                    Aggregate::Quantile(q) => write!(f, "{name}({q}, {metric}[{over}])"),
                    _ => write!(f, "{name}({metric}[{over}])"),
                }
            }
            Self::Age { metric } => write!(f, "age({metric})"),
            Self::Absolute(inner) => write!(f, "abs({inner})"),
            Self::Binary { op, left, right } => write!(f, "({left} {} {right})", op.as_str()),
        }
    }
}

fn aggregate_name(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Last => "last",
        Aggregate::First => "first",
        Aggregate::Count => "count",
        Aggregate::Sum => "sum",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Mean => "mean",
        Aggregate::StdDev => "stddev",
        Aggregate::Quantile(_) => "quantile",
        Aggregate::Increase => "increase",
        Aggregate::Rate => "rate",
        Aggregate::Slope => "slope",
        _ => "aggregate",
    }
}
