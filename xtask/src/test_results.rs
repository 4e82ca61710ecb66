//! Counts tests one by one, and shows what the failed ones printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::cargo_output::is_progress;
use crate::excerpt::excerpt;
use crate::libtest::{Counts, Program};
use crate::step::Outcome;

/// The last lines of a program that crashed.
const LAST_WORDS: usize = 60;

/// Where a test program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) package: String,
    /// `unit`, `example NAME`, or the name of a test target.
    pub(crate) part: String,
    /// Where its tests run.
    pub(crate) folder: PathBuf,
}

/// Tests that held, for those who ask whether a linked test was really run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) package: String,
    /// `unit`, `doc`, `example NAME`, or the name of a test target.
    pub(crate) part: String,
    pub(crate) names: BTreeSet<String>,
}

/// How a failed test ended when it ran once more, alone. It stays failed in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    Passes,
    FailsToo,
    Hangs,
}

impl Alone {
    fn told(self) -> &'static str {
        match self {
            Self::Passes => {
                "failed, passes alone: it depends on load, on order, or on what other tests leave behind"
            }
            Self::FailsToo => "failed, fails alone too",
            Self::Hangs => "failed, hangs alone",
        }
    }
}

/// A failed test as it can be run again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FailedTest {
    /// The program, as people read it.
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) folder: PathBuf,
}

/// Sums over all programs, fed line by line.
#[derive(Debug)]
pub(crate) struct TestResults {
    homes: BTreeMap<String, Home>,
    /// Packages that must have tests.
    pub(crate) published: Vec<String>,
    /// Whether cargo itself was content.
    pub(crate) content: bool,
    /// Whether backtraces are shown.
    pub(crate) frames: bool,
    /// What cargo said before the first program ran.
    preface: Vec<String>,
    programs: Vec<Program>,
    current: Option<Program>,
    /// Every line, for the log.
    pub(crate) whole: Vec<String>,
    /// How failed tests ended when they ran again alone, by program and name.
    pub(crate) again: BTreeMap<(String, String), Alone>,
}

impl TestResults {
    /// Nothing read yet.
    pub(crate) fn new(homes: BTreeMap<String, Home>) -> Self {
        Self {
            homes,
            published: Vec::new(),
            content: true,
            frames: false,
            preface: Vec::new(),
            programs: Vec::new(),
            current: None,
            whole: Vec::new(),
            again: BTreeMap::new(),
        }
    }

    /// Reads the next line; whether it announces the next program.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        if let Some(next) = Program::announced(line) {
            let closed = self.close();
            self.current = Some(next);
            return closed;
        }
        match &mut self.current {
            Some(program) => program.read(line),
            None => self.preface.push(line.to_owned()),
        }
        false
    }

    /// Puts the current program to the others, if there is one.
    pub(crate) fn close(&mut self) -> bool {
        let program = self.current.take();
        let closed = program.is_some();
        self.programs.extend(program);
        closed
    }

    fn home(&self, program: &Program) -> Option<&Home> {
        self.homes.get(Path::new(program.file.as_ref()?).file_name()?.to_str()?)
    }

    /// `bellwether-perf it`
    fn label(&self, program: &Program) -> String {
        match (self.home(program), program.source.strip_prefix("doc ")) {
            (Some(home), _) => format!("{} {}", home.package, home.part),
            (None, Some(library)) => format!("{} doc", library.replace('_', "-")),
            (None, None) => program.source.clone(),
        }
    }

    /// One line about the program that ended last; none when it had no tests.
    pub(crate) fn last_summary(&self) -> Option<String> {
        let program = self.programs.last()?;
        let Counts { passed, failed, ignored } = program.counts;
        if program.results > 0 && passed + failed + ignored == 0 {
            return None;
        }
        let mut text = format!("{}: {passed} passed", self.label(program));
        for (count, word) in [(failed, "failed"), (ignored, "ignored"), (program.skipped.len(), "skipped")] {
            if count > 0 {
                let _ = write!(text, ", {count} {word}");
            }
        }
        if program.results == 0 {
            text.push_str(", ended without a result");
        }
        Some(format!("{text} ({:.1} s)", program.seconds))
    }

    /// Failed tests of programs that can be run again.
    pub(crate) fn failed(&self) -> Vec<FailedTest> {
        let mut failed = Vec::new();
        for program in &self.programs {
            let (Some(file), Some(home)) = (&program.file, self.home(program)) else { continue };
            failed.extend(program.failed.iter().map(|name| FailedTest {
                label: self.label(program),
                name: name.clone(),
                file: file.clone(),
                folder: home.folder.clone(),
            }));
        }
        failed
    }

    /// The tests that held, by program.
    pub(crate) fn held(&self) -> Vec<Held> {
        let held = |program: &Program| {
            let label = self.label(program);
            let (package, part) = label.split_once(' ')?;
            let skips = |name: &String| program.skipped.contains_key(name);
            let names = program.passed.iter().filter(|name| !skips(name)).cloned().collect();
            Some(Held { package: package.to_owned(), part: part.to_owned(), names })
        };
        self.programs.iter().filter_map(held).collect()
    }

    /// The verdict.
    pub(crate) fn finish(self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut excerpts = Vec::new();
        let (mut ignored, mut programs) = (0, 0);
        for program in &self.programs {
            let label = self.label(program);
            let Counts { passed, failed, ignored: left_out } = program.counts;
            let skipped = program.skipped.len();
            // A program without a result crashed, or has no harness: nobody knows what it tested.
            let crashed = usize::from(program.results == 0);
            // A skipped test reports itself as passed.
            outcome.passed += passed.saturating_sub(skipped);
            outcome.failed += failed.max(program.failed.len()) + skipped + left_out + crashed;
            ignored += left_out;
            programs += usize::from(program.results > 0);
            for name in &program.failed {
                let again = self.again.get(&(label.clone(), name.clone()));
                let told = format!("{label}: {name} {}", again.map_or("failed", |alone| alone.told()));
                excerpts.push(format!("---- {label}: {name}"));
                let output = program.captured.get(name).map_or(&[][..], Vec::as_slice);
                excerpts.extend(excerpt(output, self.frames).into_iter().map(|line| format!("   {line}")));
                outcome.problems.push(told);
            }
            let skips = program.skipped.iter();
            outcome.problems.extend(
                skips.map(|(name, what)| format!("{label}: {name} skipped: {what} (counts as failed)")),
            );
            let ignores = program.ignored.iter();
            outcome
                .problems
                .extend(ignores.map(|name| format!("{label}: {name} is ignored (counts as failed)")));
            if crashed > 0 {
                outcome.problems.push(format!("{label}: ended without a result"));
                excerpts.push(format!("---- {label}: its last words"));
                excerpts.extend(last_words(&program.loose));
            }
        }
        let held = self.held();
        let with_tests = |package: &str| {
            held.iter().any(|held| held.package == package && held.part != "doc" && !held.names.is_empty())
        };
        for package in self.published.iter().filter(|package| !with_tests(package)) {
            outcome.failed += 1;
            outcome.problems.push(format!("{package}: not one test was run"));
        }
        let has_quick_start = |package: &str| {
            held.iter().any(|held| {
                // The facade's stands in the README, which `src/lib.rs` takes in as the documentation of `Readme`.
                let opens = held.names.iter().any(|name| {
                    let item = name.split_once("src/lib.rs - ").map(|(_, item)| item);
                    item.is_some_and(|item| item.starts_with("(line ") || item.starts_with("Readme (line "))
                });
                held.package == package && held.part == "doc" && opens
            })
        };
        for package in self.published.iter().filter(|package| !has_quick_start(package)) {
            outcome.failed += 1;
            outcome
                .problems
                .push(format!("{package}: its documentation opens without a quick start that runs"));
        }
        if !self.content && outcome.failed == 0 {
            outcome.failed = 1;
            outcome.problems.push("cargo test failed without a failed test".to_owned());
            let last = self.programs.last().map_or(&self.preface, |program| &program.loose);
            excerpts.extend(last_words(last));
        }
        outcome.problems.extend(excerpts);
        let (passed, failed) = (outcome.passed, outcome.failed);
        outcome.with_note(format!(
            "{programs} test programs: {passed} passed, {failed} failed, {ignored} ignored"
        ))
    }
}

/// The last lines that are not progress.
fn last_words(lines: &[String]) -> Vec<String> {
    let lines: Vec<&String> =
        lines.iter().filter(|line| !is_progress(line) && !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_WORDS)..].iter().map(|line| format!("   {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../recorded/libtest.txt");

    const GOOD: &str = "\
   Compiling bellwether-core v0.1.0 (crates/core)
    Finished `test` profile [unoptimized] target(s) in 1.00s
     Running unittests src/lib.rs (target/debug/deps/bellwether_core-0123456789abcdef)

running 2 tests
test labels::tests::sorted ... ok
test labels::tests::valid ... ok

successes:

successes:
    labels::tests::sorted
    labels::tests::valid

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s

     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)

running 1 test
test law ... ok

successes:

successes:
    law

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests bellwether_core

running 2 tests
test crates/core/src/lib.rs - (line 9) ... ok

successes:

successes:
    crates/core/src/lib.rs - (line 9)

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.50s

running 1 test
test crates/core/src/lib.rs - (line 3) - compile fail ... ok

successes:

successes:
    crates/core/src/lib.rs - (line 3)

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

all doctests ran in 0.62s; merged doctests compilation took 0.40s
";

    fn read(text: &str, content: bool) -> TestResults {
        let home = |part: &str| Home {
            package: "bellwether-core".to_owned(),
            part: part.to_owned(),
            folder: PathBuf::from("crates/core"),
        };
        let homes = [
            ("bellwether_core-0123456789abcdef", home("unit")),
            ("it-fedcba9876543210", home("it")),
            ("lt-d08e8b453f7c5fff", home("unit")),
        ];
        let homes = homes.map(|(file, home)| (file.to_owned(), home)).into();
        let mut results = TestResults { content, ..TestResults::new(homes) };
        for line in text.lines() {
            results.read(line);
        }
        results.close();
        results
    }

    fn outcome(text: &str, content: bool) -> Outcome {
        read(text, content).finish()
    }

    #[test]
    fn counts_are_summed_over_programs_and_doc_tests() {
        let outcome = outcome(GOOD, true);
        assert_eq!((outcome.passed, outcome.failed), (5, 0));
        assert_eq!(outcome.notes, ["3 test programs: 5 passed, 0 failed, 0 ignored"]);
        assert!(outcome.problems.is_empty());
    }

    #[test]
    fn a_summary_names_the_crate_and_its_part() {
        let mut results = read(GOOD, true);
        assert_eq!(results.last_summary().unwrap(), "bellwether-core doc: 2 passed (0.6 s)");
        results.programs.truncate(1);
        assert_eq!(results.last_summary().unwrap(), "bellwether-core unit: 2 passed (0.2 s)");
    }

    #[test]
    fn what_held_is_known_by_package_part_and_name() {
        let held = read(GOOD, true).held();
        let parts: Vec<&str> = held.iter().map(|held| held.part.as_str()).collect();
        assert_eq!(parts, ["unit", "it", "doc"]);
        assert!(held.iter().all(|held| held.package == "bellwether-core"));
        assert!(held[1].names.contains("law"));
        let held = read(RECORDED, false).held();
        assert!(held[0].names.contains("tests::caught") && !held[0].names.contains("tests::skips"));
    }

    #[test]
    fn every_failed_skipped_and_ignored_test_counts_as_failed_and_is_named_first() {
        let outcome = outcome(RECORDED, false);
        // 4 + 2 passed, of which one was skipped; 5 + 3 failed, 1 skipped, 2 + 1 ignored.
        assert_eq!((outcome.passed, outcome.failed), (5, 12));
        let first = &outcome.problems[..12];
        assert_eq!(first[0], "bellwether-core unit: tests::bad failed");
        assert!(
            first.contains(
                &"bellwether-core unit: tests::skips skipped: postgres (counts as failed)".to_owned()
            )
        );
        assert!(
            first.contains(&"bellwether-core unit: tests::later is ignored (counts as failed)".to_owned())
        );
        assert!(first.contains(&"lt doc: src/lib.rs - b (line 8) failed".to_owned()));
    }

    #[test]
    fn the_excerpt_has_the_words_of_failed_tests_under_their_names_and_of_no_other() {
        let problems = outcome(RECORDED, false).problems;
        let at = problems.iter().position(|line| line == "---- bellwether-core unit: tests::bad").unwrap();
        assert_eq!(
            problems[at + 1..at + 6],
            [
                "   before",
                "   ",
                "   thread 'tests::bad' (25651) panicked at src/lib.rs:31:36:",
                "   assertion `left == right` failed: numbers",
                "     left: 1"
            ]
        );
        let all = problems.join("\n");
        for other in ["on purpose", "not me", "mismatched types", "test result", "caught"] {
            assert!(!all.contains(other), "{other} in {all}");
        }
        assert!(problems.len() < 80, "{}", problems.len());
    }

    #[test]
    fn a_test_that_passes_alone_is_told_and_stays_failed() {
        let mut results = read(RECORDED, false);
        let label = "bellwether-core unit".to_owned();
        results.again.insert((label.clone(), "tests::bad".to_owned()), Alone::Passes);
        results.again.insert((label, "tests::should".to_owned()), Alone::FailsToo);
        let outcome = results.finish();
        assert_eq!(outcome.failed, 12);
        assert!(outcome.problems[0].contains("tests::bad failed, passes alone"), "{}", outcome.problems[0]);
        assert!(outcome.problems.iter().any(|line| line.ends_with("tests::should failed, fails alone too")));
    }

    #[test]
    fn a_crashed_program_is_one_failure_also_when_cargo_is_content() {
        let text = "     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)\n\
                    running 2 tests\n\
                    test law ... ok\n\
                    error: test failed, to rerun pass `--test it`\n\
                    Caused by: process didn't exit successfully (signal: 11, SIGSEGV)\n";
        for content in [false, true] {
            let outcome = outcome(text, content);
            assert_eq!((outcome.passed, outcome.failed), (0, 1));
            assert_eq!(outcome.problems[0], "bellwether-core it: ended without a result");
            assert!(outcome.problems.iter().any(|line| line.contains("SIGSEGV")));
        }
    }

    #[test]
    fn tests_that_do_not_compile_are_one_failure() {
        let text = "   Compiling bellwether-core v0.1.0 (crates/core)\n\
                    error[E0425]: cannot find value `x` in this scope\n\
                    error: could not compile `bellwether-core` (lib test) due to 1 previous error";
        let outcome = outcome(text, false);
        assert_eq!((outcome.passed, outcome.failed), (0, 1));
        assert!(outcome.problems.iter().any(|line| line.contains("E0425")));
    }

    #[test]
    fn a_quick_start_in_the_readme_counts() {
        let text = "   Doc-tests bellwether\n\n\
                    running 1 test\n\
                    test src/lib.rs - Readme (line 69) ... ok\n\n\
                    test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        let mut results = read(text, true);
        results.published = vec!["bellwether".to_owned()];
        assert_eq!(results.finish().problems, ["bellwether: not one test was run"]);
    }

    #[test]
    fn a_published_crate_without_a_test_or_a_quick_start_is_a_failure() {
        let mut results = read(GOOD, true);
        results.published = ["bellwether-core", "bellwether-perf"].map(str::to_owned).to_vec();
        let outcome = results.finish();
        assert_eq!(outcome.failed, 2);
        assert_eq!(
            outcome.problems,
            [
                "bellwether-perf: not one test was run",
                "bellwether-perf: its documentation opens without a quick start that runs"
            ]
        );
    }
}
