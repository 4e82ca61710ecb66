//! A file that grows by whole lines, and is put aside when it is full.
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{JsonLinesConfig, JsonLinesError, SyncPolicy};

/// Appends lines to a file and puts it aside when it is full. Blocks.
///
/// The file is opened anew for each line, so it may be moved, deleted or put on another disk at any time. Nothing else may
/// write to it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    keep: u16,
    sync: SyncPolicy,
    discarded: Arc<AtomicU64>,
}

/// The file as it was found.
struct Opened {
    file: File,
    len: u64,
    /// It may not have been there before, so its name is not yet sure to survive.
    new: bool,
}

impl LogFile {
    pub(super) fn new(config: JsonLinesConfig, discarded: Arc<AtomicU64>) -> Self {
        let JsonLinesConfig { path, max_bytes, keep, sync, .. } = config;
        Self { path, max_bytes, keep, sync, discarded }
    }

    /// Looks whether the file can be written, and makes it if it is not there.
    pub(super) fn begin(&self) -> Result<(), JsonLinesError> {
        let opened = self.open()?;
        if opened.new { self.sync_folder() } else { Ok(()) }
    }

    /// Adds a line, without its newline, in one write.
    pub(super) fn append(&self, line: &[u8]) -> Result<(), JsonLinesError> {
        let mut opened = self.open()?;
        let mut torn = opened.torn().map_err(|error| self.fault("be read", error))?;
        let needed = line.len() as u64 + 1 + u64::from(torn);
        if opened.len > 0 && opened.len.saturating_add(needed) > self.max_bytes {
            self.rotate(opened)?;
            (opened, torn) = (self.open()?, false);
        }
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
        if opened.new { self.sync_folder() } else { Ok(()) }
    }

    /// Makes the lines that were not synced one by one survive a power cut.
    pub(super) fn finish(&self) -> Result<(), JsonLinesError> {
        if self.sync == SyncPolicy::EachLine || !self.path.exists() {
            return Ok(());
        }
        self.open()?.file.sync_data().map_err(|error| self.broken(error))?;
        self.sync_folder()
    }

    fn open(&self) -> Result<Opened, JsonLinesError> {
        let new =
            matches!(fs::symlink_metadata(&self.path), Err(error) if error.kind() == ErrorKind::NotFound);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(|error| self.fault("be opened", error))?;
        let found = file.metadata().map_err(|error| self.fault("be read", error))?;
        if !found.is_file() {
            return Err(JsonLinesError::NotAFile { path: self.path.clone() });
        }
        Ok(Opened { file, len: found.len(), new })
    }

    /// Puts the full file aside as `PATH.1`, each older one a number further; the oldest is overwritten.
    fn rotate(&self, full: Opened) -> Result<(), JsonLinesError> {
        full.file.sync_data().map_err(|error| self.broken(error))?;
        drop(full);
        let failed = |error| self.fault("be put aside", error);
        if self.aside(self.keep).exists() {
            self.discarded.fetch_add(1, Ordering::Relaxed);
        }
        if self.keep == 0 {
            return fs::remove_file(&self.path).map_err(failed);
        }
        for number in (0..self.keep).rev() {
            match fs::rename(self.aside(number), self.aside(number + 1)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                renamed => renamed.map_err(failed)?,
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

    /// Makes the file's name survive a power cut, where folders can be synced.
    fn sync_folder(&self) -> Result<(), JsonLinesError> {
        if cfg!(unix) {
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            return match File::open(folder).and_then(|folder| folder.sync_all()) {
                // Some file systems of networks cannot, and need not.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                    Ok(())
                }
                synced => synced.map_err(|error| self.broken(error)),
            };
        }
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
