//! `cargo xtask bench`: the benchmarks of `bellwether-bench`, and the table of goals of the metrics.

use std::process::ExitCode;

use crate::command;
use crate::options::Manners;
use crate::workspace::Workspace;

const PACKAGE: &str = "bellwether-bench";
/// The benchmark that prints the table of goals, and the feature that brings what it compares with.
const GOALS: [&str; 2] = ["goals", "peers"];

/// Runs the benchmarks on this terminal. `--bench NAME` picks a file; other arguments are criterion's. `metrics` as the
/// first word is the table of goals, with arguments of its own.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let workspace = Workspace::find(Manners::default())?;
    if let Some(("metrics", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        let [file, feature] = GOALS;
        return bench(
            &workspace,
            &["--no-default-features", "--features", feature, "--bench", file],
            rest.iter().map(String::as_str),
        );
    }
    let package = workspace.metadata()?.members().find(|package| package.name == PACKAGE);
    let known: Vec<&str> = package
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is("bench"))
        .map(|target| target.name.as_str())
        .filter(|name| *name != GOALS[0])
        .collect();
    if known.is_empty() {
        return Err(format!("{PACKAGE} has no benchmarks"));
    }
    let (picked, rest) = pick(arguments)?;
    if let Some(stranger) = picked.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no benchmark file `{stranger}`; there are {}", known.join(", ")));
    }
    let files = if picked.is_empty() { known } else { picked };
    let files: Vec<&str> = files.into_iter().flat_map(|name| ["--bench", name]).collect();
    bench(&workspace, &files, rest.into_iter())
}

/// Runs `cargo bench` with options of its own, and with arguments for the benchmarks.
fn bench<'a>(
    workspace: &Workspace,
    options: &[&str],
    arguments: impl Iterator<Item = &'a str>,
) -> Result<ExitCode, String> {
    let mut cargo = command::cargo(&workspace.root);
    cargo.env_remove("CARGO_TERM_PROGRESS_WHEN").args(["bench", "--package", PACKAGE]);
    cargo.args(options).arg("--").args(arguments);
    let status = cargo.status().map_err(|error| format!("cannot run cargo bench: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Parts the files named by `--bench` from the arguments for criterion.
fn pick(arguments: &[String]) -> Result<(Vec<&str>, Vec<&str>), String> {
    let (mut files, mut rest) = (Vec::new(), Vec::new());
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--bench" => files.push(arguments.next().ok_or("--bench needs the name of a benchmark file")?),
            "--" => {}
            other => rest.push(other),
        }
    }
    Ok((files, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_parted_from_filters() {
        let line = ["--bench", "ledger", "--", "fifo", "--quick"].map(str::to_owned);
        assert_eq!(pick(&line).unwrap(), (vec!["ledger"], vec!["fifo", "--quick"]));
        assert!(pick(&["--bench".to_owned()]).is_err());
    }
}
