//! The Prometheus text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, SeriesKey};

use crate::gather::Visit;
use crate::history::Track;
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// The content type of [`Registry::text`](crate::Registry::text).
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What never changes in the lines of a series, escaped and rendered once.
///
/// Of a counter or gauge all that stands before the value: `name{a="1"} `. Of a histogram its labels: `a="1"`.
pub(crate) struct Prefix(Box<str>);

impl Prefix {
    pub(crate) fn new(key: &SeriesKey) -> Self {
        let mut text = String::new();
        Self::write(key, &mut text);
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn write(key: &SeriesKey, out: &mut String) {
        // Labels write themselves within braces, escaped as this format wants it. Writing to a `String` cannot fail.
        let _ = match key.descriptor.kind {
            Kind::Histogram => {
                let labels = key.labels.to_string();
                out.push_str(labels.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(""));
                Ok(())
            }
            _ => write!(out, "{}{} ", key.descriptor.name, key.labels),
        };
    }
}

/// Writes families as they are visited. Numbers go through stack buffers: nothing is allocated but the text.
pub(crate) struct TextWriter<'a> {
    out: &'a mut String,
    family: Option<Arc<Descriptor>>,
    /// What the lines of all buckets of one series begin with.
    bucket: &'a mut String,
    whole: itoa::Buffer,
    real: ryu::Buffer,
}

impl<'a> TextWriter<'a> {
    /// Appends to `out`; `scratch` is room for a part of a line.
    pub(crate) fn new(out: &'a mut String, scratch: &'a mut String) -> Self {
        Self { out, family: None, bucket: scratch, whole: itoa::Buffer::new(), real: ryu::Buffer::new() }
    }

    /// `name_suffix{labels} `, without braces when there are no labels.
    fn start(&mut self, suffix: &str, labels: &str) {
        if let Some(family) = &self.family {
            self.out.push_str(family.name.as_str());
        }
        self.out.push_str(suffix);
        if !labels.is_empty() {
            self.out.push('{');
            self.out.push_str(labels);
            self.out.push('}');
        }
        self.out.push(' ');
    }

    fn end_whole(&mut self, value: u64) {
        self.out.push_str(self.whole.format(value));
        self.out.push('\n');
    }

    /// Whole numbers without decimals, all others so that they read back as the same number.
    fn end_real(&mut self, value: f64) {
        /// Up to here every whole number is exact.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= EXACT {
            self.out.push_str(self.whole.format(value as i64));
        } else {
            // Every value was found finite when it was taken in.
            self.out.push_str(self.real.format_finite(value));
        }
        self.out.push('\n');
    }
}

impl Visit for TextWriter<'_> {
    fn family(&mut self, declared: &Declared) {
        let Descriptor { name, kind, help, .. } = &*declared.descriptor;
        self.out.push_str("# HELP ");
        self.out.push_str(name.as_str());
        self.out.push(' ');
        escape_help(help, self.out);
        self.out.push_str("\n# TYPE ");
        self.out.push_str(name.as_str());
        self.out.push_str(match kind {
            Kind::Counter => " counter\n",
            Kind::Gauge => " gauge\n",
            Kind::Histogram => " histogram\n",
            _ => " untyped\n",
        });
        self.family = Some(Arc::clone(&declared.descriptor));
    }

    fn series(
        &mut self,
        key: &Arc<SeriesKey>,
        prefix: &str,
        reading: Reading<'_>,
        _: &mut [Option<Arc<Track>>; 2],
    ) {
        match reading {
            Reading::Counter(Total::Whole(total)) => {
                self.out.push_str(prefix);
                self.end_whole(total);
            }
            Reading::Counter(Total::Real(value)) | Reading::Gauge(value) => {
                self.out.push_str(prefix);
                self.end_real(value);
            }
            Reading::Histogram { buckets, counts, sum } => {
                self.bucket.clear();
                self.bucket.push_str(key.descriptor.name.as_str());
                self.bucket.push_str("_bucket{");
                self.bucket.push_str(prefix);
                self.bucket.push_str(if prefix.is_empty() { "le=\"" } else { ",le=\"" });
                let mut upto = 0u64;
                for (line_end, count) in buckets.line_ends().iter().zip(counts) {
                    upto = upto.wrapping_add(*count);
                    self.out.push_str(self.bucket);
                    self.out.push_str(line_end);
                    self.end_whole(upto);
                }
                self.start("_sum", prefix);
                self.end_real(sum);
                self.start("_count", prefix);
                self.end_whole(upto);
            }
        }
    }
}

/// Backslash and line feed are escaped.
fn escape_help(help: &str, out: &mut String) {
    let mut rest = help;
    while let Some(at) = rest.find(['\\', '\n']) {
        out.push_str(&rest[..at]);
        out.push_str(if rest[at..].starts_with('\n') { "\\n" } else { "\\\\" });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Labels, MetricName, Unit};

    use super::*;

    #[test]
    fn prefixes_are_escaped_and_those_of_histograms_have_no_braces() {
        let name = |name| MetricName::new(name).unwrap();
        let gauge = Arc::new(Descriptor::gauge(name("x"), Unit::None, "x"));
        let histogram = Arc::new(Descriptor::histogram(name("h"), Unit::None, "h"));
        let hostile = Labels::new([("b", "}\n"), ("a", "\"{\\")]).unwrap();
        let prefix = |descriptor: &Arc<Descriptor>, labels: &Labels| {
            Prefix::new(&SeriesKey { descriptor: Arc::clone(descriptor), labels: labels.clone() }).0
        };
        assert_eq!(&*prefix(&gauge, &hostile), r#"x{a="\"{\\",b="}\n"} "#);
        assert_eq!(&*prefix(&gauge, &Labels::empty()), "x ");
        assert_eq!(&*prefix(&histogram, &hostile), r#"a="\"{\\",b="}\n""#);
        assert_eq!(&*prefix(&histogram, &Labels::empty()), "");
    }
}
