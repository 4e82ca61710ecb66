//! What `cargo test -- --show-output` prints: programs, tests, and the output of each test that was captured.
//!
//! Tests print what they like, also lines that look like the harness's own. So a line counts as the harness's only
//! where the harness writes it, and the block of a test begins only with the name of a test that was announced.

use std::collections::{BTreeMap, BTreeSet};

/// One test program, or the documentation tests of one crate.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// As cargo announces it: `unittests src/lib.rs`, `tests/it/main.rs`, `doc bellwether_core`.
    pub(crate) source: String,
    /// The file of the program; documentation tests have none.
    pub(crate) file: Option<String>,
    /// The names of tests that held, without what libtest adds to them.
    pub(crate) passed: BTreeSet<String>,
    pub(crate) failed: BTreeSet<String>,
    pub(crate) ignored: BTreeSet<String>,
    /// Tests that said `skipped: WHAT` and returned.
    pub(crate) skipped: BTreeMap<String, String>,
    /// What failed tests printed.
    pub(crate) captured: BTreeMap<String, Vec<String>>,
    /// What no test printed: cargo, the compiler, or the program before it crashed.
    pub(crate) loose: Vec<String>,
    /// Closing lines of the harness; none when the program crashed.
    pub(crate) results: usize,
    pub(crate) counts: Counts,
    pub(crate) seconds: f64,
    place: Place,
}

/// The sums of the harness's closing lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

/// Where in the output of a program the reader stands.
#[derive(Debug, Default)]
enum Place {
    /// Names and verdicts, one a line.
    #[default]
    Running,
    /// Output of tests that held, by the name of the test.
    Successes(Option<String>),
    /// Their names once more; with the test that the reader came from, should this be no list but its output.
    PassedNames(Option<String>),
    /// Output of tests that failed.
    Failures(Option<String>),
    /// Their names once more, as above.
    FailedNames(Option<String>),
}

impl Program {
    /// The program that cargo announces in this line.
    pub(crate) fn announced(line: &str) -> Option<Self> {
        if let Some(name) = line.strip_prefix("   Doc-tests ") {
            return Some(Self { source: format!("doc {name}"), ..Self::default() });
        }
        // `unittests src/lib.rs (target/debug/deps/bellwether_core-0123456789abcdef)`
        let (source, file) = line.strip_prefix("     Running ")?.strip_suffix(')')?.split_once(" (")?;
        Some(Self { source: source.to_owned(), file: Some(file.to_owned()), ..Self::default() })
    }

    /// Reads the next line.
    pub(crate) fn read(&mut self, line: &str) {
        match std::mem::take(&mut self.place) {
            Place::Running => self.running(line),
            Place::Successes(test) => self.success(test, line),
            Place::PassedNames(test) => self.passed_name(test, line),
            Place::Failures(test) => self.failure(test, line),
            Place::FailedNames(test) => self.failed_name(test, line),
        }
    }

    fn running(&mut self, line: &str) {
        match line {
            "successes:" => self.place = Place::Successes(None),
            "failures:" => self.place = Place::Failures(None),
            _ if self.closing(line) => {}
            _ => match verdict(line) {
                Some((name, "ok")) => drop(self.passed.insert(name.to_owned())),
                Some((name, "FAILED")) => drop(self.failed.insert(name.to_owned())),
                Some((name, _)) => drop(self.ignored.insert(name.to_owned())),
                None => {
                    if let Some(what) = skipped(line) {
                        // Printed past the harness, so nobody knows by which test.
                        self.skipped.insert(format!("a test ({})", self.skipped.len() + 1), what);
                    }
                    self.loose.push(line.to_owned());
                }
            },
        }
    }

    fn success(&mut self, test: Option<String>, line: &str) {
        if line == "successes:" {
            self.place = Place::PassedNames(test);
        } else if let Some(name) = block(line).filter(|name| self.passed.contains(*name)) {
            self.place = Place::Successes(Some(name.to_owned()));
        } else {
            if let (Some(test), Some(what)) = (&test, skipped(line)) {
                self.skipped.insert(test.clone(), what);
            }
            self.place = Place::Successes(test);
        }
    }

    fn passed_name(&mut self, test: Option<String>, line: &str) {
        let listed = line.strip_prefix("    ").is_some_and(|name| self.passed.contains(name));
        if line == "failures:" {
            self.place = Place::Failures(None);
        } else if listed || line.is_empty() {
            self.place = Place::PassedNames(test);
        } else if !self.closing(line) {
            // It was no list: a test printed `successes:`, and its block goes on.
            self.success(test, line);
        }
    }

    fn failure(&mut self, test: Option<String>, line: &str) {
        if line == "failures:" {
            self.place = Place::FailedNames(test);
        } else if let Some(name) = block(line).filter(|name| !self.passed.contains(*name)) {
            self.failed.insert(name.to_owned());
            self.captured.entry(name.to_owned()).or_default();
            self.place = Place::Failures(Some(name.to_owned()));
        } else {
            if let Some(lines) = test.as_ref().and_then(|test| self.captured.get_mut(test)) {
                lines.push(line.to_owned());
            }
            self.place = Place::Failures(test);
        }
    }

    fn failed_name(&mut self, test: Option<String>, line: &str) {
        let listed = line.strip_prefix("    ").is_some_and(|name| self.captured.contains_key(name));
        if listed || line.is_empty() {
            self.place = Place::FailedNames(test);
        } else if !self.closing(line) {
            // It was no list: a test printed `failures:`, and its block goes on.
            self.failure(test, line);
        }
    }

    /// Takes the harness's closing line.
    fn closing(&mut self, line: &str) -> bool {
        let Some(counts) = line.strip_prefix("test result: ") else { return false };
        self.results += 1;
        self.counts.passed += count(counts, "passed");
        self.counts.failed += count(counts, "failed");
        self.counts.ignored += count(counts, "ignored");
        self.seconds += seconds(counts);
        true
    }
}

/// Name and verdict of a line `test NAME ... ok`; the name without what libtest adds to it.
fn verdict(line: &str) -> Option<(&str, &str)> {
    let (name, verdict) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let verdict = verdict.split([',', ' ']).next().unwrap_or_default();
    let name = [" - should panic", " - compile fail", " - compile"]
        .iter()
        .find_map(|added| name.strip_suffix(added))
        .unwrap_or(name);
    matches!(verdict, "ok" | "FAILED" | "ignored").then_some((name, verdict))
}

/// The test whose output begins below this line.
fn block(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

fn skipped(line: &str) -> Option<String> {
    line.trim_start().strip_prefix("skipped: ").map(|what| what.trim().to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What libtest 1.95 printed for a crate whose tests do everything that a test can do.
    const RECORDED: &str = include_str!("../recorded/libtest.txt");

    fn programs(text: &str) -> Vec<Program> {
        let mut programs = Vec::new();
        for line in text.lines() {
            if let Some(program) = Program::announced(line) {
                programs.push(program);
            } else if let Some(program) = programs.last_mut() {
                program.read(line);
            }
        }
        programs
    }

    fn names(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn programs_are_announced_with_their_file() {
        let programs = programs(RECORDED);
        assert_eq!(programs[0].source, "unittests src/lib.rs");
        assert_eq!(programs[0].file.as_deref(), Some("target/debug/deps/lt-d08e8b453f7c5fff"));
        assert_eq!((programs[1].source.as_str(), programs[1].file.as_deref()), ("doc lt", None));
        assert!(Program::announced("warning: Running in circles (x)").is_none());
    }

    #[test]
    fn counts_are_those_of_the_closing_lines() {
        let programs = programs(RECORDED);
        assert_eq!(programs[0].counts, Counts { passed: 4, failed: 5, ignored: 2 });
        assert_eq!(programs[1].counts, Counts { passed: 2, failed: 3, ignored: 1 });
        assert_eq!(programs[1].seconds, 0.51);
        assert_eq!(programs[0].results, 1);
    }

    #[test]
    fn each_test_is_known_by_its_bare_name_and_verdict() {
        let programs = programs(RECORDED);
        let unit = &programs[0];
        assert_eq!(
            names(&unit.passed),
            ["tests::caught", "tests::good_and_loud", "tests::should_good", "tests::skips"]
        );
        assert_eq!(
            names(&unit.failed),
            ["tests::bad", "tests::bad_result", "tests::from_thread", "tests::should", "tests::should_other"]
        );
        assert_eq!(names(&unit.ignored), ["tests::later", "tests::never"]);
        let doc = &programs[1];
        assert_eq!(names(&doc.passed), ["src/lib.rs - C (line 12)", "src/lib.rs - E (line 20)"]);
        assert_eq!(
            names(&doc.failed),
            ["src/lib.rs - (line 1)", "src/lib.rs - a (line 4)", "src/lib.rs - b (line 8)"]
        );
    }

    #[test]
    fn each_failed_test_has_its_own_output_and_no_other() {
        let programs = programs(RECORDED);
        let unit = &programs[0].captured;
        assert_eq!(unit.len(), 5);
        assert_eq!(unit["tests::bad_result"], ["Error: \"no luck\"", ""]);
        assert!(unit["tests::bad"].contains(&"assertion `left == right` failed: numbers".to_owned()));
        assert!(unit["tests::from_thread"].contains(&"in thread".to_owned()));
        assert!(unit["tests::should_other"].contains(&" expected substring: \"other\"".to_owned()));
        let all = unit.values().flatten().cloned().collect::<Vec<_>>().join("\n");
        assert!(!all.contains("on purpose") && !all.contains("not me") && !all.contains("hello"), "{all}");
        assert!(
            programs[1].captured["src/lib.rs - (line 1)"].iter().any(|line| line.contains("src/lib.rs:3:1"))
        );
    }

    #[test]
    fn a_test_that_says_skipped_is_known_by_its_name() {
        let programs = programs(RECORDED);
        assert_eq!(programs[0].skipped, BTreeMap::from([("tests::skips".to_owned(), "postgres".to_owned())]));
    }

    #[test]
    fn a_failed_test_that_prints_harness_lines_keeps_its_output() {
        let text = "
     Running tests/it/main.rs (target/debug/deps/it-0)
test bad ... FAILED
test good ... ok

successes:

---- good stdout ----
successes:
test x ... FAILED
skipped: redis

successes:
    good

failures:

---- bad stdout ----
failures:
words
test result: ok. 70 passed; 0 failed; 0 ignored; finished in 9.00s
the panic

failures:
    bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; finished in 0.00s
";
        let program = &programs(text)[0];
        assert_eq!(program.counts, Counts { passed: 1, failed: 1, ignored: 0 });
        assert_eq!(program.skipped["good"], "redis");
        assert_eq!(program.captured["bad"][0], "words");
        assert!(program.captured["bad"].contains(&"the panic".to_owned()));
        assert_eq!(names(&program.failed), ["bad"]);
    }

    #[test]
    fn a_program_that_crashes_has_no_result() {
        let text = "     Running unittests src/lib.rs (target/debug/deps/lt-0)\n\
                    \n\
                    running 2 tests\n\
                    test x ... ok\n\
                    error: test failed, to rerun pass `--lib`\n\
                    \n\
                    Caused by:\n\
                    \x20 process didn't exit successfully: `lt-0` (signal: 6, SIGABRT: process abort signal)\n";
        let program = &programs(text)[0];
        assert_eq!((program.results, program.counts), (0, Counts::default()));
        assert!(program.loose.iter().any(|line| line.contains("SIGABRT")));
    }

    #[test]
    fn a_crate_without_tests_is_read_too() {
        let text = "   Doc-tests lt\n\nrunning 0 tests\n\nsuccesses:\n\nsuccesses:\n\n\
                    test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(programs(text)[0].results, 1);
    }

    #[test]
    fn words_of_cargo_after_a_program_are_kept() {
        let text = RECORDED.split_once("   Doc-tests").unwrap().0;
        assert!(programs(text)[0].loose.contains(&"error: test failed, to rerun pass `--lib`".to_owned()));
    }
}
