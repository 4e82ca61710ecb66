//! Every example is built once in release, run, and its output checked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::cargo_output::{self, TELL_PROGRAMS};
use crate::command::{self, Ticker};
use crate::rules::Rules;
use crate::step::Outcome;
use crate::usage::{Usage, watch};
use crate::workspace::Workspace;

/// What is asked of an example beyond the exit code 0 and its recorded output.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rule {
    arguments: Vec<String>,
    /// Lines that standard output must hold, for an example without a recorded output.
    lines: Vec<String>,
    /// Run twice, with the same bytes on standard output.
    repeatable: bool,
    /// Files that every run must write anew and not leave empty, from the root of the workspace.
    files: Vec<PathBuf>,
    /// More seconds of the clock are a warning, twice as many of a processor a failure: other programs take time from
    /// the clock, and hardly from the processor.
    seconds: Option<f64>,
    /// More resident memory is a failure.
    megabytes: Option<f64>,
}

/// An example that takes longer is stopped.
const LIMIT: Duration = Duration::from_mins(2);
/// The step `examples`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let rules = Rules::read(workspace)?.examples;
    let metadata = workspace.metadata()?;
    let ticker = Ticker::new(workspace.quiet);
    let begin = Instant::now();
    let mut cargo = command::cargo(&workspace.root);
    cargo.args(["build", "--release", "--examples", "--keep-going", TELL_PROGRAMS]);
    let build = command::capture(&mut cargo, |line| ticker.show(line))?;
    ticker.clear();
    let mut notes = vec![format!("built in {:.0} s", begin.elapsed().as_secs_f64())];
    let programs = cargo_output::programs(&build.lines);
    let mut problems = Vec::new();
    if !build.success {
        problems.extend(cargo_output::findings(build.lines));
    }

    let scratch = workspace.scratch()?;
    let mut known = Vec::new();
    for package in metadata.published() {
        for target in package.targets.iter().filter(|target| target.is("example")) {
            if known.contains(&target.name.as_str()) {
                problems.push(format!("{}: two examples have this name, and cargo keeps one", target.name));
            }
            known.push(target.name.as_str());
            let Some(program) =
                programs.iter().find(|program| program.kind == "example" && program.target == target.name)
            else {
                if build.success {
                    problems.push(format!("{}: not built without flags (required-features?)", target.name));
                }
                continue;
            };
            let example = Example {
                name: &target.name,
                program: &program.path,
                recorded: target.src_path.with_file_name(format!("{}.stdout", target.name)),
                rule: rules.get(&target.name).cloned().unwrap_or_default(),
            };
            match example.hold(&workspace.root, &scratch) {
                Ok(told) => notes.extend(told),
                Err(problem) => problems.push(format!("{}: {problem}", target.name)),
            }
        }
    }
    problems.extend(
        rules
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| format!("xtask/rules.toml has a rule for `{name}`, and there is no such example")),
    );
    notes.push(format!("{} examples", known.len()));
    let mut outcome = Outcome::check(problems);
    outcome.notes = notes;
    Ok(outcome)
}

struct Example<'a> {
    name: &'a str,
    program: &'a Path,
    /// The expected standard output, where this file exists.
    recorded: PathBuf,
    rule: Rule,
}

/// One finished run.
struct Finished {
    stdout: Vec<u8>,
    seconds: f64,
    usage: Usage,
}

impl Example<'_> {
    /// Runs the example and checks it; gives notes on time and memory.
    fn hold(&self, root: &Path, scratch: &Path) -> Result<Vec<String>, String> {
        let first = self.run(root, scratch)?;
        self.prints_what_it_must(root, scratch, &first.stdout)?;
        let runs = if self.rule.repeatable {
            let second = self.run(root, scratch)?;
            same("standard output of the second run", &first.stdout, &second.stdout)?;
            vec![first, second]
        } else {
            vec![first]
        };
        self.told(&runs)
    }

    /// Against the recorded output, or the lines and files of the rule; one of them must be there.
    fn prints_what_it_must(&self, root: &Path, scratch: &Path, stdout: &[u8]) -> Result<(), String> {
        let recorded = self.recorded.strip_prefix(root).unwrap_or(&self.recorded).display();
        let found = scratch.join(format!("{}.stdout", self.name));
        let record = format!("if it is right, record it: cp {} {recorded}", found.display());
        if self.recorded.exists() {
            let expected = std::fs::read(&self.recorded).map_err(|error| format!("{recorded}: {error}"))?;
            return same("standard output", &expected, stdout)
                .map_err(|problem| format!("{problem}; {record}"));
        }
        if self.rule.lines.is_empty() && self.rule.files.is_empty() {
            return Err(format!("nobody knows what it must print; {record}"));
        }
        let text = String::from_utf8_lossy(stdout);
        match self.rule.lines.iter().find(|line| !text.lines().any(|printed| printed == *line)) {
            Some(missing) => Err(format!("standard output has no line `{missing}`")),
            None if stdout.is_empty() => Err("prints nothing on standard output".to_owned()),
            None => Ok(()),
        }
    }

    fn run(&self, root: &Path, scratch: &Path) -> Result<Finished, String> {
        for file in &self.rule.files {
            let _ = std::fs::remove_file(root.join(file));
        }
        let path = |stream: &str| scratch.join(format!("{}.{stream}", self.name));
        let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
        let (stdout, stderr) = (path("stdout"), path("stderr"));
        let begin = Instant::now();
        let child = Command::new(self.program)
            .args(&self.rule.arguments)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(create(&stdout)?)
            .stderr(create(&stderr)?)
            .spawn()
            .map_err(|error| format!("cannot start: {error}"))?;
        let (status, usage) = watch(child, LIMIT)?;
        let seconds = begin.elapsed().as_secs_f64();
        let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        let words = read(&stderr)?;
        let words = String::from_utf8_lossy(&words);
        if let Some(panic) =
            words.lines().find(|line| line.contains(" panicked at ")).filter(|_| status.success())
        {
            return Err(format!("ended well, and a part of it did not: {panic}"));
        }
        if !status.success() {
            let lines: Vec<&str> = words.lines().collect();
            let last = lines[lines.len().saturating_sub(20)..].iter().map(|line| format!("\n   {line}"));
            return Err(format!("ended with {status}{}", last.collect::<String>()));
        }
        for file in &self.rule.files {
            let size = std::fs::metadata(root.join(file)).map_or(0, |metadata| metadata.len());
            if size == 0 {
                return Err(format!("{} was not written, or is empty", file.display()));
            }
        }
        Ok(Finished { stdout: read(&stdout)?, seconds, usage })
    }

    /// Notes on time and memory; too much of what the example alone is to blame for is a failure.
    fn told(&self, runs: &[Finished]) -> Result<Vec<String>, String> {
        let seconds = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
        let usage = runs.iter().map(|run| run.usage).fold(Usage::default(), Usage::or_more);
        let figure = |value: Option<f64>, unit: &str| {
            value.map_or_else(String::new, |value| format!(", {value:.0} {unit}"))
        };
        let processor =
            usage.processor.map_or_else(String::new, |value| format!(" ({value:.2} s of a processor)"));
        let memory = figure(usage.megabytes, "MB");
        let again = if runs.len() > 1 { ", twice the same" } else { "" };
        for (value, limit, unit) in [
            (usage.processor, self.rule.seconds.map(|seconds| 2.0 * seconds), "s of a processor"),
            (usage.megabytes, self.rule.megabytes, "MB"),
        ] {
            if let (Some(value), Some(limit)) = (value, limit)
                && value > limit
            {
                return Err(format!("used {value:.1} {unit}, allowed are {limit:.0}"));
            }
        }
        let mut notes = vec![format!("{}: {seconds:.2} s{processor}{memory}{again}", self.name)];
        if let Some(limit) = self.rule.seconds.filter(|limit| seconds > *limit) {
            notes.push(format!("warning: {} took {seconds:.1} s, its budget is {limit:.0} s", self.name));
        }
        Ok(notes)
    }
}

/// Both must be the same bytes; else the first line that differs is told.
fn same(what: &str, expected: &[u8], found: &[u8]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut number = 1;
    loop {
        match (left.next(), right.next()) {
            (Some(expected), Some(found)) if expected == found => number += 1,
            (None, None) => return Err(format!("{what} differs in its line ends")),
            (expected, found) => {
                let shown =
                    |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("`{line}`"));
                return Err(format!(
                    "{what} differs in line {number}: expected {}, found {}",
                    shown(expected),
                    shown(found)
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_told() {
        assert_eq!(same("output", b"a\nb\n", b"a\nb\n"), Ok(()));
        let problem = same("output", b"a\nb\n", b"a\nc\n").unwrap_err();
        assert_eq!(problem, "output differs in line 2: expected `b`, found `c`");
        assert!(same("output", b"a\n", b"a\nb\n").unwrap_err().contains("expected the end"));
        assert!(same("output", b"a", b"a\n").unwrap_err().contains("line ends"));
    }

    #[test]
    fn too_much_work_or_memory_is_a_failure_and_a_long_wait_is_a_warning() {
        let told = |seconds: f64, processor: f64, megabytes: f64| {
            let rule = Rule { seconds: Some(5.0), megabytes: Some(200.0), ..Rule::default() };
            let example = Example { name: "run", program: Path::new("run"), recorded: PathBuf::new(), rule };
            let usage = Usage { processor: Some(processor), megabytes: Some(megabytes) };
            example.told(&[Finished { stdout: Vec::new(), seconds, usage }])
        };
        assert_eq!(told(4.0, 3.0, 100.0).unwrap(), ["run: 4.00 s (3.00 s of a processor), 100 MB"]);
        let notes = told(9.0, 6.0, 100.0).unwrap();
        assert_eq!(notes[1], "warning: run took 9.0 s, its budget is 5 s");
        assert_eq!(told(9.0, 10.5, 100.0).unwrap_err(), "used 10.5 s of a processor, allowed are 10");
        assert_eq!(told(4.0, 3.0, 201.0).unwrap_err(), "used 201.0 MB, allowed are 200");
    }

    #[cfg(unix)]
    mod with_a_shell {
        use super::*;

        /// A shell script in the place of an example, in a folder of its own.
        fn hold(name: &str, script: &str, rule: Rule, recorded: Option<&str>) -> Result<Vec<String>, String> {
            // The scripts of tests that are not about the output print a line `1`.
            let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            if let Some(recorded) = recorded {
                std::fs::write(folder.join("demo.stdout"), recorded).unwrap();
            }
            let rule = Rule { arguments: vec!["-c".to_owned(), script.to_owned()], ..rule };
            let example = Example {
                name: "run",
                program: Path::new("/bin/sh"),
                recorded: folder.join("demo.stdout"),
                rule,
            };
            let result = example.hold(&folder, &folder);
            std::fs::remove_dir_all(&folder).unwrap();
            result
        }

        #[test]
        fn a_good_example_is_told_with_its_seconds() {
            let notes = hold("good", "echo hello", Rule::default(), Some("hello\n")).unwrap();
            assert!(notes[0].starts_with("run: "), "{notes:?}");
        }

        #[test]
        fn an_example_that_fails_tells_its_own_words() {
            let problem = hold("bad", "echo 1; echo broken >&2; exit 3", prints(), None).unwrap_err();
            assert!(problem.contains("exit status: 3") && problem.contains("broken"), "{problem}");
        }

        #[test]
        fn an_example_must_print_what_is_recorded() {
            let problem = hold("other", "echo 2", Rule::default(), Some("1\n")).unwrap_err();
            assert!(problem.contains("expected `1`, found `2`"), "{problem}");
        }

        #[test]
        fn a_repeatable_example_prints_the_same_twice() {
            let rule = Rule { repeatable: true, ..prints() };
            let counter = "echo x >> count; echo 1; wc -l < count";
            let problem = hold("twice", counter, rule.clone(), None).unwrap_err();
            assert!(problem.contains("second run"), "{problem}");
            assert!(hold("same", "echo 1", rule, None).unwrap()[0].ends_with("twice the same"));
        }

        #[test]
        fn a_promised_file_must_be_written_by_each_run() {
            let rule = Rule { files: vec!["report.html".into()], repeatable: true, ..Rule::default() };
            assert!(hold("file", "echo 1; echo x > report.html", rule.clone(), None).is_ok());
            let once = "echo 1; test -e done || echo x > report.html; touch done";
            let problem = hold("once", once, rule, None).unwrap_err();
            assert!(problem.contains("report.html was not written"), "{problem}");
        }

        fn prints() -> Rule {
            Rule { lines: vec!["1".to_owned()], ..Rule::default() }
        }

        #[test]
        fn somebody_must_know_what_an_example_prints() {
            let problem = hold("unknown", "echo 1", Rule::default(), None).unwrap_err();
            assert!(problem.contains("nobody knows") && problem.contains("demo.stdout"), "{problem}");
        }

        #[test]
        fn lines_that_it_must_print_are_looked_for_whole() {
            let problem = hold("lines", "echo 11", prints(), None).unwrap_err();
            assert_eq!(problem, "standard output has no line `1`");
            let rule = Rule { files: vec!["report.html".into()], ..Rule::default() };
            let problem = hold("silent", "echo x > report.html", rule, None).unwrap_err();
            assert!(problem.contains("prints nothing"), "{problem}");
        }

        #[test]
        fn a_panic_of_a_part_is_a_failure_although_the_example_ends_well() {
            let script = "echo 1; echo \"thread 'x' (7) panicked at src/a.rs:1:2:\" >&2";
            let problem = hold("part", script, prints(), None).unwrap_err();
            assert!(problem.contains("panicked at src/a.rs"), "{problem}");
        }
    }
}
