//! When an alert begins, when it is over, and what it says.
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems};
use bellwether_core::{HumanDuration, IntoDuration, LabelName, Labels, Severity};

use super::condition::Condition;
use super::expr::{Comparison, Expr, MetricRef, Node};
use crate::annotations::{MAX_ANNOTATION_LEN, MAX_ANNOTATION_NAME_LEN, MAX_ANNOTATIONS};
use crate::template::Template;
use crate::{ALERT_NAME, Alert, Category, SEVERITY};

/// Longest wait or hold that a rule may ask for: 400 days.
const LONGEST: Duration = Duration::from_hours(400 * 24);

/// What a rule makes of a series that has no data now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingData {
    /// As before, until the newest sample that was seen is this old; then as if the condition did not hold. [`MissingData::DEFAULT`].
    Keep(Duration),
    /// As if the condition did not hold.
    Resolve,
    /// As if the condition held. Only for series that were seen before, until they are [forgotten](RuleBuilder::forget_after).
    Fire,
    /// An alert of its own, with the label `reason="no_data"`, as long as data is missing; the rule's ordinary alert is over.
    /// Only for series that were seen before, until they are [forgotten](RuleBuilder::forget_after).
    NoData,
}

impl MissingData {
    /// Kept for 5 minutes, which is what the same rule does in Prometheus.
    pub const DEFAULT: Self = Self::Keep(Duration::from_mins(5));
}

/// A rule that has been checked: when an alert begins, when it is over, and what it says.
///
/// ```
/// use bellwether_alerts::rules::Rule;
/// use bellwether_core::Severity;
///
/// let rule = Rule::above("desk_drawdown_ratio", 0.05)
///     .clear_below(0.03)
///     .for_("2m")
///     .severity(Severity::Critical)
///     .annotation("summary", "{{ $labels.strategy }} is down {{ $value | humanizePercentage }}")
///     .build()?;
/// assert_eq!(rule.name(), "DeskDrawdownRatioAbove");
///
/// let wrong = Rule::above("desk drawdown", 0.05).clear_below(0.07).for_("2").build();
/// assert_eq!(
///     wrong.unwrap_err().to_string(),
///     "condition: metric name \"desk drawdown\" has ' ' at byte 4; expected [a-zA-Z_:][a-zA-Z0-9_:]*\n\
///      clear: 0.07 lies beyond the threshold 0.05: the alert would be over as soon as it begins\n\
///      for: duration \"2\" has a number without a unit: write a unit, e.g. 2s"
/// );
/// # Ok::<(), bellwether_core::config::Problems>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rule {
    pub(super) name: String,
    pub(super) condition: Condition,
    /// What must hold for an alert to go on, where it differs from the condition.
    pub(super) hold: Option<Condition>,
    pub(super) wait: Duration,
    pub(super) keep_firing: Duration,
    pub(super) missing: MissingData,
    pub(super) forget: Duration,
    /// Whether it judges the age of the newest sample.
    pub(super) by_age: bool,
    pub(super) severity: Severity,
    pub(super) category: Category,
    /// The labels that the rule gives, its name and severity among them.
    pub(super) labels: Labels,
    pub(super) annotations: Vec<(String, Template)>,
    pub(super) max_series: usize,
}

impl Rule {
    /// Label sets of one rule that are kept if nobody says how many.
    pub const DEFAULT_MAX_SERIES: usize = 1_000;
    /// How long a series without data is remembered if nobody says how long, beyond the times that the rule itself waits: 7 days, longer than
    /// most markets are ever closed.
    pub const DEFAULT_FORGET_AFTER: Duration = Duration::from_hours(7 * 24);

    /// Fires where the newest value, or any expression, is above a threshold.
    pub fn above(measured: impl Into<Expr>, threshold: f64) -> RuleBuilder {
        RuleBuilder::threshold(&measured.into(), Comparison::Above, threshold)
    }

    /// Fires where the newest value, or any expression, is below a threshold.
    pub fn below(measured: impl Into<Expr>, threshold: f64) -> RuleBuilder {
        RuleBuilder::threshold(&measured.into(), Comparison::Below, threshold)
    }

    /// Fires where the newest sample of a series is older than `limit`, and goes on if the samples are gone altogether, until the series is
    /// [forgotten](RuleBuilder::forget_after): by default 7 days after `limit`. Judges when samples were taken, not what they hold: for a gauge that
    /// holds a time, compare [`Expr::time`] with it.
    ///
    /// A series that has never had a sample is not known to be late: see [`absent`](Self::absent).
    pub fn stale(metric: impl Into<MetricRef>, limit: impl IntoDuration) -> RuleBuilder {
        let limit = limit.into_duration();
        let seconds = limit.as_ref().map_or(0.0, Duration::as_secs_f64);
        let measured = Expr::age(metric);
        let suffix = name_of(&measured.0, "Stale");
        let mut builder = RuleBuilder::new(suffix, measured.above(seconds)).missing(MissingData::Fire);
        let at = ConfigPath::root().key("stale");
        match limit {
            Ok(limit) => {
                builder.limit = Some(limit);
                builder.problems.within(&at, &HumanDuration::new(limit), SHORTEST_AGE..=LONGEST_AGE);
            }
            Err(error) => builder.problems.push(&at, error.to_string()),
        }
        builder
    }

    /// Fires while no series that is meant has had a sample for 5 minutes.
    pub fn absent(metric: impl Into<MetricRef>) -> RuleBuilder {
        let metric = metric.into();
        let suffix = name_of(&Node::Age { metric: metric.clone() }, "Absent");
        RuleBuilder::new(suffix, Condition::absent(metric)).missing(MissingData::Resolve)
    }

    /// Fires where a condition holds. Needs a [`name`](RuleBuilder::name).
    pub fn when(condition: Condition) -> RuleBuilder {
        RuleBuilder::new(String::new(), condition)
    }

    /// The name of its alerts.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it waits for.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// How long the condition must hold before the alert fires.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// How long a series without data is remembered.
    pub fn forget_after(&self) -> Duration {
        self.forget
    }

    /// How bad its alerts are.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The labels that it gives to its alerts, beside those of the series.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

const SHORTEST_AGE: HumanDuration = HumanDuration::new(Duration::from_millis(1));
const LONGEST_AGE: HumanDuration = HumanDuration::new(super::expr::AGE_HORIZON);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.condition)?;
        if let Some(hold) = &self.hold {
            write!(f, " until not {hold}")?;
        }
        if !self.wait.is_zero() {
            write!(f, " for {}", HumanDuration::new(self.wait))?;
        }
        Ok(())
    }
}

/// A rule in the making; every mistake is told by [`build`](Self::build), all at once.
#[derive(Debug, Clone)]
#[must_use = "a rule does nothing before it is built"]
pub struct RuleBuilder {
    name: String,
    condition: Condition,
    hold: Option<Condition>,
    /// What a threshold rule compares, and with what: for `clear_below` and `clear_above`.
    threshold: Option<(Expr, Comparison, f64)>,
    wait: Duration,
    keep_firing: Duration,
    missing: MissingData,
    forget: Option<Duration>,
    /// The age that a rule about stale series allows.
    limit: Option<Duration>,
    severity: Severity,
    category: Category,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    max_series: usize,
    problems: Problems,
}

impl RuleBuilder {
    fn new(name: String, condition: Condition) -> Self {
        Self {
            name,
            condition,
            hold: None,
            threshold: None,
            wait: Duration::ZERO,
            keep_firing: Duration::ZERO,
            missing: MissingData::DEFAULT,
            forget: None,
            limit: None,
            severity: Alert::UNRANKED,
            category: Category::GENERAL,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            max_series: Rule::DEFAULT_MAX_SERIES,
            problems: Problems::new(),
        }
    }

    fn threshold(measured: &Expr, comparison: Comparison, threshold: f64) -> Self {
        let word = if comparison == Comparison::Above { "Above" } else { "Below" };
        let condition = measured.clone().compare(comparison, threshold);
        Self {
            threshold: Some((measured.clone(), comparison, threshold)),
            ..Self::new(name_of(&measured.0, word), condition)
        }
    }

    /// The name of its alerts. A rule on one metric has one already: `desk_pnl` below something is `DeskPnlBelow`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Only for [`Rule::above`]: an alert that fires goes on until the value is at or below this.
    pub fn clear_below(self, value: f64) -> Self {
        self.clear(value, Comparison::Above)
    }

    /// Only for [`Rule::below`]: an alert that fires goes on until the value is at or above this.
    pub fn clear_above(self, value: f64) -> Self {
        self.clear(value, Comparison::Below)
    }

    fn clear(mut self, value: f64, comparison: Comparison) -> Self {
        let at = ConfigPath::root().key("clear");
        match &self.threshold {
            Some((measured, compared, threshold)) if *compared == comparison => {
                let beyond = comparison.holds(value, *threshold);
                self.problems.require(&at, value.is_finite(), format!("{value} is not finite"));
                let told = format!(
                    "{value} lies beyond the threshold {threshold}: the alert would be over as soon as it begins"
                );
                self.problems.require(&at, !beyond || !value.is_finite(), told);
                self.hold = Some(measured.clone().compare(comparison, value));
            }
            _ => {
                let words = if comparison == Comparison::Above {
                    "clear_below is for rules that fire above a threshold"
                } else {
                    "clear_above is for rules that fire below a threshold"
                };
                self.problems.push(&at, words);
            }
        }
        self
    }

    /// An alert that fires goes on as long as this holds, whatever becomes of the condition it began with. Held for each label set by
    /// itself, or for all by a condition without labels.
    pub fn hold_while(mut self, hold: Condition) -> Self {
        hold.validate(&ConfigPath::root().key("hold_while"), &mut self.problems);
        self.hold = Some(hold);
        self
    }

    /// How long the condition must hold before the alert fires: it fires at the first evaluation that long after the first that saw
    /// the condition. At once if not said.
    pub fn for_(mut self, wait: impl IntoDuration) -> Self {
        self.wait = self.duration("for", wait);
        self
    }

    /// How long an alert goes on after the first evaluation that no longer saw the condition. Not at all if not said.
    pub fn keep_firing_for(mut self, keep: impl IntoDuration) -> Self {
        self.keep_firing = self.duration("keep_firing_for", keep);
        self
    }

    /// What it makes of series without data; [`MissingData::DEFAULT`] if not said.
    pub fn missing(mut self, missing: MissingData) -> Self {
        self.missing = missing;
        self
    }

    /// How long a series without data is remembered: then its alerts are over, and it is as if it had never been seen. So a series that was retired
    /// neither fires for ever nor takes up room. For [`Rule::stale`] it counts from its newest sample, otherwise from the first evaluation that did not
    /// find it. [`Rule::DEFAULT_FORGET_AFTER`] beyond what the rule itself waits if not said; longer than that, up to 400 days.
    pub fn forget_after(mut self, age: impl IntoDuration) -> Self {
        self.forget = Some(self.duration("forget_after", age));
        self
    }

    /// How bad its alerts are; also their label `severity`. Warning if not said.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// What part of the business its alerts belong to: a name as [`Category`] takes it.
    pub fn category(mut self, category: impl Into<String>) -> Self {
        match Category::try_from(category.into()) {
            Ok(category) => self.category = category,
            Err(error) => self.problems.push(&ConfigPath::root().key("category"), error.to_string()),
        }
        self
    }

    /// One more label of its alerts. It takes the place of a label of the same name that the series has.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        let at = ConfigPath::root().key("labels").key(name.clone());
        if let Err(error) = LabelName::new(name.clone()) {
            self.problems.push(&at, error.to_string());
        }
        let own = matches!(name.as_str(), ALERT_NAME | SEVERITY);
        self.problems.require(&at, !own, "is given by the rule's name and severity");
        if self.labels.insert(name, value.into()).is_some() {
            self.problems.push(&at, "is given twice");
        }
        self
    }

    /// One more text for people, with `{{ $value }}`, `{{ $value | humanizePercentage }}`, `{{ $value | humanizeDuration }}`, `{{ $labels.name }}` and
    /// `{{ "text" }}` in it. It keeps what it said when the condition last held.
    pub fn annotation(mut self, name: impl Into<String>, template: impl Into<String>) -> Self {
        let name = name.into();
        let at = ConfigPath::root().key("annotations").key(name.clone());
        let length = 1..=MAX_ANNOTATION_NAME_LEN;
        self.problems.require(&at, length.contains(&name.len()), "the name has no or too many letters");
        if self.annotations.insert(name, template.into()).is_some() {
            self.problems.push(&at, "is given twice");
        }
        self
    }

    /// How many label sets are followed; [`Rule::DEFAULT_MAX_SERIES`] if not said. Those beyond are counted and not judged.
    pub fn max_series(mut self, max: usize) -> Self {
        self.max_series = max;
        self
    }

    fn duration(&mut self, key: &str, duration: impl IntoDuration) -> Duration {
        let at = ConfigPath::root().key(key);
        match duration.into_duration() {
            Ok(duration) => {
                let longest = HumanDuration::new(LONGEST);
                self.problems.within(&at, &HumanDuration::new(duration), HumanDuration::default()..=longest);
                duration
            }
            Err(error) => {
                self.problems.push(&at, error.to_string());
                Duration::ZERO
            }
        }
    }

    /// The name it has so far, for paths.
    pub(crate) fn name_so_far(&self) -> &str {
        &self.name
    }

    /// The rule, or everything that is wrong with it.
    pub fn build(self) -> Result<Rule, Problems> {
        let root = ConfigPath::root();
        let mut problems = Problems::new();
        let named = !self.name.is_empty() && self.name.len() <= crate::name::MAX_NAME_LEN;
        let told = format!("{:?} has no or more than {} letters", self.name, crate::name::MAX_NAME_LEN);
        problems.require(&root.key("name"), named && !self.name.contains(char::is_control), told);
        self.condition.validate(&root.key("condition"), &mut problems);
        for problem in &self.problems {
            problems.push(&problem.path, problem.message.clone());
        }
        if let MissingData::Keep(age) = self.missing {
            let bounds = SHORTEST_AGE..=HumanDuration::new(LONGEST);
            problems.within(&root.key("missing"), &HumanDuration::new(age), bounds);
        }
        let kept = if let MissingData::Keep(age) = self.missing { age } else { Duration::ZERO };
        let waits = [self.limit.unwrap_or_default().max(kept), self.wait, self.keep_firing];
        let waits = waits.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        let forget = self.forget.unwrap_or_else(|| waits.saturating_add(Rule::DEFAULT_FORGET_AFTER));
        let told = format!(
            "{} is not longer than the rule itself waits, {}",
            HumanDuration::new(forget),
            HumanDuration::new(waits)
        );
        problems.require(&root.key("forget_after"), forget > waits, told);
        problems.within(&root.key("max_series"), &self.max_series, 1..=1_000_000);
        let most = self.annotations.len() <= MAX_ANNOTATIONS;
        problems.require(&root.key("annotations"), most, format!("more than {MAX_ANNOTATIONS} texts"));
        let mut annotations = Vec::new();
        for (name, text) in self.annotations {
            let at = root.key("annotations").key(name.clone());
            problems.require(
                &at,
                text.len() <= MAX_ANNOTATION_LEN,
                format!("more than {MAX_ANNOTATION_LEN} bytes"),
            );
            match Template::parse(&text) {
                Ok(template) => annotations.push((name, template)),
                Err(reason) => problems.push(&at, reason),
            }
        }
        let own = [(ALERT_NAME, self.name.as_str()), (SEVERITY, self.severity.as_str())];
        let given = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels = Labels::new(given.filter(|(name, _)| LabelName::new((*name).to_owned()).is_ok()))
            .and_then(|labels| labels.merged(&Labels::new(own)?))
            .unwrap_or_else(|error| {
                problems.push(&root.key("labels"), error.to_string());
                Labels::empty()
            });
        problems.into_result()?;
        Ok(Rule {
            name: self.name,
            condition: self.condition,
            hold: self.hold,
            wait: self.wait,
            keep_firing: self.keep_firing,
            missing: self.missing,
            forget,
            by_age: self.limit.is_some(),
            severity: self.severity,
            category: self.category,
            labels,
            annotations,
            max_series: self.max_series,
        })
    }
}

/// `desk_pnl_usd` and `Below` make `DeskPnlUsdBelow`; nothing if the expression is of more than one metric.
fn name_of(node: &Node, word: &str) -> String {
    let metric = match node {
        Node::Window { metric, .. } | Node::Age { metric } => metric.selector(),
        Node::Absolute(inner) => return name_of(inner, word),
        Node::Constant(_) | Node::Time | Node::Binary { .. } => None,
    };
    let Some(metric) = metric else {
        return if is_named(node) { format!("Unnamed{word}") } else { String::new() };
    };
    let words = metric.metric_name().as_str().split(['_', ':']).map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.chain([word.to_owned()]).collect()
}

/// Whether it is one metric, though perhaps one whose name is wrong: that is told already, and no name need be missed.
fn is_named(node: &Node) -> bool {
    matches!(node, Node::Window { .. } | Node::Age { .. })
}
