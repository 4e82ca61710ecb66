//! Lints that carry a promise are lifted only where `[[allowance]]` in `xtask/rules.toml` says so, and every published
//! crate takes the workspace's lints and forbids unsafe code.

use proc_macro2::{Group, TokenStream, TokenTree};
use serde::Deserialize;

use crate::module_tree::ModuleTree;
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::{Package, Workspace};

/// Files that may lift a lint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    lint: String,
    /// From the root of the workspace.
    file: String,
    why: String,
}

/// Lints that stand for a promise of the house: no panic, no print, no clock, no task, no lock held, no unsafe code.
const KEPT: [&str; 17] = [
    "warnings",
    "unsafe_code",
    "missing_docs",
    "unused_must_use",
    "clippy::all",
    "clippy::pedantic",
    "clippy::await_holding_lock",
    "clippy::dbg_macro",
    "clippy::disallowed_methods",
    "clippy::disallowed_types",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::print_stderr",
    "clippy::print_stdout",
    "clippy::todo",
    "clippy::unimplemented",
    "clippy::unwrap_used",
];

/// The step `allowances`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let allowances = Rules::read(workspace)?.allowance;
    let metadata = workspace.metadata()?;
    let tree = ModuleTree::grow(metadata);
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for (file, home) in tree.homes() {
        // Tests, benchmarks and examples may unwrap and print; an example is not part of a library.
        if !home.package.is_published() || !home.target.is("lib") {
            continue;
        }
        let path = file.strip_prefix(&workspace.root).unwrap_or(file).display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{path}: {error}"))?;
        found.extend(lifted(&text)?.into_iter().map(|lint| (path.clone(), lint)));
        if home.modules.is_empty() && !text.contains("#![forbid(unsafe_code)]") {
            problems.push(format!("{path}: has no #![forbid(unsafe_code)]"));
        }
    }
    problems.extend(against(&found, &allowances));
    for package in metadata.published() {
        problems.extend(takes_the_lints(package)?);
    }
    Ok(Outcome::check(problems).with_note(format!("{} lints lifted", found.len())))
}

/// A crate without `[lints] workspace = true` has no lints at all.
fn takes_the_lints(package: &Package) -> Result<Option<String>, String> {
    let path = package.manifest_path.display();
    let text = std::fs::read_to_string(&package.manifest_path).map_err(|error| format!("{path}: {error}"))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    let taken = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    Ok((taken != Some(true)).then(|| format!("{}: has no `[lints] workspace = true`", package.name)))
}

fn against(found: &[(String, String)], allowances: &[Allowance]) -> Vec<String> {
    let covers = |allowance: &Allowance, path: &str, lint: &str| {
        allowance.lint == lint && allowance.file == path && !allowance.why.trim().is_empty()
    };
    let mut problems: Vec<String> = found
        .iter()
        .filter(|(path, lint)| !allowances.iter().any(|allowance| covers(allowance, path, lint)))
        .map(|(path, lint)| format!("{path} lifts {lint}; xtask/rules.toml does not allow it there"))
        .collect();
    let idle =
        allowances.iter().filter(|allowance| !found.iter().any(|(path, lint)| covers(allowance, path, lint)));
    problems.extend(idle.map(|allowance| {
        format!(
            "xtask/rules.toml lets {} lift {}, which it does not, or without a reason",
            allowance.file, allowance.lint
        )
    }));
    problems
}

/// The kept lints that a file lifts by `allow` or `expect`, outside of what only tests compile.
fn lifted(source: &str) -> Result<Vec<String>, String> {
    let stream: TokenStream = source.parse().map_err(|error| format!("is no Rust: {error}"))?;
    let mut lints = Vec::new();
    gather(&stream.into_iter().collect::<Vec<_>>(), &mut lints);
    Ok(lints)
}

fn gather(tokens: &[TokenTree], lints: &mut Vec<String>) {
    let mut at = 0;
    let mut of_tests = false;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                if matches!(tokens.get(at), Some(TokenTree::Punct(bang)) if bang.as_char() == '!') {
                    at += 1;
                }
                if let Some(TokenTree::Group(attribute)) = tokens.get(at) {
                    at += 1;
                    of_tests |= spelt(attribute) == "cfg(test)";
                    if !of_tests {
                        lints.extend(lifted_by(attribute));
                    }
                }
            }
            TokenTree::Punct(end) if end.as_char() == ';' => of_tests = false,
            TokenTree::Group(group) => {
                if !of_tests {
                    gather(&group.stream().into_iter().collect::<Vec<_>>(), lints);
                }
                if group.delimiter() == proc_macro2::Delimiter::Brace {
                    of_tests = false;
                }
            }
            _ => {}
        }
    }
}

/// The kept lints in `allow(…)`, `warn(…)` or `expect(…)`, also within `cfg_attr(…)`.
fn lifted_by(attribute: &Group) -> Vec<String> {
    let spelt = spelt(attribute);
    let weak = ["allow(", "warn(", "expect("];
    let begins = |at: usize| at == 0 || spelt[..at].ends_with([',', '(']);
    let lists = weak.iter().flat_map(|word| {
        let starts = spelt.match_indices(word).filter(|(at, _)| begins(*at));
        starts.map(|(at, _)| spelt[at + word.len()..].split(')').next().unwrap_or_default())
    });
    lists.flat_map(|list| list.split(',')).filter(|lint| KEPT.contains(lint)).map(str::to_owned).collect()
}

fn spelt(group: &Group) -> String {
    group.stream().to_string().split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_lint_lifted_anywhere_in_a_library_is_found() {
        let source = "#![allow(clippy::unwrap_used, reason = \"so\")]\n\
                      mod a { impl B { #[expect( clippy :: panic )] fn f() { #[allow(unsafe_code)] { } } } }\n\
                      #[cfg_attr(unix, allow(warnings))] struct C;\n\
                      #[allow(clippy::too_many_lines)] fn d() {}";
        assert_eq!(
            lifted(source).unwrap(),
            ["clippy::unwrap_used", "clippy::panic", "unsafe_code", "warnings"]
        );
    }

    #[test]
    fn what_only_tests_compile_may_lift_what_it_likes() {
        let source = "#[cfg(test)] #[allow(clippy::panic)] mod tests { #[allow(clippy::panic)] fn f() {} }\n\
                      #[cfg(test)] use x;\n\
                      #[allow(clippy::panic)] fn g() {}";
        assert_eq!(lifted(source).unwrap(), ["clippy::panic"]);
    }

    #[test]
    fn words_and_other_attributes_lift_nothing() {
        let source =
            "/// allow(clippy::panic)\n#[doc = \"allow(warnings)\"] #[deny(clippy::panic)] struct A;";
        assert_eq!(lifted(source).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn lifted_lints_and_allowances_must_be_the_same() {
        let allowance = |file: &str, why: &str| Allowance {
            lint: "clippy::panic".to_owned(),
            file: file.to_owned(),
            why: why.to_owned(),
        };
        let found = [("a.rs".to_owned(), "clippy::panic".to_owned())];
        assert_eq!(against(&found, &[allowance("a.rs", "a kit of tests")]), Vec::<String>::new());
        assert_eq!(
            against(&found, &[allowance("b.rs", "a kit of tests")]),
            [
                "a.rs lifts clippy::panic; xtask/rules.toml does not allow it there",
                "xtask/rules.toml lets b.rs lift clippy::panic, which it does not, or without a reason",
            ]
        );
        assert_eq!(against(&found, &[allowance("a.rs", " ")]).len(), 2);
    }

    fn read(path: &str) -> toml::Table {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        toml::from_str(&std::fs::read_to_string(root.join(path)).unwrap()).unwrap()
    }

    #[test]
    fn the_workspace_denies_what_carries_a_promise() {
        let manifest = read("Cargo.toml");
        let lints = &manifest["workspace"]["lints"];
        for lint in KEPT {
            let level = match lint.split_once("::") {
                None => lints["rust"].get(lint),
                Some((tool, lint)) => lints[tool].get(lint),
            };
            // Groups are warnings, and warnings are errors here; the disallowed lists are warnings by themselves.
            if !matches!(lint, "warnings" | "clippy::all" | "clippy::pedantic")
                && !lint.contains("disallowed")
            {
                assert_eq!(level.and_then(toml::Value::as_str), Some("deny"), "{lint}");
            } else if let Some(level) = level {
                assert!(!format!("{level:?}").contains("allow"), "{lint}");
            }
        }
    }

    #[test]
    fn every_clock_every_wait_and_every_way_to_spawn_is_banned() {
        let bans = read("clippy.toml");
        let paths = |list: &str| -> Vec<String> {
            let entries = bans[list].as_array().unwrap().iter();
            entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
        };
        let methods = paths("disallowed-methods");
        for path in [
            "chrono::Utc::now",
            "chrono::Local::now",
            "std::time::SystemTime::now",
            "std::time::Instant::now",
            "tokio::time::Instant::now",
            "std::thread::sleep",
            "tokio::time::sleep",
            "tokio::time::sleep_until",
            "tokio::time::interval",
            "tokio::time::timeout",
            "std::thread::spawn",
            "std::thread::Builder::spawn",
            "tokio::spawn",
            "tokio::task::spawn",
            "tokio::task::spawn_local",
            "tokio::task::spawn_blocking",
            "tokio::task::JoinSet::spawn",
            "tokio::runtime::Handle::spawn",
            "tokio::runtime::Handle::block_on",
        ] {
            assert!(methods.iter().any(|banned| banned == path), "{path}");
        }
        let types = paths("disallowed-types");
        assert!(
            types.contains(&"chrono::NaiveDateTime".to_owned())
                && types.contains(&"chrono::Local".to_owned())
        );
    }

    #[test]
    fn this_crate_takes_the_lints() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let mut package: serde_json::Value = serde_json::json!({
            "id": "a", "name": "a", "version": "0.1.0", "license": null, "dependencies": [], "features": {},
            "targets": [], "publish": null,
        });
        package["manifest_path"] = manifest.to_str().unwrap().into();
        assert_eq!(takes_the_lints(&serde_json::from_value(package.clone()).unwrap()), Ok(None));
        package["manifest_path"] = manifest.with_file_name("rules.toml").to_str().unwrap().into();
        let problem = takes_the_lints(&serde_json::from_value(package).unwrap()).unwrap();
        assert_eq!(problem.as_deref(), Some("a: has no `[lints] workspace = true`"));
    }
}
