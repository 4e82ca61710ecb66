//! A regular expression as Alertmanager reads it.
use std::fmt;

use regex::RegexBuilder;

/// Longest expression that is accepted, in bytes.
const MAX_LEN: usize = 4_096;

/// Most memory that one compiled expression may take, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A regular expression in the syntax of Go's RE2, matched against the whole text.
///
/// The engine is the crate `regex`, which is linear in the text as RE2 is. Where the two read an expression differently it is
/// translated: `\d \w \s \b` mean ASCII, `[`, `&` and `~` in a class mean themselves, `\Q…\E` quotes, `\<` and `\>` are
/// `<` and `>`, octal escapes work. What stays different: `\B` knows Unicode words, and a few
/// expressions that Go refuses are accepted (`x**`, `(?x)`, repetitions above 1000 as long as the result stays below 1 MiB).
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    program: Program,
}

#[derive(Clone)]
enum Program {
    /// One of these texts.
    Words(Box<[Box<str>]>),
    Regex(regex::Regex),
}

impl Pattern {
    /// Compiles an expression, or says why it is none.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LEN {
            return Err(format!("{} bytes are more than {MAX_LEN}", text.len()));
        }
        let plain = |c: char| !r"\.+*?()[]{}^$|".contains(c);
        let program = if text.split('|').all(|word| word.chars().all(plain)) {
            Program::Words(text.split('|').map(Box::from).collect())
        } else {
            // Alone first: an expression that closes a group it has not opened must not close ours.
            let translated = translate(text);
            compile(&translated)?;
            Program::Regex(compile(&format!("^(?:{translated})$"))?)
        };
        Ok(Self { text: text.into(), program })
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.program {
            Program::Words(words) => words.iter().any(|word| **word == *text),
            Program::Regex(regex) => regex.is_match(text),
        }
    }

    /// The expression as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

fn compile(text: &str) -> Result<regex::Regex, String> {
    let mut builder = RegexBuilder::new(text);
    builder.octal(true).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes of memory"),
        // The message draws the expression over several lines; its last line is the reason.
        error => {
            error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}

/// The expression in the dialect of the crate `regex`.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix(r"\Q").filter(|_| !in_class) {
            let (literal, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            out.push_str(&regex::escape(literal));
            rest = after;
            continue;
        }
        if c == '\\' {
            let escaped = rest.chars().nth(1);
            match escaped {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[\t\n\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some(angle @ ('<' | '>')) => out.push(angle),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            }
            rest = rest.get(1 + escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if !in_class {
            in_class = c == '[';
            out.push(c);
            if in_class {
                // A bracket or hyphen that opens the class means itself.
                for first in ['^', ']'] {
                    if let Some(after) = rest.strip_prefix(first) {
                        out.push_str(if first == ']' { r"\]" } else { "^" });
                        rest = after;
                    }
                }
            }
            continue;
        }
        match c {
            ']' => {
                in_class = false;
                out.push(c);
            }
            '[' => match named_class(rest) {
                Some(name) => {
                    out.push('[');
                    out.push_str(name);
                    rest = rest.get(name.len()..).unwrap_or_default();
                }
                None => out.push_str(r"\["),
            },
            '&' | '~' => out.extend(['\\', c]),
            '-' if rest.starts_with('-') => {
                out.push_str(r"-\-");
                rest = rest.get(1..).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out
}

/// The rest of `[:name:]` after its first bracket.
fn named_class(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix(':')?;
    let end = inside.find(":]")?;
    let name = inside.get(..end)?;
    let letters = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
    letters(name.strip_prefix('^').unwrap_or(name)).then(|| rest.get(..end + 3)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().matches(text)
    }

    #[test]
    fn the_whole_text_must_match() {
        assert!(matches("a|ab", "ab") && !matches("a|ab", "abc") && !matches("b", "ab"));
        assert!(matches("a.*", "abc") && !matches("a.", "abc"));
        assert!(matches("", "") && matches(".*", "") && !matches("", "x"));
        assert!(!matches("x$", "x\n"), "the end is the end, not the last line");
        assert!(matches("^x|y$", "y"));
    }

    #[test]
    fn classes_mean_ascii_as_in_go() {
        assert!(matches(r"\d+", "42") && !matches(r"\d", "٣"));
        assert!(!matches(r"\w", "é") && matches(r"\W", "é"));
        assert!(matches(r"[\d_]+", "4_2") && matches(r"[^\D]", "7"));
        assert!(!matches(r"\s", "\u{a0}") && matches(r"a\b.", "a "));
    }

    #[test]
    fn brackets_in_a_class_mean_themselves() {
        assert!(matches("[[a]+", "[a[") && matches("[a&&b]+", "a&b") && matches("[]a]+", "]a"));
        assert!(matches("[^]]", "x") && !matches("[^]]", "]"));
        assert!(matches("[[:digit:]x]+", "1x2"));
        assert!(matches("[~~]", "~"));
        assert!(matches("[+--]+", "+,-") && !matches("[+--]", "a"), "a range up to the hyphen");
    }

    #[test]
    fn quotes_and_octal_escapes_work() {
        assert!(matches(r"\Qa.b\E+", "a.bb") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\101", "A") && matches(r"\<x\>", "<x>"));
    }

    #[test]
    fn an_expression_cannot_break_out_of_its_anchors() {
        assert!(Pattern::new("a)|(?:b").is_err());
        assert!(Pattern::new("(").unwrap_err().contains("unclosed group"));
    }

    #[test]
    fn an_expression_that_explodes_is_refused() {
        assert!(Pattern::new("((a{1000}){1000}){1000}").unwrap_err().contains("memory"));
        assert!(Pattern::new(&"a".repeat(5_000)).unwrap_err().contains("5000 bytes"));
    }
}
