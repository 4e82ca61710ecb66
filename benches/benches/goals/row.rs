//! The table: what was wanted, what was measured, and whether it holds.

use std::fmt;

use crate::processor::median;

/// What a figure must not exceed: so many times the reference, and so much more.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    times: f64,
    plus: f64,
    told: String,
}

impl Bound {
    pub(crate) fn times(times: f64) -> Self {
        Self { times, plus: 0.0, told: format!("<= {times}x") }
    }

    /// At least so many times faster.
    pub(crate) fn faster(times: f64) -> Self {
        Self { times: 1.0 / times, plus: 0.0, told: format!(">= {times}x faster") }
    }

    pub(crate) fn at_most(plus: f64, unit: &str) -> Self {
        Self { times: 0.0, plus, told: format!("<= {plus} {unit}").trim_end().to_owned() }
    }

    pub(crate) fn plus(mut self, plus: f64, unit: &str) -> Self {
        self.plus = plus;
        self.told = format!("{} + {plus} {unit}", self.told);
        self
    }

    pub(crate) fn told(mut self, text: &str) -> Self {
        text.clone_into(&mut self.told);
        self
    }

    fn holds(&self, ours: f64, reference: f64) -> bool {
        // Figures that are no number hold nothing.
        ours <= self.times * reference + self.plus
    }
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    goal: u8,
    what: &'static str,
    unit: &'static str,
    ours: Vec<f64>,
    /// Who it is compared with, in each run, and what that takes.
    reference: Vec<(String, f64)>,
    must: Option<Bound>,
    aim: Option<Bound>,
}

impl Row {
    pub(crate) fn new(goal: u8, what: &'static str, ours: f64, unit: &'static str) -> Self {
        Self { goal, what, unit, ours: vec![ours], reference: Vec::new(), must: None, aim: None }
    }

    pub(crate) fn beside(mut self, name: &str, reference: f64) -> Self {
        self.reference.push((name.to_owned(), reference));
        self
    }

    pub(crate) fn must(mut self, bound: Bound) -> Self {
        self.must = Some(bound);
        self
    }

    pub(crate) fn aim(mut self, bound: Bound) -> Self {
        self.aim = Some(bound);
        self
    }

    fn held(&self) -> &'static str {
        let ours = middle(self.ours.iter().copied());
        // The ratio of medians over runs would mix a quiet run with a busy one.
        let reference = self.ratio().map_or(0.0, |ratio| ours / ratio);
        if ours.is_nan() || reference.is_nan() {
            return "not measured";
        }
        let holds = |bound: &Option<Bound>| bound.as_ref().is_none_or(|bound| bound.holds(ours, reference));
        match (holds(&self.must), holds(&self.aim), &self.must, &self.aim) {
            (true, true, _, Some(_)) => "aim",
            (true, true, Some(_), None) => "must",
            (true, false, Some(_), _) => "must",
            (_, _, None, None) => "told",
            _ => "SHORT",
        }
    }

    /// Median over the runs of what we take per what the reference takes.
    fn ratio(&self) -> Option<f64> {
        let ratios = self.ours.iter().zip(&self.reference).map(|(ours, (_, other))| ours / other);
        (!self.reference.is_empty()).then(|| middle(ratios))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |bound: &Option<Bound>| bound.as_ref().map_or("-".to_owned(), |bound| bound.told.clone());
        let reference = self.reference.last().map_or("-".to_owned(), |(name, _)| {
            let values = self.reference.iter().map(|(_, value)| *value);
            format!("{name}: {}", figure(middle(values), self.unit))
        });
        let ratio = self
            .ratio()
            .filter(|ratio| !ratio.is_nan())
            .map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
        write!(
            f,
            "| {} | {} | {} | {} | {} | {reference} | {ratio} | {} |",
            self.goal,
            self.what,
            bound(&self.must),
            bound(&self.aim),
            figure(middle(self.ours.iter().copied()), self.unit),
            self.held(),
        )
    }
}

/// The median of the runs that have a figure; no number if none has.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    if values.is_empty() { f64::NAN } else { median(values) }
}

/// With as many digits as say something.
pub(crate) fn figure(value: f64, unit: &str) -> String {
    if value.is_nan() {
        return "-".to_owned();
    }
    let number = match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1e-3 => format!("{value:.1e}"),
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    format!("{number} {unit}").trim_end().to_owned()
}

/// All lines, and below them what they were taken from.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// Of the last run.
    details: Vec<(&'static str, String)>,
}

impl Table {
    /// Adds a line, or another run of the same one.
    pub(crate) fn add(&mut self, row: Row) {
        match self.rows.iter_mut().find(|known| (known.goal, known.what) == (row.goal, row.what)) {
            Some(known) => {
                known.ours.extend(row.ours);
                known.reference.extend(row.reference);
            }
            None => self.rows.push(row),
        }
    }

    /// Tells every case of a group; the newest run stands.
    pub(crate) fn detail(&mut self, title: &'static str, text: String) {
        self.details.retain(|(known, _)| *known != title);
        self.details.push((title, text));
    }

    /// Leaves out the goals that nobody asked for.
    pub(crate) fn keep(&mut self, wanted: impl Fn(u8) -> bool) {
        self.rows.retain(|row| wanted(row.goal));
        self.rows.sort_by_key(|row| row.goal);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.rows.iter().map(|row| row.ours.len()).max().unwrap_or_default();
        writeln!(f, "Goals, medians of {runs} run(s)\n")?;
        writeln!(f, "| goal | what | must | aim | ours | beside | ratio | held |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        self.details.iter().try_for_each(|(title, text)| write!(f, "\n{title}\n\n{text}"))
    }
}
