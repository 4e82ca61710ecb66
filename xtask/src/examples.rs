//! Every example is built once in release, run, and its output checked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::cargo_output::{self, TELL_PROGRAMS};
use crate::command::{self, Ticker};
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// What is asked of an example beyond the exit code 0 and its recorded output.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rule {
    arguments: Vec<String>,
    /// Run twice, with the same bytes on standard output.
    repeatable: bool,
    /// Files that every run must write anew and not leave empty, from the root of the workspace.
    files: Vec<PathBuf>,
    /// More than this is warned about.
    seconds: Option<f64>,
    /// More than this is warned about.
    megabytes: Option<f64>,
}

/// An example that takes longer is stopped.
const LIMIT: Duration = Duration::from_mins(2);
/// How often a running example is looked at.
const LOOK: Duration = Duration::from_millis(5);

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
    for package in metadata.members().filter(|package| package.is_published()) {
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
    megabytes: Option<f64>,
}

impl Example<'_> {
    /// Runs the example and checks it; gives notes on time and memory.
    fn hold(&self, root: &Path, scratch: &Path) -> Result<Vec<String>, String> {
        let first = self.run(root, scratch)?;
        let runs = if self.rule.repeatable {
            let second = self.run(root, scratch)?;
            same("standard output of the second run", &first.stdout, &second.stdout)?;
            vec![first, second]
        } else {
            vec![first]
        };
        if self.recorded.exists() {
            let expected = std::fs::read(&self.recorded)
                .map_err(|error| format!("{}: {error}", self.recorded.display()))?;
            same("standard output", &expected, &runs[0].stdout)?;
        }
        Ok(self.told(&runs))
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
        let (status, megabytes) = watch(child, begin)?;
        let seconds = begin.elapsed().as_secs_f64();
        let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        if !status.success() {
            let words = read(&stderr)?;
            let words = String::from_utf8_lossy(&words);
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
        Ok(Finished { stdout: read(&stdout)?, seconds, megabytes })
    }

    fn told(&self, runs: &[Finished]) -> Vec<String> {
        let seconds = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
        let megabytes = runs.iter().filter_map(|run| run.megabytes).reduce(f64::max);
        let memory = megabytes.map_or_else(String::new, |megabytes| format!(", {megabytes:.0} MB"));
        let again = if runs.len() > 1 { ", twice the same" } else { "" };
        let mut notes = vec![format!("{}: {seconds:.2} s{memory}{again}", self.name)];
        for (value, limit, unit) in
            [(Some(seconds), self.rule.seconds, "s"), (megabytes, self.rule.megabytes, "MB")]
        {
            if let (Some(value), Some(limit)) = (value, limit)
                && value > limit
            {
                notes.push(format!(
                    "warning: {} used {value:.1} {unit}, its budget is {limit:.0} {unit}",
                    self.name
                ));
            }
        }
        notes
    }
}

/// Waits for the end, not longer than the limit; also tells the largest resident size where the system shows it.
fn watch(mut child: Child, begin: Instant) -> Result<(ExitStatus, Option<f64>), String> {
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        if let Some(megabytes) =
            std::fs::read_to_string(&status_file).ok().and_then(|text| peak_memory(&text))
        {
            peak = Some(megabytes);
        }
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok((status, peak));
        }
        if begin.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("still ran after {} s and was stopped", LIMIT.as_secs()));
        }
        std::thread::sleep(LOOK);
    }
}

/// The `VmHWM` line of a Linux status file, in megabytes.
fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
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
    fn peak_memory_is_read_in_megabytes() {
        assert_eq!(peak_memory("Name:\tdesk\nVmHWM:\t  100000 kB\n"), Some(102.4));
        assert_eq!(peak_memory("Name:\tdesk\n"), None);
    }

    #[cfg(unix)]
    mod with_a_shell {
        use super::*;

        /// A shell script in the place of an example, in a folder of its own.
        fn hold(name: &str, script: &str, rule: Rule, recorded: Option<&str>) -> Result<Vec<String>, String> {
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
            assert!(notes[0].starts_with("run: 0."), "{notes:?}");
        }

        #[test]
        fn an_example_that_fails_tells_its_own_words() {
            let problem = hold("bad", "echo broken >&2; exit 3", Rule::default(), None).unwrap_err();
            assert!(problem.contains("exit status: 3") && problem.contains("broken"), "{problem}");
        }

        #[test]
        fn an_example_must_print_what_is_recorded() {
            let problem = hold("other", "echo 2", Rule::default(), Some("1\n")).unwrap_err();
            assert!(problem.contains("expected `1`, found `2`"), "{problem}");
        }

        #[test]
        fn a_repeatable_example_prints_the_same_twice() {
            let rule = Rule { repeatable: true, ..Rule::default() };
            let counter = "echo x >> count; wc -l < count";
            let problem = hold("twice", counter, rule.clone(), None).unwrap_err();
            assert!(problem.contains("second run"), "{problem}");
            assert!(hold("same", "echo 1", rule, None).unwrap()[0].ends_with("twice the same"));
        }

        #[test]
        fn a_promised_file_must_be_written_by_each_run() {
            let rule = Rule { files: vec!["report.html".into()], repeatable: true, ..Rule::default() };
            assert!(hold("file", "echo x > report.html", rule.clone(), None).is_ok());
            let once = "test -e done || echo x > report.html; touch done";
            let problem = hold("once", once, rule, None).unwrap_err();
            assert!(problem.contains("report.html was not written"), "{problem}");
        }
    }
}
