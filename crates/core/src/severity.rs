//! How bad it is.

use std::fmt;
use std::str::FromStr;

use crate::human_duration::shortened;

/// How bad it is: `Info < Warning < Error < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Severity {
    /// Worth knowing; nobody needs to act.
    Info,
    /// May need somebody soon.
    Warning,
    /// Something is broken; somebody must act today.
    Error,
    /// Money or safety is at stake; somebody must act now.
    Critical,
}

impl Severity {
    /// All, from the mildest to the worst.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text is not a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("severity {text:?} is not one of info, warning, error, critical")]
pub struct SeverityError {
    /// The offending text, shortened.
    pub text: String,
}

impl FromStr for Severity {
    type Err = SeverityError;
    fn from_str(text: &str) -> Result<Self, SeverityError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| SeverityError { text: shortened(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered_and_read_back() {
        use Severity::{Critical, Error, Info, Warning};
        assert!(Info < Warning && Warning < Error && Error < Critical);
        assert_eq!(Severity::ALL, [Info, Warning, Error, Critical]);
        for severity in Severity::ALL {
            assert_eq!(severity.to_string().parse(), Ok(severity));
        }
        assert_eq!(
            "fatal".parse::<Severity>().unwrap_err().to_string(),
            "severity \"fatal\" is not one of info, warning, error, critical"
        );
    }
}
