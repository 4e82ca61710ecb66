//! Dependencies that must not be in a user's graph, as `[[absent]]` in `xtask/rules.toml` lists them.

use serde::Deserialize;

use crate::command;
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// One promise: this package, built so, does not pull these crates on any platform.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    package: String,
    /// `none`, `default`, `all`, or a list of features without the default ones.
    features: Features,
    /// A feature that does bring some of the crates, where there is one: so the rule is seen to find them.
    found_with: Option<String>,
    /// Kinds of dependencies that count, as `cargo tree --edges` takes them.
    edges: String,
    crates: Vec<String>,
    why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Features {
    Set(Set),
    Named(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Set {
    None,
    Default,
    All,
}

impl Features {
    fn arguments(&self) -> Vec<String> {
        let argument = |text: &str| vec![text.to_owned()];
        match self {
            Self::Set(Set::None) => argument("--no-default-features"),
            Self::Set(Set::Default) => Vec::new(),
            Self::Set(Set::All) => argument("--all-features"),
            Self::Named(names) => {
                vec!["--no-default-features".to_owned(), "--features".to_owned(), names.join(",")]
            }
        }
    }
}

/// The step `absent`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let rules = Rules::read(workspace)?.absent;
    let mut problems = Vec::new();
    for rule in &rules {
        let (said, tree) = rule.tree(workspace, &rule.features)?;
        let pulled = found(&tree, &rule.crates);
        problems.extend(
            pulled
                .iter()
                .map(|name| format!("{} pulls {name}, and must not: {} (`{said}`)", rule.package, rule.why)),
        );
        let Some(feature) = &rule.found_with else { continue };
        let (said, tree) = rule.tree(workspace, &Features::Named(vec![feature.clone()]))?;
        if found(&tree, &rule.crates).is_empty() {
            problems.push(format!(
                "{}: `{said}` finds none of {}, so the rule proves nothing",
                rule.package,
                rule.crates.join(", ")
            ));
        }
    }
    Ok(Outcome::check(problems).with_note(format!("{} promises", rules.len())))
}

impl Rule {
    /// The command and what it prints.
    fn tree(&self, workspace: &Workspace, features: &Features) -> Result<(String, String), String> {
        let mut cargo = command::cargo(&workspace.root);
        cargo
            .args(["tree", "--package", &self.package, "--edges", &self.edges])
            .args(["--target=all", "--prefix=none"])
            .args(features.arguments());
        let said = command::describe(&cargo);
        Ok((said, command::stdout(&mut cargo)?))
    }
}

/// Which of the crates stand in the output of `cargo tree --prefix none`.
fn found<'a>(tree: &str, crates: &'a [String]) -> Vec<&'a str> {
    crates
        .iter()
        .map(String::as_str)
        .filter(|name| tree.lines().any(|line| line.split(' ').next() == Some(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_found_by_its_whole_name() {
        let tree = "bellwether-core v0.1.0 (/x/crates/core)\ntokio-util v0.7.1\nhyper v1.4.0 (*)\n";
        let crates = ["tokio", "hyper", "rustls"].map(str::to_owned);
        assert_eq!(found(tree, &crates), ["hyper"]);
    }

    #[test]
    fn features_are_a_word_or_a_list() {
        #[derive(Deserialize)]
        struct Rule {
            features: Features,
        }
        let arguments = |text: &str| toml::from_str::<Rule>(text).unwrap().features.arguments();
        assert_eq!(arguments("features = 'none'"), ["--no-default-features"]);
        assert!(arguments("features = 'default'").is_empty());
        assert_eq!(
            arguments("features = ['full', 'serde']"),
            ["--no-default-features", "--features", "full,serde"]
        );
        assert!(toml::from_str::<Rule>("features = 'some'").is_err());
    }
}
