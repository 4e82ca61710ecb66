//! Runs the tests of the workspace and reads what the test programs print.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use crate::cargo_output::{self, TELL_PROGRAMS, is_progress};
use crate::command::{self, Ticker, say};
use crate::step::Outcome;
use crate::workspace::{Metadata, Workspace};

/// The step `tests`: passed and failed are counted test by test.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let ticker = Ticker::new(workspace.quiet);
    let everything = ["test", "--workspace", "--all-features", "--no-fail-fast"];
    let mut build = command::cargo(&workspace.root);
    build.args(everything).args(["--no-run", TELL_PROGRAMS]);
    let begin = Instant::now();
    let built = command::capture(&mut build, |line| ticker.show(line))?;
    ticker.clear();
    let note = format!("built in {:.0} s", begin.elapsed().as_secs_f64());
    if !built.success {
        return Ok(Outcome::check(cargo_output::findings(built.lines).collect()).with_note(note));
    }

    // The output of passed tests is asked for too: a test without its server says so there.
    let names = names(workspace.metadata()?, &built.lines);
    let mut results = TestResults { names, ..TestResults::default() };
    let mut told = 0;
    let mut tell = |results: &TestResults| {
        for program in results.programs.iter().skip(told).filter(|program| program.is_worth_a_line()) {
            if !workspace.quiet {
                ticker.clear();
                say(&format!("   {}", program.summary()));
            }
        }
        told = results.programs.len();
    };
    let mut success = true;
    // Cargo leaves out the unit tests of examples unless it is asked for them.
    for examples in [&[][..], &["--examples"]] {
        let mut cargo = command::cargo(&workspace.root);
        cargo.args(everything).args(examples).args(["--", "--show-output"]);
        let run = command::capture(&mut cargo, |line| {
            results.read(line);
            tell(&results);
            ticker.show(line);
        })?;
        results.close();
        tell(&results);
        success &= run.success;
    }
    ticker.clear();
    Ok(results.finish(success).with_note(note))
}

/// What to call each test program, by the name of its file: `bellwether-perf it`.
fn names(metadata: &Metadata, lines: &[String]) -> BTreeMap<String, String> {
    cargo_output::programs(lines)
        .into_iter()
        .filter_map(|program| {
            let file = program.path.file_name()?.to_string_lossy().into_owned();
            let package = metadata.package(&program.package)?;
            let part = if program.kind == "test" { program.target.as_str() } else { "unit" };
            Some((file, format!("{} {part}", package.name)))
        })
        .collect()
}

/// One test program (or the doc tests of one crate).
#[derive(Debug, Default)]
struct Program {
    name: String,
    passed: usize,
    failed: usize,
    ignored: usize,
    seconds: f64,
    results: usize,
    skipped: Vec<String>,
    lines: Vec<String>,
}

/// Sums over a whole `cargo test`, fed line by line.
#[derive(Debug, Default)]
pub(crate) struct TestResults {
    names: BTreeMap<String, String>,
    /// What cargo said before the first program ran.
    preface: Vec<String>,
    programs: Vec<Program>,
    current: Program,
}

impl Program {
    fn is_worth_a_line(&self) -> bool {
        self.results == 0 || self.passed + self.failed + self.ignored > 0
    }

    fn summary(&self) -> String {
        let Self { name, passed, failed, ignored, seconds, skipped, .. } = self;
        let mut text = format!("{name}: {passed} passed");
        for (count, word) in [(*failed, "failed"), (*ignored, "ignored"), (skipped.len(), "skipped")] {
            if count > 0 {
                let _ = write!(text, ", {count} {word}");
            }
        }
        if self.results == 0 {
            text.push_str(", ended without a result");
        }
        format!("{text} ({seconds:.1} s)")
    }
}

impl TestResults {
    /// Reads the next line of `cargo test`.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(name) = program(line, &self.names) {
            self.close();
            self.current.name = name;
            return;
        }
        let text = line.trim_start();
        if let Some(counts) = text.strip_prefix("test result: ") {
            self.current.results += 1;
            self.current.passed += count(counts, "passed");
            self.current.failed += count(counts, "failed");
            self.current.ignored += count(counts, "ignored");
            self.current.seconds += seconds(counts);
        } else if let Some(name) = text.strip_prefix("skipped: ") {
            self.current.skipped.push(name.trim().to_owned());
        }
        self.current.lines.push(line.to_owned());
    }

    fn close(&mut self) {
        let program = std::mem::take(&mut self.current);
        if program.name.is_empty() {
            self.preface.extend(program.lines);
        } else {
            self.programs.push(program);
        }
    }

    /// The verdict, given whether cargo itself was content.
    pub(crate) fn finish(mut self, success: bool) -> Outcome {
        self.close();
        let mut outcome = Outcome::default();
        let (mut ignored, mut programs) = (0, 0);
        for program in &self.programs {
            // A crash of the test program leaves no result; so does one without the usual harness.
            let crashed = !success && program.results == 0;
            let failed = program.failed + program.skipped.len() + usize::from(crashed);
            // A skipped test reports itself as passed.
            outcome.passed += program.passed.saturating_sub(program.skipped.len());
            outcome.failed += failed;
            ignored += program.ignored;
            programs += usize::from(program.results > 0);
            outcome.problems.extend(
                program
                    .skipped
                    .iter()
                    .map(|name| format!("{}: skipped: {name} (counts as failed)", program.name)),
            );
            if program.failed > 0 || crashed {
                outcome.problems.extend(program.lines.iter().filter(|line| worth_showing(line)).cloned());
            }
        }
        if !success && outcome.failed == 0 {
            outcome.failed = 1;
            outcome.problems.push("cargo test failed without a failed test".to_owned());
            let last = self.programs.pop().map_or(self.preface, |program| program.lines);
            outcome.problems.extend(last.into_iter().filter(|line| worth_showing(line)));
        }
        let (passed, failed) = (outcome.passed, outcome.failed);
        outcome.with_note(format!(
            "{programs} test programs: {passed} passed, {failed} failed, {ignored} ignored"
        ))
    }
}

/// The test program that cargo announces in this line.
fn program(line: &str, names: &BTreeMap<String, String>) -> Option<String> {
    if let Some(name) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{} doc", name.replace('_', "-")));
    }
    // `unittests src/lib.rs (target/debug/deps/bellwether_core-0123456789abcdef)`
    let rest = line.strip_prefix("     Running ")?;
    let (source, binary) = rest.split_once(" (")?;
    let file = binary.trim_end_matches(')').rsplit('/').next()?;
    Some(names.get(file).map_or(source, String::as_str).to_owned())
}

/// The number before the word, as in `3 passed`.
fn count(counts: &str, word: &str) -> usize {
    counts
        .split([';', '.'])
        .filter_map(|part| part.trim().strip_suffix(word))
        .find_map(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

fn seconds(counts: &str) -> f64 {
    counts
        .rsplit_once("finished in ")
        .and_then(|(_, time)| time.trim().strip_suffix('s')?.parse().ok())
        .unwrap_or(0.0)
}

fn worth_showing(line: &str) -> bool {
    !(is_progress(line) || line.trim().is_empty() || line.starts_with("test ") && line.ends_with("... ok"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str, success: bool) -> Outcome {
        let mut results = TestResults::default();
        text.lines().for_each(|line| results.read(line));
        results.finish(success)
    }

    const GOOD: &str = "\
   Compiling bellwether-core v0.1.0 (crates/core)
    Finished `test` profile [unoptimized] target(s) in 1.00s
     Running unittests src/lib.rs (target/debug/deps/bellwether_core-0123456789abcdef)

running 3 tests
test labels::tests::sorted ... ok
test clock::tests::slow ... ignored
test labels::tests::valid ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.25s

     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)

running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests bellwether_core

running 2 tests
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.50s

running 1 test
test crates/core/src/lib.rs - (line 3) - compile fail ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s

all doctests ran in 0.62s; merged doctests compilation took 0.40s
";

    #[test]
    fn counts_are_summed_over_programs_and_doc_tests() {
        let outcome = outcome(GOOD, true);
        assert_eq!((outcome.passed, outcome.failed), (5, 0));
        assert_eq!(outcome.notes, ["3 test programs: 5 passed, 0 failed, 1 ignored"]);
        assert!(outcome.problems.is_empty());
    }

    #[test]
    fn a_summary_names_the_crate_and_its_part() {
        let mut results = TestResults::default();
        results
            .names
            .insert("bellwether_core-0123456789abcdef".to_owned(), "bellwether-core unit".to_owned());
        GOOD.lines().for_each(|line| results.read(line));
        assert_eq!(results.programs[0].summary(), "bellwether-core unit: 2 passed, 1 ignored (0.2 s)");
        assert_eq!(results.programs[1].name, "tests/it/main.rs");
        assert_eq!(results.current.name, "bellwether-core doc");
    }

    #[test]
    fn a_failed_test_is_counted_and_its_words_are_shown() {
        let text = "     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)\n\
                    test good ... ok\n\
                    test bad ... FAILED\n\
                    ---- bad stdout ----\n\
                    assertion `left == right` failed\n\
                    test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    error: test failed, to rerun pass `--test it`";
        let outcome = outcome(text, false);
        assert_eq!((outcome.passed, outcome.failed), (1, 1));
        assert!(outcome.problems.iter().any(|line| line.contains("left == right")));
        assert!(!outcome.problems.iter().any(|line| line.contains("good")));
    }

    #[test]
    fn a_skipped_test_counts_as_failed_and_not_as_passed() {
        let text = "     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)\n\
                    test postgres ... ok\n\
                    ---- postgres stdout ----\n\
                    skipped: postgres\n\
                    test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let outcome = outcome(text, true);
        assert_eq!((outcome.passed, outcome.failed), (1, 1));
        assert_eq!(outcome.problems, ["tests/it/main.rs: skipped: postgres (counts as failed)"]);
    }

    #[test]
    fn a_crashed_program_is_one_failure() {
        let text = "     Running tests/it/main.rs (target/debug/deps/it-fedcba9876543210)\n\
                    running 2 tests\n\
                    error: test failed, to rerun pass `--test it`\n\
                    Caused by: process didn't exit successfully (signal: 11, SIGSEGV)\n\
                    \x20    Running tests/it/main.rs (target/debug/deps/other-fedcba9876543210)\n\
                    test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let outcome = outcome(text, false);
        assert_eq!((outcome.passed, outcome.failed), (2, 1));
        assert!(outcome.problems.iter().any(|line| line.contains("SIGSEGV")));
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
}
