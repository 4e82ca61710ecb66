//! The folder of results: built in a folder beside the old files, moved into place when all is done.

use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::TempDir;

/// The files that a run makes.
pub(crate) const FILES: [&str; 3] = [DATABASE, ALERTS, REPORT];
pub(crate) const DATABASE: &str = "desk.sqlite";
pub(crate) const ALERTS: &str = "alerts.jsonl";
pub(crate) const REPORT: &str = "report.html";

/// The results cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}; expected a folder in which files can be written", path.display())]
pub(crate) struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// Where the results are built, and where they go.
#[derive(Debug)]
pub(crate) struct Folder {
    out: PathBuf,
    building: TempDir,
}

impl Folder {
    /// Makes the folder if it is missing, and an empty one inside of it to build in.
    pub(crate) fn prepare(out: &Path) -> Result<Self, FolderError> {
        let fault = |source| FolderError { path: out.to_owned(), source };
        fs::create_dir_all(out).map_err(fault)?;
        for path in FILES.map(|file| out.join(file)) {
            if path.exists() && !path.is_file() {
                let source = io::Error::other("there is something that is no file");
                return Err(FolderError { path, source });
            }
        }
        let building = tempfile::Builder::new().prefix(".building-").tempdir_in(out).map_err(fault)?;
        Ok(Self { out: out.to_owned(), building })
    }

    /// Where a file stands from now on.
    pub(crate) fn finished(&self, file: &str) -> PathBuf {
        self.out.join(file)
    }

    /// Where a file is built.
    pub(crate) fn building(&self, file: &str) -> PathBuf {
        self.building.path().join(file)
    }

    /// The folder that files are built in.
    pub(crate) fn path(&self) -> &Path {
        self.building.path()
    }

    /// Moves every file into place; each is the old one or the new one at any moment.
    pub(crate) fn swap(self) -> Result<(), FolderError> {
        for file in FILES {
            let to = self.finished(file);
            fs::rename(self.building(file), &to).map_err(|source| FolderError { path: to, source })?;
        }
        Ok(())
    }
}
