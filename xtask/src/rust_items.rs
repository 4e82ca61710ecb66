//! What a Rust file defines: items, the modules around them, and whether a test among them is really run.
//!
//! The file is read as tokens, so that comments and texts define nothing.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::attribute::{Attribute, attributes, effective};

/// A definition found in a file.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// `fn`, `struct`, `mod` …
    pub(crate) keyword: &'static str,
    /// The modules of the file around it, from the outside.
    pub(crate) modules: Vec<String>,
    /// Those, and the types whose `impl` or trait it stands in.
    around: Vec<String>,
    /// Its own attributes and those of everything around it in the file.
    attributes: Vec<Attribute>,
    /// How many of `attributes` are its own; they stand last.
    own: usize,
    /// Whether it has a body in braces, and whether there is anything in it.
    body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    Empty,
    Full,
}

/// How a linked definition shows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A test that `cargo test` runs.
    Test,
    /// An example in the documentation that must not compile; the compiler keeps it.
    CompileFail,
    /// Anything that is no test.
    Other,
}

const KEYWORDS: [&str; 10] =
    ["fn", "struct", "enum", "union", "trait", "const", "static", "mod", "type", "macro_rules"];

/// The definitions of a file.
pub(crate) fn items(source: &str) -> Result<Vec<Item>, String> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let stream: TokenStream = source.parse().map_err(|error| format!("is no Rust: {error}"))?;
    let mut items = Vec::new();
    walk(stream, &Around::default(), &mut items);
    Ok(items)
}

/// What an item stands in.
#[derive(Debug, Clone, Default)]
struct Around {
    modules: Vec<String>,
    names: Vec<String>,
    attributes: Vec<Attribute>,
}

impl Around {
    fn within(&self, item: &Item) -> Self {
        let mut inside = self.clone();
        inside.names.push(item.name.clone());
        inside.attributes.clone_from(&item.attributes);
        if item.keyword == "mod" {
            inside.modules.push(item.name.clone());
        }
        inside
    }
}

fn walk(stream: TokenStream, around: &Around, items: &mut Vec<Item>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut around = around.clone();
    let mut own = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => match (&tokens.get(at), &tokens.get(at + 1)) {
                (Some(TokenTree::Punct(bang)), Some(TokenTree::Group(group))) if bang.as_char() == '!' => {
                    around.attributes.extend(attributes(group));
                    at += 2;
                }
                (Some(TokenTree::Group(group)), _) => {
                    own.extend(attributes(group));
                    at += 1;
                }
                _ => {}
            },
            TokenTree::Punct(sign) if matches!(sign.as_char(), ';' | ',') => own.clear(),
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if word == "impl" {
                    let (names, body) = header(&tokens, &mut at);
                    if let Some(body) = body {
                        let mut inside = around.clone();
                        inside.names.extend(names);
                        inside.attributes.append(&mut own);
                        walk(body.stream(), &inside, items);
                    }
                } else if let Some(keyword) = KEYWORDS.iter().find(|keyword| **keyword == word)
                    && let Some(item) = definition(keyword, &tokens, &mut at, &around, &mut own)
                {
                    let (item, body) = *item;
                    if let (Some(body), "mod" | "trait") = (body, item.keyword) {
                        let inside = around.within(&item);
                        items.push(item);
                        walk(body.stream(), &inside, items);
                    } else {
                        items.push(item);
                    }
                }
            }
            // `proptest! { … }` and other macros around items.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket && is_call(&tokens, at) => {
                let mut inside = around.clone();
                inside.attributes.append(&mut own);
                walk(group.stream(), &inside, items);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => own.clear(),
            _ => {}
        }
    }
}

/// Whether the group before `at` is what a macro is called with.
fn is_call(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && matches!(&tokens[at - 2], TokenTree::Punct(bang) if bang.as_char() == '!')
}

type Defined = Box<(Item, Option<Group>)>;

/// The item whose keyword stands before `at`; moves on behind its body.
fn definition(
    keyword: &'static str,
    tokens: &[TokenTree],
    at: &mut usize,
    around: &Around,
    own: &mut Vec<Attribute>,
) -> Option<Defined> {
    if keyword == "macro_rules" {
        *at += 1;
    }
    let TokenTree::Ident(name) = tokens.get(*at)? else { return None };
    let name = name.to_string();
    // `const fn name`: the next keyword is the one that counts.
    if KEYWORDS.contains(&name.as_str()) || matches!(name.as_str(), "unsafe" | "async" | "extern") {
        return None;
    }
    *at += 1;
    let (_, body) = header(tokens, at);
    let held = match &body {
        None => Body::None,
        Some(body) if body.stream().is_empty() => Body::Empty,
        Some(_) => Body::Full,
    };
    let mut attributes = around.attributes.clone();
    let count = own.len();
    attributes.append(own);
    let (modules, around) = (around.modules.clone(), around.names.clone());
    Some(Box::new((Item { name, keyword, modules, around, attributes, own: count, body: held }, body)))
}

/// Goes on to the end of an item: its body in braces, or a semicolon. Gives the names on the way.
fn header(tokens: &[TokenTree], at: &mut usize) -> (Vec<String>, Option<Group>) {
    let mut names = Vec::new();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token {
            TokenTree::Ident(name) => names.push(name.to_string()),
            TokenTree::Punct(end) if end.as_char() == ';' => return (names, None),
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                return (names, Some(body.clone()));
            }
            _ => {}
        }
    }
    (names, None)
}

impl Item {
    /// Whether `cfg` attributes on it and around it let it be compiled in a test with these features.
    pub(crate) fn is_compiled(&self, features: &BTreeSet<String>) -> bool {
        effective(&self.attributes, features)
            .iter()
            .all(|attribute| !matches!(attribute, Attribute::Cfg(condition) if !condition.holds(features)))
    }

    /// What it shows; or why it shows nothing although it is a test.
    fn shown(&self, features: &BTreeSet<String>) -> Result<Shown, String> {
        let own = effective(&self.attributes[self.attributes.len() - self.own..], features);
        let is_test = own.contains(&Attribute::Test) && self.keyword == "fn";
        let name = &self.name;
        if !self.is_compiled(features) {
            return Err(format!("`{name}` is left out of the tests by a `cfg`"));
        }
        match (is_test, own.contains(&Attribute::CompileFail)) {
            (true, _) if own.contains(&Attribute::Ignore) => Err(format!("the test `{name}` is ignored")),
            (true, _) if self.body == Body::Empty => Err(format!("the test `{name}` is empty")),
            (true, _) => Ok(Shown::Test),
            (false, true) => Ok(Shown::CompileFail),
            (false, false) => Ok(Shown::Other),
        }
    }

    /// The file that the module says to be in.
    pub(crate) fn path(&self) -> Option<&str> {
        self.attributes[self.attributes.len() - self.own..].iter().find_map(|attribute| match attribute {
            Attribute::Path(path) => Some(path.as_str()),
            _ => None,
        })
    }

    /// Whether it is `mod name;`, a module in a file of its own.
    pub(crate) fn is_file_module(&self) -> bool {
        self.keyword == "mod" && self.body == Body::None
    }
}

/// Follows `outer::name` inside the file. Of several items with the name the one that shows most is taken.
pub(crate) fn find<'a>(
    items: &'a [Item],
    link: &[&str],
    features: &BTreeSet<String>,
) -> Option<(&'a Item, Result<Shown, String>)> {
    let (name, outer) = link.split_last()?;
    let inside = |item: &Item| {
        let mut around = item.around.iter();
        outer.iter().all(|name| around.any(|candidate| candidate == name))
    };
    let found = items.iter().filter(|item| item.name == *name && inside(item));
    found.map(|item| (item, item.shown(features))).min_by_key(|(_, shown)| match shown {
        Ok(Shown::Test) => 0,
        Ok(Shown::CompileFail) => 1,
        Err(_) => 2,
        Ok(Shown::Other) => 3,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r##"
//! fn in_the_docs() {}
#![allow(dead_code)]
/// Speaks of fn sharpe_ratio.
pub fn sharpe(returns: &[f64]) -> f64 { fn inner() {} 0.0 }
pub(crate) const fn daily() {}
pub enum Severity { Info, struct_like { x: u8 } }
/* fn commented() {} /* #[test] fn nested() {} */ */
const TEXT: &str = r#"fn quoted() {}"#;

/// ```compile_fail
/// wrong();
/// ```
#[derive(Debug)]
pub struct Sealed<'a, T: Fn() -> u8>(&'a str, T);

impl<T> Iterator for Sealed<'_, T> {
    fn next(&mut self) -> Option<u8> { None }
}
macro_rules! rule { () => { fn made() {} } }

#[cfg(test)]
mod tests {
    #[test]
    fn sharpe_of_constants_is_undefined() { assert!(true); }

    #[tokio::test(start_paused = true)]
    // Virtual time.
    async fn courier_waits() { wait(); }

    fn helper() {}

    #[test]
    #[ignore = "slow"]
    fn ignored() { assert!(true); }

    #[test]
    #[cfg_attr(unix, ignore)]
    fn ignored_here() { assert!(true); }

    #[test]
    #[cfg_attr(windows, ignore)]
    fn ignored_elsewhere() { assert!(true); }

    #[test]
    fn empty() {}

    #[cfg(feature = "serde")]
    #[test]
    fn of_a_feature() { assert!(true); }

    #[cfg(all(test, not(loom), any(unix, windows)))]
    #[test]
    fn of_this_world() { assert!(true); }

    #[cfg(loom)]
    mod models {
        #[test]
        fn of_loom() { assert!(true); }
    }

    proptest! {
        #![proptest_config(ProptestConfig::default())]
        #[test]
        fn law(a in 0..8u8, b in "[a-z]{0,4}") { prop_assert!(a < 8); }
    }
}
mod other;
#[cfg(windows)]
#[path = "w.rs"]
mod elsewhere;
"##;

    fn look(source: &str, link: &str, features: &[&str]) -> Option<Result<Shown, String>> {
        let features = features.iter().map(|name| (*name).to_owned()).collect();
        let link: Vec<&str> = link.split("::").collect();
        find(&items(source).unwrap(), &link, &features).map(|(_, shown)| shown)
    }

    #[test]
    fn items_are_found_by_keyword_and_name() {
        for name in
            ["sharpe", "daily", "Severity", "helper", "tests", "Sealed", "next", "TEXT", "rule", "other"]
        {
            assert!(look(SOURCE, name, &[]).is_some(), "{name}");
        }
        assert_eq!(look(SOURCE, "Sealed::next", &[]), Some(Ok(Shown::Other)));
        assert_eq!(look(SOURCE, "Severity::next", &[]), None);
    }

    #[test]
    fn comments_texts_variants_and_the_insides_of_functions_define_nothing() {
        for name in [
            "sharpe_ratio",
            "Info",
            "struct_like",
            "commented",
            "nested",
            "quoted",
            "in_the_docs",
            "inner",
            "made",
            "x",
        ] {
            assert_eq!(look(SOURCE, name, &[]), None, "{name}");
        }
    }

    #[test]
    fn tests_are_told_from_other_functions() {
        for name in
            ["sharpe_of_constants_is_undefined", "courier_waits", "law", "of_this_world", "tests::law"]
        {
            assert_eq!(look(SOURCE, name, &[]), Some(Ok(Shown::Test)), "{name}");
        }
        assert_eq!(look(SOURCE, "helper", &[]), Some(Ok(Shown::Other)));
    }

    #[test]
    fn a_test_that_is_not_run_shows_nothing() {
        let why = |name: &str| look(SOURCE, name, &[]).unwrap().unwrap_err();
        assert!(why("ignored").contains("is ignored"));
        assert!(why("of_loom").contains("left out"));
        assert!(why("of_a_feature").contains("left out"));
        assert!(why("empty").contains("is empty"));
        assert_eq!(look(SOURCE, "of_a_feature", &["serde"]), Some(Ok(Shown::Test)));
    }

    #[cfg(unix)]
    #[test]
    fn a_condition_on_an_attribute_is_weighed() {
        assert!(look(SOURCE, "ignored_here", &[]).unwrap().is_err());
        assert_eq!(look(SOURCE, "ignored_elsewhere", &[]), Some(Ok(Shown::Test)));
    }

    #[test]
    fn a_condition_on_the_whole_file_counts() {
        let source = format!("#![cfg(loom)]\n{SOURCE}");
        assert!(look(&source, "law", &[]).unwrap().unwrap_err().contains("left out"));
    }

    #[test]
    fn an_example_that_must_not_compile_is_a_test() {
        assert_eq!(look(SOURCE, "Sealed", &[]), Some(Ok(Shown::CompileFail)));
    }

    #[test]
    fn of_two_items_with_one_name_the_test_counts() {
        let source = "#[test]\nfn twice() { a(); }\nmod other { fn twice() {} }";
        assert_eq!(look(source, "twice", &[]), Some(Ok(Shown::Test)));
        assert_eq!(look(&format!("fn twice() {{}}\n{source}"), "twice", &[]), Some(Ok(Shown::Test)));
    }

    #[test]
    fn modules_in_files_of_their_own_are_told_with_their_path() {
        let items = items(SOURCE).unwrap();
        let files: Vec<_> = items.iter().filter(|item| item.is_file_module()).collect();
        assert_eq!(files.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["other", "elsewhere"]);
        assert_eq!((files[0].path(), files[1].path()), (None, Some("w.rs")));
        assert_eq!(files[1].is_compiled(&BTreeSet::new()), cfg!(windows));
    }

    #[test]
    fn the_modules_around_a_test_are_known() {
        let items = items(SOURCE).unwrap();
        let model = items.iter().find(|item| item.name == "of_loom").unwrap();
        assert_eq!(model.modules, ["tests", "models"]);
    }

    #[test]
    fn what_is_no_rust_is_told() {
        assert!(items("fn broken( {").unwrap_err().starts_with("is no Rust"));
    }
}
