//! The workspace as `cargo metadata` describes it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::command;
use crate::options::Manners;
use crate::test_results::Held;

/// Where things are, and what the packages are (asked for once, when the first step needs it).
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) quiet: bool,
    pub(crate) install: bool,
    pub(crate) backtrace: bool,
    /// The tests that held in this run; unset until the step `tests` has run them.
    held: OnceCell<Vec<Held>>,
    metadata: OnceCell<Result<Metadata, String>>,
}

/// The part of `cargo metadata --all-features` that the checks read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Members and every dependency on every platform.
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it comes from; none for a package on this disk.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) manifest_path: PathBuf,
    publish: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The name that the code gives it, where that is another.
    pub(crate) rename: Option<String>,
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Package {
    /// Whether users of the project get this package.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }
}

impl Target {
    /// Whether the target is of this kind: `lib`, `example`, `bench` …
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

impl Metadata {
    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Those that users get.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.is_published())
    }

    /// The package with this id.
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}

#[cfg(test)]
impl Metadata {
    /// A workspace of one package with one program and no features, for tests.
    pub(crate) fn of_one_package(name: &str, root: &Path) -> Self {
        serde_json::from_value(serde_json::json!({
            "packages": [{
                "id": name, "name": name, "version": "0.1.0", "license": "MIT", "dependencies": [], "features": {},
                "targets": [{ "name": name, "kind": ["bin"], "src_path": root }],
                "manifest_path": root, "publish": null,
            }],
            "workspace_members": [name],
            "target_directory": "target",
        }))
        .unwrap()
    }
}

impl Workspace {
    /// Finds the workspace around the current directory.
    pub(crate) fn find(manners: Manners) -> Result<Self, String> {
        let mut cargo = command::cargo(Path::new("."));
        let manifest =
            command::stdout(cargo.args(["locate-project", "--workspace", "--message-format", "plain"]))?;
        let root = Path::new(manifest.trim())
            .parent()
            .ok_or_else(|| format!("the manifest `{manifest}` has no folder"))?
            .to_owned();
        let Manners { quiet, install, backtrace } = manners;
        Ok(Self { root, quiet, install, backtrace, held: OnceCell::new(), metadata: OnceCell::new() })
    }

    /// Packages and targets; the answer of the first call is kept.
    pub(crate) fn metadata(&self) -> Result<&Metadata, String> {
        self.metadata
            .get_or_init(|| {
                let mut cargo = command::cargo(&self.root);
                let json =
                    command::stdout(cargo.args(["metadata", "--format-version", "1", "--all-features"]))?;
                serde_json::from_str(&json)
                    .map_err(|error| format!("cargo metadata answers something unreadable: {error}"))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The text of a file, by its path from the root.
    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Files of the tree that match the patterns (none: all files): what git tracks and what it does not ignore.
    pub(crate) fn files(&self, patterns: &[&str]) -> Result<Vec<String>, String> {
        let mut git = Command::new("git");
        // A checkout may belong to another user than the one who runs the checks, as in a container.
        git.current_dir(&self.root).args(["-c", "safe.directory=*", "ls-files", "-z"]);
        git.args(["--cached", "--others", "--exclude-standard", "--"]).args(patterns);
        let list = command::stdout(&mut git)?;
        let files: BTreeSet<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
        // A file that is deleted and not yet committed is still in the list; a link is not followed.
        let is_file = |path: &str| self.root.join(path).symlink_metadata().is_ok_and(|file| file.is_file());
        Ok(files.into_iter().filter(|path| is_file(path)).map(str::to_owned).collect())
    }

    /// The tests that held, if they were run.
    pub(crate) fn held(&self) -> Option<&[Held]> {
        self.held.get().map(Vec::as_slice)
    }

    /// Remembers which tests held.
    pub(crate) fn tests_held(&self, held: Vec<Held>) {
        let _ = self.held.set(held);
    }

    /// Writes a log into the scratch folder and tells where it lies.
    pub(crate) fn keep(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.scratch()?.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// A folder for logs and scratch files, made if it is not there.
    pub(crate) fn scratch(&self) -> Result<PathBuf, String> {
        let target = match self.metadata() {
            Ok(metadata) => metadata.target_directory.clone(),
            Err(_) => self.root.join("target"),
        };
        let folder = target.join("xtask");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Reads a TOML data file of the checks.
    pub(crate) fn toml<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        toml::from_str(&self.read(path)?).map_err(|error| format!("{path}: {error}"))
    }
}
