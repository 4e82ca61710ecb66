//! The folder of results: built in a folder inside of it, moved into place when all is done.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::TempDir;

/// The files that a run makes.
pub(crate) const FILES: [&str; 3] = [DATABASE, ALERTS, REPORT];
pub(crate) const DATABASE: &str = "desk.sqlite";
pub(crate) const ALERTS: &str = "alerts.jsonl";
pub(crate) const REPORT: &str = "report.html";

/// What SQLite keeps beside a database that is open, or was when its process died.
const BESIDE_DATABASE: [&str; 2] = ["desk.sqlite-wal", "desk.sqlite-shm"];

/// What the names of folders begin with in which results are built.
const BUILDING: &str = ".building-";

/// A file of this name is locked as long as somebody builds beside it.
const LOCK: &str = "lock";

/// The results cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: found {source}, expected a folder in which files can be written", path.display())]
pub(crate) struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// Where the results are built, and where they go.
#[derive(Debug)]
pub(crate) struct Folder {
    out: PathBuf,
    building: TempDir,
    /// Held until the building folder is gone.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and an empty one inside of it to build in. What runs that were killed left there
    /// is taken away.
    pub(crate) fn prepare(out: &Path) -> Result<Self, FolderError> {
        let fault = |source| FolderError { path: out.to_owned(), source };
        fs::create_dir_all(out).map_err(fault)?;
        for path in FILES.map(|file| out.join(file)) {
            if path.is_dir() {
                return Err(FolderError {
                    path,
                    source: io::Error::other("a folder in the place of a file"),
                });
            }
        }
        clear(out).map_err(fault)?;
        let building = tempfile::Builder::new().prefix(BUILDING).tempdir_in(out).map_err(fault)?;
        let lock = locked(building.path()).map_err(fault)?;
        Ok(Self { out: out.to_owned(), building, _lock: lock })
    }

    /// Where a file is built.
    pub(crate) fn building(&self, file: &str) -> PathBuf {
        self.building.path().join(file)
    }

    /// The folder that files are built in.
    pub(crate) fn path(&self) -> &Path {
        self.building.path()
    }

    /// Moves every file into place: all of them or none. Each is the old one or the new one at any moment.
    pub(crate) fn swap(self) -> Result<(), FolderError> {
        let mut done = Vec::new();
        for file in FILES {
            if let Err(source) = self.replace(file, &mut done) {
                for (place, old) in done.into_iter().rev() {
                    // Nothing more can be done for one that cannot be put back.
                    let _ = old.map_or_else(|| fs::remove_file(&place), |old| fs::rename(old, &place));
                }
                return Err(FolderError { path: self.out.join(file), source });
            }
        }
        Ok(())
    }

    /// Moves one file into place, and tells of each place that was changed where its old file is.
    fn replace(&self, file: &str, done: &mut Vec<(PathBuf, Option<PathBuf>)>) -> io::Result<()> {
        let there = self.keep(file)?;
        if file == DATABASE {
            // A log that outlived its database would be read as that of the new one.
            for beside in BESIDE_DATABASE {
                if let Some(old) = self.keep(beside)? {
                    let place = self.out.join(beside);
                    fs::remove_file(&place)?;
                    done.push((place, Some(old)));
                }
            }
        }
        let place = self.out.join(file);
        fs::rename(self.building(file), &place)?;
        done.push((place, there));
        Ok(())
    }

    /// Gives what is in the place of a file a second name in the building folder, and tells it; none if nothing is there.
    fn keep(&self, file: &str) -> io::Result<Option<PathBuf>> {
        let old = self.building(&format!("old-{file}"));
        Ok(keep(&self.out.join(file), &old)?.then_some(old))
    }
}

/// Makes the lock of a folder. It gets its name only when it is locked: nobody else finds it before.
fn locked(building: &Path) -> io::Result<File> {
    let unnamed = building.join("lock-to-be");
    let lock = File::create_new(&unnamed)?;
    match lock.lock() {
        // Where nothing can be locked, nobody takes away what a killed run left.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        locked => locked?,
    }
    fs::rename(unnamed, building.join(LOCK))?;
    Ok(lock)
}

/// A second name for a file, or a copy where that cannot be; says whether there is a file at all.
fn keep(file: &Path, name: &Path) -> io::Result<bool> {
    match fs::hard_link(file, name) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // No file can take the place of a folder.
        Err(_) if file.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Err(_) => fs::copy(file, name).map(|_| true),
    }
}

/// Removes the folders in which nobody builds any more.
fn clear(out: &Path) -> io::Result<()> {
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        let is_building =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(BUILDING.as_bytes()));
        if !is_building {
            continue;
        }
        // One without a lock has only just been made.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            match fs::remove_dir_all(&path) {
                // Who built there, or somebody else who tidies up, was first.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn write_all(folder: &Path, text: &str) {
        for file in FILES {
            fs::write(folder.join(file), format!("{text} {file}")).unwrap();
        }
    }

    fn texts(folder: &Path) -> Vec<String> {
        FILES.iter().filter_map(|file| fs::read_to_string(folder.join(file)).ok()).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_swap_replaces_all_and_leaves_nothing_else() {
        let out = tempfile::tempdir().unwrap();
        write_all(out.path(), "old");
        fs::write(out.path().join("desk.sqlite-wal"), "log of the old one").unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        write_all(folder.path(), "new");
        folder.swap().unwrap();
        assert_eq!(texts(out.path()), ["new desk.sqlite", "new alerts.jsonl", "new report.html"]);
        assert_eq!(names(out.path()), ["alerts.jsonl", "desk.sqlite", "report.html"]);
    }

    #[test]
    fn a_swap_that_fails_half_way_leaves_the_old_results_whole() {
        let out = tempfile::tempdir().unwrap();
        write_all(out.path(), "old");
        fs::write(out.path().join("desk.sqlite-wal"), "what was not yet in the database").unwrap();
        fs::remove_file(out.path().join(REPORT)).unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        write_all(folder.path(), "new");
        fs::create_dir(out.path().join(REPORT)).unwrap(); // no file can take its place
        let error = folder.swap().unwrap_err().to_string();
        assert!(error.contains("report.html"), "{error}");
        assert_eq!(texts(out.path()), ["old desk.sqlite", "old alerts.jsonl"]);
        assert_eq!(names(out.path()), ["alerts.jsonl", "desk.sqlite", "desk.sqlite-wal", "report.html"]);
        let log = fs::read_to_string(out.path().join("desk.sqlite-wal")).unwrap();
        assert_eq!(log, "what was not yet in the database");
    }

    #[test]
    fn a_swap_that_fails_at_the_database_leaves_its_log() {
        let out = tempfile::tempdir().unwrap();
        write_all(out.path(), "old");
        fs::write(out.path().join("desk.sqlite-wal"), "log").unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        let error = folder.swap().unwrap_err().to_string(); // nothing was built
        assert!(error.contains("desk.sqlite"), "{error}");
        assert_eq!(texts(out.path()), ["old desk.sqlite", "old alerts.jsonl", "old report.html"]);
        assert_eq!(fs::read_to_string(out.path().join("desk.sqlite-wal")).unwrap(), "log");
    }

    #[test]
    fn a_first_swap_that_fails_leaves_no_results() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        write_all(folder.path(), "new");
        fs::remove_file(folder.building(REPORT)).unwrap();
        assert!(folder.swap().is_err());
        assert_eq!(names(out.path()), Vec::<String>::new());
    }

    #[test]
    fn what_a_killed_run_left_is_taken_away_and_what_is_being_built_is_not() {
        let out = tempfile::tempdir().unwrap();
        let dead = Folder::prepare(out.path()).unwrap();
        write_all(dead.path(), "dead");
        let Folder { building, _lock, .. } = dead;
        let left = building.keep();
        drop(_lock); // as the system does when a process ends
        let lives = Folder::prepare(out.path()).unwrap();
        assert!(!left.exists());
        let other = Folder::prepare(out.path()).unwrap();
        assert!(lives.path().exists() && other.path().exists());
    }

    #[test]
    fn who_tidies_up_takes_no_folder_that_is_being_made_and_minds_none_that_goes() {
        let out = tempfile::tempdir().unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let tidies = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    clear(out.path())?;
                }
                io::Result::Ok(())
            });
            let lost =
                (0..2_000).find(|_| !Folder::prepare(out.path()).is_ok_and(|made| made.path().exists()));
            done.store(true, Ordering::Relaxed);
            assert_eq!(lost, None);
            tidies.join().unwrap().unwrap();
        });
    }
}
