//! Something is wrong, or was.
use std::cmp::{Ordering, Reverse};
use std::fmt;

use bellwether_core::{Fingerprint, LabelName, Labels, LabelsError, Severity};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::annotations::{Annotations, AnnotationsError};
use crate::name::{Category, NameError};
use crate::template::as_people_read;

/// Label that names an alert.
pub const ALERT_NAME: &str = "alertname";

/// Label that says how bad it is.
pub const SEVERITY: &str = "severity";

/// Whether what an alert tells is still so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AlertState {
    /// It is so.
    Firing,
    /// It was so, and is no more.
    Resolved,
}

impl AlertState {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an alert cannot be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// The labels do not make a set.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The annotations cannot be kept.
    #[error(transparent)]
    Annotations(#[from] AnnotationsError),
    /// The category is not a name.
    #[error(transparent)]
    Category(#[from] NameError),
    /// Without labels an alert has no identity.
    #[error("an alert needs at least one label; usually {ALERT_NAME:?}")]
    NoLabels,
    /// The value is not a number that can be told.
    #[error("value {value} of alert {alert} is not finite")]
    Value {
        /// The alert's labels.
        alert: String,
        /// The offending value.
        value: f64,
    },
    /// A text of a prepared alert is not a template.
    #[error("annotation {name:?}: {reason}")]
    Template {
        /// The annotation.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The severity said beside the labels is not the one in the labels.
    #[error("severity {severity} contradicts the label {SEVERITY}={label:?}")]
    Severity {
        /// What was said beside the labels.
        severity: Severity,
        /// What the label says.
        label: String,
    },
    /// It would end before it began.
    #[error("alert {alert} resolved at {resolved_at}, before it started at {starts_at}")]
    ResolvedBeforeStart {
        /// The alert's labels.
        alert: String,
        /// When it started.
        starts_at: DateTime<Utc>,
        /// When it was to end.
        resolved_at: DateTime<Utc>,
    },
}

/// Something is wrong, or was: who says so, how bad it is, since when, and until when.
///
/// The identity of an alert is its full label set. Severity is both a label, so that routes can match it, and a
/// value with an order; the two always agree. A label `severity` with a word that is not a [`Severity`] is kept as a label
/// and ranks as [`Alert::UNRANKED`]. Cloning copies pointers.
///
/// ```
/// use bellwether_alerts::{Alert, AlertState};
/// use bellwether_core::Severity;
/// use chrono::{DateTime, TimeDelta};
///
/// let start = DateTime::UNIX_EPOCH;
/// let alert = Alert::builder("DeskDrawdown", start)
///     .label("strategy", "momentum")
///     .severity(Severity::Critical)
///     .annotation("summary", "momentum is down 12 %")
///     .value(0.12)
///     .build()?;
/// assert_eq!(alert.labels().to_string(), r#"{alertname="DeskDrawdown",severity="critical",strategy="momentum"}"#);
/// assert_eq!(alert.state(), AlertState::Firing);
/// assert!(alert.resolved(start - TimeDelta::seconds(1)).is_err());
/// # Ok::<(), bellwether_alerts::AlertError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Stored"))]
pub struct Alert {
    labels: Labels,
    severity: Severity,
    category: Category,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Annotations::is_empty"))]
    annotations: Annotations,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    value: Option<f64>,
    starts_at: DateTime<Utc>,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    resolved_at: Option<DateTime<Utc>>,
}

impl Alert {
    /// How bad an alert ranks that does not say.
    pub const UNRANKED: Severity = Severity::Warning;

    /// An alert with a name, from an instant on.
    pub fn builder(name: impl Into<String>, starts_at: DateTime<Utc>) -> AlertBuilder {
        Self::from_labels(Labels::empty(), starts_at).label(ALERT_NAME, name)
    }

    /// An alert with labels that exist already.
    pub fn from_labels(labels: Labels, starts_at: DateTime<Utc>) -> AlertBuilder {
        AlertBuilder {
            base: labels,
            labels: Vec::new(),
            severity: None,
            category: Category::GENERAL,
            annotations: Vec::new(),
            value: None,
            starts_at,
            resolved_at: None,
        }
    }

    /// The label `alertname`; empty if it has none.
    pub fn name(&self) -> &str {
        self.labels.get(ALERT_NAME).unwrap_or_default()
    }

    /// The labels: the identity.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What part of the business it belongs to.
    pub fn category(&self) -> &Category {
        &self.category
    }

    /// Texts for people.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// The measured value behind it, in the unit of its metric; always finite.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Since when.
    pub fn starts_at(&self) -> DateTime<Utc> {
        self.starts_at
    }

    /// Until when; nothing while it is firing. Never before [`starts_at`](Self::starts_at).
    pub fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.resolved_at
    }

    /// Firing without an end, resolved with one.
    pub fn state(&self) -> AlertState {
        if self.resolved_at.is_none() { AlertState::Firing } else { AlertState::Resolved }
    }

    /// Whether it has no end.
    pub fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// The order in which people should read alerts: the worst first, then the oldest, then by labels.
    pub(crate) fn worst_first(&self, other: &Self) -> Ordering {
        let key = |alert: &Self| (Reverse(alert.severity), alert.starts_at);
        key(self).cmp(&key(other)).then_with(|| self.labels.cmp(&other.labels))
    }

    /// 128 bits that stand for the labels outside of the process. O(bytes).
    pub fn fingerprint(&self) -> Fingerprint {
        self.labels.fingerprint()
    }

    /// The same alert with an end.
    pub fn resolved(&self, at: DateTime<Utc>) -> Result<Self, AlertError> {
        if at < self.starts_at {
            return Err(AlertError::ResolvedBeforeStart {
                alert: self.labels.to_string(),
                starts_at: self.starts_at,
                resolved_at: at,
            });
        }
        Ok(Self { resolved_at: Some(at), ..self.clone() })
    }

    /// The same alert with an end, at its start if `at` is before that.
    pub(crate) fn ended(&self, at: DateTime<Utc>) -> Self {
        Self { resolved_at: Some(at.max(self.starts_at)), ..self.clone() }
    }

    /// The same alert from another instant on, without an end.
    pub(crate) fn since(self, starts_at: DateTime<Utc>) -> Self {
        Self { starts_at, resolved_at: None, ..self }
    }

    /// The same alert with another value and other texts.
    #[cfg(feature = "runtime")]
    pub(crate) fn saying(self, value: Option<f64>, annotations: Annotations) -> Self {
        Self { value: value.filter(|value| value.is_finite()), annotations, ..self }
    }
}

impl fmt::Display for Alert {
    /// One line: state, severity, labels, since when, until when, value to four significant digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        write!(f, "{} {} {} since {}", self.state(), self.severity, self.labels, time(self.starts_at))?;
        if let Some(at) = self.resolved_at {
            write!(f, " until {}", time(at))?;
        }
        if let Some(value) = self.value {
            f.write_str(", value ")?;
            f.write_str(&as_people_read(value))?;
        }
        Ok(())
    }
}

/// An alert in the making; every mistake is told by [`build`](Self::build).
#[derive(Debug, Clone)]
#[must_use = "nothing exists before `build`"]
pub struct AlertBuilder {
    base: Labels,
    labels: Vec<(String, String)>,
    severity: Option<Severity>,
    category: Category,
    annotations: Vec<(String, String)>,
    value: Option<f64>,
    starts_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
}

impl AlertBuilder {
    /// One more label.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// How bad it is; also becomes the label `severity`. Without it the label decides, or [`Alert::UNRANKED`].
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// What part of the business it belongs to; [`Category::GENERAL`] if not said.
    pub fn category(mut self, category: Category) -> Self {
        self.category = category;
        self
    }

    /// One more text for people.
    pub fn annotation(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.annotations.push((name.into(), text.into()));
        self
    }

    /// The measured value behind it.
    pub fn value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// It is over, since `at`.
    pub fn resolved_at(mut self, at: DateTime<Utc>) -> Self {
        self.resolved_at = Some(at);
        self
    }

    /// Checks everything.
    pub fn build(self) -> Result<Alert, AlertError> {
        let mut labels = self.base.merged(&Labels::new(self.labels)?)?;
        let severity = match (self.severity, labels.get(SEVERITY)) {
            (Some(severity), None) => {
                labels = labels.with(severity_label()?, severity.as_str())?;
                severity
            }
            (Some(severity), Some(label)) if label != severity.as_str() => {
                return Err(AlertError::Severity { severity, label: label.to_owned() });
            }
            (Some(severity), Some(_)) => severity,
            (None, label) => rank(label),
        };
        if labels.is_empty() {
            return Err(AlertError::NoLabels);
        }
        let alert = Alert {
            severity,
            category: self.category,
            annotations: Annotations::new(self.annotations)?,
            value: self.value,
            starts_at: self.starts_at,
            resolved_at: None,
            labels,
        };
        match self.value {
            Some(value) if !value.is_finite() => {
                return Err(AlertError::Value { alert: alert.labels.to_string(), value });
            }
            _ => {}
        }
        match self.resolved_at {
            Some(at) => alert.resolved(at),
            None => Ok(alert),
        }
    }
}

/// How bad a word in the label `severity` ranks.
fn rank(label: Option<&str>) -> Severity {
    label.and_then(|label| label.parse().ok()).unwrap_or(Alert::UNRANKED)
}

fn severity_label() -> Result<LabelName, LabelsError> {
    Ok(LabelName::new(SEVERITY)?)
}

/// An alert as it is stored: checked again when it is read. The severity follows from the labels.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Stored {
    labels: Labels,
    #[serde(default)]
    category: Category,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    value: Option<f64>,
    starts_at: DateTime<Utc>,
    #[serde(default)]
    resolved_at: Option<DateTime<Utc>>,
}

#[cfg(feature = "serde")]
impl TryFrom<Stored> for Alert {
    type Error = AlertError;
    fn try_from(stored: Stored) -> Result<Self, AlertError> {
        let mut builder = Self::from_labels(stored.labels, stored.starts_at).category(stored.category);
        builder.value = stored.value;
        builder.resolved_at = stored.resolved_at;
        Ok(Self { annotations: stored.annotations, ..builder.build()? })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn a_resolution_before_the_start_cannot_be_built() {
        let early = START - TimeDelta::milliseconds(1);
        let error = Alert::builder("A", START).resolved_at(early).build().unwrap_err();
        assert!(matches!(error, AlertError::ResolvedBeforeStart { .. }));
        let at_once = Alert::builder("A", START).resolved_at(START).build().unwrap();
        assert_eq!(at_once.state(), AlertState::Resolved);
        assert_eq!(at_once.ended(early).resolved_at(), Some(START));
    }

    #[test]
    fn severity_is_a_label_and_a_rank_that_agree() {
        let said = Alert::builder("A", START).severity(Severity::Error).build().unwrap();
        assert_eq!(said.labels().get("severity"), Some("error"));
        let labelled = Alert::builder("A", START).label("severity", "critical").build().unwrap();
        assert_eq!(labelled.severity(), Severity::Critical);
        let foreign = Alert::builder("A", START).label("severity", "page").build().unwrap();
        assert_eq!(foreign.severity(), Alert::UNRANKED);
        let torn = Alert::builder("A", START).label("severity", "page").severity(Severity::Info).build();
        assert!(matches!(torn, Err(AlertError::Severity { .. })));
    }

    #[test]
    fn a_value_that_is_no_number_and_no_labels_are_refused() {
        assert!(matches!(Alert::builder("A", START).value(f64::NAN).build(), Err(AlertError::Value { .. })));
        assert_eq!(Alert::from_labels(Labels::empty(), START).build(), Err(AlertError::NoLabels));
    }
}
