//! The steps of `cargo xtask test`, their order, and how a run of them is told.

use std::process::ExitCode;
use std::time::Instant;

use crate::budget::Budget;
use crate::command::say;
use crate::options::Options;
use crate::workspace::Workspace;
use crate::{
    absent, allowances, duplicates, edges, examples, features, licences, lints, requirements, system,
    test_run, text, unused,
};

/// One step: a name for the command line, a sentence for people, and what it does.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&Workspace) -> Result<Outcome, String>,
}

/// Every step, in the order in which they run. A failed one does not stop the rest.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "system", about: "the programs and Rust components that the steps need", run: system::step },
    Step { name: "fmt", about: "formatting follows rustfmt.toml", run: lints::formatting },
    Step {
        name: "clippy",
        about: "no lint, with all features and with the default ones",
        run: lints::clippy,
    },
    Step { name: "rustdoc", about: "the documentation builds without a warning", run: lints::rustdoc },
    Step {
        name: "tests",
        about: "unit, black-box and documentation tests, all features",
        run: test_run::step,
    },
    Step {
        name: "features",
        about: "each crate compiles with none, default, each single and all features",
        run: features::step,
    },
    Step { name: "absent", about: "dependencies that must not be in a user's graph", run: absent::step },
    Step {
        name: "examples",
        about: "every example, built once in release, run, and its output checked",
        run: examples::step,
    },
    Step { name: "edges", about: "crates use each other as docs/architecture.md says", run: edges::step },
    Step {
        name: "requirements",
        about: "the links of docs/requirements.md resolve, and each linked test held",
        run: requirements::step,
    },
    Step {
        name: "allowances",
        about: "lints that carry a promise are lifted only where xtask/rules.toml says",
        run: allowances::step,
    },
    Step {
        name: "unused",
        about: "no Rust file without a program, no dependency without a use",
        run: unused::step,
    },
    Step {
        name: "duplicates",
        about: "no crate in two versions, none that deny.toml bans",
        run: duplicates::step,
    },
    Step {
        name: "licences",
        about: "licences of all dependencies are in the list of deny.toml; all come from crates.io",
        run: licences::step,
    },
    Step {
        name: "text",
        about: "files of the tree: no foreign path, no gap, no CRLF, none too large",
        run: text::step,
    },
];

/// Lines of problems shown per step; the whole is in a file.
const SHOWN: usize = 300;

/// What a step found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Told after a good run too.
    pub(crate) notes: Vec<String>,
    /// What a person must look at.
    pub(crate) problems: Vec<String>,
}

impl Outcome {
    /// A step that counts as one check: it holds when there are no problems.
    pub(crate) fn check(problems: Vec<String>) -> Self {
        let failed = usize::from(!problems.is_empty());
        Self { passed: 1 - failed, failed, notes: Vec::new(), problems }
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Runs the chosen steps and prints the closing line.
pub(crate) fn run(options: &Options) -> ExitCode {
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| options.wants(step.name)).collect();
    match prepare(options) {
        Ok((_, budget)) if options.list => {
            for step in chosen {
                let seconds =
                    budget.of(step.name).map_or_else(String::new, |seconds| format!("{seconds:.0} s"));
                say(&format!("{:<13}{seconds:>6}  {}", step.name, step.about));
            }
            ExitCode::SUCCESS
        }
        Ok((workspace, budget)) => run_steps(&chosen, &workspace, &budget),
        Err(problem) => {
            say(&format!("{problem}\n0 passed, 1 failed"));
            ExitCode::FAILURE
        }
    }
}

fn prepare(options: &Options) -> Result<(Workspace, Budget), String> {
    let workspace = Workspace::find(options.manners)?;
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let budget = Budget::read(&workspace.root)?.names_only(&names)?;
    Ok((workspace, budget))
}

fn run_steps(chosen: &[&Step], workspace: &Workspace, budget: &Budget) -> ExitCode {
    let start = Instant::now();
    let (mut passed, mut failed, mut warnings, mut broken) = (0, 0, Vec::new(), Vec::new());
    for step in chosen {
        let told = Told { step, budget: budget.of(step.name), quiet: workspace.quiet };
        told.begin();
        let begin = Instant::now();
        let outcome = (step.run)(workspace).unwrap_or_else(|problem| Outcome::check(vec![problem]));
        warnings.extend(told.end(&outcome, begin.elapsed().as_secs_f64(), workspace));
        passed += outcome.passed;
        failed += outcome.failed;
        if outcome.failed > 0 {
            broken.push(step.name);
        }
    }
    let (seconds, total) = (start.elapsed().as_secs_f64(), budget.total());
    if seconds > total {
        warnings.push(format!("warning: all steps took {seconds:.0} s, their budget is {total:.0} s"));
    }
    if !workspace.quiet {
        for warning in warnings {
            say(&warning);
        }
        say(&format!("{} steps took {seconds:.0} s (budget of all {total:.0} s)", chosen.len()));
    }
    if !broken.is_empty() {
        say(&format!("failed: {} (again: cargo xtask test --only {})", broken.join(", "), broken.join(",")));
    }
    say(&format!("{passed} passed, {failed} failed"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How one step is told on the screen.
struct Told<'a> {
    step: &'a Step,
    budget: Option<f64>,
    quiet: bool,
}

impl Told<'_> {
    fn begin(&self) {
        if !self.quiet {
            self.heading();
        }
    }

    /// Prints the result; gives a warning when the step took longer than its budget.
    fn end(&self, outcome: &Outcome, seconds: f64, workspace: &Workspace) -> Option<String> {
        if self.quiet && outcome.failed > 0 {
            self.heading();
        }
        if !self.quiet {
            outcome.notes.iter().for_each(|note| say(&format!("   {note}")));
        }
        outcome.problems.iter().take(SHOWN).for_each(|problem| say(&format!("   {problem}")));
        if outcome.problems.len() > SHOWN {
            self.keep(&outcome.problems, workspace);
        }
        let of = self.budget.map_or_else(String::new, |budget| format!(" (budget {budget:.0} s)"));
        let verdict = if outcome.failed == 0 { "ok" } else { "FAILED" };
        if !self.quiet || outcome.failed > 0 {
            say(&format!("   {verdict} in {seconds:.1} s{of}"));
        }
        let budget = self.budget.filter(|budget| seconds > *budget)?;
        Some(format!("warning: {} took {seconds:.0} s, its budget is {budget:.0} s", self.step.name))
    }

    fn heading(&self) {
        say(&format!("== {}: {}", self.step.name, self.step.about));
    }

    fn keep(&self, problems: &[String], workspace: &Workspace) {
        let place = match workspace.keep(&format!("{}.log", self.step.name), &problems.join("\n")) {
            Ok(path) => format!("all in {}", path.display()),
            Err(problem) => problem,
        };
        say(&format!("   … {} more lines, {place}", problems.len() - SHOWN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_with_problems_is_one_failure() {
        assert_eq!(Outcome::check(vec!["a".to_owned(), "b".to_owned()]).failed, 1);
        assert_eq!(Outcome::check(Vec::new()), Outcome { passed: 1, ..Outcome::default() });
    }

    #[test]
    fn step_names_are_single_words_and_differ() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_lowercase())));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
