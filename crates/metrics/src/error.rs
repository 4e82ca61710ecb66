//! Why a metric or a collector cannot be registered.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{
    BoundsError, Descriptor, Kind, LabelName, LabelsError, MAX_LABELS, MetricName, NameError, Unit,
};

#[cfg(feature = "runtime")]
use crate::ScheduleError;
use crate::{Buckets, NativeBucketsError, QuantilesError};

/// Why a metric or a collector cannot be registered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name of a metric or of a label is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The bounds of a histogram are none.
    #[error(transparent)]
    Buckets(#[from] BoundsError),
    /// The buckets of a native histogram are none.
    #[error(transparent)]
    NativeBuckets(#[from] NativeBucketsError),
    /// The quantiles of a summary are none.
    #[error(transparent)]
    Quantiles(#[from] QuantilesError),
    /// A state set has a state that is none.
    #[error("state {state:?} of state set {metric:?} {wrong}")]
    State {
        /// The metric.
        metric: MetricName,
        /// The state.
        state: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A counter is not named as one. Its name is the same everywhere, in code, rules and exposition: nothing is
    /// appended behind the host's back.
    #[error("counter {name:?} must end in \"_total\": name it \"{name}_total\"")]
    NotTotal {
        /// The name.
        name: MetricName,
    },
    /// An info is not named as one.
    #[error("info {name:?} must end in \"_info\"")]
    NotInfo {
        /// The name.
        name: MetricName,
    },
    /// A gauge or histogram has a name that readers take for another kind.
    #[error("{kind} {name:?} must not end in {suffix:?}, which is for {meant}")]
    Suffix {
        /// The name.
        name: MetricName,
        /// What it was to be.
        kind: Kind,
        /// How it ends.
        suffix: &'static str,
        /// What such names are for.
        meant: &'static str,
    },
    /// A label name that the registry or the exposition needs for itself.
    #[error("label {label:?} of metric {metric:?} is reserved {what_for}")]
    ReservedLabel {
        /// The metric.
        metric: MetricName,
        /// The label.
        label: LabelName,
        /// What it is reserved for.
        what_for: &'static str,
    },
    /// More labels than a series may have.
    #[error("metric {metric:?} has {got} labels, more than {MAX_LABELS}")]
    TooManyLabels {
        /// The metric.
        metric: MetricName,
        /// How many were given.
        got: usize,
    },
    /// A label stands twice in the definition.
    #[error("label {label:?} stands twice in the definition of metric {metric:?}")]
    RepeatedLabel {
        /// The metric.
        metric: MetricName,
        /// The label.
        label: LabelName,
    },
    /// The name is taken by another definition.
    #[error("cannot define {requested}: {registered} is there already")]
    Conflict {
        /// What was to be defined.
        requested: Box<Definition>,
        /// What has the name.
        registered: Box<Definition>,
    },
    /// Two metrics would share a name in an exposition format: a histogram `x` also takes `x_bucket`, `x_count`, `x_sum`
    /// and `x_created`, a counter `x_total` also `x` and `x_created`.
    #[error(
        "cannot define metric {requested:?}: the name {line:?} would be its own and that of {registered:?}"
    )]
    SharedLine {
        /// What was to be defined.
        requested: MetricName,
        /// What is there already.
        registered: MetricName,
        /// The name that both would have.
        line: String,
    },
    /// There is no room for the one series of a metric without labels.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// As many metrics as the registry may have.
    #[error("metric {name:?} is one too many: the registry is bounded to {limit} (`max_metrics`)")]
    TooManyMetrics {
        /// The metric.
        name: MetricName,
        /// The bound.
        limit: usize,
    },
    /// As many collectors as the registry may have.
    #[error("collector {collector} is one too many: the registry is bounded to {limit} (`max_collectors`)")]
    TooManyCollectors {
        /// The name of the collector, or its type.
        collector: Cow<'static, str>,
        /// The bound.
        limit: usize,
    },
    /// A collector with an interval of its own cannot be scheduled.
    #[cfg(feature = "runtime")]
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

impl From<Infallible> for RegistryError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Why a family has no series of its own for some label values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// A value cannot be one.
    #[error("metric {metric:?}: {source}")]
    Label {
        /// The metric.
        metric: MetricName,
        /// What is wrong, with the label.
        source: LabelsError,
    },
    /// The bound of series is reached; the overflow series takes what comes.
    #[error("metric {metric:?}: no series for {{{labels}}}: the bound of {limit} series is reached")]
    Bound {
        /// The metric.
        metric: MetricName,
        /// The labels that were asked for.
        labels: String,
        /// The bound: of the metric, or of the registry.
        limit: usize,
    },
    /// A label name that the registry or the exposition needs for itself.
    #[error("label {label:?} of metric {metric:?} is reserved {what_for}")]
    ReservedLabel {
        /// The metric.
        metric: MetricName,
        /// The label.
        label: LabelName,
        /// What it is reserved for.
        what_for: &'static str,
    },
    /// The metric was removed from its registry.
    #[error("metric {metric:?} was removed: define it again")]
    Removed {
        /// The metric.
        metric: MetricName,
    },
}

/// What was said of a metric when it was defined.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Definition {
    /// Name, kind, unit, help.
    pub descriptor: Arc<Descriptor>,
    /// Names of its labels, sorted; empty for a collector's, whose labels are not told beforehand.
    pub labels: Box<[LabelName]>,
    /// Whether each series has label names of its own.
    pub any_labels: bool,
    /// The buckets of a histogram of the host.
    pub buckets: Option<Buckets>,
    /// What else tells it from others: native buckets, quantiles, states.
    pub detail: Option<String>,
    /// The type of the collector that tells it; none for an instrument.
    pub collector: Option<Cow<'static, str>>,
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Descriptor { name, kind, unit, help } = &*self.descriptor;
        write!(f, "{kind} {name:?} (")?;
        match unit {
            Unit::None => f.write_str("no unit")?,
            unit => write!(f, "unit {unit}")?,
        }
        if !self.labels.is_empty() {
            write!(f, ", labels {:?}", self.labels)?;
        }
        if self.any_labels {
            f.write_str(", any labels")?;
        }
        if let Some(buckets) = &self.buckets {
            let bounds = buckets.bounds();
            match bounds {
                [first, .., last] => write!(f, ", {} bounds {first}..{last}", bounds.len())?,
                few => write!(f, ", bounds {few:?}")?,
            }
        }
        if let Some(detail) = &self.detail {
            write!(f, ", {detail}")?;
        }
        if let Some(collector) = &self.collector {
            write!(f, ", told by {collector}")?;
        }
        write!(f, ", help {help:?})")
    }
}
