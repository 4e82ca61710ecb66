//! Each crate must compile with no features, the default ones, each one alone, and all, without a warning.
//!
//! The step `clippy` sees the code of all features together. What is only there when a feature is missing is seen here:
//! the set without features is linted, too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::cargo_output;
use crate::command::{self, Ticker};
use crate::step::Outcome;
use crate::workspace::{Package, Workspace};

/// The step `features`: `cargo check` or `cargo clippy` for every feature set of every published crate.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let ticker = Ticker::new(workspace.quiet);
    let mut problems = Problems::default();
    let mut crates = 0;
    let mut times = Vec::new();
    for package in workspace.metadata()?.published() {
        crates += 1;
        for set in sets(package) {
            let mut cargo = command::cargo(&workspace.root);
            cargo.args([set.command(), "--package", &package.name]).args(set.arguments());
            let said = command::describe(&cargo);
            ticker.show(&said);
            let begin = Instant::now();
            let run = command::capture(&mut cargo, |_| ())?;
            times.push((begin.elapsed().as_secs(), said.clone()));
            if !run.success || cargo_output::has_warning(&run.lines) {
                problems.add(&said, cargo_output::findings(run.lines));
            }
        }
    }
    ticker.clear();
    let mut outcome =
        Outcome::check(problems.lines).with_note(format!("{} feature sets of {crates} crates", times.len()));
    if let Some((seconds, said)) = times.into_iter().max() {
        outcome = outcome.with_note(format!("slowest: {said} ({seconds} s)"));
    }
    Ok(outcome)
}

/// What cargo said of all sets; a paragraph that many sets have in common is told once.
#[derive(Debug, Default)]
struct Problems {
    lines: Vec<String>,
    seen: BTreeSet<String>,
}

impl Problems {
    fn add(&mut self, command: &str, findings: impl Iterator<Item = String>) {
        let text = findings.collect::<Vec<_>>().join("\n");
        let new: Vec<&str> = text.split("\n\n").filter(|part| self.seen.insert((*part).to_owned())).collect();
        let hint = if new.is_empty() { " (the same as above)" } else { "" };
        self.lines.push(format!("$ {command}{hint}"));
        self.lines.extend(new.iter().flat_map(|part| part.lines()).map(str::to_owned));
    }
}

/// A choice of features as cargo takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FeatureSet {
    None,
    Default,
    Alone(String),
    All,
}

impl FeatureSet {
    fn command(&self) -> &'static str {
        if *self == Self::None { "clippy" } else { "check" }
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::None => vec!["--no-default-features"],
            Self::Default => Vec::new(),
            Self::Alone(feature) => vec!["--no-default-features", "--features", feature],
            Self::All => vec!["--all-features"],
        }
    }
}

/// The feature sets of a crate, without those that come to the same.
fn sets(package: &Package) -> Vec<FeatureSet> {
    let features = &package.features;
    let alone = features.keys().filter(|name| *name != "default").cloned().map(FeatureSet::Alone);
    let mut seen = BTreeSet::new();
    std::iter::once(FeatureSet::None)
        .chain([FeatureSet::Default])
        .chain(alone)
        .chain([FeatureSet::All])
        .filter(|set| seen.insert(reached(features, set)))
        .collect()
}

/// Everything that a set switches on, through other features.
fn reached(features: &BTreeMap<String, Vec<String>>, set: &FeatureSet) -> BTreeSet<String> {
    let mut waiting: Vec<String> = match set {
        FeatureSet::None => Vec::new(),
        FeatureSet::Default => features.get("default").cloned().unwrap_or_default(),
        FeatureSet::Alone(feature) => vec![feature.clone()],
        FeatureSet::All => features.keys().filter(|name| *name != "default").cloned().collect(),
    };
    let mut reached = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if reached.insert(name.clone()) {
            waiting.extend(features.get(&name).into_iter().flatten().cloned());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &str) -> Package {
        let json = format!(
            r#"{{"id":"a","name":"a","version":"0.1.0","license":null,"dependencies":[],"features":{features},
               "targets":[],"manifest_path":"/a/Cargo.toml","publish":null}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_many_sets_have_in_common_is_told_once() {
        let mut problems = Problems::default();
        let said = || ["warning: a", "  --> x", "", "warning: b"].map(str::to_owned).into_iter();
        problems.add("first", said());
        problems.add("second", said());
        assert_eq!(
            problems.lines,
            ["$ first", "warning: a", "  --> x", "warning: b", "$ second (the same as above)"]
        );
    }

    #[test]
    fn a_crate_without_features_has_one_set() {
        assert_eq!(sets(&package("{}")), [FeatureSet::None]);
        assert_eq!(sets(&package(r#"{"default":[]}"#)), [FeatureSet::None]);
    }

    #[test]
    fn sets_that_come_to_the_same_are_checked_once() {
        let found = sets(&package(r#"{"default":["ledger"],"ledger":["dep:decimal"],"tracker":["ledger"]}"#));
        assert_eq!(found, [FeatureSet::None, FeatureSet::Default, FeatureSet::Alone("tracker".to_owned())]);
    }

    #[test]
    fn every_feature_is_tried_alone_and_all_together() {
        let found = sets(&package(r#"{"default":[],"a":["dep:x"],"b":["x?/std"]}"#));
        let alone = |name: &str| FeatureSet::Alone(name.to_owned());
        assert_eq!(found, [FeatureSet::None, alone("a"), alone("b"), FeatureSet::All]);
    }
}
