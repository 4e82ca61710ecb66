//! Report files: written whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A report file cannot be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// Writes files into a folder, each whole or not at all: to a temporary name beside, synced, then renamed.
///
/// Runs on the blocking pool; the folder is made if it is missing. When one of the names is no plain name of a file, such as
/// `../x`, none is written.
#[allow(clippy::disallowed_methods, reason = "what starts on the blocking pool is awaited right below")]
pub async fn write_files(folder: PathBuf, files: Vec<(String, String)>) -> Result<(), FileError> {
    let path = folder.clone();
    let written = tokio::task::spawn_blocking(move || {
        if let Some((name, _)) = files.iter().find(|(name, _)| !is_plain(name)) {
            let source = std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                format!("{name:?}: expected the name of a file, without a folder"),
            );
            return Err(FileError { path: folder, source });
        }
        std::fs::create_dir_all(&folder).map_err(|source| FileError { path: folder.clone(), source })?;
        files.iter().try_for_each(|(name, text)| write(&folder, &folder.join(name), text.as_bytes()))
    });
    written.await.unwrap_or_else(|error| Err(FileError { path, source: std::io::Error::other(error) }))
}

/// Whether a path is a file in the folder itself.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let fault = |source| FileError { path: path.to_owned(), source };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any other new file: readable as far as the umask allows, and not only by its owner.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(fault)?;
    file.write_all(bytes).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist(path).map_err(|error| fault(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
}
