//! Formatting, clippy and rustdoc: one check each.

use std::process::Command;

use crate::cargo_output;
use crate::command::{self, Run, Ticker};
use crate::step::Outcome;
use crate::workspace::Workspace;

pub(crate) fn formatting(workspace: &Workspace) -> Result<Outcome, String> {
    let mut cargo = command::cargo(&workspace.root);
    let mut outcome =
        check(workspace, &mut [cargo.args(["fmt", "--all", "--check", "--", "--files-with-diff"])])?;
    if outcome.failed > 0 {
        outcome.problems.push("mend these files with: cargo fmt --all".to_owned());
    }
    Ok(outcome)
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<Outcome, String> {
    let everything = ["clippy", "--workspace", "--all-targets"];
    let deny = ["--", "-D", "warnings"];
    check(
        workspace,
        &mut [
            command::cargo(&workspace.root).args(everything).arg("--all-features").args(deny),
            command::cargo(&workspace.root).args(everything).args(deny),
        ],
    )
}

pub(crate) fn rustdoc(workspace: &Workspace) -> Result<Outcome, String> {
    check(
        workspace,
        &mut [command::cargo(&workspace.root)
            .args(["doc", "--no-deps", "--workspace", "--all-features"])
            .env("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// All commands must succeed; what a failed one printed is the problem.
fn check(workspace: &Workspace, commands: &mut [&mut Command]) -> Result<Outcome, String> {
    let ticker = Ticker::new(workspace.quiet);
    let mut problems = Vec::new();
    for command in commands {
        let Run { lines, success } = command::capture(command, |line| ticker.show(line))?;
        ticker.clear();
        if !success {
            problems.push(format!("$ {}", command::describe(command)));
            problems.extend(cargo_output::findings(lines));
        }
    }
    Ok(Outcome::check(problems))
}
