//! What is in the tree and serves nothing: Rust files that no program compiles, dependencies that no source names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;

use crate::module_tree::ModuleTree;
use crate::rules::Rules;
use crate::step::Outcome;
use crate::workspace::{Dependency, Package, Workspace};

/// A dependency that is there for its features, or to hold a version: no source names it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Silent {
    package: String,
    dependency: String,
    why: String,
}

/// The step `unused`.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome, String> {
    let silent = Rules::read(workspace)?.silent;
    let metadata = workspace.metadata()?;
    let tree = ModuleTree::grow(metadata);
    let mut problems = tree.problems.clone();

    let files = workspace.files(&["*.rs"])?;
    problems.extend(
        files
            .iter()
            .filter(|file| tree.home(&workspace.root.join(file)).is_none())
            .map(|file| format!("{file}: no program has it as a module, so nothing compiles it")),
    );

    let mut quiet = Vec::new();
    for package in metadata.members() {
        let (mut library, mut all) = (BTreeSet::new(), BTreeSet::new());
        for (file, home) in tree.homes().filter(|(_, home)| home.package.name == package.name) {
            let text =
                std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let is_library = ["lib", "bin", "custom-build"].iter().any(|kind| home.target.is(kind));
            // What nobody depends on may keep its dependencies in one list.
            if is_library || !package.is_published() {
                library.extend(code_words(&text).map_err(|error| format!("{}: {error}", file.display()))?);
            }
            all.extend(all_words(&text));
        }
        let unnamed = unnamed(package, &library, &all);
        quiet.extend(unnamed.into_iter().map(|dependency| (package, dependency)));
    }
    let covers = |rule: &Silent, package: &Package, dependency: &Dependency| {
        rule.package == package.name && rule.dependency == dependency.name && !rule.why.trim().is_empty()
    };
    for (package, dependency) in &quiet {
        if !silent.iter().any(|rule| covers(rule, package, dependency)) {
            let kind = dependency.kind.as_deref().map_or_else(String::new, |kind| format!(" ({kind})"));
            problems
                .push(format!("{} depends on {}{kind}, and names it nowhere", package.name, dependency.name));
        }
    }
    for rule in &silent {
        if !quiet.iter().any(|(package, dependency)| covers(rule, package, dependency)) {
            problems.push(format!(
                "xtask/rules.toml: the silent dependency {} of {} is named by now, is gone, or has no reason",
                rule.dependency, rule.package
            ));
        }
    }
    Ok(Outcome::check(problems).with_note(format!("{} Rust files", files.len())))
}

/// Dependencies whose name is in no source that may use them: for an ordinary one that is the library or the program.
fn unnamed<'a>(
    package: &'a Package,
    library: &BTreeSet<String>,
    all: &BTreeSet<String>,
) -> Vec<&'a Dependency> {
    let is_unnamed = |dependency: &&Dependency| {
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
        let words = if dependency.kind.is_none() { library } else { all };
        // A package asks itself for features of its own in tests.
        dependency.name != package.name && !words.contains(&name)
    };
    package.dependencies.iter().filter(is_unnamed).collect()
}

/// The words of a Rust file that are code.
fn code_words(text: &str) -> Result<BTreeSet<String>, String> {
    let stream: TokenStream = text.parse().map_err(|error| format!("is no Rust: {error}"))?;
    let mut words = BTreeSet::new();
    gather(stream, &mut words);
    Ok(words)
}

/// All words of a text; tests stand in the documentation too.
fn all_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').map(str::to_owned)
}

fn gather(stream: TokenStream, words: &mut BTreeSet<String>) {
    for token in stream {
        match token {
            TokenTree::Ident(word) => drop(words.insert(word.to_string())),
            TokenTree::Group(group) => gather(group.stream(), words),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(dependencies: &str) -> Package {
        let json = format!(
            r#"{{"id":"a","name":"a","version":"0.1.0","license":null,"dependencies":[{dependencies}],"features":{{}},
               "targets":[],"manifest_path":"/a/Cargo.toml","publish":null}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn names(package: &Package, library: &[&str], all: &[&str]) -> Vec<String> {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let unnamed = unnamed(package, &set(library), &set(all));
        unnamed.into_iter().map(|dependency| dependency.name.clone()).collect()
    }

    #[test]
    fn a_dependency_that_no_source_names_is_found() {
        let package = package(r#"{"name":"serde-json","kind":null},{"name":"tokio","kind":null}"#);
        assert_eq!(names(&package, &["tokio", "serde"], &[]), ["serde-json"]);
        assert_eq!(names(&package, &["tokio", "serde_json"], &[]), Vec::<String>::new());
    }

    #[test]
    fn one_that_only_tests_name_belongs_to_the_tests() {
        let package = package(r#"{"name":"tokio","kind":null},{"name":"proptest","kind":"dev"}"#);
        assert_eq!(names(&package, &[], &["tokio", "proptest"]), ["tokio"]);
    }

    #[test]
    fn a_renamed_dependency_is_looked_for_by_its_new_name() {
        let package = package(r#"{"name":"prometheus","rename":"peer","kind":null}"#);
        assert_eq!(names(&package, &["peer"], &[]), Vec::<String>::new());
        assert_eq!(names(&package, &["prometheus"], &[]), ["prometheus"]);
    }

    #[test]
    fn a_package_may_ask_itself_for_features() {
        assert_eq!(names(&package(r#"{"name":"a","kind":"dev"}"#), &[], &[]), Vec::<String>::new());
    }

    #[test]
    fn words_of_comments_and_texts_are_no_names() {
        let found = code_words("// tokio\nfn f() { \"serde\"; toml::from_str(x) }").unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["f", "fn", "from_str", "toml", "x"]);
    }
}
