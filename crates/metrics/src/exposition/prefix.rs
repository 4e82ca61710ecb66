//! What never changes in the lines of a series.

use std::fmt::Write as _;

use bellwether_core::{Kind, SeriesKey};

/// What never changes in the lines of a series, escaped and rendered once: both text formats have it so.
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
        // Labels write themselves within braces, escaped as the text formats want it. Writing to a `String` cannot fail.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bellwether_core::{Descriptor, Labels, MetricName, Unit};

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
