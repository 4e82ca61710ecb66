//! Crates that stand in the graph in more than one version, or must not stand there at all, against `[bans]` in
//! `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};

use crate::command;
use crate::deny::{self, Banned, Deny, Skip};
use crate::step::Outcome;
use crate::workspace::Workspace;

/// The step `duplicates`: all features, all platforms, as `cargo deny` looks at it.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let mut cargo = command::cargo(&workspace.root);
    let tree = command::stdout(cargo.args([
        "tree",
        "--duplicates",
        "--workspace",
        "--all-features",
        "--target=all",
        "--depth=0",
        "--prefix=none",
    ]))?;
    let duplicates = duplicates(&tree)?;
    let bans = Deny::read(workspace)?.bans;
    let mut problems = check(&duplicates, &bans.skip)?;
    let names = workspace.metadata()?.packages.iter().map(|package| package.name.as_str()).collect();
    problems.extend(banned(&names, &bans.deny));
    Ok(Outcome::check(problems).with_note(format!("{} crates in more than one version", duplicates.len())))
}

/// Crates of the graph that the file bans.
fn banned(names: &BTreeSet<&str>, bans: &[Banned]) -> Vec<String> {
    let there = bans.iter().filter(|ban| names.contains(ban.name.as_str()));
    there.map(|ban| format!("{} is there, and deny.toml bans it: {}", ban.name, ban.reason)).collect()
}

type Duplicates = BTreeMap<String, BTreeSet<Version>>;

/// Versions by name; cargo also lists one version built for two purposes, which is no duplicate.
fn duplicates(tree: &str) -> Result<Duplicates, String> {
    let mut versions = Duplicates::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) =
            (words.next(), words.next().and_then(|word| word.strip_prefix('v')))
        {
            versions.entry(name.to_owned()).or_default().insert(deny::version(version)?);
        }
    }
    versions.retain(|_, versions| versions.len() > 1);
    Ok(versions)
}

/// At most one version of each crate may be left when the skipped ones are taken away.
fn check(duplicates: &Duplicates, skips: &[Skip]) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let mut covered: BTreeSet<(&str, &Version)> = BTreeSet::new();
    for skip in skips {
        let (name, requirement) = skip.covers()?;
        let versions = duplicates.get_key_value(name).into_iter();
        let found: Vec<_> = versions
            .flat_map(|(name, versions)| versions.iter().map(move |version| (name.as_str(), version)))
            .filter(|(_, version)| requirement.matches(version))
            .collect();
        if found.is_empty() {
            problems.push(format!("deny.toml skips `{}`, which is in no two versions", skip.spec()));
        }
        if requirement == VersionReq::STAR {
            problems.push(format!("deny.toml skips `{}` in every version, also those to come", skip.spec()));
        }
        if skip.reason.trim().is_empty() {
            problems.push(format!("deny.toml skips `{}` without a reason", skip.spec()));
        }
        covered.extend(found);
    }
    for (name, versions) in duplicates {
        let left = versions.iter().filter(|version| !covered.contains(&(name.as_str(), *version))).count();
        if left > 1 {
            let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
            problems.push(format!(
                "{name} is there as {} (cargo tree -i {name}@VERSION)",
                versions.join(" and ")
            ));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "getrandom v0.2.16\n\ngetrandom v0.3.4\n\nsyn v2.0.100\nsyn v2.0.100 (*)\n";

    fn problems(skips: &str) -> Vec<String> {
        let deny: Deny =
            toml::from_str(&format!("[licenses]\nallow = []\n[bans]\nskip = [{skips}]")).unwrap();
        check(&duplicates(TREE).unwrap(), &deny.bans.skip).unwrap()
    }

    #[test]
    fn one_version_listed_twice_is_no_duplicate() {
        assert_eq!(duplicates(TREE).unwrap().keys().collect::<Vec<_>>(), ["getrandom"]);
    }

    #[test]
    fn two_versions_need_an_entry() {
        let problems = problems("");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("getrandom is there as 0.2.16 and 0.3.4"), "{problems:?}");
    }

    #[test]
    fn an_entry_with_a_reason_covers_its_version() {
        assert_eq!(problems(r#"{ crate = "getrandom@0.2.16", reason = "ring" }"#), Vec::<String>::new());
    }

    #[test]
    fn an_entry_for_every_version_is_refused() {
        let found = problems(r#"{ crate = "getrandom", reason = "ring" }"#);
        assert_eq!(found, ["deny.toml skips `getrandom` in every version, also those to come"]);
    }

    #[test]
    fn a_banned_crate_is_named_with_its_reason() {
        let ban = |name: &str| Banned { name: name.to_owned(), reason: "rustls is the one".to_owned() };
        let names = BTreeSet::from(["native-tls", "rustls"]);
        assert_eq!(
            banned(&names, &[ban("native-tls"), ban("openssl")]),
            ["native-tls is there, and deny.toml bans it: rustls is the one"]
        );
    }

    #[test]
    fn an_entry_without_reason_or_use_is_named() {
        let found = problems(r#"{ crate = "getrandom@0.2.16" }, { crate = "syn@1.0.0", reason = "old" }"#);
        assert_eq!(
            found,
            [
                "deny.toml skips `getrandom@0.2.16` without a reason",
                "deny.toml skips `syn@1.0.0`, which is in no two versions"
            ]
        );
    }
}
