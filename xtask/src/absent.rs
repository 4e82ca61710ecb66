//! Dependencies that must not be in a user's graph, as `[[absent]]` in `xtask/rules.toml` lists them.

use serde::Deserialize;

use crate::command;
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// One promise: this package, built so, does not pull these crates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    package: String,
    /// Features: `none`, `default` or `all`.
    features: Features,
    /// Kinds of dependencies that count, as `cargo tree --edges` takes them.
    edges: String,
    crates: Vec<String>,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Features {
    None,
    Default,
    All,
}

/// The step `absent`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let rules = Rules::read(workspace)?.absent;
    let mut problems = Vec::new();
    for rule in &rules {
        let mut cargo = command::cargo(&workspace.root);
        cargo.args(["tree", "--package", &rule.package, "--edges", &rule.edges, "--prefix", "none"]);
        match rule.features {
            Features::None => cargo.arg("--no-default-features"),
            Features::Default => &mut cargo,
            Features::All => cargo.arg("--all-features"),
        };
        let said = command::describe(&cargo);
        problems.extend(
            found(&command::stdout(&mut cargo)?, &rule.crates)
                .into_iter()
                .map(|name| format!("{} pulls {name}, and must not: {} (`{said}`)", rule.package, rule.why)),
        );
    }
    Ok(Outcome::check(problems).with_note(format!("{} promises", rules.len())))
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
}
