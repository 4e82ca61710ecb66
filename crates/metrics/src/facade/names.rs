//! Names, labels and units of the facade as ours.

use bellwether_core::{Kind, LabelName, MetricName, NameError, Unit};

use crate::family::LabelPairs;
use crate::foreign_name::{label_name, metric_name};

/// Most metrics of the facade that are known; more than a registry has by default.
pub(super) const MOST_NAMES: usize = 10_000;

/// The labels of a key, under names of ours.
pub(super) enum KeyLabels<'a> {
    /// As they are: all names are ones.
    Plain(&'a metrics::Key),
    /// Some names had to be changed. What is no name at all stays, and is refused with its series.
    Renamed(Vec<(String, &'a str)>),
}

impl<'a> KeyLabels<'a> {
    pub(super) fn of(key: &'a metrics::Key) -> Self {
        if key.labels().all(|label| is_label_name(label.key())) {
            return Self::Plain(key);
        }
        let renamed = |label: &'a metrics::Label| {
            let name = label_name(label.key()).map(|name: LabelName| name.as_str().to_owned());
            (name.unwrap_or_else(|_| label.key().to_owned()), label.value())
        };
        Self::Renamed(key.labels().map(renamed).collect())
    }
}

impl LabelPairs for KeyLabels<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let (plain, renamed) = match self {
            Self::Plain(key) => (Some(key.labels()), None),
            Self::Renamed(pairs) => (None, Some(pairs.iter())),
        };
        let plain = plain.into_iter().flatten().map(|label| (label.key(), label.value()));
        plain.chain(renamed.into_iter().flatten().map(|(name, value)| (name.as_str(), *value)))
    }
}

/// Whether a name needs no change; allocates nothing.
fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with("__")
}

/// The name of ours for a metric of the facade.
pub(super) fn name(of: &str, kind: Kind) -> Result<MetricName, NameError> {
    metric_name(of, kind)
}

/// The unit as it was given: values are never changed, so a base unit would be a lie beside milliseconds.
pub(super) fn unit(of: metrics::Unit) -> Unit {
    match of {
        metrics::Unit::Count => Unit::None,
        metrics::Unit::Seconds => Unit::Seconds,
        metrics::Unit::Bytes => Unit::Bytes,
        other => Unit::Other(other.as_str().into()),
    }
}
