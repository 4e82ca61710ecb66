//! What cargo prints while it builds: progress, warnings, and the programs it has made.

use std::path::PathBuf;

use serde::Deserialize;

/// Makes cargo tell its programs as JSON between its ordinary lines.
pub(crate) const TELL_PROGRAMS: &str = "--message-format=json-render-diagnostics";

/// A program that cargo has built.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The id of its package in `cargo metadata`.
    pub(crate) package: String,
    /// The name of its target.
    pub(crate) target: String,
    /// `bin`, `example`, `test`, `lib` …
    pub(crate) kind: String,
    pub(crate) path: PathBuf,
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: ArtifactTarget,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ArtifactTarget {
    name: String,
    kind: Vec<String>,
}

/// The programs told in lines of a build with [`TELL_PROGRAMS`].
pub(crate) fn programs(lines: &[String]) -> Vec<Program> {
    lines
        .iter()
        .filter(|line| is_json(line))
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter_map(|artifact| {
            let kind = artifact.target.kind.into_iter().next()?;
            let path = artifact.executable?;
            Some(Program { package: artifact.package_id, target: artifact.target.name, kind, path })
        })
        .collect()
}

/// The lines for people: neither progress nor JSON.
pub(crate) fn findings(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().filter(|line| !is_progress(line) && !is_json(line))
}

/// Whether cargo warned of something in the code or in a manifest.
pub(crate) fn has_warning(lines: &[String]) -> bool {
    lines.iter().any(|line| line.starts_with("warning:"))
}

/// Lines in which cargo tells that it works, not what it found.
pub(crate) fn is_progress(line: &str) -> bool {
    let first = line.trim_start().split(' ').next().unwrap_or_default();
    line.starts_with(' ')
        && matches!(
            first,
            "Adding"
                | "Blocking"
                | "Checking"
                | "Compiling"
                | "Documenting"
                | "Downloaded"
                | "Downloading"
                | "Executable"
                | "Finished"
                | "Fresh"
                | "Generated"
                | "Locking"
                | "Updating"
        )
}

fn is_json(line: &str) -> bool {
    line.starts_with("{\"reason\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_from_findings() {
        assert!(is_progress("    Checking bellwether-core v0.1.0 (crates/core)"));
        assert!(is_progress("    Blocking waiting for file lock on build directory"));
        assert!(!is_progress("warning: unused variable: `x`"));
        assert!(!is_progress("  --> crates/core/src/labels.rs:4:1"));
    }

    #[test]
    fn programs_are_read_from_between_other_lines() {
        let lines = [
            "   Compiling demo v0.1.0",
            r#"{"reason":"compiler-artifact","package_id":"path+file:///d#demo@0.1.0","target":{"kind":["lib"],"name":"demo"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","package_id":"path+file:///d#demo@0.1.0","target":{"kind":["example"],"name":"desk"},"executable":"/d/desk"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ]
        .map(str::to_owned);
        let found = programs(&lines);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].target.as_str(), found[0].kind.as_str()), ("desk", "example"));
        assert_eq!(found[0].path, PathBuf::from("/d/desk"));
        assert_eq!(findings(lines.to_vec()).count(), 0);
    }
}
