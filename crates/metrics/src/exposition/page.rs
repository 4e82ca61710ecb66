//! What text is written to.

/// What text is written to: a page of text, or of bytes. Either way nothing is checked twice for being UTF-8.
pub(crate) trait Page {
    /// Appends.
    fn text(&mut self, text: &str);
}

impl Page for String {
    #[inline]
    fn text(&mut self, text: &str) {
        self.push_str(text);
    }
}

impl Page for Vec<u8> {
    #[inline]
    fn text(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
}

/// Appends `text` with a backslash before each backslash, line feeds as `\n`, and quotes escaped where `quotes` says so:
/// they are in label values everywhere, and in the help of OpenMetrics.
pub(crate) fn escape(text: &str, quotes: Quotes, out: &mut impl Page) {
    let mut rest = text;
    while let Some(at) = rest.find(|c| matches!(c, '\\' | '\n') || (c == '"' && quotes == Quotes::Escaped)) {
        let (before, from) = rest.split_at(at);
        out.text(before);
        out.text(match from.as_bytes() {
            [b'\n', ..] => "\\n",
            [b'"', ..] => "\\\"",
            _ => "\\\\",
        });
        // What was found is one byte long.
        rest = from.get(1..).unwrap_or("");
    }
    out.text(rest);
}

/// What becomes of quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// They stay as they are.
    Bare,
    /// A backslash stands before each.
    Escaped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_line_feeds_and_where_asked_quotes_are_escaped() {
        let hostile = "a\\b\n\"ä\"\\";
        let escaped = |quotes| {
            let mut out = String::new();
            escape(hostile, quotes, &mut out);
            out
        };
        assert_eq!(escaped(Quotes::Bare), r#"a\\b\n"ä"\\"#);
        assert_eq!(escaped(Quotes::Escaped), r#"a\\b\n\"ä\"\\"#);
        let mut bytes = Vec::new();
        escape(hostile, Quotes::Escaped, &mut bytes);
        assert_eq!(bytes, escaped(Quotes::Escaped).into_bytes());
    }
}
