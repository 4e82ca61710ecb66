//! What a label must be.
use std::fmt;
use std::str::FromStr;

use bellwether_core::Labels;

use crate::pattern::Pattern;

/// How a [`Matcher`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`: the same text.
    Equal,
    /// `!=`: another text.
    NotEqual,
    /// `=~`: the whole text matches a regular expression.
    Matches,
    /// `!~`: the whole text does not match it.
    NotMatches,
}

impl MatchOp {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        }
    }
}

/// Why a text is not a matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatcherError {
    /// There is no name, operator and value.
    #[error("matcher {text:?} is not of the form name=\"value\"; the operators are =, !=, =~ and !~")]
    Form {
        /// The offending text, shortened.
        text: String,
    },
    /// A quote stands where it must be escaped, or is never closed.
    #[error("matcher {text:?} has a quote that is neither escaped nor closes the value")]
    Quote {
        /// The offending text, shortened.
        text: String,
    },
    /// The value is not a regular expression.
    #[error("matcher {text:?} has no valid regular expression: {reason}")]
    Pattern {
        /// The offending text, shortened.
        text: String,
        /// Why.
        reason: String,
    },
}

/// What a label must be: `name = value`, `!=`, `=~` or `!~`.
///
/// A label that is missing is the same as an empty one, for all four. Regular expressions are those of Go's RE2 and match the whole
/// value. Read from and printed as Alertmanager writes it; the value may stand without quotes.
///
/// ```
/// use bellwether_alerts::Matcher;
/// use bellwether_core::Labels;
///
/// let matcher: Matcher = r#"venue=~"XNYS|XNAS""#.parse()?;
/// assert!(matcher.matches(&Labels::new([("venue", "XNAS")])?));
/// let unset: Matcher = "desk!=equities".parse()?;
/// assert!(unset.matches(&Labels::empty()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Matcher {
    name: Box<str>,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(Box<str>),
    NotEqual(Box<str>),
    Matches(Pattern),
    NotMatches(Pattern),
}

impl Matcher {
    /// Checks the name and compiles the expression, if it is one.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, MatcherError> {
        let text = || shortened(&format!("{name}{}{value}", op.as_str()));
        let pattern = || Pattern::new(value).map_err(|reason| MatcherError::Pattern { text: text(), reason });
        if !is_name(name) {
            return Err(MatcherError::Form { text: text() });
        }
        let test = match op {
            MatchOp::Equal => Test::Equal(value.into()),
            MatchOp::NotEqual => Test::NotEqual(value.into()),
            MatchOp::Matches => Test::Matches(pattern()?),
            MatchOp::NotMatches => Test::NotMatches(pattern()?),
        };
        Ok(Self { name: name.into(), test })
    }

    /// The label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        match self.test {
            Test::Equal(_) => MatchOp::Equal,
            Test::NotEqual(_) => MatchOp::NotEqual,
            Test::Matches(_) => MatchOp::Matches,
            Test::NotMatches(_) => MatchOp::NotMatches,
        }
    }

    /// The text or expression it compares with.
    pub fn value(&self) -> &str {
        match &self.test {
            Test::Equal(text) | Test::NotEqual(text) => text,
            Test::Matches(pattern) | Test::NotMatches(pattern) => pattern.as_str(),
        }
    }

    /// Whether the label is as it must be.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).unwrap_or_default();
        match &self.test {
            Test::Equal(text) => **text == *value,
            Test::NotEqual(text) => **text != *value,
            Test::Matches(pattern) => pattern.matches(value),
            Test::NotMatches(pattern) => !pattern.matches(value),
        }
    }

    /// Several matchers in one text: `{a="1", b!~"x|y"}`, the braces being optional. None for an empty text.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, MatcherError> {
        let text = text.trim();
        let inside = text.strip_prefix('{').unwrap_or(text);
        let inside = inside.strip_suffix('}').unwrap_or(inside);
        let mut matchers = Vec::new();
        let (mut start, mut quoted, mut escaped) = (0, false, false);
        for (at, c) in inside.char_indices() {
            match c {
                ',' if !quoted => {
                    matchers.push(inside.get(start..at).unwrap_or_default().parse()?);
                    start = at + 1;
                }
                '"' if !escaped => quoted = !quoted,
                _ => {}
            }
            escaped = c == '\\' && !escaped;
        }
        let last = inside.get(start..).unwrap_or_default();
        if !last.trim().is_empty() {
            matchers.push(last.parse()?);
        }
        Ok(matchers)
    }
}

/// Two matchers are equal when they are written alike.
impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.op(), self.value()) == (other.name(), other.op(), other.value())
    }
}

impl Eq for Matcher {}

fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b':';
    name.bytes().next().is_some_and(letter) && name.bytes().all(|b| letter(b) || b.is_ascii_digit())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let form = || MatcherError::Form { text: shortened(text) };
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
        let (name, rest) = trimmed.split_at_checked(end.ok_or_else(form)?).ok_or_else(form)?;
        let rest = rest.trim_start();
        let ops = [MatchOp::Matches, MatchOp::NotMatches, MatchOp::NotEqual, MatchOp::Equal];
        let read = |op: MatchOp| rest.strip_prefix(op.as_str()).map(|value| (op, value.trim_start()));
        let (op, value) = ops.into_iter().find_map(read).ok_or_else(form)?;
        if !is_name(name) {
            return Err(form());
        }
        let value = unescape(value).ok_or_else(|| MatcherError::Quote { text: shortened(text) })?;
        Self::new(name, op, &value)
    }
}

/// The value without its quotes, `\"`, `\\` and `\n` replaced; any other backslash means itself. None if a quote is out of place.
fn unescape(raw: &str) -> Option<String> {
    let (body, quoted) = match raw.strip_prefix('"') {
        Some(body) => (body, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars();
    let mut closed = !quoted;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(plain @ ('"' | '\\')) => value.push(plain),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            '"' if !closed && chars.as_str().is_empty() => closed = true,
            '"' => return None,
            c => value.push(c),
        }
    }
    closed.then_some(value)
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(f, "{}{}\"", self.name, self.op().as_str())?;
        for c in self.value().chars() {
            match c {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(c)?;
                }
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Matcher {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Matcher {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Matcher {
        text.parse().unwrap()
    }

    #[test]
    fn quotes_spaces_and_escapes_are_read_as_alertmanager_reads_them() {
        for (text, op, value) in [
            ("a=b", MatchOp::Equal, "b"),
            (" a != \"b c\" ", MatchOp::NotEqual, "b c"),
            (r#"a=~"b\\d""#, MatchOp::Matches, r"b\d"),
            (r"a=~b\d", MatchOp::Matches, r"b\d"),
            (r#"a!~"\"x\"""#, MatchOp::NotMatches, "\"x\""),
            ("a=\"\"", MatchOp::Equal, ""),
            ("a=", MatchOp::Equal, ""),
            (r"a=x\", MatchOp::Equal, r"x\"),
            (r#"a="line\nbreak""#, MatchOp::Equal, "line\nbreak"),
            ("a==b", MatchOp::Equal, "=b"),
        ] {
            let matcher = parse(text);
            assert_eq!((matcher.name(), matcher.op(), matcher.value()), ("a", op, value), "{text}");
        }
    }

    #[test]
    fn what_is_no_matcher_is_refused() {
        for text in
            ["", "a", "=b", "1a=b", "a b=c", "a-b=c", "a>b", "a = ~ \"", r#"a="b"c""#, r#"a="b"#, "a=b\"c"]
        {
            assert!(text.parse::<Matcher>().is_err(), "{text:?}");
        }
        let error = "a=~\"(\"".parse::<Matcher>().unwrap_err();
        assert!(matches!(error, MatcherError::Pattern { .. }), "{error}");
    }

    #[test]
    fn a_missing_label_is_an_empty_one_for_all_operators() {
        let none = Labels::empty();
        assert!(parse("a=\"\"").matches(&none) && !parse("a!=\"\"").matches(&none));
        assert!(parse("a!=x").matches(&none) && parse("a=~\"x?\"").matches(&none));
        assert!(!parse("a=~\".+\"").matches(&none) && parse("a!~\"x\"").matches(&none));
    }

    #[test]
    fn several_matchers_are_split_outside_of_quotes() {
        let all = Matcher::parse_all(r#"{a="1,2", b!~"x|\"y,\"" , c=z,}"#).unwrap();
        let texts: Vec<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts, [r#"a="1,2""#, r#"b!~"x|\"y,\"""#, r#"c="z""#]);
        assert_eq!(Matcher::parse_all(" {} ").unwrap(), []);
        assert!(Matcher::parse_all("a=1,,b=2").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_printed_reads_back(name in "[a-z_][a-z0-9_]{0,8}", value in any::<String>(), negative in any::<bool>()) {
            let op = if negative { MatchOp::NotEqual } else { MatchOp::Equal };
            let matcher = Matcher::new(&name, op, &value).unwrap();
            prop_assert_eq!(matcher.to_string().parse::<Matcher>(), Ok(matcher));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Matcher>();
            let _ = Matcher::parse_all(&text);
        }
    }
}
