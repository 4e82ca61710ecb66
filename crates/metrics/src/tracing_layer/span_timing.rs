//! Which spans are timed, and how.

use std::borrow::Cow;

use bellwether_core::{LabelName, MAX_LABELS, MetricName};
use tracing::{Level, Metadata};

use super::SpanTimer;
use crate::foreign_name::label_name;
use crate::{Buckets, OVERFLOW_LABEL, Registry, RegistryError, Unit};

/// Which time of a span is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SpanTime {
    /// From when it was made to when it closed, waits included: what whoever asked for it waited.
    #[default]
    Total,
    /// While it was entered: for an async task the time in which it was polled. Where several threads are in it at once,
    /// that time counts once.
    Busy,
}

/// Which spans are timed, and how: what becomes a [`SpanTimer`].
///
/// Without more it times the total time of every span of level `INFO` or above as `span_duration_seconds`, with the
/// span's name as label `span`.
#[derive(Debug, Clone)]
pub struct SpanTiming {
    name: Cow<'static, str>,
    targets: Vec<String>,
    spans: Vec<String>,
    max_level: Level,
    fields: Vec<Cow<'static, str>>,
    pub(super) time: SpanTime,
    buckets: Buckets,
}

impl SpanTiming {
    /// Total time of all spans of `INFO` and above, without fields.
    pub fn new() -> Self {
        Self {
            name: Cow::Borrowed("span_duration_seconds"),
            targets: Vec::new(),
            spans: Vec::new(),
            max_level: Level::INFO,
            fields: Vec::new(),
            time: SpanTime::default(),
            buckets: Buckets::latency(),
        }
    }

    /// Another name of the histogram; it should end in `_seconds`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Only spans of these modules and the ones below them: `engine` means `engine` and `engine::risk`, not `engineering`.
    #[must_use]
    pub fn with_targets(mut self, targets: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.targets = targets.into_iter().map(Into::into).collect();
        self
    }

    /// Only spans of these names.
    #[must_use]
    pub fn with_spans(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.spans = names.into_iter().map(Into::into).collect();
        self
    }

    /// Spans up to this level: with `DEBUG` also those that are less important than `INFO`. Default: `INFO`.
    #[must_use]
    pub fn with_max_level(mut self, level: Level) -> Self {
        self.max_level = level;
        self
    }

    /// These fields of the spans are labels. Take those that have few values: a venue, not an order's id.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Which time is measured. Default: [`SpanTime::Total`].
    #[must_use]
    pub fn with_time(mut self, time: SpanTime) -> Self {
        self.time = time;
        self
    }

    /// Bounds in seconds. Default: [`Buckets::latency`].
    #[must_use]
    pub fn with_buckets(mut self, buckets: Buckets) -> Self {
        self.buckets = buckets;
        self
    }

    /// Defines the histogram, and makes the layer that feeds it by the clock of the registry.
    ///
    /// Errors: a name that is none, a field that is no label or stands twice, `span` among them.
    pub fn register(self, metrics: &Registry) -> Result<SpanTimer, RegistryError> {
        let metric = MetricName::new(self.name.clone())?;
        let labels = self.labels(&metric)?;
        let help = match self.time {
            SpanTime::Total => "From the start of a span to its end, by name.",
            SpanTime::Busy => "How long a span was entered, by name.",
        };
        let family = metrics.dynamic_histogram_family(metric, Unit::Seconds, help, self.buckets.clone())?;
        Ok(SpanTimer::new(self, labels, family, metrics.clock()))
    }

    /// The label of each field.
    fn labels(&self, metric: &MetricName) -> Result<Box<[LabelName]>, RegistryError> {
        let mut labels = vec![LabelName::new("span")?];
        for field in &self.fields {
            let label = label_name(field)?;
            if labels.contains(&label) {
                return Err(RegistryError::RepeatedLabel { metric: metric.clone(), label });
            }
            let reserved = match label.as_str() {
                OVERFLOW_LABEL => Some("for the series that takes what is beyond the bound"),
                "le" => Some("for the buckets of histograms"),
                _ => None,
            };
            if let Some(what_for) = reserved {
                return Err(RegistryError::ReservedLabel { metric: metric.clone(), label, what_for });
            }
            labels.push(label);
        }
        if labels.len() > MAX_LABELS {
            return Err(RegistryError::TooManyLabels { metric: metric.clone(), got: labels.len() });
        }
        Ok(labels.split_off(1).into())
    }

    pub(super) fn fields(&self) -> &[Cow<'static, str>] {
        &self.fields
    }

    /// Whether a span of this kind is timed. O(targets + names), and neither as a rule.
    pub(super) fn means(&self, span: &Metadata<'_>) -> bool {
        // A level that is less important is greater.
        *span.level() <= self.max_level
            && (self.spans.is_empty() || self.spans.iter().any(|name| name == span.name()))
            && (self.targets.is_empty() || self.targets.iter().any(|target| is_within(span.target(), target)))
    }
}

impl Default for SpanTiming {
    /// [`SpanTiming::new`].
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a module is another, or below it.
fn is_within(module: &str, of: &str) -> bool {
    module.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_module_and_what_is_below_it() {
        assert!(is_within("engine", "engine") && is_within("engine::risk", "engine"));
        assert!(!is_within("engineering", "engine") && !is_within("engine", "engine::risk"));
    }
}
