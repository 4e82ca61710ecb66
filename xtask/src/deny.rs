//! `deny.toml`: the licences that are allowed and the double versions that are known. `cargo deny` reads it too.

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::workspace::Workspace;

/// The parts of the file that the steps `licences` and `duplicates` hold the graph against.
#[derive(Debug, Deserialize)]
pub(crate) struct Deny {
    pub(crate) licenses: Licences,
    pub(crate) bans: Bans,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Licences {
    pub(crate) allow: Vec<String>,
    #[serde(default)]
    pub(crate) exceptions: Vec<Exception>,
}

/// Licences allowed for one crate alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Exception {
    #[serde(rename = "crate", alias = "name")]
    pub(crate) name: String,
    pub(crate) allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Bans {
    pub(crate) skip: Vec<Skip>,
    #[serde(default)]
    pub(crate) deny: Vec<Banned>,
}

/// A crate that must be nowhere in the graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Banned {
    #[serde(rename = "crate", alias = "name")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) reason: String,
}

/// A version that may stand beside another one of the same crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Skip {
    /// `name`, `name@1.2.3` or `name:>=1, <2`.
    #[serde(rename = "crate", alias = "name")]
    spec: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    pub(crate) reason: String,
}

impl Deny {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, String> {
        workspace.toml("deny.toml")
    }
}

impl Skip {
    /// The entry as it stands in the file.
    pub(crate) fn spec(&self) -> &str {
        &self.spec
    }

    /// The name, and the versions that the entry covers.
    pub(crate) fn covers(&self) -> Result<(&str, VersionReq), String> {
        let (name, version) = match self.spec.split_once(['@', ':']) {
            Some((name, version)) if self.spec.contains('@') => (name, format!("={version}")),
            Some((name, version)) => (name, version.to_owned()),
            None => (self.spec.as_str(), self.version.clone().unwrap_or_else(|| "*".to_owned())),
        };
        let requirement = VersionReq::parse(&version)
            .map_err(|error| format!("deny.toml skips `{}`: {error}", self.spec))?;
        Ok((name, requirement))
    }
}

/// The version that cargo wrote.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| format!("version `{text}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(line: &str) -> Skip {
        toml::from_str(line).unwrap()
    }

    #[test]
    fn an_entry_names_one_version_a_range_or_all() {
        let old = version("0.52.0").unwrap();
        let new = version("0.59.1").unwrap();
        for (line, covers) in [
            (r#"crate = "windows-sys@0.52.0""#, [true, false]),
            (r#"crate = "windows-sys:<0.59""#, [true, false]),
            (r#"name = "windows-sys""#, [true, true]),
            ("name = \"windows-sys\"\nversion = \"=0.59.1\"", [false, true]),
        ] {
            let skip = skip(line);
            let (name, requirement) = skip.covers().unwrap();
            assert_eq!(name, "windows-sys");
            assert_eq!([requirement.matches(&old), requirement.matches(&new)], covers, "{line}");
        }
    }

    #[test]
    fn a_version_that_is_none_is_told() {
        assert!(skip(r#"crate = "a@new""#).covers().is_err());
    }
}
