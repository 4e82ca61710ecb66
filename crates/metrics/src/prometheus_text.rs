//! The Prometheus text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::Arc;

use bellwether_core::{Descriptor, Kind, SeriesKey};

use crate::gather::{SeriesView, Visit};
use crate::instrument::{Declared, Reading};
use crate::total::Total;

/// The content type of [`Registry::text`](crate::Registry::text).
pub const TEXT_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What never changes in the lines of a series, escaped and rendered once.
///
/// Of a counter or gauge all that stands before the value: `name{a="1"} `. Of a histogram or summary its labels: `a="1"`.
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
            Kind::Histogram | Kind::Summary => {
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
    /// What the lines of all buckets or quantiles of one series begin with.
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

    /// What the lines of the parts of one series begin with: `name_suffix{labels,part="`.
    fn begin_parts(&mut self, suffix: &str, labels: &str, part: &str) {
        self.bucket.clear();
        let name = self.family.as_ref().map_or("", |family| family.name.as_str());
        let comma = if labels.is_empty() { "" } else { "," };
        for text in [name, suffix, "{", labels, comma, part, "=\""] {
            self.bucket.push_str(text);
        }
    }

    /// The lines of the sum and the count.
    fn end_with_sum(&mut self, labels: &str, sum: f64, count: u64) {
        self.start("_sum", labels);
        self.end_real(sum);
        self.start("_count", labels);
        self.end_whole(count);
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
            Kind::Gauge | Kind::Info | Kind::StateSet => " gauge\n",
            Kind::Histogram => " histogram\n",
            Kind::Summary => " summary\n",
            _ => " untyped\n",
        });
        self.family = Some(Arc::clone(&declared.descriptor));
    }

    fn series(&mut self, series: SeriesView<'_>) {
        let SeriesView { prefix, reading, .. } = series;
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
                self.begin_parts("_bucket", prefix, "le");
                let mut upto = 0u64;
                for (line_end, count) in buckets.line_ends().iter().zip(counts) {
                    upto = upto.wrapping_add(*count);
                    self.out.push_str(self.bucket);
                    self.out.push_str(line_end);
                    self.end_whole(upto);
                }
                self.end_with_sum(prefix, sum, upto);
            }
            // This format has no native buckets: what is left is the count.
            Reading::Native { zero_count, positive, negative, sum, .. } => {
                let all = positive.iter().chain(negative);
                let count = all.fold(zero_count, |all, &(_, count)| all.wrapping_add(count));
                self.begin_parts("_bucket", prefix, "le");
                self.out.push_str(self.bucket);
                self.out.push_str("+Inf\"} ");
                self.end_whole(count);
                self.end_with_sum(prefix, sum, count);
            }
            Reading::Summary { quantiles, count, sum } => {
                self.begin_parts("", prefix, "quantile");
                for &(q, value) in quantiles {
                    self.out.push_str(self.bucket);
                    self.out.push_str(self.real.format_finite(q));
                    self.out.push_str("\"} ");
                    self.end_real(value);
                }
                self.end_with_sum(prefix, sum, count);
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
