//! The database file as the system sees it.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Marks our databases, in `PRAGMA application_id`: "BWTH".
pub(crate) const APPLICATION_ID: u32 = 0x4257_5448;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const APPLICATION_ID_AT: usize = 68;
const HEADER_LEN: usize = 100;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Where the system tells no identity, only that there is a file.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }

    /// Of the file that a path leads to now.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }
}

/// The folder that a file lies in.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file of the same name with an ending, in the same folder.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// The file itself where a link leads to it. SQLite keeps the log beside the file, not beside the link.
pub(crate) fn behind_links(path: &Path) -> PathBuf {
    match std::fs::read_link(path) {
        // The link may lead to where a file is still to be made.
        Ok(target) => std::fs::canonicalize(path).unwrap_or_else(|_| folder_of(path).join(target)),
        Err(_) => path.to_owned(),
    }
}

/// Looks at a file before SQLite touches it: nothing there, an empty file, a database that is ours or nobody's, or why not.
pub(crate) fn inspect(path: &Path, name: &str) -> Result<(), StoreError> {
    let not_a_database = |found: String| Err(StoreError::NotADatabase { database: name.to_owned(), found });
    let unavailable = |error: std::io::Error| StoreError::Unavailable {
        database: name.to_owned(),
        reason: error.to_string(),
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unavailable(error)),
    };
    if !metadata.is_file() {
        return not_a_database(if metadata.is_dir() {
            "a folder".to_owned()
        } else {
            "no regular file".to_owned()
        });
    }
    let mut header = Vec::with_capacity(HEADER_LEN);
    let file = File::open(path).map_err(unavailable)?;
    file.take(HEADER_LEN as u64).read_to_end(&mut header).map_err(unavailable)?;
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(MAGIC) {
        let begin = header.get(..header.len().min(MAGIC.len())).unwrap_or_default();
        return not_a_database(format!("a file that begins with \"{}\"", begin.escape_ascii()));
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4).and_then(|id| id.try_into().ok());
    match id.map(u32::from_be_bytes) {
        None => not_a_database(format!("a header of {} bytes", header.len())),
        Some(0 | APPLICATION_ID) => Ok(()),
        Some(other) => Err(StoreError::Foreign {
            database: name.to_owned(),
            found: format!("the application id {other:#010x}"),
        }),
    }
}
