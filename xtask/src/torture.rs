//! `cargo xtask torture`: the same tests with large counts, and the loom models.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::command;
use crate::options::Manners;
use crate::workspace::Workspace;

/// Cases per property when none are asked for.
const CASES: u32 = 10_000;

/// Runs every test in an optimised build that keeps its checks, on this terminal.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let Choice { cases, seed, filter } = parse(arguments)?;
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let workspace = Workspace::find(Manners::default())?;
    let target = workspace.metadata()?.target_directory.clone();

    println!("seed {seed}, {cases} cases (again: cargo xtask torture --cases {cases} --seed {seed})");
    for path in fixed_counts(&workspace)? {
        println!(
            "note: {path} fixes the cases of a property itself (`with_cases`), so it runs as it always does"
        );
    }
    let mut tests = command::cargo(&workspace.root);
    tests
        .args([
            "test",
            "--workspace",
            "--exclude=xtask",
            "--all-features",
            "--release",
            "--no-fail-fast",
            "--",
        ])
        .args(&filter)
        .env("CARGO_TARGET_DIR", target.join("torture"))
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env("BELLWETHER_CASES", cases.to_string())
        .env("BELLWETHER_SEED", seed.to_string())
        .env("PROPTEST_CASES", cases.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string());
    let mut good = finish(&mut tests)?;

    for package in loom_packages(&workspace)? {
        println!("loom models of {package}");
        let mut models = command::cargo(&workspace.root);
        models
            .args([
                "test",
                "--package",
                &package,
                "--all-features",
                "--release",
                "--lib",
                "--tests",
                "--",
                "loom",
            ])
            .env("CARGO_TARGET_DIR", target.join("loom"))
            .env("RUSTFLAGS", "--cfg loom_models");
        good &= finish(&mut models)?;
    }
    println!("seed {seed}: {}", if good { "held" } else { "FAILED" });
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Debug, PartialEq, Eq)]
struct Choice {
    cases: u32,
    seed: Option<u64>,
    filter: Vec<String>,
}

fn parse(arguments: &[String]) -> Result<Choice, String> {
    let mut choice = Choice { cases: CASES, seed: None, filter: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or_else(|| format!("{argument} needs a number"));
        match argument.as_str() {
            "--cases" => choice.cases = read(number()?)?,
            "--seed" => choice.seed = Some(read(number()?)?),
            "--" => choice.filter.extend(arguments.by_ref().cloned()),
            other => return Err(format!("torture does not know `{other}`")),
        }
    }
    Ok(choice)
}

fn read<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number in range"))
}

fn finish(command: &mut Command) -> Result<bool, String> {
    let said = command::describe(command);
    command.status().map(|status| status.success()).map_err(|error| format!("cannot run `{said}`: {error}"))
}

/// Rust files that set a number of cases which the environment cannot raise.
fn fixed_counts(workspace: &Workspace) -> Result<Vec<String>, String> {
    let call = "with_cases(";
    let fixed = |text: &str| {
        text.match_indices(call)
            .any(|(at, _)| text[at + call.len()..].starts_with(|next: char| next.is_ascii_digit()))
    };
    rust_files_where(workspace, fixed)
}

/// Packages with models: code under `cfg(loom_models)`, and tests with `loom` in their path. Dependencies have a `cfg(loom)`
/// of their own, under which tokio has no network.
fn loom_packages(workspace: &Workspace) -> Result<Vec<String>, String> {
    let files = rust_files_where(workspace, |text| {
        text.contains("#[cfg(loom_models)]") || text.contains("#![cfg(loom_models)]")
    })?;
    let packages = workspace.metadata()?.members().filter(|package| {
        let folder =
            package.manifest_path.parent().and_then(|folder| folder.strip_prefix(&workspace.root).ok());
        // The root package holds all the others' folders; its own sources are in `src`.
        folder.is_some_and(|folder| files.iter().any(|file| Path::new(file).starts_with(folder.join("src"))))
    });
    Ok(packages.map(|package| package.name.clone()).collect())
}

fn rust_files_where(workspace: &Workspace, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let mut files = workspace.files(&["*.rs", ":!xtask"])?;
    files.retain(|path| workspace.read(path).is_ok_and(|text| wanted(&text)));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(line: &str) -> Result<Choice, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn counts_seed_and_filter_are_read() {
        let choice = choice("--cases 500 --seed 18446744073709551615 -- ledger --nocapture").unwrap();
        assert_eq!((choice.cases, choice.seed), (500, Some(u64::MAX)));
        assert_eq!(choice.filter, ["ledger", "--nocapture"]);
    }

    #[test]
    fn a_missing_or_wrong_number_is_refused() {
        assert!(
            choice("--cases").is_err() && choice("--cases many").is_err() && choice("--seed -1").is_err()
        );
    }
}
