//! Runs the tests of the workspace, and each failed one once more alone.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cargo_output::{self, TELL_PROGRAMS};
use crate::command::{self, Ticker, say};
use crate::step::Outcome;
use crate::test_results::{Alone, FailedTest, Home, TestResults};
use crate::usage::watch;
use crate::workspace::{Metadata, Workspace};

/// What cargo tests. Benchmarks have no tests of their own, and their harness takes long to build.
const EVERYTHING: [&str; 5] =
    ["test", "--workspace", "--exclude=bellwether-bench", "--all-features", "--no-fail-fast"];
/// Cargo leaves out the unit tests of examples unless it is asked for them.
const PARTS: [&[&str]; 2] = [&[], &["--examples"]];
/// Failed tests that are run again, each alone.
const AGAIN: usize = 20;
/// How long a test may take when it runs again.
const AGAIN_LIMIT: Duration = Duration::from_mins(1);

/// The step `tests`: passed and failed are counted test by test.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let ticker = Ticker::new(workspace.quiet);
    let begin = Instant::now();
    let mut homes = BTreeMap::new();
    for part in PARTS {
        let mut build = command::cargo(&workspace.root);
        build.args(EVERYTHING).args(part).args(["--no-run", TELL_PROGRAMS]);
        let built = command::capture(&mut build, |line| ticker.show(line))?;
        ticker.clear();
        if !built.success {
            return Ok(Outcome::check(cargo_output::findings(built.lines).collect()));
        }
        homes.extend(homes_of(workspace.metadata()?, &built.lines));
    }
    let note = format!("built in {:.0} s", begin.elapsed().as_secs_f64());

    let mut results = TestResults::new(homes);
    results.frames = workspace.backtrace;
    results.published = workspace.metadata()?.published().map(|package| package.name.clone()).collect();
    for part in PARTS {
        // The output of tests that passed is asked for too: a test without its server says so there.
        let mut cargo = command::cargo(&workspace.root);
        cargo.args(EVERYTHING).args(part).args(["--", "--show-output"]);
        backtrace(&mut cargo, workspace);
        let run = command::capture(&mut cargo, |line| {
            let closed = results.read(line);
            if closed || line.contains(" has been running for over ") {
                ticker.clear();
                let told = if closed { results.last_summary() } else { Some(line.to_owned()) };
                told.filter(|_| !(closed && workspace.quiet))
                    .iter()
                    .for_each(|line| say(&format!("   {line}")));
            }
            ticker.show(line);
        })?;
        if results.close() && !workspace.quiet {
            results.last_summary().iter().for_each(|line| say(&format!("   {line}")));
        }
        results.content &= run.success;
        results.whole.extend(run.lines);
    }
    ticker.clear();

    let failed = results.failed();
    results.again = run_again(workspace, failed);
    let log = workspace.keep("tests-output.log", &results.whole.join("\n"))?;
    workspace.tests_held(results.held());
    let outcome = results.finish().with_note(note);
    Ok(if outcome.failed > 0 {
        outcome.with_note(format!("everything that the tests printed: {}", log.display()))
    } else {
        outcome
    })
}

/// Panics on purpose are part of many tests, so backtraces are for a person who asks for them.
fn backtrace(command: &mut Command, workspace: &Workspace) {
    command
        .env("RUST_BACKTRACE", if workspace.backtrace { "1" } else { "0" })
        .env_remove("RUST_LIB_BACKTRACE");
}

/// The home of each test program, by the name of its file.
fn homes_of(metadata: &Metadata, lines: &[String]) -> BTreeMap<String, Home> {
    cargo_output::programs(lines)
        .into_iter()
        .filter_map(|program| {
            let file = program.path.file_name()?.to_string_lossy().into_owned();
            let package = metadata.package(&program.package)?;
            let part = match program.kind.as_str() {
                "test" => program.target,
                "example" => format!("example {}", program.target),
                _ => "unit".to_owned(),
            };
            let folder = package.manifest_path.parent()?.to_owned();
            Some((file, Home { package: package.name.clone(), part, folder }))
        })
        .collect()
}

/// Runs failed tests once more, each alone; documentation tests are left out, they share nothing.
fn run_again(workspace: &Workspace, failed: Vec<FailedTest>) -> BTreeMap<(String, String), Alone> {
    let again = failed.into_iter().take(AGAIN).filter_map(|FailedTest { label, name, file, folder }| {
        let mut test = Command::new(workspace.root.join(file));
        test.args(["--exact", &name, "--test-threads=1"]);
        test.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
        backtrace(&mut test, workspace);
        Some(((label, name), alone(&mut test)?))
    });
    again.collect()
}

/// Runs the command to its end; none when it cannot be started.
fn alone(test: &mut Command) -> Option<Alone> {
    let child = test.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    Some(match watch(child, AGAIN_LIMIT) {
        Ok((status, _)) if status.success() => Alone::Passes,
        Ok(_) => Alone::FailsToo,
        Err(_) => Alone::Hangs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_test_run_again_ends_as_its_program_ends() {
        assert_eq!(alone(&mut Command::new("true")), Some(Alone::Passes));
        assert_eq!(alone(&mut Command::new("false")), Some(Alone::FailsToo));
        assert_eq!(alone(&mut Command::new("no-such-program-here")), None);
    }
}
