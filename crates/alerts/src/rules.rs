//! Rules: when an alert begins and when it is over, judged over recent samples.
//!
//! A [`Rule`] is a [`Condition`] over [`Expr`]essions, how long it must hold, and what the alert says. Everything is checked when rules
//! are built into an [`Evaluator`], which keeps one state per label set and is told the time: no clock, no task, no wait.

mod condition;
mod evaluation;
mod evaluator;
mod expr;
mod rule;
mod state;

pub use self::condition::Condition;
pub use self::evaluator::{Evaluator, EvaluatorCounts};
pub use self::expr::{Comparison, Expr, MetricRef};
pub use self::rule::{MissingData, Rule, RuleBuilder};
