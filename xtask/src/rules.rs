//! The data that the checks go by: `xtask/rules.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::workspace::Workspace;
use crate::{absent, allowances, examples, system, text, unused};

/// One section per step that has data of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) tool: Vec<system::Tool>,
    pub(crate) absent: Vec<absent::Rule>,
    #[serde(default)]
    pub(crate) silent: Vec<unused::Silent>,
    pub(crate) allowance: Vec<allowances::Allowance>,
    pub(crate) examples: BTreeMap<String, examples::Rule>,
    pub(crate) text: text::Rules,
}

impl Rules {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, String> {
        workspace.toml("xtask/rules.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_this_workspace_are_readable() {
        toml::from_str::<Rules>(include_str!("../rules.toml")).unwrap();
    }
}
