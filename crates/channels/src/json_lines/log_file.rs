//! A file that grows by whole lines, and is put aside when it is full.
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{JsonLinesConfig, JsonLinesError, SyncPolicy};

/// How often the file may be put aside by others while one waits for its turn.
const MAX_MOVES: u32 = 100;

/// Appends lines to a file and puts it aside when it is full. Blocks.
///
/// The file is opened anew for each line, so it may be moved, deleted or put on another disk at any time. While a line is written
/// and while the file is put aside it is locked: others that write to it in this way wait for their turn.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u16,
    sync: SyncPolicy,
    discarded: Arc<AtomicU64>,
    /// Names in the folder may have changed since it was last synced, so they are not yet sure to survive.
    folder_dirty: bool,
}

/// The file as it was found, locked.
struct Opened {
    file: File,
    len: u64,
}

impl LogFile {
    pub(super) fn new(config: JsonLinesConfig, discarded: Arc<AtomicU64>) -> Self {
        let JsonLinesConfig { path, max_bytes, keep, sync, .. } = config;
        // Who made the file may have died before the folder was synced.
        Self { path, max_bytes, keep, sync, discarded, folder_dirty: true }
    }

    /// Looks whether the file can be written, and makes it if it is not there. Waits for nobody.
    pub(super) fn begin(&mut self) -> Result<(), JsonLinesError> {
        self.find()?;
        self.sync_folder()
    }

    /// Adds a line, without its newline, in one write.
    pub(super) fn append(&mut self, line: &[u8]) -> Result<(), JsonLinesError> {
        let (mut opened, torn) = loop {
            let mut opened = self.open()?;
            let torn = opened.torn().map_err(|error| self.fault("be read", error))?;
            let needed = line.len() as u64 + 1 + u64::from(torn);
            if opened.len == 0 || opened.len.saturating_add(needed) <= self.max_bytes {
                break (opened, torn);
            }
            self.rotate(&opened)?;
        };
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if torn {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        opened.file.write_all(&bytes).map_err(|error| self.broken(error))?;
        if self.sync == SyncPolicy::EachLine {
            opened.file.sync_data().map_err(|error| self.broken(error))?;
        }
        self.sync_folder()
    }

    /// Makes the lines that were not synced one by one survive a power cut.
    pub(super) fn finish(&mut self) -> Result<(), JsonLinesError> {
        if self.sync == SyncPolicy::WhenClosed {
            match options().open(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                file => file.and_then(|file| file.sync_data()).map_err(|error| self.broken(error))?,
            }
        }
        self.sync_folder()
    }

    /// Opens the file, and waits for its turn with it.
    fn open(&mut self) -> Result<Opened, JsonLinesError> {
        for _ in 0..MAX_MOVES {
            let file = self.find()?;
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Some file systems of networks cannot lock; one that writes alone needs no lock.
                Ok(()) | Err(_) => {}
            }
            let found = file.metadata().map_err(|error| self.fault("be read", error))?;
            if is_at(&found, &self.path) {
                return Ok(Opened { file, len: found.len() });
            }
        }
        Err(self.fault("be opened", ErrorKind::ResourceBusy.into()))
    }

    /// Opens the file, and makes it if it is not there.
    fn find(&mut self) -> Result<File, JsonLinesError> {
        let mut options = options();
        let file = match options.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = options.create(true).open(&self.path);
                self.folder_dirty |= made.is_ok();
                made
            }
            found => found,
        };
        let file = file.map_err(|error| self.fault("be opened", error))?;
        if !file.metadata().map_err(|error| self.fault("be read", error))?.is_file() {
            return Err(JsonLinesError::NotAFile { path: self.path.clone() });
        }
        Ok(file)
    }

    /// Puts the full file aside as `PATH.1`, each older one a number further; the oldest is overwritten.
    fn rotate(&mut self, full: &Opened) -> Result<(), JsonLinesError> {
        full.file.sync_data().map_err(|error| self.broken(error))?;
        self.folder_dirty = true;
        if self.keep == 0 {
            fs::remove_file(&self.path).map_err(|error| self.fault("be put aside", error))?;
            self.discarded.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        for number in (0..self.keep).rev() {
            let (from, to) = (self.aside(number), self.aside(number + 1));
            let overwrites = number + 1 == self.keep && fs::symlink_metadata(&to).is_ok();
            match fs::rename(from, to) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                renamed => {
                    renamed.map_err(|error| self.fault("be put aside", error))?;
                    self.discarded.fetch_add(u64::from(overwrites), Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// `PATH.number`; 0 is the file itself.
    fn aside(&self, number: u16) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }

    /// Makes the names of the files survive a power cut, where folders can be synced.
    fn sync_folder(&mut self) -> Result<(), JsonLinesError> {
        if cfg!(unix) && self.folder_dirty {
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            match File::open(folder).and_then(|folder| folder.sync_all()) {
                // Some file systems of networks cannot, and need not.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {}
                synced => synced.map_err(|error| self.broken(error))?,
            }
        }
        self.folder_dirty = false;
        Ok(())
    }

    fn fault(&self, what: &'static str, error: io::Error) -> JsonLinesError {
        JsonLinesError::Open { path: self.path.clone(), what, error }
    }

    fn broken(&self, error: io::Error) -> JsonLinesError {
        JsonLinesError::Write { path: self.path.clone(), error }
    }
}

impl Opened {
    /// Whether the last line has no end: the process that wrote it died on the way, or the disk was full.
    fn torn(&mut self) -> io::Result<bool> {
        let mut last = [b'\n'];
        if self.len > 0 {
            self.file.seek(SeekFrom::Start(self.len - 1))?;
            self.file.read_exact(&mut last)?;
        }
        Ok(last != [b'\n'])
    }
}

/// To read whether the last line has an end, and to write behind it.
fn options() -> OpenOptions {
    let mut options = File::options();
    options.read(true).append(true);
    options
}

/// Whether this is the file that the path leads to, and not one that was put aside.
#[cfg(unix)]
fn is_at(found: &Metadata, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (found.dev(), found.ino()))
}

/// Whether there is a file: which one it is, is not told everywhere.
#[cfg(not(unix))]
fn is_at(_: &Metadata, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_not_synced_with_its_new_file_is_synced_with_the_next_line() {
        let disk = tempfile::tempdir().unwrap();
        let (folder, gone) = (disk.path().join("folder"), disk.path().join("gone"));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("alerts.jsonl");
        let mut log = LogFile::new(JsonLinesConfig::new(&path), Arc::default());
        log.begin().unwrap();
        assert!(!log.folder_dirty);
        fs::remove_file(&path).unwrap();
        // A first attempt that makes the file, and comes no further than this.
        log.open().unwrap();
        fs::rename(&folder, &gone).unwrap();
        assert!(log.sync_folder().is_err() && log.folder_dirty);
        fs::rename(&gone, &folder).unwrap();
        log.append(b"{}").unwrap();
        assert!(!log.folder_dirty);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    }
}
