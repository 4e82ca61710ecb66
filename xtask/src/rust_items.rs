//! Finds where an item is defined in Rust source, and whether it is a test.

/// The definition of an item, as far as links care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// A function under `#[test]` or an attribute of that name in a path, such as `#[tokio::test]`; or an item whose
    /// documentation holds a `compile_fail` example, which is a test that the compiler keeps.
    Test,
    Other,
}

const KEYWORDS: [&str; 9] =
    ["fn", "struct", "enum", "trait", "const", "static", "mod", "type", "macro_rules"];

/// Looks for a definition of `name`; a test is preferred where several have the name.
pub(crate) fn find(source: &str, name: &str) -> Option<Item> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let items = (0..lines.len()).filter(|&at| defines(lines[at], name)).map(|at| kind(&lines[..at]));
    items.reduce(|first, next| if first == Item::Test { first } else { next })
}

/// Whether the line holds a keyword followed by the name.
fn defines(line: &str, name: &str) -> bool {
    if line.starts_with("//") {
        return false;
    }
    let mut words =
        line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    let mut before = words.next();
    words.any(|word| {
        let found = word == name && before.is_some_and(|before| KEYWORDS.contains(&before));
        before = Some(word);
        found
    })
}

/// Judges by the attributes and the documentation right above the definition.
fn kind(above: &[&str]) -> Item {
    let attached = above.iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let test =
        |line: &&str| is_test_attribute(line) || line.starts_with("/// ```") && line.contains("compile_fail");
    if attached.copied().any(|line| test(&line)) { Item::Test } else { Item::Other }
}

fn is_test_attribute(line: &str) -> bool {
    line.strip_prefix("#[")
        .and_then(|rest| rest.split(['(', ']']).next())
        .is_some_and(|path| path.rsplit("::").next() == Some("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
/// Speaks of fn sharpe_ratio.
pub fn sharpe(returns: &[f64]) -> f64 { 0.0 }
pub(crate) const fn daily() {}
pub enum Severity { Info }

/// ```compile_fail
/// wrong();
/// ```
#[derive(Debug)]
pub struct Sealed;

#[cfg(test)]
mod tests {
    #[test]
    fn sharpe_of_constants_is_undefined() {}

    #[tokio::test(start_paused = true)]
    // Virtual time.
    async fn courier_waits() {}

    fn helper() {}
}
";

    #[test]
    fn items_are_found_by_keyword_and_name() {
        for name in ["sharpe", "daily", "Severity", "helper", "tests"] {
            assert_eq!(find(SOURCE, name), Some(Item::Other), "{name}");
        }
    }

    #[test]
    fn a_word_in_a_comment_or_a_variant_is_no_definition() {
        assert_eq!(find(SOURCE, "sharpe_ratio"), None);
        assert_eq!(find(SOURCE, "Info"), None);
    }

    #[test]
    fn tests_are_told_from_other_functions() {
        assert_eq!(find(SOURCE, "sharpe_of_constants_is_undefined"), Some(Item::Test));
        assert_eq!(find(SOURCE, "courier_waits"), Some(Item::Test));
    }

    #[test]
    fn an_example_that_must_not_compile_is_a_test() {
        assert_eq!(find(SOURCE, "Sealed"), Some(Item::Test));
    }

    #[test]
    fn of_two_items_with_one_name_the_test_counts() {
        let source = "#[test]\nfn twice() {}\nmod other { fn twice() {} }";
        assert_eq!(find(source, "twice"), Some(Item::Test));
        assert_eq!(find(&format!("fn twice() {{}}\n{source}"), "twice"), Some(Item::Test));
    }
}
