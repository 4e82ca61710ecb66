//! One process writes: a lock on a file beside the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::file::{FileIdentity, beside, folder_of};
use crate::StoreError;

/// Held as long as it lives. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    path: PathBuf,
    file: File,
}

impl WriterLock {
    /// Takes the lock of a database, or says who has it.
    pub(crate) fn take(database: &Path, name: &str) -> Result<Self, StoreError> {
        let path = beside(database, "-lock");
        let folder = |error: std::io::Error| StoreError::Folder {
            database: name.to_owned(),
            folder: folder_of(database),
            reason: error.to_string(),
        };
        loop {
            let file =
                OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(folder)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::InUse { database: name.to_owned(), lock: path });
                }
                Err(TryLockError::Error(error)) => return Err(folder(error)),
            }
            // Whoever had it before may have removed the file between our open and our lock.
            let ours = file.metadata().ok().map(|metadata| FileIdentity::of(&metadata));
            if ours.is_some() && ours == FileIdentity::at(&path) {
                return Ok(Self { path, file });
            }
        }
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // While the lock is held nobody else can take the file for theirs.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}
