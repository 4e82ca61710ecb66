//! What a machine must have before anything can be built: programs, and components of the Rust toolchain.

use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::command;
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// A program that the steps need.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    name: String,
    /// A shell command that succeeds when the tool is there.
    probe: String,
    /// Packages of Debian that bring it.
    debian: Vec<String>,
    /// What it is needed for.
    why: String,
}

/// The step `system`: installs what is missing if it may, else says how to get it.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let tools = Rules::read(workspace)?.tool;
    let mut notes = Vec::new();
    let mut problems = components(&mut notes);

    let missing: Vec<&Tool> = tools.iter().filter(|tool| !succeeds("sh", &["-c", &tool.probe])).collect();
    if !missing.is_empty() {
        let packages: Vec<&str> =
            missing.iter().flat_map(|tool| tool.debian.iter().map(String::as_str)).collect();
        match Installer::of(workspace.install) {
            Some(installer) => {
                notes.push(format!("installing {}", packages.join(" ")));
                if let Err(problem) = installer.install(&packages) {
                    problems.push(problem);
                }
            }
            None => problems.push(advice(&packages)),
        }
        problems.extend(
            missing
                .iter()
                .filter(|tool| !succeeds("sh", &["-c", &tool.probe]))
                .map(|tool| format!("missing: {} ({})", tool.name, tool.why)),
        );
    }
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let mut outcome =
        Outcome::check(problems).with_note(format!("needed: cargo, clippy, rustfmt, {}", names.join(", ")));
    outcome.notes.extend(notes);
    Ok(outcome)
}

/// Adds clippy and rustfmt to the toolchain; tells what could not be added.
fn components(notes: &mut Vec<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (component, subcommand) in [("clippy", "clippy"), ("rustfmt", "fmt")] {
        if succeeds("cargo", &[subcommand, "--version"]) {
            continue;
        }
        notes.push(format!("installing the Rust component {component}"));
        if !succeeds("rustup", &["component", "add", component]) {
            problems.push(format!("missing: {component}; get it with: rustup component add {component}"));
        }
    }
    problems
}

fn advice(packages: &[&str]) -> String {
    let packages = packages.join(" ");
    format!("get the missing packages with: apt-get install {packages} (or run again with --install)")
}

/// How system packages are installed on this machine.
#[derive(Debug, PartialEq, Eq)]
enum Installer {
    Root,
    Sudo,
}

impl Installer {
    /// None when the machine has no apt, or when the person is not root and did not ask.
    fn of(asked: bool) -> Option<Self> {
        let root = command::stdout(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        Self::choose(root, asked, succeeds("apt-get", &["--version"]))
    }

    fn choose(root: bool, asked: bool, apt: bool) -> Option<Self> {
        match (apt, root, asked) {
            (true, true, _) => Some(Self::Root),
            (true, false, true) => Some(Self::Sudo),
            _ => None,
        }
    }

    fn install(&self, packages: &[&str]) -> Result<(), String> {
        let mut install = vec!["install", "--yes", "--no-install-recommends"];
        install.extend(packages);
        for arguments in [vec!["update"], install] {
            let mut command = match self {
                Self::Root => Command::new("apt-get"),
                Self::Sudo => {
                    let mut sudo = Command::new("sudo");
                    sudo.args(["--non-interactive", "apt-get"]);
                    sudo
                }
            };
            command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
            let said = command::describe(&command);
            let run = command::capture(&mut command, |_| ())?;
            if !run.success {
                let last = run.lines.last().map_or("", String::as_str);
                return Err(format!("`{said}` failed: {last}"));
            }
        }
        Ok(())
    }
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_only_by_root_or_when_asked() {
        assert_eq!(Installer::choose(true, false, true), Some(Installer::Root));
        assert_eq!(Installer::choose(false, true, true), Some(Installer::Sudo));
        assert_eq!(Installer::choose(false, false, true), None);
        assert_eq!(Installer::choose(true, true, false), None);
    }

    #[test]
    fn advice_names_the_packages_and_the_option() {
        let text = advice(&["gcc", "libc6-dev"]);
        assert!(text.contains("apt-get install gcc libc6-dev") && text.contains("--install"));
    }
}
