//! Licences and origins of all dependencies, against `[licenses] allow` in `deny.toml`.

use std::collections::BTreeSet;

use crate::deny::{Deny, Licences};
use crate::step::Outcome;
use crate::workspace::Workspace;

/// The step `licences`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let allowed = Deny::read(workspace)?.licenses;
    let metadata = workspace.metadata()?;
    let packages = &metadata.packages;
    let mut problems = Vec::new();
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        let verdict = match &package.license {
            None => Err("has no `license` in its manifest".to_owned()),
            Some(expression) => judge(expression, &allowed, name),
        };
        if let Err(problem) = verdict {
            problems.push(format!("{name} {version}: {problem}"));
        }
        let is_ours = metadata.members().any(|member| member.name == *name);
        problems.extend(
            origin(package.source.as_deref(), is_ours).map(|problem| format!("{name} {version}: {problem}")),
        );
    }
    Ok(Outcome::check(problems).with_note(format!("{} packages", packages.len())))
}

/// Nothing but crates.io and this workspace: a path or a repository cannot be published, and nobody reviewed it.
fn origin(source: Option<&str>, is_ours: bool) -> Option<String> {
    match source {
        None if is_ours => None,
        Some("registry+https://github.com/rust-lang/crates.io-index") => None,
        None => Some("comes from a folder outside of the workspace".to_owned()),
        Some(other) => Some(format!("comes from {other}, only crates.io is allowed")),
    }
}

fn judge(expression: &str, allowed: &Licences, name: &str) -> Result<(), String> {
    let exceptions = allowed.exceptions.iter().filter(|exception| exception.name == name);
    let list: BTreeSet<&str> = allowed
        .allow
        .iter()
        .chain(exceptions.flat_map(|exception| &exception.allow))
        .map(String::as_str)
        .collect();
    let words = words(expression);
    let mut reader = Reader { words: &words, allowed: &list };
    match reader.either() {
        Some(held) if reader.words.is_empty() => {
            if held {
                Ok(())
            } else {
                Err(format!("`{expression}` is not allowed by deny.toml"))
            }
        }
        _ => Err(format!("`{expression}` is no licence expression")),
    }
}

/// Names, operators and parentheses; the old `/` means OR.
fn words(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// Reads an expression from left to right: AND binds more tightly than OR, WITH more than both.
struct Reader<'a> {
    words: &'a [String],
    allowed: &'a BTreeSet<&'a str>,
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first().is_some_and(|first| first == word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn either(&mut self) -> Option<bool> {
        let mut held = self.both()?;
        while self.take("OR") {
            held |= self.both()?;
        }
        Some(held)
    }

    fn both(&mut self) -> Option<bool> {
        let mut held = self.one()?;
        while self.take("AND") {
            held &= self.one()?;
        }
        Some(held)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let held = self.either()?;
            return self.take(")").then_some(held);
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Some(self.allowed.contains(format!("{name} WITH {exception}").as_str()));
        }
        Some(self.allowed.contains(name.as_str()))
    }

    fn name(&mut self) -> Option<String> {
        let (first, rest) = self.words.split_first()?;
        if matches!(first.as_str(), "AND" | "OR" | "WITH" | "(" | ")") {
            return None;
        }
        self.words = rest;
        Some(first.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(expression: &str) -> Result<(), String> {
        let list: Deny = toml::from_str(
            "[licenses]\nallow = ['MIT', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'Unicode-3.0']\n\
             exceptions = [{ crate = 'sealed', allow = ['MPL-2.0'] }]\n[bans]\nskip = []",
        )
        .unwrap();
        judge(expression, &list.licenses, "open")
    }

    #[test]
    fn crates_come_from_the_registry_or_the_workspace() {
        assert_eq!(origin(Some("registry+https://github.com/rust-lang/crates.io-index"), false), None);
        assert_eq!(origin(None, true), None);
        assert!(origin(None, false).is_some());
        assert!(origin(Some("git+https://host/fork#0123"), false).unwrap().contains("only crates.io"));
    }

    #[test]
    fn one_side_of_or_suffices() {
        assert!(verdict("MIT").is_ok());
        assert!(verdict("GPL-3.0 OR MIT").is_ok());
        assert!(verdict("Unlicense/MIT").is_ok());
        assert!(verdict("Apache-2.0 WITH LLVM-exception OR GPL-2.0").is_ok());
    }

    #[test]
    fn both_sides_of_and_are_needed() {
        assert!(verdict("(MIT OR Apache-2.0) AND Unicode-3.0").is_ok());
        assert!(verdict("MIT AND OpenSSL").is_err());
        assert!(verdict("GPL-3.0 OR MIT AND OpenSSL").is_err());
    }

    #[test]
    fn an_exception_clause_is_part_of_the_name() {
        assert!(verdict("MIT WITH LLVM-exception").is_err());
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND MIT"] {
            assert!(verdict(text).unwrap_err().contains("no licence expression"), "{text}");
        }
    }

    #[test]
    fn a_licence_allowed_for_one_crate_is_not_allowed_for_others() {
        let list = Licences {
            allow: Vec::new(),
            exceptions: vec![toml::from_str("crate = 'sealed'\nallow = ['MPL-2.0']").unwrap()],
        };
        assert!(judge("MPL-2.0", &list, "sealed").is_ok());
        assert!(judge("MPL-2.0", &list, "other").is_err());
    }
}
