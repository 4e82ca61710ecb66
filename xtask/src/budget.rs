//! How long each step may take: `xtask/budget.toml`. Over budget is a warning, never a failure.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Seconds per step on two cores from an empty target folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budget {
    /// Of all steps together.
    total: f64,
    seconds: BTreeMap<String, f64>,
}

impl Budget {
    /// Reads the file under the root of the workspace.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let path = root.join("xtask/budget.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("xtask/budget.toml: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("xtask/budget.toml: {error}"))
    }

    /// The seconds that the step may take, if the file names it.
    pub(crate) fn of(&self, step: &str) -> Option<f64> {
        self.seconds.get(step).copied()
    }

    /// The seconds that all steps together may take.
    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// Refuses a file that names something which is no step.
    pub(crate) fn names_only(self, steps: &[&str]) -> Result<Self, String> {
        match self.seconds.keys().find(|name| !steps.contains(&name.as_str())) {
            Some(stranger) => Err(format!("xtask/budget.toml names `{stranger}`, which is no step")),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_without_a_step_is_told() {
        let budget: Budget = toml::from_str("total = 14\n[seconds]\nfmt = 5\nold = 9").unwrap();
        assert_eq!(budget.of("fmt"), Some(5.0));
        assert_eq!(budget.of("clippy"), None);
        assert_eq!(budget.total(), 14.0);
        assert!(budget.names_only(&["fmt", "clippy"]).unwrap_err().contains("`old`"));
    }
}
