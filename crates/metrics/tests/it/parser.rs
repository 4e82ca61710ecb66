//! A strict reader of the Prometheus text format 0.0.4, written from its description and not from our writer.

use std::collections::BTreeMap;

/// What one page says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Exposition {
    /// In the order of the page.
    pub(crate) families: Vec<ParsedFamily>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct ParsedFamily {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    pub(crate) fn family(&self, name: &str) -> &ParsedFamily {
        self.families.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family {name}"))
    }

    /// The value of the line with exactly these labels.
    pub(crate) fn value(&self, line: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut lines = self.families.iter().flat_map(|family| &family.lines);
        lines.find(|found| found.name == line && found.labels == labels).map(|line| line.value)
    }
}

/// Reads a page; panics at the first thing that the format, or its readers, would not take.
pub(crate) fn parse(text: &str) -> Exposition {
    let mut page = Exposition::default();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line must end");
    for line in text.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("help without text: {line}"));
            check_name(name, true);
            assert!(page.families.iter().all(|family| family.name != name), "family {name} is split");
            page.families.push(ParsedFamily {
                name: name.to_owned(),
                help: unescape(help, false),
                kind: String::new(),
                lines: Vec::new(),
            });
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("type without kind: {line}"));
            let family = page.families.last_mut().unwrap_or_else(|| panic!("type before help: {line}"));
            assert_eq!(family.name, name, "type of another family");
            assert!(family.kind.is_empty() && family.lines.is_empty(), "type twice or too late: {line}");
            assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
            kind.clone_into(&mut family.kind);
        } else {
            let sample = parse_line(line);
            let family =
                page.families.last_mut().unwrap_or_else(|| panic!("sample before its family: {line}"));
            let suffix =
                sample.name.strip_prefix(&family.name).unwrap_or_else(|| panic!("foreign line {line}"));
            match &*family.kind {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
                "summary" => assert!(["", "_sum", "_count"].contains(&suffix), "{line}"),
                "" => panic!("no type before {line}"),
                _ => assert_eq!(suffix, "", "{line}"),
            }
            let same = |other: &Line| other.name == sample.name && other.labels == sample.labels;
            assert!(!family.lines.iter().any(same), "series twice: {line}");
            family.lines.push(sample);
        }
    }
    for family in &page.families {
        check_family(family);
    }
    page
}

fn parse_line(line: &str) -> Line {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(end);
    check_name(name, true);
    let mut labels = BTreeMap::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, after) = inside.split_once("=\"").unwrap_or_else(|| panic!("no label value: {line}"));
            check_name(label, false);
            let end = closing_quote(after).unwrap_or_else(|| panic!("label value without end: {line}"));
            let before = labels.insert(label.to_owned(), unescape(&after[..end], true));
            assert_eq!(before, None, "label {label} twice: {line}");
            let after = &after[end + 1..];
            if let Some(next) = after.strip_prefix(',') {
                inside = next;
            } else {
                rest = after.strip_prefix('}').unwrap_or_else(|| panic!("no closing brace: {line}"));
                break;
            }
        }
    }
    let text = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space before the value: {line}"));
    assert!(text.bytes().all(|byte| b"0123456789.-e".contains(&byte)), "not a finite number: {line}");
    let value: f64 = text.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
    assert!(value.is_finite(), "{line}");
    Line { name: name.to_owned(), labels, value }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescape(text: &str, quotes: bool) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\\') => out.push('\\'),
                Some('n') => out.push('\n'),
                Some('"') if quotes => out.push('"'),
                other => panic!("escape of {other:?} in {text:?}"),
            },
            '"' if quotes => panic!("bare quote in {text:?}"),
            c => out.push(c),
        }
    }
    out
}

fn check_name(name: &str, colons: bool) {
    let good = |(i, c): (usize, char)| {
        c.is_ascii_alphabetic() || c == '_' || (colons && c == ':') || (i > 0 && c.is_ascii_digit())
    };
    assert!(!name.is_empty() && name.chars().enumerate().all(good), "name {name:?}");
    assert!(colons || !name.starts_with("__"), "label name {name:?}");
}

fn check_family(family: &ParsedFamily) {
    assert!(!family.lines.is_empty(), "family {} has no line", family.name);
    match &*family.kind {
        "counter" => {
            assert!(family.name.ends_with("_total"), "{}", family.name);
            assert!(family.lines.iter().all(|line| line.value >= 0.0), "{family:?}");
        }
        "histogram" => check_histogram(family),
        _ => assert!(!family.name.ends_with("_total"), "{}", family.name),
    }
}

/// Every series: buckets ascending and cumulative, the last one `+Inf`, then the sum, then the count, which is that of
/// the last bucket.
fn check_histogram(family: &ParsedFamily) {
    let mut lines = family.lines.iter().peekable();
    while lines.peek().is_some() {
        let mut before = (f64::NEG_INFINITY, 0.0);
        let mut own = None;
        let all = loop {
            let line = lines.next().expect("a histogram ends with its count");
            assert_eq!(line.name, format!("{}_bucket", family.name));
            let mut labels = line.labels.clone();
            let bound = labels.remove("le").expect("a bucket has a bound");
            assert_eq!(own.get_or_insert_with(|| labels.clone()), &labels);
            if bound == "+Inf" {
                assert!(line.value >= before.1);
                break line.value;
            }
            let bound: f64 = bound.parse().expect("a bound is a number");
            assert!(bound > before.0 && line.value >= before.1, "{family:?}");
            before = (bound, line.value);
        };
        let (sum, count) = (lines.next().expect("a sum"), lines.next().expect("a count"));
        assert_eq!(
            (&sum.name, &count.name),
            (&format!("{}_sum", family.name), &format!("{}_count", family.name))
        );
        assert_eq!((Some(&sum.labels), Some(&count.labels)), (own.as_ref(), own.as_ref()));
        assert_eq!(count.value, all);
    }
}
