//! A strict reader of OpenMetrics 1.0 text, written from the standard and not from our writer.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, PartialEq)]
pub(crate) struct OpenMetrics {
    pub(crate) families: Vec<MetricFamily>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct MetricFamily {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
    pub(crate) help: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    /// The number as it stands there.
    pub(crate) text: String,
    pub(crate) exemplar: Option<Exemplar>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    pub(crate) at: Option<f64>,
}

impl OpenMetrics {
    pub(crate) fn family(&self, name: &str) -> &MetricFamily {
        self.families.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family {name}"))
    }

    /// The value of the sample with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut samples = self.families.iter().flat_map(|family| &family.samples);
        samples.find(|sample| sample.name == name && sample.labels == labels).map(|sample| sample.value)
    }
}

/// Reads a page; panics at the first thing that the standard forbids.
pub(crate) fn parse(text: &str) -> OpenMetrics {
    let lines = text.strip_suffix("# EOF\n").expect("the page ends with # EOF");
    assert!(lines.is_empty() || lines.ends_with('\n'), "a line without end");
    let mut page = OpenMetrics::default();
    for line in lines.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# ") {
            metadata(rest, &mut page);
            continue;
        }
        let sample = Line(line).sample();
        let family = page.families.last_mut().unwrap_or_else(|| panic!("no family for {line}"));
        let suffix = sample.name.strip_prefix(&*family.name).unwrap_or_else(|| panic!("foreign {line}"));
        let allowed: &[&str] = match &*family.kind {
            "counter" => &["_total", "_created"],
            "gauge" | "stateset" | "unknown" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_count", "_sum", "_created"],
            "summary" => &["", "_count", "_sum", "_created"],
            other => panic!("type {other:?} before {line}"),
        };
        assert!(allowed.contains(&suffix), "{line} in a {}", family.kind);
        assert!(sample.exemplar.is_none() || ["_total", "_bucket"].contains(&suffix), "exemplar at {line}");
        family.samples.push(sample);
    }
    let mut names = BTreeSet::new();
    for family in &page.families {
        check(family);
        let suffixes: &[&str] = match &*family.kind {
            "counter" => &["", "_total", "_created"],
            "info" => &["", "_info"],
            "histogram" => &["", "_bucket", "_count", "_sum", "_created"],
            "summary" => &["", "_count", "_sum", "_created"],
            _ => &[""],
        };
        for suffix in suffixes {
            assert!(names.insert(format!("{}{suffix}", family.name)), "{}{suffix} twice", family.name);
        }
    }
    page
}

fn metadata(rest: &str, page: &mut OpenMetrics) {
    let mut parts = rest.splitn(3, ' ');
    let (Some(what), Some(name), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        panic!("metadata {rest:?}")
    };
    check_name(name, true);
    if page.families.last().is_none_or(|family| family.name != name) {
        assert!(page.families.iter().all(|family| family.name != name), "family {name} is split");
        page.families.push(MetricFamily { name: name.to_owned(), ..MetricFamily::default() });
    }
    let family = page.families.last_mut().unwrap();
    assert!(family.samples.is_empty(), "metadata after samples: {rest}");
    match what {
        "TYPE" => {
            assert!(family.kind.is_empty(), "two types: {rest}");
            text.clone_into(&mut family.kind);
        }
        "UNIT" => {
            assert!(family.unit.replace(text.to_owned()).is_none(), "two units: {rest}");
            assert!(name.ends_with(&format!("_{text}")), "a unit that the name does not end in: {rest}");
        }
        "HELP" => {
            let mut line = Line(text);
            let help = line.escaped(None);
            assert!(family.help.replace(help).is_none(), "two helps: {rest}");
        }
        _ => panic!("metadata {rest:?}"),
    }
}

/// What is left of a line.
struct Line<'a>(&'a str);

impl Line<'_> {
    fn sample(&mut self) -> Sample {
        let name = self.until(['{', ' ']);
        check_name(&name, true);
        let labels = if self.0.starts_with('{') { self.labels() } else { BTreeMap::new() };
        self.expect(" ");
        let text = self.until([' ', ' ']);
        let value = number(&text);
        let exemplar = (!self.0.is_empty()).then(|| {
            self.expect(" # ");
            let labels = self.labels();
            let chars: usize =
                labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
            assert!(chars <= 128, "an exemplar of {chars} characters");
            self.expect(" ");
            let value = number(&self.until([' ', ' ']));
            let at = (!self.0.is_empty()).then(|| {
                self.expect(" ");
                number(&self.until([' ', ' ']))
            });
            Exemplar { labels, value, at }
        });
        assert_eq!(self.0, "", "after the sample");
        Sample { name, labels, value, text, exemplar }
    }

    fn until(&mut self, ends: [char; 2]) -> String {
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (before, after) = self.0.split_at(end);
        self.0 = after;
        before.to_owned()
    }

    fn expect(&mut self, text: &str) {
        self.0 = self.0.strip_prefix(text).unwrap_or_else(|| panic!("{text:?} before {:?}", self.0));
    }

    fn labels(&mut self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        self.expect("{");
        if !self.0.starts_with('}') {
            loop {
                let name = self.until(['=', '=']);
                check_name(&name, false);
                self.expect("=\"");
                let value = self.escaped(Some('"'));
                assert!(labels.insert(name, value).is_none(), "a label twice");
                if !self.0.starts_with(',') {
                    break;
                }
                self.expect(",");
            }
        }
        self.expect("}");
        labels
    }

    /// Escaped text up to the `end`, which is taken too.
    fn escaped(&mut self, end: Option<char>) -> String {
        let mut out = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next() {
                None => {
                    assert_eq!(end, None, "text without end");
                    break;
                }
                Some('"') => {
                    assert_eq!(end, Some('"'), "a bare quote");
                    break;
                }
                Some('\\') => out.push(match chars.next() {
                    Some('n') => '\n',
                    Some(c @ ('\\' | '"')) => c,
                    other => panic!("escape of {other:?}"),
                }),
                Some(c) => out.push(c),
            }
        }
        self.0 = chars.as_str();
        out
    }
}

fn number(text: &str) -> f64 {
    let sound = text.bytes().all(|byte| b"0123456789.-+e".contains(&byte));
    assert!(sound, "not a finite number: {text:?}");
    text.parse().unwrap_or_else(|_| panic!("not a number: {text:?}"))
}

fn check_name(name: &str, colons: bool) {
    let good = |(i, c): (usize, char)| {
        c.is_ascii_alphabetic() || c == '_' || (colons && c == ':') || (i > 0 && c.is_ascii_digit())
    };
    assert!(!name.is_empty() && name.chars().enumerate().all(good), "name {name:?}");
}

fn check(family: &MetricFamily) {
    let MetricFamily { name, kind, unit, samples, .. } = family;
    assert!(unit.is_none() || !["info", "stateset"].contains(&&**kind), "{name} has a unit");
    let part = match &**kind {
        "histogram" => "le",
        "summary" => "quantile",
        "stateset" => name,
        _ => "",
    };
    let mut groups: Vec<(BTreeMap<String, String>, Vec<&Sample>)> = Vec::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        labels.remove(part);
        if groups.last().is_none_or(|(last, _)| *last != labels) {
            assert!(
                groups.iter().all(|(other, _)| *other != labels),
                "{name}: the metric {labels:?} is split"
            );
            groups.push((labels, Vec::new()));
        }
        let group = &mut groups.last_mut().unwrap().1;
        let twice = group.iter().any(|other| other.name == sample.name && other.labels == sample.labels);
        assert!(!twice, "{sample:?} twice");
        group.push(sample);
    }
    for (_, samples) in groups {
        let of = |suffix: &str| -> Vec<&&Sample> {
            samples.iter().filter(|sample| sample.name.strip_prefix(&**name) == Some(suffix)).collect()
        };
        for sample in of("_created") {
            assert!(sample.value > 0.0 && sample.value < 1e11, "{sample:?}");
        }
        match &**kind {
            "counter" => assert!(of("_total").len() == 1 && of("_total")[0].value >= 0.0, "{samples:?}"),
            "info" => assert!(samples.iter().all(|sample| sample.value == 1.0), "{samples:?}"),
            "stateset" => {
                let state = |sample: &&Sample| {
                    [0.0, 1.0].contains(&sample.value) && sample.labels.contains_key(&**name)
                };
                assert!(samples.iter().all(state), "{samples:?}");
            }
            "histogram" => check_histogram(&of("_bucket"), &of("_count"), &of("_sum")),
            "summary" => {
                assert_eq!(of("_count").len(), of("_sum").len());
                for sample in of("") {
                    let q = canonical(&sample.labels["quantile"]);
                    assert!((0.0..=1.0).contains(&q) && sample.value >= 0.0, "{sample:?}");
                }
                assert!(of("_sum").iter().all(|sum| sum.value >= 0.0), "{samples:?}");
            }
            _ => {}
        }
    }
}

fn check_histogram(buckets: &[&&Sample], count: &[&&Sample], sum: &[&&Sample]) {
    let (mut bound, mut below) = (f64::NEG_INFINITY, 0.0);
    let mut negative = false;
    for bucket in buckets {
        let le = &bucket.labels["le"];
        let next = if le == "+Inf" { f64::INFINITY } else { canonical(le) };
        assert!(next > bound && bucket.value >= below, "{buckets:?}");
        assert!(
            bucket.text.bytes().all(|byte| byte.is_ascii_digit()),
            "a count that is not whole: {bucket:?}"
        );
        negative |= next < 0.0;
        (bound, below) = (next, bucket.value);
    }
    assert_eq!(bound, f64::INFINITY, "no open bucket");
    assert!(count.len() == sum.len() && count.len() <= 1, "{count:?} {sum:?}");
    assert!(count.iter().all(|count| count.value == below), "{count:?}");
    assert!(sum.is_empty() || !negative, "a sum with negative buckets");
    assert!(sum.iter().all(|sum| sum.value >= 0.0), "{sum:?}");
}

/// A bound or quantile: as Go writes it, and never like a whole number.
fn canonical(text: &str) -> f64 {
    let value = number(text);
    assert!(text.contains(['.', 'e']), "not canonical: {text}");
    if let Some((mantissa, exponent)) = text.split_once('e') {
        let digits = exponent.strip_prefix(['+', '-']).expect("a sign");
        assert!(digits.len() >= 2 && mantissa.len() != 2, "not canonical: {text}");
        let power: i32 = exponent.parse().unwrap();
        assert!(!(-4..6).contains(&power), "not canonical: {text}");
    }
    value
}
