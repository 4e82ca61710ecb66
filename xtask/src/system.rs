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
    #[serde(default)]
    debian: Vec<String>,
    /// Packages of PyPI that bring it, each `NAME==VERSION`. They go into [`PYTHON`], which the machine does not notice.
    #[serde(default)]
    pip: Vec<String>,
    /// What it is needed for.
    why: String,
}

/// Where packages of PyPI go, from the root of the workspace.
const PYTHON: &str = "target/python";

/// The step `system`: installs what is missing if it may, else says how to get it.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let tools = Rules::read(workspace)?.tool;
    let mut notes = Vec::new();
    let mut problems = components(&mut notes);

    let is_missing = |tool: &&Tool| {
        let mut probe = Command::new("sh");
        !succeeds(probe.args(["-c", &tool.probe]).current_dir(&workspace.root))
    };
    let missing: Vec<&Tool> = tools.iter().filter(is_missing).collect();
    let packages = |of: fn(&Tool) -> &[String]| -> Vec<&str> {
        missing.iter().flat_map(|tool| of(tool)).map(String::as_str).collect()
    };
    let debian = packages(|tool| &tool.debian);
    if !debian.is_empty() {
        match Installer::of(workspace.install) {
            Some(installer) => {
                notes.push(format!("installing {}", debian.join(" ")));
                problems.extend(installer.install(&debian).err());
            }
            None => problems.push(advice(&debian)),
        }
    }
    let pip = packages(|tool| &tool.pip);
    if !pip.is_empty() {
        notes.push(format!("installing {} into {PYTHON}", pip.join(" ")));
        problems.extend(install_python(workspace, &pip).err());
    }
    let still = missing.iter().copied().filter(is_missing);
    problems.extend(still.map(|tool| format!("missing: {} ({})", tool.name, tool.why)));
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let mut outcome =
        Outcome::check(problems).with_note(format!("needed: cargo, clippy, rustfmt, {}", names.join(", ")));
    outcome.notes.extend(notes);
    Ok(outcome)
}

/// Packages of PyPI beside the build, not into the machine's Python.
fn install_python(workspace: &Workspace, packages: &[&str]) -> Result<(), String> {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--upgrade",
        "--disable-pip-version-check",
        "--target",
        PYTHON,
    ])
    .args(packages)
    .current_dir(&workspace.root);
    run(&mut pip)
}

fn run(command: &mut Command) -> Result<(), String> {
    let said = command::describe(command);
    let run = command::capture(command, |_| ())?;
    if run.success {
        return Ok(());
    }
    let last = run.lines.last().map_or("", String::as_str);
    Err(format!("`{said}` failed: {last}"))
}

/// Adds clippy and rustfmt to the toolchain; tells what could not be added.
fn components(notes: &mut Vec<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (component, subcommand) in [("clippy", "clippy"), ("rustfmt", "fmt")] {
        if succeeds(Command::new("cargo").args([subcommand, "--version"])) {
            continue;
        }
        notes.push(format!("installing the Rust component {component}"));
        if !succeeds(Command::new("rustup").args(["component", "add", component])) {
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
        Self::choose(root, asked, succeeds(Command::new("apt-get").arg("--version")))
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
            run(&mut command)?;
        }
        Ok(())
    }
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
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
