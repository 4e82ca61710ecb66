//! Rules at work: told the time, they tell the alerts that changed.
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bellwether_core::config::{ConfigPath, Problems};
use bellwether_core::{Labels, SampleWindows, Timestamp};
use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::HashMap;

use super::evaluation::{Context, Valued, Verdict};
use super::rule::{MissingData, Rule, RuleBuilder};
use super::state::{Change, Phase, Seen, SeriesState};
use crate::{Alert, AlertError};

/// Rules at work: told the time, they tell the alerts that changed. Pure: no clock, no task, no wait.
///
/// ```
/// use bellwether_alerts::rules::{Evaluator, Rule};
/// use bellwether_core::{Aggregate, Labels, SampleWindows, Selector, SeriesValue, TimeRange};
/// use chrono::DateTime;
///
/// struct OneValue(f64);
/// impl SampleWindows for OneValue {
///     fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
///         out.push(SeriesValue { labels: Labels::empty(), value: self.0, newest: range.end() });
///     }
/// }
/// let mut rules = Evaluator::new([Rule::above("drawdown_ratio", 0.05)])?;
/// let changed = rules.evaluate(&OneValue(0.07), DateTime::UNIX_EPOCH);
/// assert_eq!(changed[0].to_string(), "firing warning {alertname=\"DrawdownRatioAbove\",severity=\"warning\"} since 1970-01-01T00:00:00Z, value 0.07");
/// assert!(rules.evaluate(&OneValue(0.07), DateTime::UNIX_EPOCH).is_empty());
/// # Ok::<(), bellwether_core::config::Problems>(())
/// ```
pub struct Evaluator {
    rules: Vec<RuleStates>,
    round: u64,
    counts: EvaluatorCounts,
}

struct RuleStates {
    rule: Rule,
    series: HashMap<Labels, SeriesState>,
}

/// What an [`Evaluator`] has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EvaluatorCounts {
    /// Evaluations of all rules.
    pub evaluations: u64,
    /// Label sets that were not judged at an evaluation because their rule follows as many as it may.
    pub overflowed: u64,
    /// Alerts that could not be built, since the labels of series and rule together are too many.
    pub refused: u64,
    /// Times that a rule was not judged because the samples it asked for panicked.
    pub panics: u64,
    /// Label sets that were forgotten because they had no data for as long as their rule remembers.
    pub forgotten: u64,
}

impl Evaluator {
    /// Builds the rules, or tells everything that is wrong with any of them: under `rules.NAME`, or `rules[2]` for one without a name.
    pub fn new(rules: impl IntoIterator<Item = RuleBuilder>) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let rules = Self::build(rules, &ConfigPath::root().key("rules"), &mut problems);
        problems.into_result()?;
        Ok(rules)
    }

    pub(crate) fn build(
        rules: impl IntoIterator<Item = RuleBuilder>,
        at: &ConfigPath,
        problems: &mut Problems,
    ) -> Self {
        let mut states: Vec<RuleStates> = Vec::new();
        for (index, builder) in rules.into_iter().enumerate() {
            let name = builder.name_so_far();
            let at = if name.is_empty() { at.index(index) } else { at.key(name) };
            match builder.build() {
                Ok(rule) => {
                    let twin = states.iter().any(|other| other.rule.labels() == rule.labels());
                    let told = format!(
                        "two rules give the labels {}: their alerts could not be told apart",
                        rule.labels()
                    );
                    problems.require(&at, !twin, told);
                    states.push(RuleStates { rule, series: HashMap::new() });
                }
                Err(wrong) => {
                    for problem in &wrong {
                        let path = at.steps().iter().chain(problem.path.steps()).cloned().collect();
                        problems.push(&path, problem.message.clone());
                    }
                }
            }
        }
        Self { rules: states, round: 0, counts: EvaluatorCounts::default() }
    }

    /// The rules, in the order in which they were given.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|states| &states.rule)
    }

    /// The alerts that fire, as they were last told; in no order.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        let series = self.rules.iter().flat_map(|states| states.series.values());
        series.flat_map(|state| state.alert.iter().chain(&state.no_data))
    }

    /// What has been counted so far.
    pub fn counts(&self) -> EvaluatorCounts {
        self.counts
    }

    /// The clock was set ahead by a length, or back by a negative one: what rules wait for goes on as if it had not been.
    pub fn clock_set(&mut self, ahead: TimeDelta) {
        let series = self.rules.iter_mut().flat_map(|states| states.series.values_mut());
        series.for_each(|state| state.clock_set(ahead));
    }

    /// Judges every rule, and gives the alerts that began, changed their value, or ended.
    ///
    /// In the order of the rules, of one rule by label set. A rule whose samples panic is left as it was, and counted. A time outside of what a [`Timestamp`] can say changes nothing.
    pub fn evaluate(&mut self, windows: &dyn SampleWindows, now: DateTime<Utc>) -> Vec<Alert> {
        let Ok(timestamp) = Timestamp::try_from(now) else { return Vec::new() };
        self.round += 1;
        self.counts.evaluations += 1;
        let context = Context { windows, now: timestamp };
        let mut changed = Vec::new();
        for states in &mut self.rules {
            let (counts, told) = (&mut self.counts, changed.len());
            let judge = AssertUnwindSafe(|| states.evaluate(context, now, self.round, counts, &mut changed));
            // Samples are asked before anything is noted, so a panic leaves the rule as it was.
            if catch_unwind(judge).is_err() {
                changed.truncate(told);
                self.counts.panics += 1;
            }
        }
        changed
    }
}

impl RuleStates {
    fn evaluate(
        &mut self,
        context: Context<'_>,
        now: DateTime<Utc>,
        round: u64,
        counts: &mut EvaluatorCounts,
        changed: &mut Vec<Alert>,
    ) {
        let mut verdicts = context.judge(&self.rule.condition.0);
        if self.rule.by_age {
            // A series that was retired is no data: nobody waits for it any more.
            let most = self.rule.forget.as_secs_f64();
            verdicts.retain(|verdict| verdict.value.value < most);
        }
        let fires = |state: &SeriesState| matches!(state.phase, Phase::Firing { .. });
        // What keeps alerts firing matters only while one does.
        let asked = self.rule.hold.as_ref().filter(|_| self.series.values().any(fires));
        let holds = asked.map(|hold| context.judge(&hold.0)).unwrap_or_default();
        for verdict in verdicts {
            let follows = self.rule.missing;
            let idle = !verdict.value.holds && !matches!(follows, MissingData::Fire | MissingData::NoData);
            if !self.series.contains_key(&verdict.labels) {
                if idle {
                    continue;
                }
                if self.series.len() >= self.rule.max_series {
                    counts.overflowed += 1;
                    continue;
                }
            }
            let state =
                self.series.entry(verdict.labels.clone()).or_insert_with(|| SeriesState::new(verdict.newest));
            state.round = round;
            let seen = Seen {
                condition: Some((verdict.value, verdict.newest)),
                hold: self.rule.hold.is_some().then(|| holds_at(&holds, &verdict.labels)),
            };
            let change = state.step(&self.rule, seen, now);
            changed.extend(state.no_data.take().map(|alert| alert.ended(now)));
            tell(&self.rule, &verdict.labels, state, change, now, counts, changed);
        }
        let mut missing: Vec<Labels> = self
            .series
            .iter()
            .filter(|(_, state)| state.round != round)
            .map(|(labels, _)| labels.clone())
            .collect();
        missing.sort_unstable();
        for labels in missing {
            let Some(state) = self.series.get_mut(&labels) else { continue };
            if state.is_gone(&self.rule, now) {
                counts.forgotten += 1;
                let over = state.alert.take().into_iter().chain(state.no_data.take());
                changed.extend(over.map(|alert| alert.ended(now)));
                self.series.remove(&labels);
                continue;
            }
            let hold = self.rule.hold.is_some().then(|| holds_at(&holds, &labels));
            let seen = Seen { condition: None, hold };
            let change = state.step(&self.rule, seen, now);
            tell(&self.rule, &labels, state, change, now, counts, changed);
            tell_no_data(&self.rule, &labels, state, now, counts, changed);
        }
        let missing = self.rule.missing;
        self.series.retain(|_, state| !state.is_forgettable(missing));
    }
}

/// Whether what keeps an alert firing holds for a label set; what has no labels is said of every one.
fn holds_at(holds: &[Valued<Verdict>], labels: &Labels) -> bool {
    if let [plain] = holds
        && plain.labels.is_empty()
    {
        return plain.value.holds;
    }
    let at = holds.binary_search_by(|hold| hold.labels.cmp(labels));
    at.ok().and_then(|at| holds.get(at)).is_some_and(|hold| hold.value.holds)
}

/// Adds the alert to those that changed, if it did.
fn tell(
    rule: &Rule,
    labels: &Labels,
    state: &mut SeriesState,
    change: Change,
    now: DateTime<Utc>,
    counts: &mut EvaluatorCounts,
    changed: &mut Vec<Alert>,
) {
    match (change, state.phase) {
        (Change::Raised, Phase::Firing { since, .. }) => {
            match build(rule, labels, state.value, since, None) {
                Ok(alert) => {
                    state.alert = Some(alert.clone());
                    changed.push(alert);
                }
                Err(_) => counts.refused += 1,
            }
        }
        (Change::Resolved, _) => changed.extend(state.alert.take().map(|alert| alert.ended(now))),
        _ => {}
    }
}

/// Raises the alert about missing data, if the rule wants one.
fn tell_no_data(
    rule: &Rule,
    labels: &Labels,
    state: &mut SeriesState,
    now: DateTime<Utc>,
    counts: &mut EvaluatorCounts,
    changed: &mut Vec<Alert>,
) {
    if rule.missing != MissingData::NoData || state.no_data.is_some() {
        return;
    }
    match build(rule, labels, f64::NAN, now, Some("no_data")) {
        Ok(alert) => {
            state.no_data = Some(alert.clone());
            changed.push(alert);
        }
        Err(_) => counts.refused += 1,
    }
}

fn build(
    rule: &Rule,
    series: &Labels,
    value: f64,
    since: DateTime<Utc>,
    reason: Option<&str>,
) -> Result<Alert, AlertError> {
    let mut builder = Alert::from_labels(series.merged(&rule.labels)?, since).category(rule.category.clone());
    if let Some(reason) = reason {
        builder = builder.label("reason", reason);
    }
    for (name, template) in &rule.annotations {
        builder = builder.annotation(name.as_str(), template.render(value, series));
    }
    if value.is_finite() {
        builder = builder.value(value);
    }
    builder.build()
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(|states| (states.rule.name(), states.series.len()));
        f.debug_map().entries(rules).finish()
    }
}
