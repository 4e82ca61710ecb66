//! Attributes of Rust items, as far as they say whether an item is a test, and whether it is compiled.

use std::collections::BTreeSet;

use proc_macro2::{Group, TokenTree};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribute {
    Test,
    Ignore,
    CompileFail,
    /// The file of a module.
    Path(String),
    Cfg(Condition),
    /// Attributes that apply only under the condition.
    If(Condition, Vec<Attribute>),
}

/// What stands in `cfg(…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Is(String),
    Equals(String, String),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// What stands in `#[…]`, as far as it matters here.
pub(crate) fn attributes(group: &Group) -> Vec<Attribute> {
    one_attribute(&group.stream().into_iter().collect::<Vec<_>>())
}

fn one_attribute(tokens: &[TokenTree]) -> Vec<Attribute> {
    let words = tokens.iter().take_while(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(sign) => sign.as_char() == ':',
        _ => false,
    });
    let Some(name) = words.filter_map(ident).last() else { return Vec::new() };
    let inside = tokens.iter().find_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream().into_iter().collect::<Vec<_>>()),
        _ => None,
    });
    let value = tokens.iter().find_map(literal);
    match (name.as_str(), inside, value) {
        ("test", ..) => vec![Attribute::Test],
        ("ignore", ..) => vec![Attribute::Ignore],
        ("path", _, Some(path)) => vec![Attribute::Path(path)],
        ("doc", _, Some(text)) if text.contains("```") && text.contains("compile_fail") => {
            vec![Attribute::CompileFail]
        }
        ("cfg", Some(inside), _) => vec![Attribute::Cfg(condition(&inside))],
        ("cfg_attr", Some(inside), _) => {
            let mut parts = inside.split(is_comma);
            let when = condition(parts.next().unwrap_or_default());
            vec![Attribute::If(when, parts.flat_map(one_attribute).collect())]
        }
        _ => Vec::new(),
    }
}

fn condition(tokens: &[TokenTree]) -> Condition {
    let list = |group: &Group| -> Vec<Condition> {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        tokens.split(is_comma).filter(|part| !part.is_empty()).map(condition).collect()
    };
    let name = tokens.first().and_then(ident).unwrap_or_default();
    match (name.as_str(), tokens.get(1), tokens.get(2)) {
        ("not", Some(TokenTree::Group(group)), _) => Condition::Not(Box::new(Condition::All(list(group)))),
        ("all", Some(TokenTree::Group(group)), _) => Condition::All(list(group)),
        ("any", Some(TokenTree::Group(group)), _) => Condition::Any(list(group)),
        (_, Some(TokenTree::Punct(_)), Some(value)) => {
            Condition::Equals(name, literal(value).unwrap_or_default())
        }
        _ => Condition::Is(name),
    }
}

fn ident(token: &TokenTree) -> Option<String> {
    if let TokenTree::Ident(name) = token { Some(name.to_string()) } else { None }
}

fn literal(token: &TokenTree) -> Option<String> {
    if let TokenTree::Literal(text) = token {
        Some(text.to_string().trim_start_matches('r').trim_matches(['#', '"']).to_owned())
    } else {
        None
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.as_char() == ',')
}

impl Condition {
    /// Whether it is true when `cargo test --all-features` compiles the package with these features here.
    pub(crate) fn holds(&self, features: &BTreeSet<String>) -> bool {
        match self {
            Self::Is(name) => match name.as_str() {
                "test" | "debug_assertions" => true,
                "unix" => cfg!(unix),
                "windows" => cfg!(windows),
                _ => false,
            },
            Self::Equals(name, value) => match name.as_str() {
                "feature" => features.contains(value),
                "target_os" => value == std::env::consts::OS,
                "target_family" => value == std::env::consts::FAMILY,
                "target_arch" => value == std::env::consts::ARCH,
                "target_pointer_width" => *value == usize::BITS.to_string(),
                "panic" => value == "unwind",
                _ => false,
            },
            Self::Not(inside) => !inside.holds(features),
            Self::All(parts) => parts.iter().all(|part| part.holds(features)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(features)),
        }
    }
}

/// Attributes with those of `cfg_attr` whose condition is true.
pub(crate) fn effective(attributes: &[Attribute], features: &BTreeSet<String>) -> Vec<Attribute> {
    attributes
        .iter()
        .flat_map(|attribute| match attribute {
            Attribute::If(condition, inside) if condition.holds(features) => effective(inside, features),
            Attribute::If(..) => Vec::new(),
            plain => vec![plain.clone()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::*;

    fn read(attribute: &str) -> Vec<Attribute> {
        let stream: TokenStream = attribute.parse().unwrap();
        let group = stream.into_iter().find_map(|token| match token {
            TokenTree::Group(group) => Some(group),
            _ => None,
        });
        attributes(&group.unwrap())
    }

    fn holds(condition: &str) -> bool {
        let features = ["serde".to_owned()].into();
        let [Attribute::Cfg(condition)] = &read(&format!("#[cfg({condition})]"))[..] else {
            panic!("no cfg")
        };
        condition.holds(&features)
    }

    #[test]
    fn conditions_are_weighed_as_cargo_test_does() {
        for condition in [
            "test",
            "all()",
            "feature = \"serde\"",
            "not(loom)",
            "all(test, not(miri))",
            "any(loom, feature = \"serde\")",
            "not(any(loom, not(test)))",
        ] {
            assert!(holds(condition), "{condition}");
        }
        for condition in ["loom", "any()", "feature = \"other\"", "not(test)", "all(test, loom)", "FALSE"] {
            assert!(!holds(condition), "{condition}");
        }
    }

    #[test]
    fn attributes_are_known_by_the_last_word_of_their_path() {
        assert_eq!(read("#[test]"), [Attribute::Test]);
        assert_eq!(read("#[tokio::test(start_paused = true)]"), [Attribute::Test]);
        assert_eq!(read("#[ignore = \"slow\"]"), [Attribute::Ignore]);
        assert_eq!(read("#[path = \"a/b.rs\"]"), [Attribute::Path("a/b.rs".to_owned())]);
        assert_eq!(read("#[doc = \" ```compile_fail\"]"), [Attribute::CompileFail]);
        assert_eq!(read("#[derive(Debug)]"), []);
    }

    #[test]
    fn an_attribute_under_a_condition_counts_where_the_condition_is_true() {
        let none = BTreeSet::new();
        assert_eq!(effective(&read("#[cfg_attr(test, ignore)]"), &none), [Attribute::Ignore]);
        assert_eq!(effective(&read("#[cfg_attr(loom, ignore)]"), &none), []);
    }
}
